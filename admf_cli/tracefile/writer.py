"""One container's file of lines: made, appended to, cut at its head, sealed. Refuses to know what the lines say."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from admf_cli.errors import StorageError
from admf_cli.tracefile.format import encode_meta, meta_path

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Lines = bytes | bytearray | memoryview

_COPY_BYTES = 1 << 20
_ASIDE_BYTES = 1 << 18  # so many at once are worth handing over
_ASIDE_AFTER_BYTES = 4 << 20  # in a file of so many, a thread is worth making
_ASIDE_BLOCKS = 4  # waiting at most, so that a slow disk slows the run down instead of filling the memory


class TraceFile:
    """A file that only this object writes to, created exclusively, in whole lines.

    Large blocks are written and hashed aside, in a thread, while the next ones are made: both leave the interpreter
    free. Everything else waits for them first, so that lines stay in order and a fault is met at the next call.

    Raises:
        StorageError: from every method when the operating system refuses; what was written before stays readable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self._digest: hashlib._Hash | None = hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._aside: deque[Future[None]] = deque()
        self._fault: StorageError | None = None
        with _explained(path, "create"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)

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

    def drop_first(self, lines: int) -> None:
        """Remove the first `lines` lines: the rest goes to a temporary file that then takes this one's place."""

        def rest() -> Iterator[Lines]:
            with self.path.open("rb") as source:
                _skip_lines(source, lines)
                while chunk := source.read(_COPY_BYTES):
                    yield chunk

        self.replace(rest())

    def replace(self, blocks: Iterable[Lines]) -> None:
        """Write whole lines to a temporary file that then takes this one's place, in one step."""
        self.wait()
        temporary = self.path.with_name(self.path.name + ".tmp")
        with _explained(self.path, "rewrite"):
            try:
                with temporary.open("xb") as target:
                    for block in blocks:
                        target.write(block)
                    self.bytes = target.tell()
                os.replace(temporary, self.path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            os.close(self._descriptor)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        self._digest = None  # what was hashed so far is no longer the file; `seal` reads it once more

    def seal(self, meta: Mapping[str, Any]) -> None:
        """Write the meta file, last, by temporary file, fsync and rename; then nothing more can be appended."""
        self.wait()
        target = meta_path(self.path)
        temporary = target.with_name(target.name + ".tmp")
        with _explained(target, "write"):
            os.fsync(self._descriptor)
            self.close()
            if self._digest is None:
                with self.path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            else:
                digest = self._digest.hexdigest()
            document = {**meta, "file": {"name": self.path.name, "bytes": self.bytes, "sha256": digest}}
            try:
                with temporary.open("xb") as file:
                    file.write(encode_meta(document))
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def close(self) -> None:
        """Give the descriptor back; harmless when done twice."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
        self._aside.clear()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _append(self, lines: Lines) -> None:
        if self._fault is not None:
            raise self._fault  # nothing may follow what was written in part
        try:
            with _explained(self.path, "write"):
                _write_all(self._descriptor, lines)
        except StorageError as fault:
            self._fault = fault
            raise
        self.bytes += len(lines)
        if self._digest is not None:
            self._digest.update(lines)

    def _append_aside(self, lines: Lines) -> None:
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(1, thread_name_prefix="trace")
        while len(self._aside) >= _ASIDE_BLOCKS:
            self._aside.popleft().result()
        self._aside.append(self._thread.submit(self._append, lines))


@contextlib.contextmanager
def _explained(path: Path, verb: str) -> Any:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path}: cannot {verb} this trace file: {error.strerror or error}; "
            "free the space or the permission, or choose another place with --trace-dir"
        ) from error


def _write_all(descriptor: int, data: Lines) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _skip_lines(source: Any, lines: int) -> None:
    position = 0
    while lines > 0:
        chunk = source.read(_COPY_BYTES)
        if not chunk:
            return
        found = chunk.count(b"\n")
        if found < lines:
            lines -= found
            position += len(chunk)
            continue
        place = -1
        for _ in range(lines):
            place = chunk.index(b"\n", place + 1)
        position += place + 1
        lines = 0
    source.seek(position)
