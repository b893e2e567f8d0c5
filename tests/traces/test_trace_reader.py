"""Reading lines, finding files and bisecting, also where things are damaged."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from handmade import line_of, written
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli.errors import StorageError
from admf_cli.tracefile import discovery
from admf_cli.tracefile.discovery import ContainerTrace, discover, discover_some
from admf_cli.tracefile.lookup import TraceLookup
from admf_cli.tracefile.metafile import as_meta, read_meta
from admf_cli.tracefile.presence import held, is_held
from admf_cli.tracefile.reader import MAX_LINE_BYTES, LineFault, collection_paused, read_blocks
from admf_cli.traces.dense import FEWEST_LINES, DenseBlock
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.scan import scan_dense


def lines_and_faults(path: Path, offset: int = 0) -> tuple[list[bytes], list[LineFault]]:
    faults: list[LineFault] = []
    lines = [line for block in read_blocks(path, on_fault=faults.append, offset=offset) for line in block.lines]
    return lines, faults


def test_whole_lines_are_returned_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    wanted = [b"%d" % number * 50 for number in range(100_000)]  # several blocks
    path.write_bytes(b"\n".join(wanted) + b"\n")
    assert lines_and_faults(path) == (wanted, [])


def test_a_torn_last_line_is_reported_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n{}\n{tor")
    lines, faults = lines_and_faults(path)
    assert lines == [b"{}", b"{}"]
    assert faults == [LineFault("torn", line=3, offset=6, length=4)]


def test_an_empty_file_has_no_lines_and_no_faults(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"")
    assert lines_and_faults(path) == ([], [])


def test_an_overlong_line_is_stepped_over_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    length = 2 * MAX_LINE_BYTES + 17
    path.write_bytes(b"{}\n" + b"x" * length + b"\n[]\n")
    lines, faults = lines_and_faults(path)
    assert lines == [b"{}", b"[]"]
    assert faults == [LineFault("too-long", line=2, offset=3, length=length)]


def test_an_overlong_line_without_an_end_is_both_too_long_and_torn(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * (2 * MAX_LINE_BYTES))
    assert [fault.kind for fault in lines_and_faults(path)[1]] == ["too-long", "torn"]


def test_every_byte_reaches_whoever_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    content = b"{}\n" + b"x" * (MAX_LINE_BYTES + 300_000) + b"\ntorn"
    path.write_bytes(content)
    seen: list[bytes] = []
    for _ in read_blocks(path, on_fault=lambda fault: None, on_bytes=seen.append):
        pass
    assert b"".join(seen) == content


def test_lines_are_counted_from_where_reading_begins(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n[1]\n[2]\ntor")
    assert lines_and_faults(path, offset=3) == ([b"[1]", b"[2]"], [LineFault("torn", line=3, offset=11, length=3)])


def test_reading_leaves_the_collector_of_cycles_as_it_was() -> None:
    for was_on in (True, False):
        gc.enable() if was_on else gc.disable()
        try:
            with collection_paused():
                assert not gc.isenabled()
            assert gc.isenabled() == was_on
        finally:
            gc.enable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_a_files_place_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(StorageError, match="not a regular file"):
        lines_and_faults(tmp_path / "a.jsonl")


@pytest.mark.parametrize("part", ["wf_1/backtest", "wf_1", "."])
def test_a_phase_a_workflow_and_a_folder_are_all_accepted(tmp_path: Path, part: str) -> None:
    written(tmp_path)
    found = discover(tmp_path / part)
    assert [(phase.workflow_id, phase.phase_name) for phase in found.phases] == [("wf_1", "backtest")]
    assert [one.container_id for one in found.phases[0].containers] == [
        "data",
        "execution",
        "features",
        "portfolio_trend_base",
        "strategy_trend",
    ]


def test_links_and_special_files_are_skipped_and_named(tmp_path: Path) -> None:
    phase = written(tmp_path)
    outside = tmp_path.parent / f"{tmp_path.name}_outside"
    outside.mkdir()
    (outside / "secret.jsonl").write_text("{}\n")
    (phase / "linked.jsonl").symlink_to(outside / "secret.jsonl")
    (phase.parent / "linked_phase").symlink_to(outside)
    os.mkfifo(phase / "pipe.jsonl")
    (phase / "folder.jsonl").mkdir()
    (phase / "data.jsonl.tmp").write_text("left")
    found = discover(tmp_path)
    assert sorted(one.path.name for one in found.skipped) == [
        "folder.jsonl",
        "linked.jsonl",
        "linked_phase",
        "pipe.jsonl",
    ]
    assert [path.name for path in found.leftovers] == ["data.jsonl.tmp"]
    assert len(found.phases) == 1
    assert len(found.phases[0].containers) == 5


def test_more_files_than_the_bound_end_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MAX_ENTRIES", 50)
    for number in range(60):
        (tmp_path / f"c{number}.jsonl").write_text("")
    found = discover(tmp_path)
    assert found.truncated
    assert len(found.phases[0].containers) == 50


def test_what_lies_beside_the_traces_or_far_below_is_no_trace_of_theirs(tmp_path: Path) -> None:
    phase = written(tmp_path)
    (phase / "notes.txt").write_text("mine")
    for below in (phase.joinpath(*"abcdef"), tmp_path / ".cache" / "p"):
        below.mkdir(parents=True)
        (below / "data.jsonl").write_text("")
    found = discover(tmp_path)
    assert [one.path for one in found.phases] == [phase]
    assert (found.skipped, found.leftovers, found.truncated) == ((), (), False)


def test_a_directory_that_may_not_be_listed_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phase = written(tmp_path)
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(path: Path) -> Any:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = discover(tmp_path)
    assert [one.path for one in found.phases] == [phase]
    assert [(one.path.name, one.reason) for one in found.skipped] == [("closed", "cannot be listed: Permission denied")]
    with pytest.raises(StorageError, match="closed: cannot be listed: Permission denied"):
        discover(tmp_path / "closed")


def test_of_a_run_that_is_not_there_nobody_can_tell_whether_it_goes_on(tmp_path: Path) -> None:
    with held(tmp_path / "gone"):  # what was to be done is done all the same
        assert is_held(tmp_path / "gone") is None
    assert not (tmp_path / "gone").exists()


def test_where_the_system_has_no_locks_nobody_can_tell_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admf_cli.tracefile.presence.fcntl", None)
    with held(tmp_path):
        assert is_held(tmp_path) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such directory"),
        (lambda path: path.write_text("x"), "not a directory"),
        (lambda path: path.mkdir(), "no traces here"),
    ],
)
def test_what_holds_no_traces_is_a_storage_error(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    make(tmp_path / "x")
    with pytest.raises(StorageError, match=message):
        discover_some(tmp_path / "x")


def test_file_names_that_are_not_utf8_are_shown_escaped(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff.jsonl")).write_text("")
    assert discover(tmp_path).phases[0].containers[0].container_id == "bad\\xff"


def test_a_meta_file_of_another_version_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "x.meta.json"
    path.write_text(
        json.dumps({"schema_version": 7, "status": "complete", "events": {"BAR": {"written": -1}}, "new": 1})
    )
    meta = read_meta(path)
    assert (meta.schema_version, meta.status, meta.workflow_id) == (7, "complete", None)
    assert meta.events["BAR"].written == 0
    assert "written is not a whole number" in meta.faults


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 5000, '"x"', "null"])
def test_a_meta_file_that_is_no_object_is_a_storage_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.meta.json"
    path.write_text(content)
    with pytest.raises(StorageError, match=r"not JSON|not a JSON object"):
        read_meta(path)


def test_a_meta_file_bigger_than_any_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.meta.json"
    path.write_bytes(b"{" + b" " * (5 << 20) + b"}")
    with pytest.raises(StorageError, match=r"x\.meta\.json: more than 4,194,304 bytes"):
        read_meta(path)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda part: (
            st.lists(part) | st.dictionaries(st.sampled_from(["status", "events", "file", "total", "BAR"]), part)
        ),
        max_leaves=20,
    )
)
def test_no_meta_document_makes_reading_it_fail(document: object) -> None:
    if isinstance(document, dict):
        as_meta(document)


# Bisection -----------------------------------------------------------------------------------------------------------


def sparse_file(path: Path, numbers: list[int], padding: int = 0) -> list[bytes]:
    lines = [
        json.dumps(
            {
                "event_id": f"data#{number}",
                "sequence": number * 10,
                "event_type": "BAR",
                "timestamp": f"{1000 + number // 100:04d}-01-01T00:00:{number % 60:02d}Z",
                "container_id": "data",
                "correlation_id": None,
                "causation_id": None,
                "symbol": "S",
                "payload": {"pad": "x" * (number * 7919 % (padding + 1))},
            },
            separators=(",", ":"),
        ).encode()
        for number in numbers
    ]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return lines


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.sets(st.integers(1, 5000), min_size=1, max_size=400),
    padding=st.sampled_from([0, 300, 9000]),
    torn=st.booleans(),
    probes=st.lists(st.integers(0, 5100), min_size=1, max_size=20),
)
def test_bisection_finds_what_a_full_search_finds(
    tmp_path_factory: pytest.TempPathFactory, numbers: set[int], padding: int, torn: bool, probes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("x") / "data.jsonl"
    ordered = sorted(numbers)
    lines = sparse_file(path, ordered, padding)
    if torn:
        with path.open("ab") as file:
            file.write(lines[-1][: len(lines[-1]) // 2])
    with TraceLookup(path) as lookup:
        for probe in [*probes, *ordered[:20]]:
            found = lookup.by_number(probe)
            assert (found.data if found else None) == (lines[ordered.index(probe)] if probe in numbers else None)
            later = lookup.first_at(lambda head: head.sequence, probe * 10 - 5)
            expected = next((line for number, line in zip(ordered, lines, strict=True) if number >= probe), None)
            assert (later.data if later else None) == expected
        assert [line.data for line in lookup.lines_from(0)] == lines
        assert [line.data for line in lookup.lines_before(lookup.size)] == lines[::-1]
        for line in list(lookup.lines_from(0))[:10]:
            assert lookup.line_at(line.offset) == line
            assert [one.data for one in lookup.lines_before(line.offset)] == lines[: lines.index(line.data)][::-1]


def test_bisection_steps_over_damaged_and_overlong_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    lines = sparse_file(path, list(range(1, 2001)))
    damaged: list[bytes] = []
    for place, line in enumerate(lines):
        damaged.append(b"garbage" * 100 if place % 3 == 0 else line)
        if place == 1000:
            damaged.append(b"x" * (MAX_LINE_BYTES + 1_000_000))
    path.write_bytes(b"\n".join(damaged) + b"\n")
    with TraceLookup(path) as lookup:
        for number in (2, 3, 600, 602, 1000, 1001, 1002, 1003, 1998, 1999):
            expected = None if (number - 1) % 3 == 0 else lines[number - 1]
            found = lookup.by_number(number)
            assert (found.data if found else None) == expected
        backwards = [line.data for line in lookup.lines_before(lookup.size)]
        assert backwards == [line for line in reversed(damaged) if len(line) < MAX_LINE_BYTES]


def test_lines_with_their_keys_in_another_order_are_found_too(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    lines = sparse_file(path, list(range(1, 501)))
    turned = [json.dumps(dict(reversed(json.loads(line).items()))).encode() for line in lines]
    path.write_bytes(b"\n".join(turned) + b"\n")
    with TraceLookup(path) as lookup:
        found = lookup.by_number(321)
        assert found is not None
        assert found.data == turned[320]


def test_lines_containing_a_text_are_found_across_block_borders(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    lines = sparse_file(path, list(range(1, 30_001)))
    with TraceLookup(path) as lookup:
        assert [line.data for line in lookup.containing(b'"data#2999')] == [
            lines[2998],
            *lines[29_989:29_999],
        ]  # 2999, then 29990 to 29999
        assert list(lookup.containing(b"nowhere")) == []


def test_an_empty_or_wholly_torn_file_holds_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    for content in (b"", b"torn only"):
        path.write_bytes(content)
        with TraceLookup(path) as lookup:
            assert lookup.by_number(1) is None
            assert list(lookup.lines_from(0)) == []
            assert list(lookup.lines_before(lookup.size)) == []


def test_a_text_within_an_overlong_line_is_passed_over_for_those_after_it(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    overlong = b"wanted" + b"x" * (2 * MAX_LINE_BYTES)
    path.write_bytes(b"wanted 1\n" + overlong + b"\nother\nwanted 2\n" + overlong + b"\n")
    with TraceLookup(path) as lookup:
        assert [line.data for line in lookup.containing(b"wanted")] == [b"wanted 1", b"wanted 2"]
        assert [line.data for line in lookup.lines_from(0)] == [b"wanted 1", b"other", b"wanted 2"]
        assert [line.data for line in lookup.lines_before(lookup.size)] == [b"wanted 2", b"other", b"wanted 1"]
        assert lookup.line_at(9) is None
        assert lookup.by_number(1) is None


def test_a_file_that_is_cut_short_while_it_is_read_gives_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    lines = sparse_file(path, list(range(1, 501)))
    with TraceLookup(path) as lookup:
        os.truncate(path, len(lines[0]) + 1 + len(lines[1]) + 1 + 40)
        assert [line.data for line in lookup.lines_from(0)] == lines[:2]
        assert list(lookup.lines_before(lookup.size)) == []
        assert lookup.by_number(2) == lookup.line_at(len(lines[0]) + 1)
        assert lookup.by_number(400) is None
        assert lookup.line_at(lookup.size - 50) is None
        assert [line.data for line in lookup.containing(b'"data#')] == lines[:2]
    lookup.close()  # the second time does nothing


def test_a_file_that_is_cut_within_an_overlong_line_ends_with_what_is_before_it(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"{}\n" + b"x" * (3 * MAX_LINE_BYTES) + b"\n[]\n")
    with TraceLookup(path) as lookup:
        os.truncate(path, 2 * MAX_LINE_BYTES)
        assert [line.data for line in lookup.lines_from(0)] == [b"{}"]


def test_bisection_ends_where_the_second_half_holds_no_event(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    lines = sparse_file(path, list(range(1, 301)))
    path.write_bytes(b"\n".join(lines) + b"\n" + b"no event\n" * 40_000)
    with TraceLookup(path) as lookup:
        found = lookup.by_number(300)
        assert found is not None
        assert found.data == lines[299]
        assert lookup.by_number(301) is None


# Lines that differ in digits only, read as columns --------------------------------------------------------------------


def alike(symbols: str = "S", times: str = "2020-{month:02d}-{day:02d}T00:00:00Z") -> list[bytes]:
    """Lines as a window of BARs keeps them: numbers of one length, flat payloads."""
    return [
        line_of(
            {
                "event_id": f"data#{number}",
                "sequence": number << 20,
                "event_type": "BAR",
                "timestamp": times.format(
                    month=1 + place // 28 % 12, day=1 + place % 28, minute=place // 60, second=place % 60
                ),
                "container_id": "data",
                "correlation_id": None,
                "causation_id": None,
                "symbol": symbols[place % len(symbols)],
                "payload": {"close": 100.5 + place},
            }
        ).rstrip(b"\n")
        for place, number in enumerate(range(2000, 2000 + FEWEST_LINES + 12))
    ]


def read_as(path: Path, lines: list[bytes]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], bool]:
    """Return a file's events, its faults, and whether its lines were read as columns."""
    path.write_bytes(b"\n".join(lines) + b"\n")
    faults = FaultLog(keep=1000)
    container = ContainerTrace("data", path, path.with_suffix(".meta.json"), has_lines=True, has_meta=False)
    events: list[tuple[Any, ...]] = []
    dense = False
    for block in scan_dense(container, path.name, faults):
        dense = dense or isinstance(block, DenseBlock)
        rows = zip(block.links(), map(int, block.sequences), block.symbols, block.payloads, strict=True)
        events += [(*link, sequence, symbol, payload) for link, sequence, symbol, payload in rows]
    return events, [(fault.kind, fault.line, fault.message) for fault in faults.sorted()], dense


