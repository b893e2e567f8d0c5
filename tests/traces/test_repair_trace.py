"""`admf traces repair`: whatever happened to a run's files, the copy is verified, and what is missing is listed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commandline import traces
from handmade import EXECUTION, PORTFOLIO, STRATEGY, crossover_run, sealed, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admf_cli.errors import ConfigError
from admf_cli.tracefile.presence import held
from admf_cli.traces.repair import RepairedContainer, repair
from admf_cli.traces.verify import verify

NAMES = ["data", "features", STRATEGY, PORTFOLIO, EXECUTION]


def repaired(directory: Path, to: Path) -> dict[str, RepairedContainer]:
    """Repair, and insist that the copy is verified and the original untouched."""
    before = {path: path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}
    (phase,) = repair(directory, to).phases
    assert before == {path: path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}
    if any(one.status != "lost" for one in phase.containers):
        answer = verify(to)
        assert answer.verified, answer.faults
    return {one.container_id: one for one in phase.containers}


def test_a_whole_run_is_copied_byte_for_byte(tmp_path: Path) -> None:
    phase = written(tmp_path / "a", max_events={"data": 10})
    found = repaired(phase, tmp_path / "b")
    assert {one.status for one in found.values()} == {"copied"}
    for path in phase.iterdir():
        assert (tmp_path / "b" / "wf_1" / "backtest" / path.name).read_bytes() == path.read_bytes()


def test_a_killed_run_loses_its_torn_lines_and_is_recovered(tmp_path: Path) -> None:
    phase = written(tmp_path / "a", unsealed=NAMES)
    for name in NAMES:
        path = phase / f"{name}.jsonl"
        content = path.read_bytes()
        path.write_bytes(content[: len(content) * 2 // 3])
    found = repaired(phase, tmp_path / "b")
    assert {one.status for one in found.values()} == {"recovered"}
    assert found["data"].reason == "it was never sealed; 1 line left out"
    (line,) = found["data"].lines
    assert line.reason == "cut off"
    meta = json.loads((tmp_path / "b" / "wf_1" / "backtest" / "data.meta.json").read_bytes())
    assert (meta["status"], meta["container_type"], meta["mode"]) == ("recovered", "data", "backtest")
    assert meta["total"]["written"] == found["data"].kept == meta["total"]["published"]


def test_a_container_without_a_line_gets_the_mode_that_the_others_tell(tmp_path: Path) -> None:
    phase = written(tmp_path / "a", unsealed=NAMES)
    (phase / f"{PORTFOLIO}.jsonl").write_bytes(b"")
    (phase / "data.jsonl").unlink()
    (phase / "data.meta.json").write_bytes(b"{")  # all that is left of the first container
    found = repaired(phase, tmp_path / "b")
    assert found["data"].status == "lost"
    assert found[PORTFOLIO].kept == 0  # and verify, which compares modes, is content


def test_lines_in_the_middle_are_lost_and_named_by_their_ids(tmp_path: Path) -> None:
    phase = written(tmp_path / "a")
    path = phase / f"{PORTFOLIO}.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = b"garbage\n"
    del lines[7:9]
    path.write_bytes(b"".join(lines))
    one = repaired(phase, tmp_path / "b")[PORTFOLIO]
    assert (one.status, one.kept, one.lost) == ("recovered", 12, 3)
    assert one.ranges == (f"{PORTFOLIO}#5 to {PORTFOLIO}#5", f"{PORTFOLIO}#8 to {PORTFOLIO}#9")
    assert [(line.line, line.reason.partition(":")[0]) for line in one.lines] == [(5, "not JSON")]


def test_a_damaged_meta_file_is_rebuilt_from_its_lines_and_its_neighbours(tmp_path: Path) -> None:
    phase = written(tmp_path / "a")
    (phase / "data.meta.json").write_bytes(b'{"schema')
    one = repaired(phase, tmp_path / "b")["data"]
    assert (one.status, one.lost, one.reason) == ("recovered", 0, "its meta file was damaged")
    meta = json.loads((tmp_path / "b" / "wf_1" / "backtest" / "data.meta.json").read_bytes())
    assert (meta["config_name"], meta["data_sha256"]) == ("trend_demo", "d" * 64)
    assert meta["events"]["BAR"]["written"] == 40


def test_a_container_whose_lines_are_gone_is_lost_and_said_to_be(tmp_path: Path) -> None:
    phase = written(tmp_path / "a")
    (phase / "features.jsonl").unlink()
    one = repaired(phase, tmp_path / "b")["features"]
    assert (one.status, one.kept, one.lost) == ("lost", 0, 42)
    assert not list((tmp_path / "b").rglob("features*"))


def test_only_a_thousand_lost_lines_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    phase = written(tmp_path / "a")
    path = phase / "data.jsonl"
    path.write_bytes(path.read_bytes() + b"junk\n" * 1_500)
    one = repaired(phase, tmp_path / "b")["data"]
    assert (one.kept, one.lost, len(one.lines)) == (42, 0, 1_000)
    assert one.reason == "its lines were not those that were sealed; 1,500 lines left out"


def resealed(phase: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    path = phase / f"{name}.meta.json"
    meta = json.loads(path.read_bytes())
    del meta["seal"]
    change(meta)
    path.write_bytes(sealed(meta))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda meta: meta["events"]["BAR"].update(published=10), "its lines were not those that were sealed"),
        (lambda meta: meta["events"].pop("BAR"), "its lines were not those that were sealed"),
        (lambda meta: meta["file"].update(bytes=0), "its lines were not those that were sealed"),
        (lambda meta: meta.pop("file"), "its meta file was damaged"),
    ],
)
def test_a_seal_that_the_lines_contradict_is_made_anew_from_them(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    phase = written(tmp_path / "a")
    resealed(phase, "data", change)
    resealed(phase, "data", lambda meta: "file" in meta and meta["file"].update(sha256="0" * 64))
    one = repaired(phase, tmp_path / "b")["data"]
    assert (one.status, one.reason, one.kept, one.lost) == ("recovered", reason, 42, 0)
    meta = json.loads((tmp_path / "b" / "wf_1" / "backtest" / "data.meta.json").read_bytes())
    assert {name: tally["published"] for name, tally in meta["events"].items()} == {
        "BAR": 40,
        "PHASE_START": 1,
        "PHASE_END": 1,
    }


@pytest.mark.parametrize(
    ("event_type", "key", "value"),
    [
        ("ORDER", "side", "sell_short"),  # a side that a later version may know
        ("BAR", "close", None),
        ("FEATURE", "fast", {"mean": 1.0}),
        ("PHASE_END", "status", 7),
    ],
)
def test_a_whole_line_is_kept_whatever_kind_its_values_are(
    tmp_path: Path, event_type: str, key: str, value: object
) -> None:
    run = crossover_run([100.0 + (bar % 10) for bar in range(20)], {2: 1, 8: 0})
    container, events = next(
        (name, events) for name, events in run.events.items() if any(one["event_type"] == event_type for one in events)
    )
    next(one for one in events if one["event_type"] == event_type)["payload"][key] = value
    phase = run.write(tmp_path / "a" / "wf_1" / "backtest", unsealed=[container])
    (repairs,) = repair(phase, tmp_path / "b").phases
    found = {one.container_id: one for one in repairs.containers}
    assert (found[container].status, found[container].lost, found[container].lines) == ("recovered", 0, ())
    copy = tmp_path / "b" / "wf_1" / "backtest" / f"{container}.jsonl"
    assert copy.read_bytes() == (phase / f"{container}.jsonl").read_bytes()


@pytest.mark.parametrize(("event_type", "key"), [("BAR", "close"), ("ORDER", "side"), ("PORTFOLIO_UPDATE", "equity")])
def test_a_line_whose_key_was_damaged_is_lost_and_the_copy_is_verified(
    tmp_path: Path, event_type: str, key: str
) -> None:
    run = crossover_run([100.0 + (bar % 10) for bar in range(20)], {2: 1, 8: 0})
    container, event = next(
        (name, one) for name, events in run.events.items() for one in events if one["event_type"] == event_type
    )
    event["payload"]["x" + key] = event["payload"].pop(key)
    phase = run.write(tmp_path / "a" / "wf_1" / "backtest", unsealed=[container])
    (repairs,) = repair(phase, tmp_path / "b").phases
    found = {one.container_id: one for one in repairs.containers}
    assert [line.reason for line in found[container].lines] == [f"{event_type}: {key} is missing"]
    assert found[container].lost == 1
    assert verify(tmp_path / "b").faults == ()


@pytest.mark.parametrize("time", ["2999-01-01T00:00:00Z", "next Tuesday"])
def test_a_wrong_time_costs_no_line(tmp_path: Path, time: str) -> None:
    run = crossover_run([100.0 + (bar % 10) for bar in range(20)], {2: 1, 8: 0})
    run.events["data"][5]["timestamp"] = time
    phase = run.write(tmp_path / "a" / "wf_1" / "backtest", unsealed=["data"])
    (repairs,) = repair(phase, tmp_path / "b").phases
    found = {one.container_id: one for one in repairs.containers}
    assert (found["data"].kept, found["data"].lost) == (22, 0)
    assert [(one.file.rpartition("/")[2], one.line) for one in verify(tmp_path / "b").faults if one.kind == "time"]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_whatever_breaks_lines_the_copy_is_verified(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder = tmp_path_factory.mktemp("x")
    source = random.Random(seed)
    options: dict[str, Any] = {"max_events": {source.choice(NAMES): source.randrange(1, 30)}} if seed % 3 == 0 else {}
    phase = written(folder / "a", **options)
    for _ in range(source.randrange(1, 4)):
        path = source.choice(sorted(phase.iterdir()))
        data = path.read_bytes()
        lines = data.splitlines(keepends=True)
        if not data:
            continue
        match source.randrange(6):
            case 0:
                data = data[: source.randrange(len(data))]
            case 1:
                place = source.randrange(len(lines))
                data = b"".join(lines[:place] + lines[place + source.randrange(1, 4) :])
            case 2:
                place = source.randrange(len(data))
                data = data[:place] + source.choice([b"\n", b"\x00"]) + data[place:]
            case 3:
                data = b"".join(source.sample(lines, len(lines)))
            case 4:
                data = data + source.choice(lines)
            case _:
                path.unlink()
                continue
        path.write_bytes(data)
    if list(phase.iterdir()):
        repaired(phase, folder / "b")


@pytest.mark.parametrize("inside", [".", "copy", "wf_1"])
def test_a_copy_never_lies_within_the_run(tmp_path: Path, inside: str) -> None:
    written(tmp_path)
    with pytest.raises(ConfigError, match="write elsewhere"):
        repair(tmp_path, tmp_path / inside)


def test_nothing_is_written_over_and_no_run_that_goes_on_is_repaired(tmp_path: Path) -> None:
    phase = written(tmp_path / "a")
    repair(phase, tmp_path / "b")
    with pytest.raises(ConfigError, match="exists already"):
        repair(phase, tmp_path / "b")
    with held(phase.parent), pytest.raises(ConfigError, match="still goes on"):
        repair(phase, tmp_path / "c")


def test_the_command_shows_what_was_lost(tmp_path: Path) -> None:
    phase = written(tmp_path / "a")
    path = phase / "data.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    result = traces("repair", phase, "--to", tmp_path / "b", "--plain")
    assert result.exit_code == 0
    assert "lost: data#42 to data#42" in result.stdout
    assert "left out: data.jsonl:42: cut off" in result.stdout
    document = json.loads(traces("repair", phase, "--to", tmp_path / "c", "--json").stdout)
    assert document["phases"][0]["containers"][0]["lost"] == 1
    assert traces("repair", phase, "--to", phase / "x").exit_code == 2
