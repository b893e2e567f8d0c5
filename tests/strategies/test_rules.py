"""Rules written in a configuration: what they decide, and how mistakes in them are answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admf_cli import features, run_backtest
from admf_cli.config import load_config
from admf_cli.errors import ConfigError
from admf_cli.features import FeatureSpec
from admf_cli.market.bars import Bars
from admf_cli.strategies.expression import ExpressionError, parse_condition
from admf_cli.strategies.registry import build
from tests.features.markets import bars_of, random_bars

SOUND = """\
data: {path: data/sp500_daily.csv, symbols: [SPX]}
features: {sma_20: {type: SMA, timeperiod: 20}, rsi: {type: RSI, timeperiod: 14}}
strategies:
  - name: s
    type: rules
    params:
      enter_long: close > sma_20
      exit_long: 'close < sma_20'
risk_profiles:
  - {name: base, sizing: {type: percent_equity, percent: 0.95}}
"""


def decide(params: dict[str, Any], bars: Bars, first: int = 0, **specs: FeatureSpec) -> list[tuple[int, float, str]]:
    """Return (bar, target, rule) of the first symbol's decisions."""
    strategy = build("rules", params, specs)
    columns = features.compute(dict(strategy.required_features()), bars)
    decisions = strategy.decide(bars, columns, first)
    mine = decisions.symbol == 0
    rules = [rule for rule, keep in zip(decisions.rule, mine.tolist(), strict=True) if keep]
    return list(zip(decisions.bar[mine].tolist(), decisions.target[mine].tolist(), rules, strict=True))


def test_entries_and_exits_alternate_and_repeat_nothing() -> None:
    bars = bars_of([5, 11, 12, 4, 3, 12])
    found = decide({"entry": "close > 10", "exit": "close < 5"}, bars)
    assert found == [(1, 1.0, "enter_long"), (3, 0.0, "exit_long"), (5, 1.0, "enter_long")]


def test_the_first_bar_may_decide() -> None:
    assert decide({"entry": "close > 10"}, bars_of([11, 12])) == [(0, 1.0, "enter_long")]
    assert decide({"entry": "close > 10"}, bars_of([11, 12, 13]), first=1) == [(1, 1.0, "enter_long")]


def test_an_entry_of_the_other_side_reverses() -> None:
    params = {"enter_long": "close > 10", "enter_short": "close < 5", "exit_short": "close == 7"}
    found = decide(params, bars_of([11, 7, 4, 7, 6, 11]))
    assert found == [
        (0, 1.0, "enter_long"),
        (2, -1.0, "enter_short"),
        (3, 0.0, "exit_short"),
        (5, 1.0, "enter_long"),
    ]


def test_an_entry_whose_own_exit_holds_is_void() -> None:
    assert decide({"entry": "close > 1", "exit": "close > 10"}, bars_of([11, 12, 2])) == [(2, 1.0, "enter_long")]


def test_with_repeat_each_bar_on_which_the_condition_holds_decides() -> None:
    params = {"entry": "close > 10", "exit": "close < 5", "repeat": True}
    assert [row[:2] for row in decide(params, bars_of([11, 12, 7, 13, 4]))] == [(0, 1.0), (1, 1.0), (3, 1.0), (4, 0.0)]


def test_evidence_is_what_the_rules_read_with_lags_in_the_name() -> None:
    strategy = build("rules", {"entry": "crosses_above(close, x) or lag(low, 3) > x"}, {"x": features.feature("LAG")})
    bars = bars_of([5, 4, 6, 7])
    columns = features.compute(dict(strategy.required_features()), bars)
    decisions = strategy.decide(bars, columns, 0)
    seen = {name: values.tolist() for name, values in decisions.evidence.items()}
    # At bar 2: close 6 over 4, the bar before, which had been 4 under 5.
    assert seen == {
        "close": [6.0],
        "x": [4.0],
        "close_previous": [4.0],
        "x_previous": [5.0],
        "low_lag_3": [pytest.approx(float("nan"), nan_ok=True)],
    }


