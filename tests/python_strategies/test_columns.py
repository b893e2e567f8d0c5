"""A user's columnar class: what its targets mean, what it may read, and that it equals a built-in of the same rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from admf_cli.errors import AdmfError, ConfigError, RunFailedError

from .conftest import Run, config_of, events_of, signals_of, write_days

CROSSING = """
from dataclasses import dataclass

@dataclass
class S:
    fast: int = 5
    slow: int = 20

    def features(self):
        return {n: {"type": "SMA", "timeperiod": getattr(self, n)} for n in ("fast", "slow")}

    def targets(self, bars, features):
        fast, slow = features["fast"], features["slow"]
        above = fast > slow
        before = np.vstack([above[:1], above[:-1]])
        known = ~np.isnan(np.vstack([slow[:1] * np.nan, slow[:-1]]))
        wanted = np.full(bars.close.shape, np.nan)
        wanted[above & ~before & known] = 1
        wanted[~above & before & known] = 0
        return wanted
"""


def test_a_class_with_the_rules_of_a_built_in_gives_its_fills_and_equity(run_class: Run, tmp_path: Path) -> None:
    mine = run_class(CROSSING)
    config = config_of(tmp_path, "S")
    params = {"fast": 5, "slow": 20}
    config["strategies"] = [{"name": "s", "type": "sma_crossover", "params": params}]
    theirs = run_backtest(config)
    assert signals_of(mine) == signals_of(theirs)
    assert len(signals_of(mine)) > 10
    mine_portfolio, their_portfolio = mine.phases[0].portfolios[0], theirs.phases[0].portfolios[0]
    assert mine_portfolio.trades == their_portfolio.trades
    assert mine_portfolio.equity.tobytes() == their_portfolio.equity.tobytes()


def test_signals_carry_the_features_that_were_read_and_no_others(run_class: Run) -> None:
    features = {"idle": {"type": "SMA", "timeperiod": 3}}
    events = events_of(run_class(CROSSING, features=features))
    signal = next(event for event in events if event["event_type"] == "SIGNAL")
    assert sorted(signal["payload"]["features"]) == ["fast", "slow"]
    start = next(event for event in events if event["event_id"] == "strategy_s#1")
    assert start["payload"]["settings"]["params"] == {"fast": 5, "slow": 20}
    assert start["payload"]["settings"]["code"]["class"] == "my.py:S"


def test_direction_targets_decide_where_they_change_and_nan_keeps_what_was_wanted(run_class: Run) -> None:
    targets = "np.array([0, 1, 1, np.nan, 1, np.nan, 0, np.nan, -1] + [np.nan] * 291)"
    result = run_class(f"class S:\n    def targets(self, bars, features):\n        return {targets}\n")
    # 0 at first is what it has; 1 at bar 1; 1 again changes nothing, nor does nan between; 0 at 6; -1 at 8
    assert signals_of(result) == [(1, 1.0), (6, 0.0), (8, -1.0)]


def test_every_weight_is_a_decision(run_class: Run) -> None:
    source = """
class S:
    kind = "weight"
    def targets(self, bars, features):
        wanted = np.full(bars.close.shape, np.nan)
        wanted[::100] = 0.25
        return wanted
