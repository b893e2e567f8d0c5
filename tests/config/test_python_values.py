"""Configurations as Python values: plain data is taken, everything else is named by its path."""

from __future__ import annotations

import io
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admf_cli.config import load_config
from admf_cli.errors import ConfigError

SOUND: dict[str, Any] = {
    "data": {"source": "synthetic", "symbols": ["A"]},
    "strategies": [{"name": "s", "type": "sma_crossover", "params": {"fast": 2, "slow": 5}}],
    "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
}
ITSELF: list[Any] = []
ITSELF.append(ITSELF)
DEEP: Any = "x"
for _ in range(60):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("changes", "path", "rule"),
    [
        ({1: "x"}, "", "a key must be text"),
        ({"portfolio": {None: 1}}, "portfolio", "a key must be text"),
        ({"portfolio": {("a",): 1}}, "portfolio", "a key must be text"),
        ({"portfolio": {"\ud800": 1}}, "portfolio", "a key must be text"),
        ({"name": "\ud800"}, "name", "text must be valid Unicode"),
        ({"name": ITSELF}, "name[0]", "a value must not contain itself"),
        ({"name": DEEP}, "name" + "[0]" * 49, "at most 50 levels"),
        ({"name": float("nan")}, "name", "numbers must be finite"),
        ({"name": np.float32("inf")}, "name", "numbers must be finite"),
        ({"name": 10**30}, "name", "the number is too large"),
        ({"name": Decimal(1)}, "name", "a value must be text, a number"),
        ({"name": object()}, "name", "a value must be text, a number"),
        ({"name": {1, 2}}, "name", "a value must be text, a number"),
        ({"name": b"x"}, "name", "a value must be text, a number"),
        ({"name": list(range(60_000))}, "name", "a configuration has at most 50000 values"),
    ],
)
def test_what_is_no_plain_data_is_named_by_its_path(changes: dict[Any, Any], path: str, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(SOUND | changes)
    (fault,) = caught.value.faults
    assert fault.path.startswith(path)
    assert fault.rule.startswith(rule)


def test_a_number_too_large_for_a_double_is_infinite() -> None:
    from fractions import Fraction

    with pytest.raises(ConfigError, match="numbers must be finite"):
        load_config(SOUND | {"portfolio": {"initial_capital": Fraction(10**400, 3)}})


def test_dates_paths_tuples_and_numpy_s_numbers_are_what_they_mean(tmp_path: Path) -> None:
    values = load_config(
        SOUND
        | {
            "data": {
                "source": "synthetic",
                "symbols": ("A",),
                "start": date(2020, 1, 2),
                "end": datetime(2020, 2, 1, 10, tzinfo=UTC),
            },
            "portfolio": {"initial_capital": np.int64(5_000)},
            "results": {"dir": tmp_path, "write": np.bool_(True).item()},
        }
    ).values
    assert values["data"]["start"] == "2020-01-02"
    assert values["data"]["end"] == "2020-02-01T10:00:00Z"
    assert values["data"]["symbols"] == ["A"]
    assert values["portfolio"]["initial_capital"] == 5_000.0
    assert values["results"]["dir"] == str(tmp_path)


def test_text_on_a_replaced_standard_input_is_read_and_a_directory_without_yaml_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("nme: x\n"))
    with pytest.raises(ConfigError, match="<stdin>:1:1: nme: unknown key"):
        load_config("-")
    with pytest.raises(ConfigError, match="there is no YAML file in that directory"):
        load_config(tmp_path / "c.yaml")
    (tmp_path / "b.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"a file, not a directory; name a file in it, such as .*b\.yaml"):
        load_config(tmp_path)


CONFIG = """\
data: {source: synthetic, symbols: [A, B]%s}
strategies:
  - {name: s, type: %s}
risk_profiles:
  - {name: base, sizing: %s}
"""


def config(data: str = "", strategy: str = "buy_and_hold", sizing: str = "{type: fixed, quantity: 1}") -> str:
    return CONFIG % (data, strategy, sizing)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (config(", timeframe: 1M"), "write 1m for minutes or 1mo for months"),
        (config(", timeframe: 5min"), "write 5m"),
        (config(", timeframe: daily"), "write 1d"),
        (config(", timeframe: often"), "write 1d, 15m or 1mo"),
        (config(", timezone: new_york"), "did you mean America/New_York"),
        (config(", timezone: Mars"), "an IANA name"),
        (config(", delimiter: ab"), "a delimiter is one character"),
        (config(sizing="fixed"), r"write sizing: \{type: fixed\} with its settings"),
        (config(sizing="10"), r"write sizing: \{type: fixed, quantity: 10\}"),
        (config(sizing="{quantity: 10}"), "needs a type"),
        (config(sizing="{type: fxed}"), "did you mean fixed"),
        (config(sizing="{type: 3}"), "must be one of|type must be text"),
        (config() + "execution: {trace_settings: {max_events: 5.0}}", "must be a whole number.*write 5"),
        (config() + "workflow: {phases: {training: {}}}", r"write a list: \[\{name: training"),
        (config().replace("quantity: 1}", "quantity: 1}, stop_loss: 5"), "it is a fraction: write 0.05 for 5 %"),
        (config(strategy="{}"), "must be text"),
        # Parameters of strategies that contradict each other.
        (config(strategy="zscore_pairs, params: {first: A, second: A}"), "must be another symbol than first"),
        (
            config(strategy="zscore_pairs, params: {first: A, second: B, entry: 1, exit: 2}"),
            "lower exit or raise entry",
        ),
        (config(strategy="zscore_pairs, params: {first: A, second: B, stop: 0.5}"), "must be more than entry"),
        (config(strategy="rsi_mean_reversion, params: {oversold: 70, overbought: 30}"), "lower oversold or raise"),
        (config(strategy="rsi_mean_reversion, params: {exit_long: 5}"), "must not be less than oversold"),
        (config(strategy="rsi_mean_reversion, params: {exit_short: 95}"), "must not be more than overbought"),
        (config(strategy="momentum, params: {lookback: 20, skip: 20}"), "must be less than lookback"),
        (
            config(strategy='opening_range_breakout, params: {start: "09:30", minutes: 60, exit_at: "10:30"}'),
            "must come after the opening range",
        ),
        (
            config(strategy="filter, params: {strategy: {type: buy_and_hold}, open_when: 'colse > open'}"),
            "did you mean close",
        ),
        (config(strategy="target_weights, params: {weights: {}}"), "needs at least one symbol"),
        (config(strategy="target_weights, params: {weights: {A: x}}"), "must be a fraction of equity"),
        (config(strategy="target_weights, params: {weights: {A: true}}"), "must be a fraction of equity"),
        (config(strategy="target_weights, params: {weights: {C: 0.5}}"), "must be one of data.symbols"),
        (config(strategy="target_weights, params: {weights: {A: 0.5}, rebalance: dayly}"), "did you mean daily"),
        (config(strategy="target_weights, params: {weights: {A: 1}, timezone: Mars}"), "zone"),
        (config(strategy="ensemble, params: {members: []}"), "needs at least one strategy"),
        (config(strategy="ensemble, params: {members: [{type: buy_and_hold}], quorum: 2}"), "number of members"),
        (
            config(strategy="ensemble, params: {members: [{type: buy_and_hold}], weights: {x: 1}}"),
            "known: buy_and_hold",
        ),
        (
            config(strategy="ensemble, params: {members: [{type: buy_and_hold}], weights: {buy_and_hold: 0}}"),
            "must be a number above 0",
        ),
        (config(strategy="ensemble, params: {members: [5]}"), "must be the name of a strategy, or a block"),
        (config(strategy="ensemble, params: {members: [{type: buy_and_hold, params: 3}]}"), "must be a mapping"),
        (config(strategy="ensemble, params: {members: [{type: buy_and_hold, name: a/b}]}"), "letters, digits and _"),
        (config(strategy="ensemble, params: {members: [{tpe: buy_and_hold}]}"), "did you mean type"),
        (config(strategy="ensemble, params: {members: [nobody]}"), "nobody"),
        # Expressions.
        *[
            (config(strategy=f"rules, params: {{enter_long: '{text}'}}"), said)
            for text, said in {
                "close >": "ends where a value is expected",
                "close > (open": r"expected '\)' before the end",
                "close > (open ]": r"not expected|expected|unknown|cannot",
                "close > max": "max is a function",
                "close > max(open)": "max takes 2 values, not 1",
                "close > abs(open, high)": "abs takes 1 value, not 2",
                "close > nothing(open)": "is not a function",
                "close > rsi(14)": "here but a feature",
                "close > sma_20": "timeperiod: 20",
                "close > obv_20": "neither a bar column nor a feature; known",  # OBV has no timeperiod to write
                "close > hlc_20": "neither a bar column nor a feature",
                "time_between(9, 10)": "expected a time of day",
                'time_between("09:30", "09:30")': "the two times are the same",
                "close > lag(open, 1.5)": "expected a whole number of bars",
                'close > lag("a", 1)': "takes numbers, and this is a text",
                "close and open": "and joins conditions, and this is a number",
                "(close > open) + 1 > 2": "takes numbers, and this is a condition",
                "close > 1" + "0" * 400: "is too large a number",
                "(" * 80 + "close" + ")" * 80 + " > 1": "is nested deeper",
                "close = 1": "not expected here",
            }.items()
        ],
    ],
)
def test_a_mistake_is_answered_with_what_to_write(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(tmp_path / "c.yaml")
    assert all(fault.line for fault in caught.value.faults)
