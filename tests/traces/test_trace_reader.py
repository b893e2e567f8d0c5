"""Reading lines, finding files and bisecting, also where things are damaged."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import written
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli.errors import StorageError
from admf_cli.tracefile import discovery
from admf_cli.tracefile.discovery import discover, discover_some
from admf_cli.tracefile.lookup import TraceLookup
from admf_cli.tracefile.metafile import as_meta, read_meta
from admf_cli.tracefile.reader import MAX_LINE_BYTES, LineFault, read_blocks


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
