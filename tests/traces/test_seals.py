"""Meta files that contradict themselves, their lines or each other, with a seal that is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.traces.commandline import traces
from tests.traces.handmade import EXECUTION, FEATURES, PORTFOLIO, sealed, written

Change = Callable[[dict[str, Any]], None]


def setting(*path: str, value: Any) -> Change:
    def change(meta: dict[str, Any]) -> None:
        for step in path[:-1]:
            meta = meta[step]
        meta[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("container", "change", "said"),
    [
        (EXECUTION, setting("file", "name", value="other.jsonl"), "it seals a file named other.jsonl"),
        (EXECUTION, setting("trace_id", value="x"), "trace_id is not wf_1_execution"),
        (EXECUTION, setting("container_type", value="data"), "container_type is data, its name says execution"),
        (EXECUTION, setting("events", "FILL", "published", value=99), "FILL: published is not written"),
        (EXECUTION, setting("total", "written", value=99), "the total written is not the sum over the types"),
        (EXECUTION, setting("last_event", value="execution#999"), "last_event is execution#999, on disk it is number"),
        (EXECUTION, setting("last_timestamp", value="1999-01-01T00:00:00Z"), "last_timestamp is 1999"),
        (EXECUTION, setting("first_event", value="execution#2"), "first_event is execution#2, on disk it is number 1"),
        (EXECUTION, setting("first_timestamp", value="1999-01-01T00:00:00Z"), "first_timestamp is 1999"),
        (FEATURES, setting("config_sha256", value="e" * 64), "the meta files of this phase differ in config_sha256"),
    ],
)
def test_a_meta_file_that_contradicts_is_found(container: str, change: Change, said: str, tmp_path: Path) -> None:
    phase = written(tmp_path)
    path = phase / f"{container}.meta.json"
    meta = json.loads(path.read_text())
    del meta["seal"]
    change(meta)
    path.write_bytes(sealed(meta))
    verified = traces("verify", phase)
    assert verified.exit_code == 1
    assert said in verified.stdout


@pytest.mark.parametrize(
    ("dropped", "said"),
    [
        ({"first_dropped": None}, "dropped does not go with its first and last dropped"),
        ({"first_dropped": "data#1"}, "events can't lie from data#1"),
        ({"last_dropped": f"{PORTFOLIO}#99"}, "was dropped, but older events are on disk"),
    ],
)
def test_what_was_dropped_must_lie_before_what_is_kept(dropped: dict[str, Any], said: str, tmp_path: Path) -> None:
    phase = written(tmp_path, max_events={PORTFOLIO: 6})
    path = phase / f"{PORTFOLIO}.meta.json"
    meta = json.loads(path.read_text())
    del meta["seal"]
    event_type = next(name for name, tally in meta["events"].items() if tally["dropped"] > 1)
    meta["events"][event_type].update(dropped)
    path.write_bytes(sealed(meta))
    verified = traces("verify", phase)
    assert verified.exit_code == 1
    assert said in verified.stdout


def test_a_meta_file_without_a_seal_of_its_own_is_told(tmp_path: Path) -> None:
    phase = written(tmp_path)
    path = phase / f"{EXECUTION}.meta.json"
    meta = json.loads(path.read_text())
    del meta["seal"]
    path.write_text(json.dumps(meta, indent=2))
    assert "has no seal of its own" in traces("verify", phase).stdout


def test_a_directory_that_was_moved_is_no_fault(tmp_path: Path) -> None:
    phase = written(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    phase.parent.rename(tmp_path / "elsewhere" / "wf_2")
    verified = traces("verify", tmp_path / "elsewhere" / "wf_2")
    assert verified.exit_code == 0, verified.stdout
    assert "written as wf_1/backtest, so it was moved or copied" in verified.stdout


def test_half_written_meta_files_that_a_kill_left_are_told(tmp_path: Path) -> None:
    phase = written(tmp_path)
    (phase / f"{EXECUTION}.meta.json.tmp").write_text("{")
    assert f"{EXECUTION}.meta.json.tmp" in traces("verify", phase).stdout
