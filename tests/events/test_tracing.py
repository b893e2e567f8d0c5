"""The tracer: batches are only faster, the newest stay, the tallies add up, settings are found by precedence."""

from __future__ import annotations

import hashlib
import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli.errors import ConfigError, StorageError
from admf_cli.events.bus import EventBus
from admf_cli.events.event import Event, EventBatch
from admf_cli.events.settings import TraceSettings, resolve_settings
from admf_cli.events.tracer import Tracer
from admf_cli.tracefile.encoder import as_mapping, encode_batch, encode_event, encode_events
from admf_cli.tracefile.writer import TraceFile

TRICKY = [0.1, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, -0.0, 0.0, 1e21, 123456789.123456789, 2.5, 1e22, 3e-5, 1 / 3]
IDENTITY = {
    "workflow_id": "wf",
    "phase_name": "p",
    "container_id": "data",
    "container_type": "data",
    "mode": "backtest",
}


def batch(values: list[float], *, symbols: tuple[str, ...] = ("A",), first: int = 1, fraction: int = 0) -> EventBatch:
    count = len(values)
    rows = np.arange(count, dtype=np.int64)
    return EventBatch(
        event_type="BAR",
        container_id="data",
        first_number=first,
        sequence=rows * 1024 + first,
        time=rows * 60_000_000 + fraction,
        symbols=symbols,
        symbol_index=None if len(symbols) == 1 else rows % len(symbols),
        cause_container='fee%d"d',
        cause_number=rows + 2,
        columns={"open": np.array(values), "50% \u00e9": -np.array(values)},
    )


def settings_of(path: Path | None, max_events: int | None, types: frozenset[str] | None = None) -> TraceSettings:
    return TraceSettings(max_events=max_events, event_types=types, trace_level="normal", trace_dir=path)


def single(number: int, event_type: str = "ORDER") -> Event:
    return Event(f"data#{number}", number, event_type, 0, "data", None, None, None, {"n": number})


@given(
    st.lists(st.floats() | st.sampled_from(TRICKY), min_size=1, max_size=40),
    st.sampled_from([("A",), ('we"ird%s', "B", "\u20ac")]),
    st.sampled_from([0, 123_456, 7]),
)
def test_a_batch_gives_the_very_bytes_of_its_rows_one_by_one(
    values: list[float], symbols: tuple[str, ...], fraction: int
) -> None:
    block = batch(values, symbols=symbols, fraction=fraction)
    assert b"".join(encode_batch(block)) == b"".join(encode_event(event) for event in block.rows())


def test_a_batch_longer_than_one_block_gives_the_same_bytes() -> None:
    block = batch([float(number) / 7 for number in range(5000)])
    assert b"".join(encode_batch(block)) == b"".join(encode_event(event) for event in block.rows())


@given(
    first=st.integers(1, 10**7),
    sequences=st.lists(st.integers(0, 2**62), min_size=1, max_size=30, unique=True),
    moments=st.lists(
        st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
        | st.integers(-62_135_596_800, 253_402_300_799).map(lambda second: second * 1_000_000),
        min_size=30,
        max_size=30,
    ),
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), min_size=2, max_size=5),
    columns=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        st.lists(st.floats(), min_size=30, max_size=30),
        max_size=3,
    ),
    caused=st.booleans(),
)
def test_lines_of_any_shapes_in_one_block_are_those_of_single_events(
    first: int,
    sequences: list[int],
    moments: list[int],
    names: list[str],
    columns: dict[str, list[float]],
    caused: bool,
) -> None:
    # Numbers that gain a digit, times with and without a fraction, names of all lengths: each is a head of its own.
    rows = np.arange(len(sequences))
    block = EventBatch(
        event_type="FEATURE",
        container_id="fea\\tures",
        first_number=first,
        sequence=np.array(sorted(sequences)),
        time=np.array(moments[: len(rows)]),
        symbols=tuple(names),
        symbol_index=rows % len(names),
        cause_container="data" if caused else None,
        cause_number=10 ** (rows % 12) if caused else None,
        columns={name: np.array(values[: len(rows)]) for name, values in columns.items()},
    )
    assert b"".join(encode_batch(block)) == b"".join(encode_event(event) for event in block.rows())


TEXTS = st.sampled_from(["p#1", "data#20", "\u20ac#3", 'a"b', "back\\slash#1", "", "null", "tab\t#9", "\x7f", "\u2028"])