"""
    result = run_class(source, profile={"sizing": {"type": "target_weights"}})
    assert signals_of(result) == [(0, 0.25), (100, 0.25), (200, 0.25)]


def test_on_a_bar_that_a_symbol_lacks_nothing_is_decided_for_it(tmp_path: Path) -> None:
    days = write_days(tmp_path / "A.csv", [(10.0, 11.0, 9.0, 10.0)] * 4).read_text().splitlines(keepends=True)
    (tmp_path / "B.csv").write_text(days[0] + days[1] + days[4])
    (tmp_path / "my.py").write_text(
        "class S:\n    def targets(self, bars, f): return [[0, 0], [0, 1], [0, 1], [0, 1]]\n"
    )
    config = config_of(tmp_path, "S")
    config["data"] = {"path": {name: str(tmp_path / f"{name}.csv") for name in "AB"}}
    assert signals_of(run_backtest(config)) == [(3, 1.0)]  # not at bars 1 and 2, which B lacks


def test_targets_before_a_phase_are_left_out_and_it_begins_flat(run_class: Run) -> None:
    phases = [{"name": "later", "start": "2000-03-01"}]
    source = "class S:\n    def targets(self, bars, features):\n        return np.ones(bars.close.shape)\n"
    result = run_class(source, workflow={"phases": phases})
    assert result.phases[0].warmup_bars > 0
    assert signals_of(result) == [(0, 1.0)]


FAILURES = {
    "shape": ("return np.zeros(3)", r"must return shape \(300, 1\).*not \(3,\)"),
    "text": ('return ["a"]', "must return numbers"),
    "nothing": ("pass", "must be finite|must return"),
    "infinite": ("t = np.zeros(300); t[7] = np.inf; return t", r"at bar 7 \(2000-01-12T00:00:00Z\), X: inf"),
    "two": ("return np.full(300, 2.0)", "must be 1, 0 or -1.*at bar 0.*and 299 more"),
    "read-only bars": ("bars.close[0] = 1", "read-only"),
    "read-only features": ('features["f"][0] = 1', "read-only"),
    "unknown feature": ('return features["g"]', "no feature g; known: f"),
    "zero": ("n = 0; return 1 // n", r"my.py:4 in S.targets: ZeroDivisionError.*\n.*return 1 // n\n.*n = 0"),
    "exit": ("import sys; sys.exit(0)", "sys.exit"),
    "made writable": ("bars.close.flags.writeable = True", "cannot set WRITEABLE"),
    "a feature made writable": ('features["f"].flags.writeable = True', "cannot set WRITEABLE"),
    "complex numbers": ("return bars.close * 1j", "numbers of shape .* they are of type complex128"),
    "times": ("return bars.times.astype('M8[us]')", "numbers of shape .* they are of type datetime64"),
    "texts": ("return [['1']] * bars.n_bars", "numbers of shape .* they are of type <U1"),
    "rows of unequal length": ("return [[1], [1, 2]]", "numbers of shape .* not list"),
    "no array, and its own fault": (
        "return type('Odd', (), {'__array__': lambda *_, **__: 1 // 0})()",
        "my.py:4 in .*ZeroDivisionError",
    ),
}


@pytest.mark.parametrize(("body", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_what_goes_wrong_is_told_with_file_and_line(body: str, message: str, run_class: Run) -> None:
    features = {"f": {"type": "SMA", "timeperiod": 3}}
    with pytest.raises(RunFailedError, match=message) as caught:
        run_class(f"class S:\n    def targets(self, bars, features):\n        {body}\n", features=features)
    assert "my.py:" in str(caught.value)


def test_targets_of_a_kind_that_there_is_not_are_refused_before_they_are_asked_for(run_class: Run) -> None:
    source = "class S:\n    kind = 'percent'\n    def targets(self, bars, features): 1 / 0\n"
    with pytest.raises(RunFailedError, match=r"my\.py:2 in kind: must be one of direction, weight\n.*'percent'"):
        run_class(source)


def test_nothing_below_the_arrays_is_the_market_s_own_memory(run_class: Run) -> None:
    # Whoever could write to it would change the prices at which all trade, and no rerun would tell.
    body = """
        for array in (bars.open, bars.close, bars.times, features["f"]):
            while isinstance(array, np.ndarray):
                assert not array.flags.writeable
                array = array.base
            assert type(array) is bytes
        return np.where(bars.close > features["f"], 1.0, 0.0)
