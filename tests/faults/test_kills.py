"""A short form of `make faults`, and proof that its checks see what they look for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from tests.faults.invariants import phases, violations
from tests.faults.kills import ROOT, kill_many


def test_runs_killed_at_random_moments_leave_whole_lines_and_come_out_the_same_again() -> None:
    assert kill_many(2, seed=7, names=["bounded, cut on the disk"]) == []


@pytest.fixture(scope="module")
def phase(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run_backtest(
        {
            "data": {"source": "synthetic", "symbols": ["A", "B"], "synthetic": {"bars": 300, "volatility": 0.5}},
            "features": {"ema": {"type": "EMA", "timeperiod": 5}},
            "strategies": [
                {"name": "s", "type": "sma_crossover", "params": {"fast": 2, "slow": 5, "direction": "long_short"}}
            ],
            "risk_profiles": [{"name": "r", "sizing": {"type": "percent_equity", "percent": 0.4}, "stop_loss": 0.03}],
            "execution": {
                "commission": {"type": "percent", "rate": 0.001},
                "slippage": {"type": "bps", "bps": 2},
                "trace_settings": {"max_events": None, "trace_dir": str(folder)},
            },
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    (only,) = phases(folder)
    return only


def test_a_sound_run_keeps_every_invariant(phase: Path) -> None:
    assert violations(phase) == []


@pytest.mark.parametrize("name", ["backtest_with_tracing", "several_symbols", "phases", "intraday_breakouts"])
def test_the_examples_keep_every_invariant(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings = "execution.trace_settings"
    keep_all = [f"{settings}.max_events=null", f"{settings}.container_settings={{}}", f"{settings}.event_filters=null"]
    run_backtest(
        f"configs/{name}.yaml", overrides=[*keep_all, f"{settings}.trace_dir={tmp_path}", "results.write=false"]
    )
    found = phases(tmp_path)
    assert found
    assert [text for phase in found for text in violations(phase)] == []


def payload(event_type: str, **changes: Any) -> Callable[[list[dict[str, Any]]], None]:
    """Return what changes the payload of the last event of a type."""

    def change(rows: list[dict[str, Any]]) -> None:
        row = next(row for row in reversed(rows) if row["event_type"] == event_type)
        row["payload"].update(changes)

    return change


def swapped(rows: list[dict[str, Any]]) -> None:
    rows[3], rows[4] = rows[4], rows[3]


def retimed(rows: list[dict[str, Any]]) -> None:
    rows[5]["timestamp"] = "1999-01-01T00:00:00Z"


def renamed(rows: list[dict[str, Any]]) -> None:
    rows[5]["causation_id"] = "data#999999"


def keyless(rows: list[dict[str, Any]]) -> None:
    del rows[5]["symbol"]


def orphaned(rows: list[dict[str, Any]]) -> None:
    """Let a signal's order answer another signal."""
    order = next(row for row in rows if row["event_type"] == "ORDER" and row["causation_id"].startswith("strategy"))
    order["causation_id"] = "strategy_s#1"


@pytest.mark.parametrize(
    ("container", "change", "said"),
    [
        ("portfolio_s_r", swapped, "sequence does not rise"),
        ("portfolio_s_r", retimed, "another time than its bar's"),
        ("portfolio_s_r", renamed, "causation_id names no event"),
        ("portfolio_s_r", keyless, "not the nine keys"),
        ("portfolio_s_r", orphaned, "a signal without an outcome"),
        ("execution", payload("FILL", price=1.0), "slippage is not price - reference"),
        ("execution", payload("FILL", reference_price=1e9), "not at a price of its bar"),
        ("execution", payload("FILL", commission=77.0), "by its fills"),
        ("execution", payload("FILL", quantity=1e9), "filled more than ordered"),
        ("execution", payload("FILL", remaining=1.0), "an order with 0 ends"),
        ("portfolio_s_r", payload("POSITION_OPEN", cash=0.0), "by its fills"),
        ("portfolio_s_r", payload("POSITION_OPEN", quantity=3.5), "not the sum of its fills"),
        ("data", payload("BAR", high=1.0, low=0.5), "not at a price of its bar|size or digest"),
    ],
)
def test_a_changed_line_breaks_an_invariant(
    container: str, change: Callable[[list[dict[str, Any]]], None], said: str, phase: Path, tmp_path: Path
) -> None:
    for path in phase.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    target = tmp_path / f"{container}.jsonl"
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    change(rows)
    target.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    found = violations(tmp_path)
    assert any(part in text for part in said.split("|") for text in found), found
    assert any("size or digest" in text for text in found) or "nine keys" in said


@pytest.mark.parametrize("key", ["written", "published", "dropped"])
def test_a_changed_count_breaks_an_invariant(key: str, phase: Path, tmp_path: Path) -> None:
    for path in phase.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    meta = tmp_path / "execution.meta.json"
    document = json.loads(meta.read_text())
    document["events"]["FILL"][key] += 1
    meta.write_text(json.dumps(document))
    assert violations(tmp_path)