@given(
    st.lists(
        st.tuples(
            st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
            st.integers(0, 2**62),
            TEXTS | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
            TEXTS,
            TEXTS,
            st.none() | TEXTS,
            st.none() | TEXTS,
            st.none() | TEXTS,
            st.dictionaries(TEXTS, st.none() | st.floats() | TEXTS | st.dictionaries(TEXTS, st.floats(), max_size=2)),
        ),
        max_size=8,
    )
)
def test_many_events_give_the_very_bytes_of_one_mapping_at_a_time(made: list[tuple[Any, ...]]) -> None:
    events = [
        Event(event_id, sequence, event_type, time, container, flow, cause, symbol, payload)
        for time, sequence, event_id, event_type, container, flow, cause, symbol, payload in made
    ]
    expected = [orjson.dumps(as_mapping(event), option=orjson.OPT_APPEND_NEWLINE) for event in events]
    assert bytes(encode_events(events)) == b"".join(expected)
    assert [encode_event(event) for event in events] == expected


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.integers(1, 30) | st.just("flush"), max_size=25),
    max_events=st.none() | st.integers(1, 40),
    one_by_one=st.booleans(),
)
def test_the_newest_events_stay_and_the_tallies_add_up(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | str], max_events: int | None, one_by_one: bool
) -> None:
    folder = tmp_path_factory.mktemp("trace")
    tracer = Tracer(settings_of(folder, max_events), IDENTITY)
    expected: list[bytes] = []
    for step in steps:
        if step == "flush":
            tracer.flush()
        elif isinstance(step, int) and step % 5 == 0:
            event = single(len(expected) + 1)
            tracer.record(event)
            expected.append(encode_event(event))
        else:
            assert isinstance(step, int)
            block = batch([float(number) for number in range(step)], first=len(expected) + 1)
            for event in block.rows():
                expected.append(encode_event(event))
                if one_by_one:
                    tracer.record(event)
            if not one_by_one:
                tracer.record_batch(block)
    tracer.seal("complete")
    kept = expected if max_events is None else expected[-max_events:]
    path = folder / "wf" / "p" / "data.jsonl"
    assert path.read_bytes() == b"".join(kept)
    meta = json.loads(path.with_name("data.meta.json").read_text())
    assert meta["total"] == {
        "published": len(expected),
        "written": len(kept),
        "filtered": 0,
        "dropped": len(expected) - len(kept),
    }
    assert sum(counts["dropped"] for counts in meta["events"].values()) == len(expected) - len(kept)
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["data.jsonl", "data.meta.json"]


@pytest.mark.parametrize("max_events", [None, 3000])
def test_many_single_events_of_several_types_are_cut_and_told_apart(tmp_path: Path, max_events: int | None) -> None:
    # 5,500 events: ORDER, FILL, FILL, ORDER, FILL, FILL, ... some of them written before they are dropped.
    events = [single(number, "ORDER" if number % 3 == 1 else "FILL") for number in range(1, 5501)]
    tracer = Tracer(settings_of(tmp_path, max_events), IDENTITY)
    for event in events:
        tracer.record(event)
        if event.sequence in (700, 2100, 4500):
            tracer.flush()
    tracer.seal("complete")
    path = tmp_path / "wf" / "p" / "data.jsonl"
    kept = events if max_events is None else events[-max_events:]
    assert path.read_bytes() == b"".join(map(encode_event, kept))
    counts = json.loads(path.with_name("data.meta.json").read_text())["events"]
    for event_type in ("ORDER", "FILL"):
        dropped = [event for event in events[: len(events) - len(kept)] if event.event_type == event_type]
        assert counts[event_type]["dropped"] == len(dropped)
        assert counts[event_type]["first_dropped"] == (dropped[0].event_id if dropped else None)
        assert counts[event_type]["last_dropped"] == (dropped[-1].event_id if dropped else None)


def test_a_checkpoint_leaves_on_disk_what_was_recorded(tmp_path: Path) -> None:
    tracer = Tracer(settings_of(tmp_path, None), IDENTITY)
    tracer.record(single(1))
    tracer.checkpoint()
    assert (tmp_path / "wf" / "p" / "data.jsonl").read_bytes() == encode_event(single(1))
    tracer.seal("complete")


def test_a_bounded_trace_writes_at_a_checkpoint_once_that_is_a_hundredth_of_the_time(tmp_path: Path) -> None:
    # 2,000 events at about 4 microseconds are 8 ms: a hundredth of 0.8 s.
    seconds = [100.0]
    tracer = Tracer(settings_of(tmp_path, 2000), IDENTITY, now=lambda: seconds[-1])
    events = [single(number) for number in range(1, 2501)]
    for event in events:
        tracer.record(event)
    path = tmp_path / "wf" / "p" / "data.jsonl"
    for now, kept in ((100.79, []), (100.81, events[500:])):
        seconds.append(now)
        tracer.checkpoint()
        assert path.read_bytes() == b"".join(map(encode_event, kept))
    tracer.record(single(2501))
    tracer.checkpoint()
    assert path.read_bytes() == b"".join(map(encode_event, events[500:])), "no time has passed since"
    tracer.seal("complete")
    assert path.read_bytes() == b"".join(map(encode_event, [*events[501:], single(2501)]))


