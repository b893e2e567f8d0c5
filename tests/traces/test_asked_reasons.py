"""`why-not` over generated runs of strategies that are called bar by bar: each refusal a request can meet."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from admf_cli.traces.why_not import why_not

STRATEGY = """
import random


class S:
    def __init__(self, seed):
        self.random, self.asked = random.Random(seed), None

    def on_bar(self, ctx):
        what = self.random.randrange(11)
        if what == 0: self.asked = ctx.buy(10)
        elif what == 1: self.asked = ctx.sell(10)
        elif what == 2: ctx.buy(0.4)
        elif what == 3: ctx.buy(10_000)
        elif what == 4: ctx.close()
        elif what == 5: ctx.target(quantity=0)
        elif what == 6: ctx.sell(3, reduce_only=True)
        elif what == 7: self.asked = ctx.buy(2, limit=1.0)
        elif what == 8 and self.asked is not None: ctx.cancel(self.asked)
        elif what == 9 and self.asked is not None: ctx.replace(self.asked, limit=1.5)
        elif what == 10 and self.asked is not None: ctx.replace(self.asked, stop=1.5)
"""
REASONS = {"no_order", "no_such_price", "no_position", "no_change", "lot_too_small", "no_cash", "nothing_to_close"}


def run(folder: Path, seed: int) -> list[dict[str, Any]]:
    (folder / "my.py").write_text(STRATEGY)
    run_backtest(
        {
            "data": {"source": "synthetic", "symbols": ["X"], "synthetic": {"bars": 200, "seed": seed}},
            "strategies": [{"name": "s", "type": "python", "path": f"{folder / 'my.py'}:S", "params": {"seed": seed}}],
            "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 10}}],
            "execution": {
                "enable_event_tracing": True,
                "trace_settings": {"max_events": None, "trace_dir": str(folder)},
            },
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    lines = [line for file in (folder / "wf").rglob("*.jsonl") for line in file.read_text().splitlines()]
    return sorted(map(json.loads, lines), key=lambda event: event["sequence"])


@pytest.mark.parametrize("seed", [1, 2])
def test_the_reason_of_every_request_that_came_to_nothing_is_named(tmp_path: Path, seed: int) -> None:
    events = run(tmp_path, seed)
    ends: dict[str, list[str | None]] = defaultdict(list)
    wanted: dict[str, list[str | None]] = {}
    for event in events:
        if event["event_type"] in ("FILL", "CANCEL", "EXPIRE", "REJECT"):
            ends[event["payload"].get("order_id", "")].append(event["payload"].get("reason"))
    for event in events:
        if event["event_type"] == "REJECT" and event["causation_id"].startswith("strategy"):
            wanted[event["causation_id"]] = [event["payload"]["reason"]]
        elif event["event_type"] == "ORDER" and event["causation_id"].startswith("strategy"):
            wanted[event["causation_id"]] = ends[event["event_id"]][-1:]
    assert {reason for reasons in wanted.values() for reason in reasons} >= REASONS
    for signal in (event for event in events if event["event_type"] == "SIGNAL"):
        (case,) = why_not(tmp_path / "wf", signal["timestamp"].removesuffix("Z")).cases
        told = {one.signal.event_id: [outcome.reason for outcome in one.outcomes] for one in case.signals}
        if signal["event_id"] in wanted:  # others ask for a cancellation that was done
            assert told[signal["event_id"]] == wanted[signal["event_id"]], signal
        else:
            assert signal["payload"]["action"] == "cancel"
            assert [one.outcomes[0].verdict for one in case.signals] == ["withdrawn"]
