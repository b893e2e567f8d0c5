"""A process beside the run writes the very bytes that the run would write, or none; and is gone when it is to be."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from admf_cli.errors import StorageError
from admf_cli.events.event import Event, EventBatch
from admf_cli.tracefile.encoder import encode_event
from admf_cli.tracefile.scribe import Scribe, start_beside
from admf_cli.tracefile.writer import TraceFile
from tests.faults.processes import is_alive


def batch(rows: int, *, first: int = 2, symbols: tuple[str, ...] = ("A",), caused: bool = False) -> EventBatch:
    numbers = np.arange(first, first + rows, dtype=np.int64)
    return EventBatch(
        event_type="FEATURE" if caused else "BAR",
        container_id="c",
        first_number=first,
        sequence=numbers << 20,
        time=1_600_000_000_000_000 + numbers * 250_000,  # with and without a fraction of a second
        symbols=symbols,
        symbol_index=None if len(symbols) == 1 else numbers % len(symbols),
        cause_container="data" if caused else None,
        cause_number=numbers if caused else None,
        columns={"open": numbers / 7, "close": np.where(numbers % 3 == 0, np.nan, numbers * 1e17)},
    )


def single(text: str = "") -> bytes:
    return encode_event(Event("c#1", 1, "PHASE_START", 0, "c", None, None, None, {"text": text}))


@contextmanager
def written_beside(folder: Path, names: tuple[str, ...] = ("c",)) -> Iterator[tuple[Scribe, list[TraceFile]]]:
    files = [TraceFile(folder / "beside" / f"{name}.jsonl") for name in names]
    scribe = start_beside(files)
    assert scribe is not None
    try:
        yield scribe, files
    finally:
        for file in files:
            file.close()
        scribe.close()
        with pytest.raises(ProcessLookupError):
            os.kill(scribe.pid, 0)


def fill(file: TraceFile, pieces: list[bytes | EventBatch]) -> None:
    for piece in pieces:
        if isinstance(piece, EventBatch):
            file.append_rows(piece)
        else:
            file.append(piece)


def fill_and_sync(file: TraceFile, pieces: list[bytes | EventBatch]) -> None:
    fill(file, pieces)
    file.sync()


PIECES: list[bytes | EventBatch] = [
    single(),
    batch(3),
    single("x" * 5_000_000),  # more than a slot holds
    batch(60_000, symbols=("A", 'B"', "\u20ac"), caused=True),
    single("between"),
    batch(30_000, first=99_990),
    batch(2, symbols=tuple(f"symbol {number}" for number in range(160_000))),  # its names alone are more than a slot
    single("after"),
]


def same_as_in_process(folder: Path, name: str = "c") -> bool:
    plain = TraceFile(folder / "plain" / f"{name}.jsonl")
    fill(plain, PIECES)
    plain.seal({"n": 1})
    plain.close()
    return all(
        (folder / "beside" / f"{name}{ending}").read_bytes() == (folder / "plain" / f"{name}{ending}").read_bytes()
        for ending in (".jsonl", ".meta.json")
    )


def test_lines_and_columns_come_out_as_in_process_and_in_order(tmp_path: Path) -> None:
    with written_beside(tmp_path) as (_, [file]):
        fill(file, PIECES)
        file.seal({"n": 1})
        assert file.bytes == (tmp_path / "beside" / "c.jsonl").stat().st_size
    assert same_as_in_process(tmp_path)


def test_files_that_are_written_in_turn_are_not_mixed_up(tmp_path: Path) -> None:
    with written_beside(tmp_path, ("a", "b")) as (_, files):
        for piece in PIECES:
            for file in files:
                fill(file, [piece])
        for file in files:
            file.seal({"n": 1})
    assert same_as_in_process(tmp_path, "a")
    assert same_as_in_process(tmp_path, "b")


@pytest.mark.parametrize("program", ["#!/bin/sh\nexit 0\n", "#!/bin/sh\nexec sleep 1000\n"], ids=["ends", "sleeps"])
def test_where_the_interpreter_is_none_the_run_writes_by_itself(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").write_text(program)
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    file = TraceFile(tmp_path / "beside" / "c.jsonl")
    scribe = Scribe([(file.path, file.descriptor)], patience_s=0.5)
    file.leave_to(scribe, 0)
    fill(file, PIECES)
    file.seal({"n": 1})
    file.close()
    scribe.close()
    assert same_as_in_process(tmp_path)


def test_where_no_process_can_be_had_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = TraceFile(tmp_path / "beside" / "c.jsonl")
    for name, value in (("executable", str(tmp_path / "none")), ("executable", ""), ("frozen", True)):
        with monkeypatch.context() as patched:
            patched.setattr(sys, name, value, raising=False)
            assert start_beside([file]) is None
    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0})
    else:
        monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert start_beside([file]) is None
    fill(file, PIECES)
    file.seal({"n": 1})
    file.close()
    assert same_as_in_process(tmp_path)


def test_a_process_that_was_killed_is_a_fault_of_each_of_its_files(tmp_path: Path) -> None:
    with written_beside(tmp_path, ("a", "b")) as (scribe, files):
        for file in files:
            file.append_rows(batch(10))
        scribe.finish(0)
        os.kill(scribe.pid, signal.SIGKILL)
        for file in files:
            with pytest.raises(StorageError, match=rf"{file.path.name}: cannot write .* was ended by signal 9.*memory"):
                file.seal({})
            with pytest.raises(StorageError):
                file.append(single())
    assert not list(tmp_path.rglob("*.meta.json*"))


def test_a_full_disk_is_met_at_the_next_call_with_the_same_words(tmp_path: Path) -> None:
    plain = TraceFile(tmp_path / "plain" / "c.jsonl")
    said: list[str] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20 << 20, hard))
    try:
        with written_beside(tmp_path, ("c", "small")) as (_, [file, small]):
            small.append_rows(batch(10))
            for target in (file, plain):
                with pytest.raises(StorageError) as met:
                    fill_and_sync(target, [batch(60_000)] * 8)
                said.append(str(met.value).replace("beside", "plain"))
                for call in (lambda: target.append(single()), target.wait, target.sync):  # noqa: B023 - called here
                    with pytest.raises(StorageError):
                        call()
            small.seal({})  # which the disk had room for
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        plain.close()
    assert said[0] == said[1]
    assert "cannot write this trace file: File too large" in said[0]
    assert (tmp_path / "beside" / "c.jsonl").read_bytes() == (tmp_path / "plain" / "c.jsonl").read_bytes()
    assert json.loads((tmp_path / "beside" / "small.meta.json").read_text())["file"]["bytes"] > 0
    assert not (tmp_path / "beside" / "c.meta.json").exists()


def test_what_was_asked_for_is_written_though_nobody_is_left_to_hear_of_it(tmp_path: Path) -> None:
    # As after a kill of the run: what it had handed over by then is on the disk, and the process ends by itself.
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        file = TraceFile(tmp_path / "c.jsonl")
        scribe = start_beside([file])
        assert scribe is not None
        for number in range(8):
            file.append_rows(batch(5_000, first=2 + 5_000 * number))
        os.write(write, str(scribe.pid).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    beside = int(os.read(read, 100))
    while is_alive(beside):
        pass
    assert (tmp_path / "c.jsonl").read_bytes() == b"".join(map(encode_event, batch(40_000).rows()))
