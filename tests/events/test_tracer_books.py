"""What the tracer tells of what it kept, when it writes, and when it cuts: counted by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admf_cli.errors import StorageError
from admf_cli.events.event import Event, EventBatch
from admf_cli.events.settings import TraceSettings
from admf_cli.events.tracer import Tracer

MINUTE_US = 60_000_000
IDENTITY = {
    "workflow_id": "wf",
    "phase_name": "p",
    "container_id": "c",
    "container_type": "data",
    "mode": "backtest",
}


def tracer_of(path: Path | None, max_events: int | None, types: set[str] | None = None) -> Tracer:
    kept = None if types is None else frozenset(types)
    return Tracer(TraceSettings(max_events, kept, "normal", path), IDENTITY)


def single(number: int, event_type: str = "FILL") -> Event:
    return Event(f"c#{number}", number, event_type, number * MINUTE_US, "c", None, None, None, {})


def batch(first: int, rows: int, event_type: str = "BAR") -> EventBatch:
    numbers = first + np.arange(rows)
    return EventBatch(
        event_type, "c", first, numbers, numbers * MINUTE_US, ("A",), None, None, None, {"x": numbers * 1.0}
    )


def lines_of(tracer: Tracer) -> list[str]:
    assert tracer.file is not None
    return [json.loads(line)["event_id"] for line in tracer.file.path.read_text().splitlines()]


def meta_of(tracer: Tracer) -> dict[str, Any]:
    assert tracer.file is not None
    found: dict[str, Any] = json.loads(tracer.file.path.with_suffix(".meta.json").read_text())
    return found


@pytest.mark.parametrize("written_at_once", [True, False])
def test_the_meta_file_tells_what_was_kept_and_what_was_not(tmp_path: Path, written_at_once: bool) -> None:
    # ORDER 1 is filtered; FILL 2 and 3, BAR 4 and 5 are pushed out; BAR 6 and 7, FILL 8 stay; ORDER 9 is filtered.
    tracer = tracer_of(tmp_path, 3, {"FILL", "BAR"})
    for event in (single(1, "ORDER"), single(2), single(3), batch(4, 4), single(8), single(9, "ORDER")):
        if isinstance(event, EventBatch):
            tracer.record_batch(event)
        else:
            tracer.record(event)
        if written_at_once:
            tracer.flush()
    tracer.seal("failed", "the disk was full")
    assert lines_of(tracer) == ["c#6", "c#7", "c#8"]
    meta = meta_of(tracer)
    assert meta["file"]["name"] == "c.jsonl"
    assert {key: value for key, value in meta.items() if key not in ("file", "schema_version", "seal")} == {
        **IDENTITY,
        "trace_id": "wf_c",
        "status": "failed",
        "reason": "the disk was full",
        "settings": {"max_events": 3, "event_types": ["BAR", "FILL"], "trace_level": "normal"},
        "events": {
            "BAR": counts(4, written=2, dropped=2, first="c#4", last="c#5"),
            "FILL": counts(3, written=1, dropped=2, first="c#2", last="c#3"),
            "ORDER": counts(2, filtered=2),
        },
        "total": {"published": 9, "written": 3, "filtered": 2, "dropped": 4},
        "first_event": "c#2",
        "last_event": "c#8",
        "first_timestamp": "1970-01-01T00:02:00Z",
        "last_timestamp": "1970-01-01T00:08:00Z",
    }


def counts(
    published: int,
    *,
    written: int = 0,
    filtered: int = 0,
    dropped: int = 0,
    first: str | None = None,
    last: str | None = None,
) -> dict[str, Any]:
    return {
        "published": published,
        "written": written,
        "filtered": filtered,
        "dropped": dropped,
        "first_dropped": first,
        "last_dropped": last,
    }


def test_nothing_recorded_has_no_first_and_no_last_event(tmp_path: Path) -> None:
    tracer = tracer_of(tmp_path, 5)
    tracer.record_batch(batch(1, 0))
    tracer.seal("complete")
    meta = meta_of(tracer)
    assert (meta["events"], meta["total"]["published"]) == ({}, 0)
    assert {meta[f"{end}_{what}"] for end in ("first", "last") for what in ("event", "timestamp")} == {None}


def test_a_batch_of_a_type_that_is_left_out_is_counted_only(tmp_path: Path) -> None:
    tracer = tracer_of(tmp_path, None, {"FILL"})
    tracer.record_batch(batch(1, 5))
    tracer.seal("complete")
    assert lines_of(tracer) == []
    assert tracer.totals() == {"published": 5, "written": 0, "filtered": 5, "dropped": 0}
    assert meta_of(tracer)["first_event"] is None


def test_a_batch_comes_after_what_was_recorded_before_it(tmp_path: Path) -> None:
    tracer = tracer_of(tmp_path, None)
    tracer.record(single(1))
    tracer.record_batch(batch(2, 2))
    tracer.record(single(4))
    tracer.seal("complete")
    assert lines_of(tracer) == ["c#1", "c#2", "c#3", "c#4"]
    assert (meta_of(tracer)["first_event"], meta_of(tracer)["last_event"]) == ("c#1", "c#4")


def test_in_memory_the_newest_stay_be_they_part_of_a_batch_or_of_single_events() -> None:
    tracer = tracer_of(None, 4)
    for number in (1, 2, 3):
        tracer.record(single(number))
    tracer.record_batch(batch(4, 2))
    assert [event["event_id"] for event in tracer.events()] == ["c#2", "c#3", "c#4", "c#5"]
    tracer.record_batch(batch(6, 3))
    assert [event["event_id"] for event in tracer.events()] == ["c#5", "c#6", "c#7", "c#8"]
    assert tracer.totals() == {"published": 8, "written": 4, "filtered": 0, "dropped": 4}


def test_dropped_events_of_several_types_are_told_by_their_first_and_last(tmp_path: Path) -> None:
    tracer = tracer_of(tmp_path, 2)
    for number, event_type in enumerate(("ORDER", "FILL", "ORDER", "FILL", "FILL", "ORDER", "FILL"), start=1):
        tracer.record(single(number, event_type))
    tracer.flush()
    tracer.record(single(8, "CANCEL"))
    tracer.seal("complete")
    assert lines_of(tracer) == ["c#7", "c#8"]
    assert meta_of(tracer)["events"] == {
        "CANCEL": counts(1, written=1),
        "FILL": counts(4, written=1, dropped=3, first="c#2", last="c#5"),
        "ORDER": counts(3, dropped=3, first="c#1", last="c#6"),
    }


def test_without_a_bound_every_thousand_events_are_written(tmp_path: Path) -> None:
    tracer = tracer_of(tmp_path, None)
    for number in range(1, 3001):
        tracer.record(single(number))
        if number in (999, 1000, 1999, 2000, 2999, 3000):
            assert len(lines_of(tracer)) == number // 1000 * 1000
    tracer.record_batch(batch(3001, 1000))
    assert len(lines_of(tracer)) == 4000
    tracer.seal("complete")


def test_a_bounded_trace_waits_for_a_hundred_thousand_events(tmp_path: Path) -> None:
    tracer = tracer_of(tmp_path, 150_000)
    tracer.record_batch(batch(1, 99_999))
    assert lines_of(tracer) == []
    tracer.record_batch(batch(100_000, 1))
    assert tracer.file is not None
    tracer.file.wait()
    assert len(lines_of(tracer)) == 100_000
    tracer.seal("complete")


@pytest.mark.parametrize(("max_events", "dead_lines"), [(10, 1000), (1500, 1500)])
def test_the_head_is_cut_off_when_a_thousand_lines_and_as_many_as_are_kept_are_dead(
    tmp_path: Path, max_events: int, dead_lines: int
) -> None:
    tracer = tracer_of(tmp_path, max_events)
    tracer.record_batch(batch(1, max_events))
    tracer.flush()
    for number in range(max_events + 1, max_events + dead_lines):
        tracer.record(single(number))
        if number % max_events == 0:
            tracer.flush()
    tracer.flush()
    assert len(lines_of(tracer)) == max_events + dead_lines - 1
    tracer.record(single(max_events + dead_lines))
    tracer.flush()
    assert lines_of(tracer) == [f"c#{number}" for number in range(dead_lines + 1, dead_lines + max_events + 1)]
    tracer.record(single(max_events + dead_lines + 1))
    tracer.flush()
    assert len(lines_of(tracer)) == max_events + 1
    tracer.seal("complete")
    assert len(lines_of(tracer)) == max_events


def test_a_checkpoint_counts_no_more_than_what_stays_and_begins_anew_once_it_has_written(tmp_path: Path) -> None:
    # Ten stay, at 4 us each: written once 4 ms have gone by since the last time, however many were recorded.
    seconds = [7.0]
    tracer = Tracer(TraceSettings(10, None, "normal", tmp_path), IDENTITY, now=lambda: seconds[-1])
    number = 0
    for moment, newest in ((7.0039, None), (7.0041, 100), (7.0079, 100), (7.0082, 200)):
        for _ in range(50):
            number += 1
            tracer.record(single(number))
        seconds.append(moment)
        tracer.checkpoint()
        expected = [f"c#{one}" for one in range(newest - 9, newest + 1)] if newest else []
        assert lines_of(tracer) == expected
    tracer.seal("complete")


def test_a_tracer_is_open_until_it_is_sealed_or_given_up(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/dev/fd"))

    before = descriptors()
    for path, end, expected in (
        (tmp_path / "a", lambda tracer: tracer.seal("interrupted"), "interrupted"),
        (None, lambda tracer: tracer.seal("complete"), "complete"),
        (tmp_path / "b", Tracer.abandon, "unsealed"),
        (None, Tracer.abandon, "unsealed"),
    ):
        tracer = tracer_of(path, None)
        assert tracer.status == "open"
        assert tracer.trace_id == "wf_c"
        tracer.record(single(1))
        end(tracer)  # type: ignore[no-untyped-call]
        assert tracer.status == expected
    assert descriptors() == before
    assert not (tmp_path / "b" / "wf" / "p" / "c.meta.json").exists()


def test_a_seal_that_fails_closes_the_file(tmp_path: Path) -> None:
    tracer = tracer_of(tmp_path, None)
    tracer.record(single(1))
    before = len(os.listdir("/dev/fd"))
    (tmp_path / "wf" / "p" / "c.meta.json.tmp").mkdir()
    with pytest.raises(Exception, match="cannot write"):
        tracer.seal("complete")
    assert len(os.listdir("/dev/fd")) == before - 1


def test_totals_count_what_has_only_just_been_recorded() -> None:
    tracer = tracer_of(None, 5)
    tracer.record(single(1))
    assert tracer.totals() == {"published": 1, "written": 1, "filtered": 0, "dropped": 0}


@pytest.mark.parametrize("as_batch", [True, False])
def test_the_first_and_the_last_of_many_events_recorded_at_once(tmp_path: Path, as_batch: bool) -> None:
    tracer = tracer_of(tmp_path, None)
    if as_batch:
        tracer.record_batch(batch(3, 4))
    else:
        for number in (3, 4, 5, 6):
            tracer.record(single(number))
    tracer.seal("complete")
    meta = meta_of(tracer)
    assert (meta["first_event"], meta["last_event"]) == ("c#3", "c#6")
    assert (meta["first_timestamp"], meta["last_timestamp"]) == ("1970-01-01T00:03:00Z", "1970-01-01T00:06:00Z")


class _SlowFile:
    """Takes lines, has written them once it was waited for, and may refuse them."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.taken = self.written = 0
        self.is_closed = False
        self._fault = fault

    def append(self, lines: bytes) -> None:
        if self._fault is not None:
            raise self._fault
        self.taken += 1

    def wait(self) -> None:
        self.written = self.taken

    def close(self) -> None:
        self.is_closed = True


