"""Every SIGNAL of every strategy names a rule that holds by what BAR and FEATURE lines say: nothing else is needed."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import pytest
import yaml

from admf_cli import run_backtest
from admf_cli.strategies.explanation import explain
from admf_cli.strategies.registry import describe, strategy_types

TYPES = [name for name in strategy_types() if not describe(name).open]


def events_of(kind: str) -> list[dict[str, Any]]:
    result = run_backtest(
        {
            "data": {
                "source": "synthetic",
                "symbols": ["AAA", "BBB", "SPX"],
                "start": "2020-01-01",
                "timeframe": "5m" if kind == "opening_range_breakout" else "1d",
                "synthetic": {"bars": 1500, "seed": 8, "volatility": 0.25},
            },
            **yaml.safe_load(describe(kind).example),
            "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
            "execution": {"trace_settings": {"max_events": None, "persist_to_disk": False}},
            "results": {"write": False},
        }
    )
    lines = [event for trace in result.phases[0].traces for event in trace.events]
    return sorted(lines, key=lambda event: event["sequence"])


@pytest.mark.parametrize("kind", TYPES)
def test_the_rule_of_each_signal_holds_by_the_lines_on_disk(kind: str) -> None:
    bars: dict[str, list[dict[str, float | None]]] = defaultdict(list)
    settings: dict[str, Any] = {}
    signals = []
    for event in events_of(kind):
        payload, symbol = event["payload"], event["symbol"]
        if event["event_type"] == "BAR":
            moment = datetime.fromisoformat(event["timestamp"])
            bars[symbol].append({**payload, "time": moment.timestamp() * 1e6})
        elif event["event_type"] == "FEATURE":
            bars[symbol][-1] |= payload
        elif event["event_type"] == "PHASE_START" and event["container_id"].startswith("strategy_"):
            settings = payload["settings"]
        elif event["event_type"] == "SIGNAL":
            signals.append((symbol, len(bars[symbol]) - 1, payload))

    assert signals
    for symbol, place, payload in signals:

        def lookup(name: str, lag: int) -> float | None:
            if lag > place:  # noqa: B023  called within the turn
                return None
            if name == "first_bar":
                return float(place == lag)  # noqa: B023
            values = bars[symbol][place - lag]  # noqa: B023
            return values.get(settings["features"].get(name, name))

        rule = settings["rules"][payload["rule"]]
        whole = explain(rule, lookup, settings.get("timezone", "UTC"))[0]
        assert whole.holds is True, (kind, rule, whole.values)
        for name, value in whole.values.items():
            if name in payload["features"]:
                assert payload["features"][name] == value


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("true", True),
        ("not true", False),
        ("log(close) < 2.31 and log(close) > 2.30", True),
        ("log(zero) < 1", None),
        ("close / zero > 1", None),
        ("close * huge * huge > 1", None),
        ("close / zero > 1 or close > 9", True),
        ('time_between("09:00", "17:00")', None),
        ('close > 9 and time_between("09:00", "17:00")', None),
    ],
)
def test_what_has_no_value_is_neither_true_nor_false(rule: str, holds: bool | None) -> None:
    values = {"close": 10.0, "zero": 0.0, "huge": 1e200}  # and no time, as of a bar that is not on disk
    assert explain(rule, lambda name, lag: values.get(name))[0].holds is holds
