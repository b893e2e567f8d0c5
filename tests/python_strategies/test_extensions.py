"""Installed packages add strategies, features and cost models by entry points; what is wrong with one names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from admf_cli.checks.lookahead import check_lookahead
from admf_cli.checks.rendering import lookahead_lines
from admf_cli.checks.rerun import phases_of
from admf_cli.checks.warmup import check_warmup
from admf_cli.config import load_config
from admf_cli.errors import ConfigError, RunFailedError
from admf_cli.results import RunResult

PACKAGE = '''
import numpy as np
from dataclasses import dataclass
from admf_cli.features import FeatureInfo, Parameter
from admf_cli.features.extension import FeatureExtension
from admf_cli.strategies.buy_and_hold import INFO

@dataclass
class Dips:
    """Buys after falls."""
    below: float = 0.98
    def targets(self, bars, features):
        ratio = features["mid"] / bars.close
        return np.where(np.isnan(ratio), np.nan, (ratio > 1.0).astype(float))
    features = {"mid": {"type": "MIDRANGE", "timeperiod": 5}}

class Follower:
    def on_bar(self, ctx):
        if ctx.bar == 2: ctx.buy(1)

class Breaks:
    def on_bar(self, ctx):
        ctx.price("nowhere")

def info(name):
    return FeatureInfo(name=name, summary="Half way between the extremes", source="x", group="Ours",
        parameters=(Parameter("timeperiod", "int", 10, minimum=1, maximum=999),), inputs=("high", "low"),
        outputs=("real",))

def midrange(columns, params, times):
    n = params["timeperiod"]
    out = np.full(len(times), np.nan)
    for t in range(n - 1, len(times)):
        out[t] = (columns[0][t + 1 - n : t + 1].max() + columns[1][t + 1 - n : t + 1].min()) / 2
    return (out,)

def peeks(columns, params, times):
    return (columns[0] / columns[0].max(),)

MIDRANGE = FeatureExtension(info("MIDRANGE"), midrange, lambda params: params["timeperiod"] - 1)
PEEKS = FeatureExtension(info("PEEKS"), peeks, lambda params: 0)
def writes(columns, params, times):
    columns[0].flags.writeable = True

WRITES = FeatureExtension(info("WRITES"), writes, lambda params: 0)
SHORT = FeatureExtension(info("SHORT"), lambda c, p, t: (c[0][1:],), lambda params: 0)
HOLD = INFO
NOTHING = 3

def flat_fee(fee):
    return lambda quantity, value, maker: fee

def negative(**params):
    return lambda tape: float("nan")

def rebate(**params):
    return lambda tape: -0.25

def constant(**params):
    return 0.01

def half_tick(ticks=0.5):
    return lambda tape: ticks
'''
POINTS = """
[admf.strategies]
dips = pack:Dips
follower = pack:Follower
breaks = pack:Breaks
hold = pack:HOLD
nothing = pack:NOTHING
missing = pack:Missing
[admf.features]
MIDRANGE = pack:MIDRANGE
PEEKS = pack:PEEKS
SHORT = pack:SHORT
WRITES = pack:WRITES
NOFEATURE = pack:NOTHING
[admf.commissions]
flat_fee = pack:flat_fee
[admf.slippages]
half_tick = pack:half_tick
negative = pack:negative
rebate = pack:rebate
constant = pack:constant
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package for the length of a test, as pip would: a module and its dist-info."""
    (tmp_path / "pack.py").write_text(PACKAGE)
    info = tmp_path / "pack-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pack\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "pack", raising=False)


def config(strategy: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "data": {"source": "synthetic", "symbols": ["X"], "synthetic": {"bars": 200}},
        "strategies": [{"name": "s", **strategy}],
        "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 10}}],
        "execution": {"trace_settings": {"persist_to_disk": False}, **parts.pop("execution", {})},
        "results": {"write": False},
        **parts,
    }


def fills(result: RunResult) -> list[dict[str, Any]]:
    events = [e for trace in result.phases[0].traces for e in trace.events]
    return [e["payload"] for e in events if e["event_type"] == "FILL"]


@pytest.mark.usefixtures("installed")
def test_strategies_of_either_style_and_built_in_style_can_be_installed() -> None:
    assert len(fills(run_backtest(config({"type": "dips", "params": {"below": 0.9}})))) > 5
    assert len(fills(run_backtest(config({"type": "follower"})))) == 1
    assert len(fills(run_backtest(config({"type": "hold"})))) == 1


@pytest.mark.usefixtures("installed")
def test_a_feature_that_peeks_is_named_by_the_look_ahead_check() -> None:
    rules = {"type": "rules", "params": {"enter_long": "share > 0.9", "exit_long": "share < 0.85"}}
    features = {"fine": {"type": "MIDRANGE"}, "share": {"type": "peeks"}}
    (phase,) = phases_of(load_config(config(rules, features=features)))
    verdict = check_lookahead(phase, cuts=4)
    assert "what leaked: feature share\n" in lookahead_lines([verdict])
    leak = verdict.leak
    assert leak is not None
    assert (leak.event_type, leak.features) == ("FEATURE", ("share",))
    assert leak.sees_bars is not None
    assert leak.sees_bars > 1
    sound = config(rules, features={"share": {"type": "MIDRANGE", "timeperiod": 4}})
    (phase,) = phases_of(load_config(sound))
    assert check_lookahead(phase, cuts=4).leak is None


@pytest.mark.usefixtures("installed")
def test_cost_models_can_be_installed() -> None:
    execution = {
        "commission": {"type": "installed", "name": "flat_fee", "params": {"fee": 2.5}, "minimum": 1.0},
        "slippage": {"type": "installed", "name": "half_tick"},
    }
    (fill,) = fills(run_backtest(config({"type": "buy_and_hold"}, execution=execution)))
    assert (fill["commission"], fill["slippage"]) == (2.5, 0.5)


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = {
    "no strategy": ({"type": "dip"}, {}, ConfigError, "did you mean dips"),
    "neither class nor description": ({"type": "nothing"}, {}, ConfigError, "admf.strategies: nothing must be a class"),
    "cannot be loaded": ({"type": "missing"}, {}, ConfigError, "missing of pack .pack:Missing. cannot be loaded"),
    "wrong parameter": ({"type": "dips", "params": {"blow": 1}}, {}, ConfigError, "takes no parameter blow"),
    "raises": ({"type": "breaks"}, {}, RunFailedError, "pack.py:.* in Breaks.on_bar: ValueError: no symbol 'nowhere'"),
    "no commission": (
        {"type": "buy_and_hold"},
        {"commission": {"type": "installed", "name": "flat"}},
        ConfigError,
        "no installed package offers a commission flat; did you mean flat_fee",
    ),
    "wrong cost parameter": (
        {"type": "buy_and_hold"},
        {"commission": {"type": "installed", "name": "flat_fee", "params": {"fees": 1}}},
        ConfigError,
        "flat_fee: .*fees",
    ),
    "no number": (
        {"type": "buy_and_hold"},
        {"slippage": {"type": "installed", "name": "negative"}},
        RunFailedError,
        "slippage negative: must be a finite number, not negative .got nan.",
    ),
    "below zero": (
        {"type": "buy_and_hold"},
        {"slippage": {"type": "installed", "name": "rebate"}},
        RunFailedError,
        "slippage rebate: must be a finite number, not negative .got -0.25.",
    ),
    "no function": (
        {"type": "buy_and_hold"},
        {"slippage": {"type": "installed", "name": "constant"}},
        ConfigError,
        "execution.slippage: constant must make a function .it made a float.",
    ),
}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("strategy", "execution", "kind", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_wrong_with_an_installed_one_is_told(
    strategy: dict[str, Any], execution: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        run_backtest(config(strategy, execution=execution))


@pytest.mark.usefixtures("installed")
def test_an_installed_feature_has_the_lookback_that_it_says_and_one_that_is_none_is_told() -> None:
    known = {"mid": {"type": "MIDRANGE", "timeperiod": 10}, "average": {"type": "SMA", "timeperiod": 5, "input": "mid"}}
    (phase,) = phases_of(load_config(config({"type": "buy_and_hold"}, features=known)))
    assert [row.lookback for row in check_warmup(phase, 0.001)] == [9, 13]
    with pytest.raises(ConfigError, match=r"NOFEATURE must be a FeatureExtension, not int"):
        run_backtest(config({"type": "buy_and_hold"}, features={"f": {"type": "NOFEATURE"}}))


@pytest.mark.usefixtures("installed")
def test_a_feature_of_the_wrong_length_ends_the_run() -> None:
    with pytest.raises(RunFailedError, match=r"feature SHORT: must return 1 column of 200 numbers"):
        run_backtest(config({"type": "buy_and_hold"}, features={"f": {"type": "SHORT"}}))


@pytest.mark.usefixtures("installed")
def test_a_feature_cannot_write_to_the_market() -> None:
    rules = {"type": "rules", "params": {"enter_long": "f > 1", "exit_long": "f < 1"}}
    with pytest.raises(RunFailedError, match="cannot set WRITEABLE"):
        run_backtest(config(rules, features={"f": {"type": "WRITES"}}))


@pytest.mark.usefixtures("installed")
def test_the_lists_name_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    from admf_cli.cli.features import list_features
    from admf_cli.cli.strategies import list_strategies

    list_strategies()
    list_features()
    shown = capsys.readouterr().out
    assert "from installed packages\n  breaks\n  dips\n" in shown
    assert "from installed packages\n  MIDRANGE\n" in shown


def test_nothing_of_it_is_known_without_the_package() -> None:
    with pytest.raises(ConfigError, match="must be a strategy"):
        run_backtest(config({"type": "dips"}))
