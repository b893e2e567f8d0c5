"""`explain` over generated runs: a complete chain for every fill; and how little of a large trace a question reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from handmade import crossover_run

from admf_cli import run_backtest
from admf_cli.traces.archive import Gone
from admf_cli.traces.event import TracedEvent
from admf_cli.traces.explain import Explanation, explain
from admf_cli.traces.filters import filters_of
from admf_cli.traces.show import Selection
from admf_cli.traces.target import choose_phases
from admf_cli.traces.why_not import why_not

ROOT = Path(__file__).resolve().parents[2]
STOCKS: dict[str, Any] = {
    "path": {name: str(ROOT / "data" / f"{name.lower()}_daily.csv") for name in ("AMZN", "META", "NFLX")},
    "symbols": ["AMZN", "META", "NFLX"],
    "start": "2013-06-01",
    "end": "2014-12-31",
}
SHARE = {"sizing": {"type": "percent_equity", "percent": 0.3}}
CROSSING = {"type": "sma_crossover", "params": {"fast": 3, "slow": 9, "direction": "long_short"}}
# name -> strategy, risk profile, execution, and the purposes that fills must have had
RUNS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], set[str]]] = {
    "brackets": (
        CROSSING,
        SHARE | {"stop_loss": 0.02, "take_profit": 0.03},
        {},
        {"entry", "reversal", "stop_loss", "take_profit"},
    ),
    "trailing": (CROSSING, SHARE | {"trailing_stop": 0.03, "max_holding_period": 5}, {}, {"trailing_stop"}),
    "halted": (CROSSING, SHARE | {"max_drawdown": 0.05}, {}, {"entry"}),
    "partly": (CROSSING, {"sizing": {"type": "fixed", "quantity": 100000}}, {"participation": 0.001}, {"entry"}),
    "weights": (
        {"type": "target_weights", "params": {"weights": {"AMZN": 0.3, "META": 0.4}, "rebalance": "weekly"}},
        {"sizing": {"type": "target_weights"}},
        {},
        {"rebalance"},
    ),
    "waiting": (
        {**CROSSING, "orders": {"entry": {"type": "limit", "limit_offset": -0.01}}},
        SHARE,
        {},
        {"entry"},
    ),
    "margin call": (
        CROSSING,
        {"sizing": {"type": "percent_equity", "percent": 0.64}},
        {
            "margin": {"leverage": 2, "maintenance": 0.49, "liquidation": "reduce"},
            "financing": {"debit_interest": 0.06, "borrow_fee": 0.02},
        },
        {"liquidation"},
    ),
    "bar by bar": (
        {
            "type": "python",
            "path": str(ROOT / "configs" / "example_strategies.py") + ":Breakout",
            "params": {"channel": 10},
        },
        SHARE,
        {},
        {"entry"},
    ),
}


def told(answer: Explanation) -> dict[str, TracedEvent]:
    nodes = (node.event for flow in answer.flows for node in flow.root.walk())
    return {event.event_id: event for event in nodes if isinstance(event, TracedEvent)}


@pytest.mark.parametrize("name", RUNS)
def test_every_fill_s_chain_is_complete(tmp_path: Path, name: str) -> None:
    strategy, profile, execution, purposes = RUNS[name]
    symbols = STOCKS["symbols"][:1] if strategy["type"] == "python" else STOCKS["symbols"]
    paths = {symbol: STOCKS["path"][symbol] for symbol in symbols}
    run_backtest(
        {
            "data": {**STOCKS, "symbols": symbols, "path": paths},
            "strategies": [{"name": "s", **strategy}],
            "risk_profiles": [{"name": "r", **profile}],
            "portfolio": {"initial_capital": 1e6},
            "execution": {"trace_settings": {"max_events": None, "trace_dir": str(tmp_path)}, **execution},
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    lines = [line for file in (tmp_path / "wf").rglob("*.jsonl") for line in file.read_text().splitlines()]
    events = {event["event_id"]: event for event in map(json.loads, lines)}
    fills = [event for event in events.values() if event["event_type"] == "FILL"]
    assert {fill["payload"]["purpose"] for fill in fills} >= purposes
    for fill in fills[:: max(1, len(fills) // 40)]:
        answer = explain(tmp_path / "wf", fill["event_id"])
        shown = told(answer)
        assert answer.complete
        above = fill
        while above is not None:  # to the bar that the signal, or the crossed limit, answered
            assert above["event_id"] in shown
            last, above = above, events.get(above["causation_id"])
        assert last["event_type"] == "BAR"
        booked = [one for one in events.values() if one["causation_id"] == fill["event_id"]]
        assert any(one["event_type"].startswith("POSITION_") for one in booked)
        assert {one["event_id"] for one in booked} <= set(shown)
        for one in booked:  # whatever this fill closed is told from its entry on
            for trade in one["payload"].get("trades", ()):
                assert answer.cut or trade["entry_fill"] in shown
        met = next(node.met for flow in answer.flows for node in flow.root.walk() if node.event_id == fill["event_id"])
        assert met is not None
        assert met.event_id == fill["payload"]["bar"]


def test_what_max_events_dropped_is_said_to_be_dropped(tmp_path: Path) -> None:
    run = crossover_run([100.0 + bar % 7 for bar in range(60)], {bar: bar % 2 for bar in range(3, 57)})
    phase = run.write(tmp_path / "wf" / "p", max_events={"strategy_trend": 5, "data": 10})
    first = next(event["event_id"] for event in run.events["execution"] if event["event_type"] == "FILL")
    answer = explain(phase, first)
    gone = [node.event for flow in answer.flows for node in flow.root.walk() if isinstance(node.event, Gone)]
    assert not answer.complete
    assert any("dropped" in one.why and "max_events: 5" in one.why for one in gone)


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Count what is read by position, the way in which all lookups read."""
    sizes: list[int] = []
    read = os.pread

    def counting(descriptor: int, size: int, offset: int) -> bytes:
        data = read(descriptor, size, offset)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", counting)
    return sizes


def test_a_question_reads_no_more_of_a_hundred_times_as_many_events(tmp_path: Path, bytes_read: list[int]) -> None:
    needed: dict[str, list[int]] = {}
    for bars in (300, 30_000):
        run = crossover_run(
            [100.0 + bar % 10 for bar in range(bars)], {bar: (bar // 5) % 2 for bar in range(5, bars, 5)}, capital=1e9
        )
        phase = run.write(tmp_path / f"wf_{bars}" / "p")
        fill = [event for event in run.events["execution"] if event["event_type"] == "FILL"][20]
        time = fill["timestamp"].removesuffix("Z")

        def count(name: str, question: object) -> None:
            needed.setdefault(name, []).append(sum(bytes_read))
            bytes_read.clear()

        bytes_read.clear()
        count("explain", explain(phase, fill["event_id"]))
        count("trade", explain(phase, "trade:9"))
        count("last", explain(phase, "last-fill"))
        count("why-not", why_not(phase, time))
        count("limit", [*Selection(limit=20).of(choose_phases(phase, None))])
        count("newest", [*Selection(last=20).of(choose_phases(phase, None))])
        count("from", [*Selection(filters_of(first=time), limit=20).of(choose_phases(phase, None))])
        size = sum(file.stat().st_size for file in phase.glob("*.jsonl"))
    for name, (small, large) in needed.items():
        assert large < 3 * small + 400_000, name
        assert large < size / 8, name
