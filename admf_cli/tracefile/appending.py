"""Whole lines to the end of an open file, hashed on the way. Refuses to know what they say and who makes them."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from admf_cli.errors import StorageError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Lines = bytes | bytearray | memoryview

_ASIDE_BYTES = 1 << 18  # so many at once are worth handing over
_ASIDE_AFTER_BYTES = 4 << 20  # in a file of so many, a thread is worth making
_ASIDE_BLOCKS = 4  # waiting at most, so that a slow disk slows the run down instead of filling the memory
_SYNC_BYTES = 8 << 20  # so many are brought to the disk while the next are made


class Appender:
    """The end of one file, to which only this object writes.

    Large blocks are written and hashed aside, in a thread, while the next ones are made: both leave the interpreter
    free. Everything else waits for them first, so that lines stay in order and a fault is met at the next call. A
    large file is brought to the disk as it grows, in another thread, so that little is left to wait for at its end.

    Args:
        path: of the file, as messages name it.
        descriptor: open for appending; whoever opened it closes it.
        held: bytes that the file holds already; where there are any, nothing is hashed.

    Raises:
        StorageError: from every method when the operating system refuses; what was written before stays readable.
    """

    def __init__(self, path: Path, descriptor: int, held: int = 0) -> None:
        self.bytes = held
        self._path = path
        self._descriptor = descriptor
        self._digest = None if held else hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._aside: deque[Future[None]] = deque()
        self._syncing: ThreadPoolExecutor | None = None
        self._synced: Future[None] | None = None
        self._bytes_to_sync = 0
        self._fault: StorageError | None = None

    def append(self, lines: Lines) -> None:
        """Write whole lines at the end; they must not be changed afterwards."""
        if len(lines) >= _ASIDE_BYTES and (self._thread is not None or self.bytes >= _ASIDE_AFTER_BYTES):
            self._append_aside(lines)
        else:
            self.wait()
            self._append(lines)

    def wait(self) -> None:
        """Return when everything appended has been written."""
        while self._aside:
            self._aside.popleft().result()
        if self._fault is not None:
            raise self._fault

    def finish(self) -> tuple[int, str | None]:
        """Return, once all is written, how many bytes the file has, and their SHA-256 if all of them were hashed."""
        self.wait()
        if self._synced is not None:
            with explained(self._path, "write"):
                self._synced.result()  # the system tells a fault once
        return self.bytes, None if self._digest is None else self._digest.hexdigest()

    def close(self) -> None:
        """Give the threads back; what waits is not written."""
        for thread in (self._thread, self._syncing):
            if thread is not None:
                thread.shutdown(cancel_futures=True)
        self._aside.clear()

    def _append(self, lines: Lines) -> None:
        if self._fault is not None:
            raise self._fault  # nothing may follow what was written in part
        try:
            with explained(self._path, "write"):
                _write_all(self._descriptor, lines)
                self._bytes_to_sync += len(lines)
                if self._bytes_to_sync >= _SYNC_BYTES:
                    self._sync_aside()
        except StorageError as fault:
            self._fault = fault
            raise
        self.bytes += len(lines)
        if self._digest is not None:
            self._digest.update(lines)

    def _append_aside(self, lines: Lines) -> None:
        if self._thread is None:
            self._thread = _thread()
        while len(self._aside) >= _ASIDE_BLOCKS:
            self._aside.popleft().result()
        self._aside.append(self._thread.submit(self._append, lines))

    def _sync_aside(self) -> None:
        """Begin to bring what was written to the disk, unless that is still going on."""
        if self._synced is not None:
            if not self._synced.done():
                return
            self._synced.result()
        if self._syncing is None:
            self._syncing = _thread()
        self._bytes_to_sync = 0
        self._synced = self._syncing.submit(os.fsync, self._descriptor)


@contextlib.contextmanager
def explained(path: Path, verb: str) -> Any:
    """Tell what the operating system refuses as a fault of this trace file."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path}: cannot {verb} this trace file: {error.strerror or error}; "
            "free the space or the permission, or choose another place with --trace-dir"
        ) from error


def _thread() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1, thread_name_prefix="trace")


def _write_all(descriptor: int, data: Lines) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