def test_filtered_events_are_counted_and_not_written(tmp_path: Path) -> None:
    tracer = Tracer(settings_of(tmp_path, 10, frozenset({"FILL"})), IDENTITY)
    for number, event_type in enumerate(("FILL", "ORDER", "FILL"), start=1):
        tracer.record(single(number, event_type))
    tracer.seal("complete")
    assert tracer.totals() == {"published": 3, "written": 2, "filtered": 1, "dropped": 0}


def test_without_a_directory_the_newest_events_stay_in_memory() -> None:
    tracer = Tracer(settings_of(None, 2), IDENTITY)
    for number in range(1, 6):
        tracer.record(single(number))
    tracer.seal("complete")
    assert [event["event_id"] for event in tracer.events()] == ["data#4", "data#5"]


def test_a_trace_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    Tracer(settings_of(tmp_path, 1), IDENTITY).seal("complete")
    with pytest.raises(StorageError, match="cannot create"):
        Tracer(settings_of(tmp_path, 1), IDENTITY)


def test_container_settings_go_by_id_then_type_then_the_most_specific_pattern() -> None:
    trace_settings = {
        "max_events": 1,
        "container_settings": {
            "portfolio_a_b": {"max_events": 2},
            "portfolio": {"max_events": 3, "trace_level": "debug"},
            "port*": {"max_events": 4},
            "portfolio_*_c": {"max_events": 5},
            "data": {"enabled": False},
        },
    }

    def found(container_id: str, container_type: str) -> TraceSettings | None:
        return resolve_settings(trace_settings, container_id=container_id, container_type=container_type)

    exact = found("portfolio_a_b", "portfolio")
    assert exact is not None
    assert (exact.max_events, exact.trace_level) == (2, "debug")
    by_type = found("portfolio_x_c", "portfolio")
    assert by_type is not None
    assert by_type.max_events == 3
    specific = found("portfolio_x_c", "other")
    assert specific is not None
    assert specific.max_events == 5
    assert found("data", "data") is None
    default = found("execution", "execution")
    assert default is not None
    assert default.max_events == 1


def test_an_unknown_event_type_in_a_filter_is_an_error() -> None:
    with pytest.raises(ConfigError, match="BARS"):
        resolve_settings({"event_filters": ["BARS"]}, container_id="data", container_type="data")


def test_a_bus_delivers_by_type_and_topic_and_batches_row_by_row() -> None:
    bus, heard = EventBus(), []
    bus.subscribe(lambda event: heard.append(("bars", event.event_id)), ("BAR",))
    bus.subscribe(lambda event: heard.append(("mine", event.event_id)), ("FILL",), topic="me")
    bus.publish(single(1, "FILL"), topic="me")
    bus.publish(single(2, "FILL"), topic="you")
    bus.publish_batch(batch([1.0, 2.0], first=3))
    assert heard == [("mine", "data#1"), ("bars", "data#3"), ("bars", "data#4")]


def test_blocks_written_aside_and_lines_between_them_stay_in_order(tmp_path: Path) -> None:
    block = b"x" * (1 << 19) + b"\n"
    pieces = [b"a\n", *[block] * 9, b"b\n", *[block] * 6, b"c\n"]
    file = TraceFile(tmp_path / "data.jsonl")
    for piece in pieces:
        file.append(piece)
    file.seal({})
    text = (tmp_path / "data.jsonl").read_bytes()
    assert text == b"".join(pieces)
    sealed = json.loads((tmp_path / "data.meta.json").read_text())["file"]
    assert (sealed["bytes"], sealed["sha256"]) == (len(text), hashlib.sha256(text).hexdigest())


def append_and_wait(file: TraceFile, pieces: list[bytes]) -> None:
    for piece in pieces:
        file.append(piece)
    file.wait()


def test_after_a_write_that_failed_nothing_more_is_written(tmp_path: Path) -> None:
    block = b"y" * (1 << 19) + b"\n"
    file = TraceFile(tmp_path / "data.jsonl")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((6 << 20) + 100, hard))
    try:
        with pytest.raises(StorageError, match="cannot write this trace file"):
            append_and_wait(file, [block] * 24)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for attempt in (file.wait, lambda: file.append(b"later\n"), lambda: file.seal({})):
        with pytest.raises(StorageError):
            attempt()
    file.close()
    assert (block * 24).startswith((tmp_path / "data.jsonl").read_bytes())
    assert not (tmp_path / "data.meta.json").exists()
