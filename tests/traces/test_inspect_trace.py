"""What `admf traces inspect` finds in sound, damaged, killed and hostile traces."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from commandline import traces
from handmade import EXECUTION, PORTFOLIO, STRATEGY, crossover_run, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admf_cli.errors import StorageError
from admf_cli.traces.inspect import ContainerInspection, Inspection, inspect


def container(answer: Inspection, name: str) -> ContainerInspection:
    return next(one for phase in answer.phases for one in phase.containers if one.container_id == name)


def edit_lines(path: Path, *, drop: int | None = None, repeat: int | None = None, swap: int | None = None) -> None:
    """Damage a file of lines at a 0-based index."""
    lines = path.read_bytes().splitlines(keepends=True)
    if drop is not None:
        del lines[drop]
    if repeat is not None:
        lines.insert(repeat, lines[repeat])
    if swap is not None:
        lines[swap], lines[swap + 1] = lines[swap + 1], lines[swap]
    path.write_bytes(b"".join(lines))


def test_a_whole_run_is_sound_and_counted(tmp_path: Path) -> None:
    answer = inspect(written(tmp_path))
    assert answer.sound
    assert answer.faults == ()
    data = container(answer, "data")
    assert data.events == {"BAR": 40, "PHASE_END": 1, "PHASE_START": 1}
    assert (data.first_timestamp, data.last_timestamp) == ("2008-01-01T00:00:00Z", "2008-02-09T00:00:00Z")
    assert (data.published, data.written, data.filtered, data.dropped, data.status) == (42, 42, 0, 0, "complete")
    assert container(answer, STRATEGY).events["SIGNAL"] == 5
    assert answer.phases[0].config_name == "trend_demo"


def test_what_max_events_pushed_out_is_dropped_not_missing(tmp_path: Path) -> None:
    answer = inspect(written(tmp_path, max_events={"data": 10}))
    data = container(answer, "data")
    assert answer.sound
    assert (data.written, data.dropped, data.missing) == (10, 32, 0)
    assert container(answer, STRATEGY).causes_dropped == 5  # all five signals are on bars before the last ten
    assert container(answer, STRATEGY).orphans == 0


def test_filtered_types_leave_explained_gaps(tmp_path: Path) -> None:
    answer = inspect(written(tmp_path, only={PORTFOLIO: ["ORDER"], "data": ["PHASE_START", "PHASE_END"]}))
    assert answer.sound
    portfolio = container(answer, PORTFOLIO)
    assert (portfolio.written, portfolio.filtered, portfolio.missing) == (4, 11, 0)


def test_an_untraced_container_makes_no_orphans(tmp_path: Path) -> None:
    answer = inspect(written(tmp_path, untraced=["data"]))
    assert answer.sound
    assert container(answer, "features").causes_dropped == 40


def test_a_container_without_a_meta_file_was_never_sealed(tmp_path: Path) -> None:
    answer = inspect(written(tmp_path, unsealed=[EXECUTION]))
    assert not answer.sound
    assert container(answer, EXECUTION).status == "never sealed"
    assert container(answer, EXECUTION).published is None
    assert answer.fault_counts == {"never-sealed": 1}


def test_a_killed_run_has_lost_causes_not_orphans(tmp_path: Path) -> None:
    phase = written(tmp_path, unsealed=["data", "features", STRATEGY, PORTFOLIO, EXECUTION])
    path = phase / "data.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    answer = inspect(phase)
    assert container(answer, "data").torn_lines == 1
    assert container(answer, "features").orphans == 0
    assert container(answer, "features").causes_dropped == 40 - container(answer, "data").events["BAR"]


def test_a_failed_run_that_was_sealed_is_a_sound_trace(tmp_path: Path) -> None:
    answer = inspect(written(tmp_path, status="failed"))
    assert answer.sound
    assert container(answer, "data").status == "failed"


def test_a_removed_line_is_a_missing_number_and_its_effect_an_orphan(tmp_path: Path) -> None:
    phase = written(tmp_path)
    edit_lines(phase / f"{STRATEGY}.jsonl", drop=2)  # the second signal
    answer = inspect(phase)
    assert container(answer, STRATEGY).missing == 1
    assert container(answer, PORTFOLIO).orphans == 1
    (orphan,) = [fault for fault in answer.faults if fault.kind == "orphan"]
    assert orphan.message.endswith(f"answers {STRATEGY}#3, which is nowhere")
    line = (phase / f"{PORTFOLIO}.jsonl").read_text().splitlines()[orphan.line - 1]  # type: ignore[operator]
    assert json.loads(line)["causation_id"] == f"{STRATEGY}#3"


def test_a_removed_line_is_missed_without_a_seal_too(tmp_path: Path) -> None:
    phase = written(tmp_path, unsealed=["data"])
    edit_lines(phase / "data.jsonl", drop=20)
    answer = inspect(phase)
    assert container(answer, "data").missing == 1
    assert container(answer, "features").orphans == 1


def test_a_repeated_line_is_a_duplicate(tmp_path: Path) -> None:
    phase = written(tmp_path)
    edit_lines(phase / "data.jsonl", repeat=7)
    answer = inspect(phase)
    assert container(answer, "data").duplicate == 1
    assert answer.fault_counts["duplicate"] == 1


def test_swapped_lines_are_out_of_order_and_nothing_else(tmp_path: Path) -> None:
    phase = written(tmp_path)
    edit_lines(phase / "data.jsonl", swap=7)
    answer = inspect(phase)
    assert answer.fault_counts == {"out-of-order": 1}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"not json", "not-json"),
        (b"[1,2]", "not-an-event"),
        (b'{"event_id":"data#3"}', "not-an-event"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "not-json"),
        (b"\xff\xfe\x00", "not-json"),
        (b"", "not-json"),
        (b"[" + b"1," * 3_000_000 + b"1]", "long-line"),
    ],
)
def test_a_line_that_is_no_event_is_named_with_its_number(tmp_path: Path, line: bytes, kind: str) -> None:
    phase = written(tmp_path)
    path = phase / "data.jsonl"
    lines = path.read_bytes().splitlines()
    lines[4] = line
    path.write_bytes(b"\n".join(lines) + b"\n")
    answer = inspect(phase)
    assert [(fault.file, fault.line) for fault in answer.faults if fault.kind == kind] == [("data.jsonl", 5)]
    assert container(answer, "data").bad_lines == 1
    assert container(answer, "data").missing == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("event_id", 7),
        ("event_id", "data"),
        ("event_id", "data#007"),
        ("event_id", "other#7"),
        ("event_id", "data#" + "9" * 40),
        ("sequence", "1"),
        ("sequence", True),
        ("sequence", -1),
        ("sequence", 2**63),
        ("event_type", None),
        ("timestamp", 0),
        ("container_id", "other"),
        ("causation_id", 5),
        ("symbol", ["SPX"]),
        ("payload", "text"),
        ("payload", None),
    ],
)
def test_a_value_of_the_wrong_type_makes_it_no_event(tmp_path: Path, key: str, value: object) -> None:
    phase = written(tmp_path)
    path = phase / "data.jsonl"
    lines = path.read_bytes().splitlines()
    lines[6] = json.dumps({**json.loads(lines[6]), key: value}).encode()
    path.write_bytes(b"\n".join(lines) + b"\n")
    answer = inspect(phase)
    assert [fault.line for fault in answer.faults if fault.kind == "not-an-event"] == [7]


def test_a_damaged_meta_file_is_a_fault_and_the_lines_are_still_read(tmp_path: Path) -> None:
    phase = written(tmp_path)
    (phase / "data.meta.json").write_text('{"schema_version": 1, "sta')
    answer = inspect(phase)
    assert container(answer, "data").status == "damaged meta"
    assert container(answer, "data").events["BAR"] == 40
    assert answer.fault_counts == {"damaged-meta": 1}


def test_a_trace_of_another_version_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    answer = inspect(written(tmp_path, meta_changes={"schema_version": 9}))
    assert set(answer.fault_counts) == {"other-version"}
    assert container(answer, "data").events["BAR"] == 40


def test_counts_that_differ_from_the_seal_are_named_by_type(tmp_path: Path) -> None:
    phase = written(tmp_path)
    edit_lines(phase / "data.jsonl", drop=5)
    messages = [fault.message for fault in inspect(phase).faults if fault.kind == "count"]
    assert "39 BAR on disk, 40 sealed" in messages


def test_a_meta_file_without_lines_is_a_fault(tmp_path: Path) -> None:
    phase = written(tmp_path)
    (phase / "data.jsonl").unlink()
    answer = inspect(phase)
    assert answer.fault_counts["missing-lines"] == 1


def test_many_workflows_are_inspected_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        crossover_run([100.0, 101.0, 102.0], {1: 1}).write(tmp_path / name / "backtest")
    answer = inspect(tmp_path)
    assert [phase.workflow_id for phase in answer.phases] == ["one", "two"]
    assert answer.sound


def test_an_empty_directory_cannot_be_inspected(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        inspect(tmp_path)


def test_a_million_bad_lines_cost_no_more_memory_than_a_few(tmp_path: Path) -> None:
    phase = written(tmp_path)
    (phase / "data.jsonl").write_bytes(b"{}\n" * 200_000)
    answer = inspect(phase)
    assert answer.fault_counts["not-an-event"] == 200_000
    assert len(answer.faults) < 100


# The command ---------------------------------------------------------------------------------------------------------


def test_the_command_exits_0_when_sound_and_1_when_not(tmp_path: Path) -> None:
    phase = written(tmp_path)
    assert traces("inspect", phase).exit_code == 0
    (phase / "data.meta.json").unlink()
    result = traces("inspect", phase)
    assert result.exit_code == 1
    assert "never sealed" in result.stdout


def test_json_is_one_document_with_its_schema_version(tmp_path: Path) -> None:
    result = traces("inspect", "--json", written(tmp_path))
    document = json.loads(result.stdout)
    assert document["schema_version"] == 1
    assert document["sound"] is True
    assert document["phases"][0]["containers"][0]["events"]["BAR"] == 40


@pytest.mark.parametrize("options", [[], ["--plain"], ["--json"]])
def test_nothing_in_a_trace_reaches_the_terminal_as_an_escape_or_markup(tmp_path: Path, options: list[str]) -> None:
    evil = "\x1b]0;pwned\x07[red]bold[/red]\u202e<script>"
    phase = written(tmp_path, status=evil, meta_changes={"reason": evil, "config_name": evil})
    path = phase / "data.jsonl"
    lines = path.read_bytes().splitlines()
    lines[3] = json.dumps({**json.loads(lines[3]), "event_type": evil}).encode()
    path.write_bytes(b"\n".join(lines) + b"\n")
    result = traces("inspect", phase, *options)
    assert result.exit_code == 1
    assert not any(character in result.stdout for character in "\x1b\x07")
    if "--json" not in options:
        assert "\u202e" not in result.stdout
        assert "[red]bold[/red]" in result.stdout.replace("\n", "").replace(" ", "")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), times=st.integers(1, 8))
def test_no_damage_to_any_byte_makes_it_fail(tmp_path: Path, seed: int, times: int) -> None:
    source = random.Random(seed)
    phase = tmp_path / "wf_1" / "backtest"
    if not phase.exists():
        written(tmp_path)
        for path in phase.iterdir():
            (tmp_path / (path.name + ".sound")).write_bytes(path.read_bytes())
    path = source.choice(sorted(phase.iterdir()))
    sound = (tmp_path / (path.name + ".sound")).read_bytes()
    data = bytearray(sound)
    for _ in range(times):
        place = source.randrange(len(data))
        match source.randrange(4):
            case 0:
                data[place] = source.randrange(256)
            case 1:
                del data[place : place + source.randrange(1, 40)]
            case 2:
                data[place:place] = source.choice([b"\n", b"\x00", b'"', b"{", b"[" * 1100, b"\x1b[31m", b"1e999"])
            case _:
                del data[place:]
        if not data:
            break
    path.write_bytes(bytes(data))
    try:
        inspect(tmp_path)
        assert traces("inspect", "--plain", tmp_path).exit_code in (0, 1)
    finally:
        path.write_bytes(sound)