"""
    result = run_class(
        f"class S:\n    def targets(self, bars, features):{body}", features={"f": {"type": "SMA", "timeperiod": 3}}
    )
    assert signals_of(result)


def test_what_is_masked_is_no_opinion(run_class: Run) -> None:
    body = "np.ma.masked_where(np.arange(bars.n_bars) != 7, np.ones(bars.n_bars))"
    result = run_class(f"class S:\n    def targets(self, bars, features): return {body}\n")
    assert signals_of(result) == [(7, 1.0)]


MISTAKES: dict[str, tuple[str, dict[str, Any], str]] = {
    "neither style": ("class S: pass", {}, "must define targets.* or on_bar.*neither"),
    "both styles": ("class S:\n    def targets(self, b, f): 0\n    def on_bar(self, c): 0", {}, "it has both"),
    "too few arguments": ("class S:\n    def targets(self, bars): 0", {}, r"my.py:2: S: must be targets\(bars, feat"),
    "a generator": ("class S:\n    def on_bar(self, ctx): yield", {}, "plain method, without yield"),
    "a coroutine": ("class S:\n    async def on_bar(self, ctx): 0", {}, "plain method"),
    "no such parameter": (CROSSING, {"fats": 3}, "takes no parameter fats; did you mean fast"),
    "a parameter too few": (
        "class S:\n    def __init__(self, n): 0\n    def on_bar(self, ctx): 0",
        {},
        "needs the param",
    ),
    "no class": ("S = 3", {}, "must be a class"),
    "syntax": ("class S:\n    def targets(self, bars features): 0", {}, r"my.py:3:\d+: SyntaxError"),
    "other class": ("class Strat: pass", {}, "no class S in this file"),
    "no module": ("import surely_not_there\nclass S: pass", {}, "my.py:2.*surely_not_there.*install it"),
    "feature": (
        'class S:\n    features = {"f": {"type": "SMAA"}}\n    def targets(self, b, f): 0',
        {},
        "did you mean .SMA",
    ),
}


@pytest.mark.parametrize(("source", "params", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_class_that_cannot_be_a_strategy_is_a_fault_of_the_configuration(
    source: str, params: dict[str, Any], message: str, run_class: Run
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_class(source, params=params)


def test_a_file_that_raises_when_it_is_loaded_fails_the_run_with_its_line(run_class: Run) -> None:
    with pytest.raises(RunFailedError, match=r"my.py:2 in the file: ZeroDivisionError"):
        run_class("1 / 0\nclass S:\n    def targets(self, bars, features): 0\n")


def test_the_rules_of_path_are_checked_with_the_configuration(tmp_path: Path) -> None:
    config = config_of(tmp_path, "S")
    with pytest.raises(ConfigError, match=r"strategies\[0\].path: no such file: .*my.py"):
        run_backtest(config)
    del config["strategies"][0]["path"]
    with pytest.raises(ConfigError, match="path: is required with type: python"):
        run_backtest(config)
    config["strategies"][0] |= {"type": "buy_and_hold", "path": "my.py:S"}
    with pytest.raises(ConfigError, match="has no meaning with type: buy_and_hold"):
        run_backtest(config)
    config["strategies"][0] |= {"type": "python", "path": "my.py"}
    with pytest.raises(ConfigError, match=r"a file and a class, such as my_strategies.py:Breakout"):
        run_backtest(config)


def test_checking_a_configuration_executes_nothing_of_the_file(tmp_path: Path) -> None:
    from admf_cli.config import load_config

    (tmp_path / "my.py").write_text("raise SystemExit\nclass S: ...\n")
    load_config(config_of(tmp_path, "S"))


def test_modules_beside_the_file_can_be_imported_and_every_run_loads_them_anew(run_class: Run, tmp_path: Path) -> None:
    source = "from beside import wanted\nclass S:\n    def targets(self, b, f): return np.full(300, wanted())\n"
    (tmp_path / "beside.py").write_text(
        "calls = []\ndef wanted():\n    calls.append(1)\n    return float(len(calls))\n"
    )
    assert signals_of(run_class(source)) == [(0, 1.0)]
    assert signals_of(run_class(source)) == [(0, 1.0)]  # a second call in the same module would want 2: an error


def test_equal_configurations_with_different_code_have_different_digests(run_class: Run) -> None:
    first = run_class("class S:\n    def targets(self, b, f): return np.ones(300)\n")
    second = run_class("class S:\n    def targets(self, b, f): return np.zeros(300)\n")
    assert first.config_sha256 != second.config_sha256


def test_every_fault_is_of_the_expected_kind(run_class: Run) -> None:
    with pytest.raises(AdmfError) as caught:
        run_class("class S:\n    def targets(self, b, f): raise KeyboardInterrupt\n")
    assert caught.value.exit_code == 130
