"""`admf traces stats`: counts, waiting, costs and trades, against sums over the lines themselves."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from commandline import traces
from handmade import EXECUTION, PORTFOLIO, STRATEGY, crossover_run, written

from admf_cli import run_backtest
from admf_cli.traces.stats import stats


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A run with limit orders that wait, stops, costs and rejects; its directory and its events."""
    folder = tmp_path_factory.mktemp("stats")
    run_backtest(
        {
            "data": {
                "source": "synthetic",
                "symbols": ["A", "B"],
                "synthetic": {"bars": 1500, "seed": 4, "volatility": 0.4},
            },
            "strategies": [
                {
                    "name": "t",
                    "type": "sma_crossover",
                    "params": {"fast": 5, "slow": 20, "repeat": True},
                    "orders": {"entry": {"type": "limit", "limit_offset": -0.01}},
                }
            ],
            "risk_profiles": [
                {"name": "r", "sizing": {"type": "percent_equity", "percent": 0.6}, "stop_loss": 0.05, "cooldown": 5}
            ],
            "execution": {
                "commission": {"type": "percent", "rate": 0.001},
                "slippage": {"type": "bps", "bps": 2},
                "enable_event_tracing": True,
                "trace_settings": {"max_events": None, "trace_dir": str(folder)},
            },
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    lines = [line for path in folder.rglob("*.jsonl") for line in path.read_text().splitlines()]
    return folder, [json.loads(line) for line in lines]


def of(events: list[dict[str, Any]], event_type: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event_type"] == event_type]


def test_every_number_is_the_sum_over_the_lines(run: tuple[Path, list[dict[str, Any]]]) -> None:
    directory, events = run
    (phase,) = stats(directory).phases
    (one,) = phase.portfolios
    by_id = {event["event_id"]: event for event in events}
    fills = of(events, "FILL")
    counts = {"signals": "SIGNAL", "orders": "ORDER", "fills": "FILL", "cancelled": "CANCEL", "rejected": "REJECT"}
    for key, event_type in counts.items():
        assert one.funnel[key] == len(of(events, event_type)), key
    assert (phase.bars, phase.features) == (3000, 3000)
    assert one.funnel["fills"] > 20
    for reason, count in one.rejects.items():
        assert count == sum(event["payload"]["reason"] == reason for event in of(events, "REJECT"))
    assert set(one.rejects) >= {"cooldown", "no_position"}
    waited = [
        (fill["sequence"] >> 20) - (by_id[by_id[fill["causation_id"]]["causation_id"]]["sequence"] >> 20)
        for fill in fills
        if by_id[fill["causation_id"]]["causation_id"].startswith("strategy")
    ]
    latency = one.latency
    assert (latency.count, latency.least, latency.most) == (len(waited), min(waited), max(waited))
    assert latency.median == statistics.median(waited)
    assert latency.mean == pytest.approx(statistics.mean(waited))
    assert latency.most is not None
    assert latency.most > 1  # limit orders wait
    assert one.commission == pytest.approx(sum(fill["payload"]["commission"] for fill in fills))
    slipped = sum(fill["payload"]["slippage"] * fill["payload"]["quantity"] for fill in fills)
    assert one.slippage == pytest.approx(slipped)
    stops = next(purpose for purpose in one.purposes if purpose.purpose == "stop_loss")
    assert stops.slippage_bps == pytest.approx(2.0)
    trades = [trade for event in events for trade in event["payload"].get("trades", ())]
    assert one.funnel["trades"] == len(trades)
    assert [trade.pnl for trade in one.biggest] == sorted((t["pnl"] for t in trades), key=abs, reverse=True)[:5]
    held = [
        (event["sequence"] >> 20) - (by_id[trade["entry_fill"]]["sequence"] >> 20)
        for event in events
        for trade in event["payload"].get("trades", ())
    ]
    assert [trade.bars for trade in one.slowest] == sorted(held, reverse=True)[:5]


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"max_events": {EXECUTION: 3}}, "execution: 3 of 6 events were not kept"),
        ({"unsealed": [PORTFOLIO]}, f"{PORTFOLIO} was never sealed"),
        ({"only": {STRATEGY: ["PHASE_START"]}}, f"{STRATEGY}: 6 of 7 events were not kept"),
    ],
)
def test_what_was_not_kept_is_said(tmp_path: Path, options: dict[str, Any], note: str) -> None:
    (phase,) = stats(written(tmp_path, **options)).phases
    assert any(text.startswith(note) for text in phase.notes), phase.notes


def test_bars_are_counted_without_a_seal_too(tmp_path: Path) -> None:
    (phase,) = stats(written(tmp_path, unsealed=["data", "features"])).phases
    assert (phase.bars, phase.features) == (40, 40)


@pytest.mark.parametrize("payload", [{}, {"trades": [{"pnl": "much"}]}, {"trades": {"pnl": 1}}, {"order_id": 7}])
def test_payloads_of_any_shape_are_survived(tmp_path: Path, payload: dict[str, Any]) -> None:
    made = crossover_run([100.0 + (bar % 10) for bar in range(20)], {2: 1, 8: 0, 12: 1})
    for event in [event for events in made.events.values() for event in events]:
        event["payload"] = payload
    phase = made.write(tmp_path / "wf" / "p")
    assert stats(phase).phases[0].bars == 20
    assert traces("stats", phase).exit_code == 0


@pytest.mark.parametrize("options", [[], ["--plain"], ["--json"]])
def test_the_command_prints_text_tables_or_json(tmp_path: Path, options: list[str]) -> None:
    result = traces("stats", written(tmp_path), "--trades", "1", *options)
    assert result.exit_code == 0
    assert "already_in_position" in result.stdout
    if "--json" in options:
        document = json.loads(result.stdout)
        assert document["phases"][0]["portfolios"][0]["funnel"]["trades"] == 2
        assert len(document["phases"][0]["portfolios"][0]["biggest"]) == 1
