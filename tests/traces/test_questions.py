"""`explain` and `why-not` on real runs: complete chains for every fill, the right reason for every refused signal."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from admf_cli import run_backtest
from admf_cli.cli.app import app
from admf_cli.traces.explain import explain
from admf_cli.traces.render.explanation import show_explanation
from admf_cli.traces.render.screen import Screen

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Return the trace directory and the events of a run in which signals are refused for several reasons."""
    folder = tmp_path_factory.mktemp("traces")
    run_backtest(
        {
            "data": {"path": str(ROOT / "data" / "sp500_daily.csv"), "symbols": ["SPX"], "start": "2000-01-01"},
            "strategies": [{"name": "t", "type": "sma_crossover", "params": {"fast": 5, "slow": 20, "repeat": True}}],
            "risk_profiles": [
                {
                    "name": "r",
                    "sizing": {"type": "percent_equity", "percent": 1.0},
                    "stop_loss": 0.03,
                    "max_holding_period": 15,
                    "cooldown": 10,
                    "max_drawdown": 0.6,
                }
            ],
            "execution": {
                "commission": {"type": "percent", "rate": 0.001},
                "trace_settings": {"max_events": None, "trace_dir": str(folder)},
            },
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    lines = [line for path in (folder / "wf").rglob("*.jsonl") for line in path.read_text().splitlines()]
    return folder / "wf", [json.loads(line) for line in lines]


def ask(*arguments: str) -> str:
    answer = CliRunner().invoke(app, ["traces", *arguments])
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_every_fill_is_explained_back_to_its_signal_and_forward_to_its_position(
    run: tuple[Path, list[dict[str, Any]]],
) -> None:
    directory, events = run
    by_id = {event["event_id"]: event for event in events}
    fills = [event for event in events if event["event_type"] == "FILL"]
    assert {event["payload"]["purpose"] for event in fills} >= {"entry", "stop_loss", "max_holding_period"}
    assert fills[0]["event_id"] in ask("explain", str(directory), fills[0]["event_id"])
    for fill in fills:
        screen = io.StringIO()
        show_explanation(explain(directory, fill["event_id"]), Screen(plain=True, file=screen))
        told = screen.getvalue()
        cause = fill
        while cause is not None:
            assert cause["event_id"] in told
            cause = by_id.get(cause["causation_id"])
        follows = [event["event_id"] for event in events if event["causation_id"] == fill["event_id"]]
        assert follows
        assert all(event_id in told for event_id in follows)


def test_every_refused_signal_s_reason_is_named(run: tuple[Path, list[dict[str, Any]]]) -> None:
    directory, events = run
    refused = [event for event in events if event["event_type"] == "REJECT"]
    reasons = {event["payload"]["reason"] for event in refused}
    assert reasons >= {"no_position", "cooldown", "no_cash"}
    for reason in reasons:
        for event in [one for one in refused if one["payload"]["reason"] == reason][:5]:
            # A signal's own reject is of its day; one at the fill answers the signal of the day before.
            signal = next(one for one in events if one["event_id"] == event["correlation_id"])
            told = ask("why-not", str(directory), "--at", signal["timestamp"][:10], "--json")
            assert f'"{reason}"' in told


def test_a_day_without_a_signal_shows_what_each_rule_lacked(run: tuple[Path, list[dict[str, Any]]]) -> None:
    directory, events = run
    days = {event["timestamp"][:10] for event in events if event["event_type"] == "SIGNAL"}
    quiet = next(event for event in events if event["event_type"] == "BAR" and event["timestamp"][:10] not in days)
    told = ask("why-not", str(directory), "--at", quiet["timestamp"][:10], "--plain")
    assert "no signal" in told
    assert "crosses_above(fast, slow)" in told