def test_what_waits_is_on_disk_once_it_has_been_flushed() -> None:
    tracer = tracer_of(None, None)
    slow = tracer.file = _SlowFile()  # type: ignore[assignment]
    tracer.record(single(1))
    tracer.flush()
    assert slow.written == 1


def test_a_file_that_refuses_the_last_lines_is_closed_and_not_sealed() -> None:
    tracer = tracer_of(None, None)
    refusing = tracer.file = _SlowFile(StorageError("no space left"))  # type: ignore[assignment]
    tracer.record(single(1))
    with pytest.raises(StorageError, match="no space"):
        tracer.seal("complete")
    assert refusing.is_closed


def test_a_written_batch_is_pushed_out_piece_by_piece(tmp_path: Path) -> None:
    # Bars 1 to 4 are on disk, then fills come: 5 drops bar 1, 6 and 7 drop 2 and 3, 8 to 10 drop 4 and fills 5 and 6.
    tracer = tracer_of(tmp_path, 4)
    tracer.record_batch(batch(1, 4))
    tracer.flush()
    told = []
    for numbers in ((5,), (6, 7), (8, 9, 10)):
        for number in numbers:
            tracer.record(single(number))
        tracer.flush()
        told.append(tracer.totals()["dropped"])
    tracer.seal("complete")
    assert told == [1, 3, 6]
    assert lines_of(tracer) == ["c#7", "c#8", "c#9", "c#10"]
    assert meta_of(tracer)["events"] == {
        "BAR": counts(4, dropped=4, first="c#1", last="c#4"),
        "FILL": counts(6, written=4, dropped=2, first="c#5", last="c#6"),
    }


