"""A process beside the run that makes and writes the lines of its dense traces. Refuses to know what they say.

A million rows become text while the run goes on, on another core. Columns are copied to a memory that both processes
share, a ring of slots: where all are taken the run waits, so a slow disk slows it down instead of filling the memory.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from admf_cli import own_process
from admf_cli.errors import StorageError
from admf_cli.tracefile.appending import Appender, Lines
from admf_cli.tracefile.encoder import BatchLike, encode_batch
from admf_cli.tracefile.scribing import (
    REQUEST,
    SLOT_BYTES,
    SLOTS,
    carry_out,
    pack_finish,
    pack_lines,
    pack_rows,
    rows_that_fit,
    slot,
)

if TYPE_CHECKING:
    from admf_cli.tracefile.writer import TraceFile

_LONGEST_PIECE = SLOT_BYTES // 2  # of lines, in bytes


class Scribe:
    """The run's end of it. All of its methods may be called from any thread.

    A process that never comes up, as where `sys.executable` is no Python, costs nothing but time: it has written
    nothing by then, and what it was to do is done here.

    Args:
        files: path and open descriptor of each; nothing was written to them, and nobody else writes from here on.
        patience_s: how long the process may take to start, and to end once it was asked to.

    Raises:
        OSError: no process can be started.
    """

    def __init__(self, files: Sequence[tuple[Path, int]], patience_s: float = 30.0) -> None:
        self._files = files
        self._patience_s = patience_s
        self._own: list[Appender] | None = None  # what writes instead of a process that never came up
        self._lock = threading.RLock()
        self._free = list(range(SLOTS))
        self._asked: deque[tuple[int, int, int]] = deque()  # slot, size of its head, file; the oldest first
        self._heard = b""
        self._answer: dict[str, Any] = {}  # the last
        self._faults: dict[int, StorageError] = {}
        self._is_up = False
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            memory = _shared_memory()
            theirs.callback(os.close, memory)
            self._memory = memoryview(mmap.mmap(memory, SLOT_BYTES * SLOTS))
            requests, self._requests = os.pipe()
            theirs.callback(os.close, requests)
            ours.callback(os.close, self._requests)
            self._answers, answers = os.pipe()
            theirs.callback(os.close, answers)
            ours.callback(os.close, self._answers)
            setup = {
                "memory": memory,
                "requests": requests,
                "answers": answers,
                "files": [(os.fsencode(path).hex(), descriptor) for path, descriptor in files],
            }
            self._process = own_process.start(
                "admf_cli.tracefile.scribing",
                orjson.dumps(setup).decode(),
                environment={"OPENBLAS_NUM_THREADS": "1"},  # not used, and its threads spin at the start
                pass_fds=[memory, requests, answers, *(descriptor for _, descriptor in files)],
            )
            ours.pop_all()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def append_rows(self, file: int, batch: BatchLike) -> None:
        """Have a batch written at the end of a file; its columns are copied.

        Raises:
            StorageError: here and below, what this file has met by now.
        """
        fitting = rows_that_fit(batch)
        if not fitting:
            for lines in encode_batch(batch):
                self.append(file, lines)
            return
        with self._lock:
            rows = len(batch.sequence)
            for start in range(0, rows, fitting):
                place = self._free_slot(file)
                cut = slice(start, min(start + fitting, rows))
                self._ask(place, pack_rows(slot(self._memory, place), file, batch, cut), file)

    def append(self, file: int, lines: Lines) -> None:
        """Have lines written at the end of a file."""
        with self._lock:
            for start in range(0, len(lines), _LONGEST_PIECE):
                place = self._free_slot(file)
                piece = lines[start : start + _LONGEST_PIECE]
                self._ask(place, pack_lines(slot(self._memory, place), file, piece), file)

    def check(self, file: int) -> None:
        """Raise the fault that this file has met, if any is known by now."""
        with self._lock:
            self._hear(wait=False)
            if file in self._faults:
                raise self._faults[file]

    def finish(self, file: int) -> tuple[int, str]:
        """Return, once all of a file is written, how many bytes that were, and their SHA-256."""
        with self._lock:
            place = self._free_slot(file)
            self._ask(place, pack_finish(slot(self._memory, place), file), file)
            while place not in self._free:
                self._hear(wait=True)
            self.check(file)
            return self._answer["bytes"], self._answer["sha256"]

    def close(self) -> None:
        """End the process, once it has written what it was asked for; harmless when done twice."""
        if self._requests < 0:
            return
        # Said in words, too: where a strategy has forked, a copy of this pipe may stay open elsewhere.
        with contextlib.suppress(OSError):
            os.write(self._requests, REQUEST.pack(-1, 0))
        os.close(self._requests)
        self._requests = -1
        try:
            self._process.wait(self._patience_s if self._hear_out() else 0.0)
        except BaseException:
            self._process.kill()
            raise
        finally:
            self._process.wait()
            os.close(self._answers)
            for appender in self._own or ():
                appender.close()

    def _free_slot(self, file: int) -> int:
        """Return a slot that nobody reads, once there is one."""
        while not self._free:
            self._hear(wait=True)
        self.check(file)
        return self._free[-1]

    def _ask(self, place: int, head_bytes: int, file: int) -> None:
        self._free.remove(place)
        self._asked.append((place, head_bytes, file))
        if self._own is not None:
            self._do_it_here(self._own)
            return
        with contextlib.suppress(BrokenPipeError):  # the end of its answers will tell
            os.write(self._requests, REQUEST.pack(place, head_bytes))

    def _hear(self, *, wait: bool) -> None:
        """Take in what the process has answered; with `wait`, at least one answer."""
        if self._own is not None:
            return
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        if not poll.poll(0 if not wait else None if self._is_up else 1000 * self._patience_s):
            if not wait:
                return
            self._process.kill()
        said = os.read(self._answers, 1 << 16)
        if not said:
            self._miss()
        *lines, self._heard = (self._heard + said).split(b"\n")
        for line in lines:
            self._take(orjson.loads(line))

    def _hear_out(self) -> bool:
        """Return whether the process closes its end of the answers, by ending; to wait for a process is to poll."""
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        while poll.poll(1000 * self._patience_s):
            if not os.read(self._answers, 1 << 16):
                return True
        return False

    def _take(self, answer: dict[str, Any]) -> None:
        self._is_up = True
        self._answer = answer
        while self._asked and "slot" in answer:
            place, _, file = self._asked.popleft()
            self._free.append(place)
            if place == answer["slot"]:  # others were never asked for: an interruption came in between
                if "fault" in answer:
                    self._faults.setdefault(file, StorageError(answer["fault"]))
                return

    def _miss(self) -> None:
        """Settle what the process that has ended leaves undone."""
        status = self._process.wait()
        if not self._is_up:  # it has written nothing
            self._own = [Appender(path, descriptor) for path, descriptor in self._files]
            for _ in range(len(self._asked)):
                self._do_it_here(self._own)
            return
        how = f"was ended by signal {-status}" if status < 0 else f"ended with code {status}"
        for file, (path, _) in enumerate(self._files):
            fault = StorageError(
                f"{path}: cannot write this trace file: the process beside the run that writes it {how}; "
                "if memory is short, free some or keep fewer events with max_events; then run it again"
            )
            self._faults.setdefault(file, fault)
        self._free += [place for place, _, _ in self._asked]
        self._asked.clear()

    def _do_it_here(self, files: Sequence[Appender]) -> None:
        """Do the oldest of what was asked for."""
        place, head_bytes, file = self._asked.popleft()
        try:
            self._answer = carry_out(slot(self._memory, place), head_bytes, files)
        except StorageError as fault:
            self._faults.setdefault(file, fault)
        self._free.append(place)


def start_beside(files: Sequence[TraceFile]) -> Scribe | None:
    """Have a process write these files, to which nothing was written yet; None where there is none to be had."""
    if _processors() < 2 or not sys.executable or getattr(sys, "frozen", False):
        return None
    try:
        scribe = Scribe([(file.path, file.descriptor) for file in files])
    except OSError:
        return None
    for number, file in enumerate(files):
        file.leave_to(scribe, number)
    return scribe


def _processors() -> int:
    """Return how many of them this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _shared_memory() -> int:
    """Return a descriptor of memory for all slots, which has no name: it is gone with those that hold it."""
    size = SLOT_BYTES * SLOTS
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("admf")
        try:
            os.ftruncate(descriptor, size)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
    with tempfile.TemporaryFile() as file:
        file.write(bytes(size))  # so that a full disk is met here, not when a slot is first touched
        file.flush()
        return os.dup(file.fileno())