def test_decisions_equal_a_plain_loop_on_markets_with_gaps() -> None:
    for seed in range(6):
        bars = random_bars(seed, 300, "ABC")
        params = {
            "enter_long": "close > open and close > x",
            "exit_long": "close < x",
            "enter_short": "close < x * 0.99",
        }
        spec = features.feature("SMA", timeperiod=5)
        strategy = build("rules", params, {"x": spec})
        columns = features.compute({"x": spec}, bars)
        decisions = strategy.decide(bars, columns, 17)
        found = sorted(zip(decisions.symbol.tolist(), decisions.bar.tolist(), decisions.target.tolist(), strict=True))
        expected = []
        for symbol in range(3):
            wanted = 0
            for row in range(17, bars.n_bars):
                close, average = bars.close[row, symbol], columns["x"][row, symbol]
                if np.isnan(close) or np.isnan(average):
                    continue
                before = wanted
                if wanted == 1 and close < average:
                    wanted = 0
                if close > bars.open[row, symbol] and close > average:
                    wanted = 1
                elif close < average * 0.99:
                    wanted = -1
                if wanted != before:
                    expected.append((symbol, row, float(wanted)))
        assert found == expected


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "close > sma_20",
            "close > sma20",
            "c.yaml:7:27: strategies[0].params.enter_long: 'sma20' is neither a bar column nor a feature "
            "(got close > sma20); did you mean sma_20?",
        ),
        (
            "'close < sma_20'",
            "'close < sma_20 and'",
            'c.yaml:8:37: strategies[0].params.exit_long: ends where a value is expected (got "close < sma_20 and")',
        ),
        (
            "'close < sma_20'",
            "close = sma_20",
            "c.yaml:8:24: strategies[0].params.exit_long: '=' is not expected here; write == to compare "
            "(got close = sma_20)",
        ),
        (
            "close > sma_20",
            ">\n        close >\n        rsi(14)",
            "c.yaml:7:19: strategies[0].params.enter_long: at column 9 of the text: 'rsi' is not a function here",
        ),
        (
            "close > sma_20",
            "__import__('os')",
            "c.yaml:7:19: strategies[0].params.enter_long: '__import__' is not a function",
        ),
        (
            "close > sma_20",
            "close > atr14",
            "c.yaml:7:27: strategies[0].params.enter_long: 'atr14' is neither a bar column nor a feature; write "
            "features: {atr14: {type: ATR, timeperiod: 14}} (got close > atr14)",
        ),
        (
            "close > sma_20",
            "close > sma(close, 50)",
            "c.yaml:7:27: strategies[0].params.enter_long: 'sma' is not a function here but a feature: write features: "
            "{my_sma: {type: SMA}}, and my_sma here",
        ),
        (
            "features: {sma_20",
            "features: {high: {type: LAG}, sma_20",
            "c.yaml:2:12: features.high: is a word of the language of rules, so it would not be clear what is meant by "
            "it; write my_high",
        ),
        ("close > sma_20", "close", "c.yaml:7:19: strategies[0].params.enter_long: must be a condition"),
        ("enter_long", "enter_shrt", "c.yaml:7:7: strategies[0].params.enter_shrt: unknown parameter; did you mean"),
        ("enter_long: close > sma_20", "enter_long: null", "needs an entry: write enter_long: close > open"),
        ("exit_long", "exit_short", "c.yaml:8:19: strategies[0].params.exit_short: has nothing to leave: write"),
    ],
)
def test_a_mistake_is_answered_with_its_column(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in SOUND
    (tmp_path / "c.yaml").write_text(SOUND.replace(before, after))
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    said = str(caught.value).replace(str(tmp_path) + "/", "")
    assert message in said


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "close > sma_20 ** 2": "at column 17 of `close > sma_20 ** 2`: '*' is not expected here; powers are not known",
        "close > 1 AND open > 1": "'AND' is not expected here; write and",
        "close > True": 'did you mean "true"?',
        "close[1] > 1": "'[' is not expected here; write lag(x, n) for a value of earlier",
        "close crosses_above open": "write crosses_above(a, b): ",
        "abs(close, 1) > 2": "abs takes 1 value, not 2",
    }.items(),
)
def test_a_habit_of_another_language_is_answered_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_condition(text, ("sma_20",))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "hostile",
    [
        "(" * 5000 + "close > 1" + ")" * 5000,
        "not " * 900 + "close > 1",
        "-" * 1500 + "1 > close",
        "close > 1 and " * 100_000 + "true",
        "close > 1" + "0" * 400,
        "ｃｌｏｓｅ > 1",
        "close > ١",
        "close > 1 \u202e and open",
        "().__class__.__bases__[0]",
        "close.__class__ > 1",
        "[c for c in close]",
        "lambda: close > 1",
        "close > 1; import os",
        "close if close > 1 else open",
        "lag(close, 99999999999999999999) > 1",
        "lag(close, -1) > 1",
        "close > 1e999",
        "abs(" * 40 + "close" + ")" * 40 + " > 1",
    ],
)
def test_a_hostile_expression_is_a_short_fault(hostile: str) -> None:
    config = {
        "data": {"source": "synthetic", "symbols": ["X"], "start": "2020-01-01", "timeframe": "1d"},
        "strategies": [{"name": "s", "type": "rules", "params": {"entry": hostile}}],
        "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
    }
    with pytest.raises(ConfigError) as caught:
        load_config(config)
    assert len(str(caught.value)) < 700
    assert "strategies[0].params.entry" in str(caught.value)


def test_a_feature_of_a_feature_is_published_under_its_own_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    overrides = ["results.write=false", "execution.trace_settings.persist_to_disk=false", "data.start=2018-01-01"]
    result = run_backtest("configs/rules.yaml", overrides=overrides)
    (trace,) = (trace for trace in result.phases[0].traces if trace.container_id == "features")
    lines = [event for event in trace.events if event["event_type"] == "FEATURE"]
    assert list(lines[0]["payload"]) == ["sma_200", "rsi_14", "calm_rsi"]