def nested_and_bare(lines: list[bytes]) -> None:
    """As many braces as lines, although one payload is no object."""
    changed(70, b'{"close":170.5}', b'{"close":{"of":170.5}}')(lines)
    changed(72, b'{"close":172.5}', b"172.5")(lines)


def changed(place: int, old: bytes, new: bytes) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        assert old in lines[place]
        lines[place] = lines[place].replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("symbols", "times"),
    [
        ("S", "2020-{month:02d}-{day:02d}T00:00:00Z"),
        ("S", "2020-01-02T00:{minute:02d}:{second:02d}Z"),
        ("S", "2020-01-02T00:{minute:02d}:{second:02d}.000250Z"),
        ("ST", "2020-{month:02d}-{day:02d}T00:00:00Z"),
    ],
)
def test_usual_lines_are_read_as_columns_and_say_the_same(tmp_path: Path, symbols: str, times: str) -> None:
    lines = alike(symbols, times)
    events, faults, dense = read_as(tmp_path / "a.jsonl", lines)
    assert (dense, faults) == (True, [])
    spaced = [line.replace(b"{", b"{ ", 1) for line in lines]  # which keeps them out of the columns
    assert read_as(tmp_path / "b.jsonl", spaced) == (events, [], False)
    wanted = [json.loads(line) for line in lines]
    assert [(one["event_id"], one["symbol"], one["payload"]) for one in wanted] == [
        (event_id, symbol, payload) for _, event_id, _, _, symbol, payload in events
    ]


