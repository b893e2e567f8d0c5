"""Where `max_events` kept the newest events only, answers are those of the whole run, or say what was dropped."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from commandline import traces

from admf_cli import run_backtest
from admf_cli.errors import AdmfError
from admf_cli.traces.diff import diff
from admf_cli.traces.explain import explain
from admf_cli.traces.verify import verify
from admf_cli.traces.why_not import WhyNot, why_not

WINDOWS = (1, 7, 30, 90, 250)


def run(folder: Path, name: str, max_events: int | None, **settings: Any) -> Path:
    run_backtest(
        {
            "data": {"source": "synthetic", "symbols": ["X"], "synthetic": {"bars": 300, "seed": 5}},
            "strategies": [
                {"name": "cross", "type": "sma_crossover", "params": {"fast": 3, "slow": 9, "direction": "long_short"}}
            ],
            "risk_profiles": [
                {"name": "r", "sizing": {"type": "percent_equity", "percent": 1.0}, "stop_loss": 0.01, "cooldown": 2}
            ],
            "execution": {
                "commission": {"type": "percent", "rate": 0.001},
                "enable_event_tracing": True,
                "trace_settings": {"max_events": max_events, "trace_dir": str(folder), **settings},
            },
            "results": {"write": False},
        },
        workflow_id=name,
    )
    return folder / name


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int | None, Path]:
    folder = tmp_path_factory.mktemp("windows")
    return {size: run(folder, f"kept_{size}", size) for size in (None, *WINDOWS)}


def lines(directory: Path, pattern: str = "*.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for file in directory.rglob(pattern) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("size", WINDOWS)
def test_why_not_says_what_the_whole_run_says_or_that_it_was_dropped(runs: dict[int | None, Path], size: int) -> None:
    @cache
    def whole(time: str) -> WhyNot:
        return why_not(runs[None], time)

    dropped = told = 0
    for signal in (event for event in lines(runs[None], "strategy*.jsonl") if event["event_type"] == "SIGNAL"):
        time = signal["timestamp"].removesuffix("Z")
        answer = why_not(runs[size], time)
        if not answer.bars:
            assert any("data were dropped" in note for note in answer.notes)
            dropped += 1
            continue
        ((case,), (full,)) = answer.cases, whole(time).cases
        if not case.signals:
            assert (case.verdict, len(case.notes)) == ("not kept", 1)
            continue
        for mine, its in zip(case.signals, full.signals, strict=True):
            assert mine.signal == its.signal
            for outcome, true in zip(mine.outcomes, its.outcomes, strict=True):
                assert outcome.verdict in (true.verdict, "not kept")
                assert outcome.verdict == "not kept" or (outcome.reason, outcome.deciding) == (
                    true.reason,
                    true.deciding,
                )
                told += outcome.verdict != "not kept"
    assert dropped or size > 7  # larger windows of the sparse containers reach the first signal
    assert told or size < 30


@pytest.mark.parametrize("size", WINDOWS)
def test_every_event_kept_is_explained_and_what_was_dropped_of_its_story_is_named(
    runs: dict[int | None, Path], size: int
) -> None:
    kept = {event["event_id"] for event in lines(runs[size])}
    for event in lines(runs[size], "execution.jsonl"):
        mine, its = explain(runs[size], event["event_id"]), explain(runs[None], event["event_id"])
        ids = {node.event_id for flow in mine.flows for node in flow.root.walk()}
        full = {node.event_id for flow in its.flows for node in flow.root.walk()}
        assert ids & kept == full & ids & kept
        if (
            full
            - ids
            - {node.event_id for flow in mine.flows for node in flow.root.walk() if node.event_id not in kept}
        ):
            assert mine.notes


@pytest.mark.parametrize("size", WINDOWS)
def test_a_window_is_sound_and_the_same_as_the_whole_run_where_both_kept(
    runs: dict[int | None, Path], size: int
) -> None:
    assert verify(runs[size]).verified
    assert diff(runs[size], runs[None]).same


@pytest.mark.parametrize("words", ["trade:1", "last-fill", "X@TIME", "execution#2", "data#2"])
def test_what_was_dropped_is_said_to_be_dropped(runs: dict[int | None, Path], words: str) -> None:
    words = words.replace("TIME", lines(runs[None], "data.jsonl")[5]["timestamp"].removesuffix("Z"))
    with pytest.raises(AdmfError, match=r"dropped.*max_events: 1\)") as caught:
        explain(runs[1], words)
    assert caught.value.exit_code == 1


def test_the_commands_say_it_too(runs: dict[int | None, Path], tmp_path: Path) -> None:
    shown = traces("show", runs[30], "--limit", "1")
    assert "older events of data were dropped (max_events: 30)" in shown.stderr
    assert "dropped" not in traces("show", runs[30], "--last", "1").stderr
    assert "dropped" not in traces("show", runs[None], "--limit", "1").stderr
    assert traces("stats", runs[30]).stdout.startswith("of a part of the run only")
    asked = traces("query", runs[30], "SELECT count(*) FROM fills")
    assert "max_events dropped events of kept_30/backtest" in asked.stderr
    replayed = traces("replay", runs[30])
    assert (replayed.exit_code, "were dropped by max_events" in replayed.stdout) == (1, True)
    assert traces("repair", runs[30], "--to", tmp_path / "copy").exit_code == 0
    assert diff(tmp_path / "copy", runs[30]).same


def test_signals_that_were_filtered_out_are_not_taken_for_none(tmp_path: Path) -> None:
    directory = run(tmp_path, "wf", None, event_filters=["ORDER", "FILL", "BAR"])
    (order, *_) = (event for event in lines(directory) if event["event_type"] == "ORDER")
    (case,) = why_not(directory, order["timestamp"].removesuffix("Z")).cases
    assert case.verdict == "not kept"
    assert "were not recorded" in case.notes[0]


def test_a_run_kept_in_memory_leaves_nothing_to_ask(tmp_path: Path) -> None:
    directory = run(tmp_path / "traces", "wf", 100, persist_to_disk=False)
    for words in (["inspect"], ["verify"], ["stats"], ["replay"], ["show"], ["why-not", "--at", "2020"], ["list"]):
        told = traces(words[0], directory, *words[1:])
        assert told.exit_code == 5
        assert "no such directory" in told.stderr