@pytest.mark.parametrize("fills", [1, 3])
def test_what_was_pushed_out_last_of_a_batch_is_told_by_its_number(tmp_path: Path, fills: int) -> None:
    tracer = tracer_of(tmp_path, 6)
    tracer.record_batch(batch(1, 6))
    tracer.flush()
    for number in range(7, 7 + fills):  # one at a time: the batch is cut again and again
        tracer.record(single(number))
        tracer.flush()
    tracer.seal("complete")
    assert meta_of(tracer)["events"]["BAR"] == counts(
        6, written=6 - fills, dropped=fills, first="c#1", last=f"c#{fills}"
    )


@pytest.mark.parametrize("burst", [4, 5, 6, 12])
def test_what_is_on_disk_is_consecutive_though_events_were_pushed_out_that_never_got_there(
    burst: int, tmp_path: Path
) -> None:
    tracer = tracer_of(tmp_path, 5)
    for start in range(1, 60, burst):
        for number in range(start, start + burst):
            tracer.record(single(number))
        tracer.flush()  # a run killed now leaves this
        numbers = [int(one.partition("#")[2]) for one in lines_of(tracer)]
        assert numbers == list(range(numbers[0], start + burst))
        assert len(numbers) >= 5 or numbers[0] == 1
    tracer.seal("complete")
    assert len(lines_of(tracer)) == 5


def test_a_single_old_line_is_replaced_once_what_followed_it_was_pushed_out_unwritten(tmp_path: Path) -> None:
    # One stays: 1 is on disk, 2 and 3 come together. 2 never gets there, and 3 does not follow 1.
    tracer = tracer_of(tmp_path, 1)
    tracer.record(single(1))
    tracer.flush()
    assert lines_of(tracer) == ["c#1"]
    tracer.record(single(2))
    tracer.record(single(3))
    tracer.flush()
    assert lines_of(tracer) == ["c#3"]
    tracer.seal("complete")


def test_an_empty_file_is_not_replaced_so_whoever_follows_it_sees_the_first_lines(tmp_path: Path) -> None:
    # Two stay: 1 is pushed out before anything was written, so there is no line in the file to be rid of.
    tracer = tracer_of(tmp_path, 2)
    assert tracer.file is not None
    with tracer.file.path.open() as following:
        for number in (1, 2, 3):
            tracer.record(single(number))
        tracer.flush()
        assert [json.loads(line)["event_id"] for line in following] == ["c#2", "c#3"]
    tracer.seal("complete")