@pytest.mark.parametrize("symbols", ["S", "ST"])
@pytest.mark.parametrize(
    "change",
    [
        changed(70, b"data#2070", b"data#2O70"),  # a letter in a number's place
        changed(70, b"data#2070", b"data#0070"),
        changed(70, b"data#2070", b"data#2069"),  # twice the same
        changed(70, b"T00:00:00", b"T25:00:00"),
        changed(70, b"T00:00:00", b"T00-00:00"),
        changed(70, b"T00:00:00", b"T00:0x:00"),
        changed(70, b"2020-03", b"2020-13"),
        changed(70, b"2020-03", b"2020/03"),
        changed(70, b"2020-03-15", b"2020-02-31"),
        changed(70, b"2020-03", b"2O20-03"),
        changed(70, b'{"close":170.5}', b"[170.5]"),
        changed(70, b'{"close":170.5}', b"170.5"),
        changed(70, b'{"close":170.5}', b'{"close":{"of":170.5}}'),
        changed(70, b'{"close":170.5}', b'{"close":170.5'),
        nested_and_bare,
        changed(70, b'{"close":170.5}', b'{"close":17O.5}'),
        changed(70, b'{"close":170.5}}', b'{"close":170.5},"host":"x"}'),
        changed(70, b'{"close":170.5}}', b'{"close":170.5}} '),
        changed(70, b'"symbol":"S"', b'"symbol":7'),
        changed(70, b'"symbol":"S"', b'"symbol":"\\ud800"'),
        changed(0, b'"symbol":"S"', b'"symbol":"\xff"'),
        changed(70, b'"BAR"', b'"BAT"'),
    ],
)
def test_unusual_lines_among_them_are_found_as_one_by_one(
    tmp_path: Path, symbols: str, change: Callable[[list[bytes]], None]
) -> None:
    lines = alike(symbols)
    change(lines)
    events, faults, _ = read_as(tmp_path / "a.jsonl", lines)
    # A few lines at a time are never read as columns.
    single: tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]] = ([], [])
    for first in range(0, len(lines), FEWEST_LINES // 2):
        some = read_as(tmp_path / "b.jsonl", lines[first : first + FEWEST_LINES // 2])
        assert not some[2]
        single[0].extend((line + first, *rest) for line, *rest in some[0])
        single[1].extend((kind, line + first, text) for kind, line, text in some[1])
    assert (events, faults) == single
