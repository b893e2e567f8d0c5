"""One container's file of lines: made, appended to, cut at its head, sealed. Refuses to know what the lines say."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from admf_cli.tracefile.appending import Appender, Lines, explained
from admf_cli.tracefile.encoder import BatchLike, encode_batch
from admf_cli.tracefile.format import encode_meta, meta_path, sha256_of

if TYPE_CHECKING:
    from admf_cli.tracefile.scribe import Scribe

_COPY_BYTES = 1 << 20


class TraceFile:
    """A file that only this object writes to, created exclusively, in whole lines; or has a process beside write to.

    Raises:
        StorageError: from every method when the operating system refuses; what was written before stays readable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0  # once all is on the disk
        self._digest: str | None = None  # then, too
        self._scribe: Scribe | None = None
        self._number = 0  # of this file with the scribe
        self._has_temporary_meta = False
        with explained(path, "create"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._end = Appender(path, self.descriptor)

    def leave_to(self, scribe: Scribe, number: int) -> None:
        """Have a process beside this one make and write all lines, from the first on; it knows the file by a number."""
        assert not self._end.bytes
        self._scribe, self._number = scribe, number

    def append(self, lines: Lines) -> None:
        """Write whole lines at the end; they must not be changed afterwards."""
        if self._scribe is None:
            self._end.append(lines)
        else:
            self._scribe.append(self._number, lines)

    def append_rows(self, batch: BatchLike) -> None:
        """Write the lines of a batch at the end."""
        if self._scribe is None:
            for lines in encode_batch(batch):
                self._end.append(lines)
        else:
            self._scribe.append_rows(self._number, batch)

    def wait(self) -> None:
        """Return when everything appended has been written, or is in the hands of the process beside."""
        if self._scribe is None:
            self._end.wait()
        else:
            self._scribe.check(self._number)

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
        assert self._scribe is None
        self.wait()
        temporary = self.path.with_name(self.path.name + ".tmp")
        with explained(self.path, "rewrite"):
            try:
                with temporary.open("xb") as target:
                    for block in blocks:
                        target.write(block)
                    size = target.tell()
                os.replace(temporary, self.path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            self._end.close()
            os.close(self.descriptor)
            self.descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        self._end = Appender(self.path, self.descriptor, held=size)

    def sync(self) -> None:
        """Bring everything to the disk; nothing can be appended afterwards that is to be sealed."""
        self.bytes, self._digest = self._end.finish() if self._scribe is None else self._scribe.finish(self._number)
        with explained(self.path, "write"):
            os.fsync(self.descriptor)
            if self._digest is None:
                self._digest = sha256_of(self.path)

    def write_meta(self, meta: Mapping[str, Any]) -> None:
        """Bring the meta file to the disk under a temporary name, after `sync`; one that is there is replaced."""
        target = meta_path(self.path)
        document = {**meta, "file": {"name": self.path.name, "bytes": self.bytes, "sha256": self._digest}}
        with explained(target, "write"):
            self._drop_meta()
            try:
                with _temporary(target).open("xb") as file:
                    self._has_temporary_meta = True
                    file.write(encode_meta(document))
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:
                self._drop_meta()
                raise

    def seal(self, meta: Mapping[str, Any]) -> None:
        """Bring lines and meta file to the disk, one after the other."""
        self.sync()
        self.write_meta(meta)
        self.name_meta()

    def name_meta(self) -> None:
        """Give the meta file its name, after `write_meta`: from now on the lines are sealed."""
        target = meta_path(self.path)
        with explained(target, "write"):
            os.replace(_temporary(target), target)
        self._has_temporary_meta = False

    def close(self) -> None:
        """Give back what it holds, and take back a meta file that has not got its name; harmless when done twice."""
        self._end.close()
        with contextlib.suppress(OSError):
            self._drop_meta()
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _drop_meta(self) -> None:
        if self._has_temporary_meta:
            _temporary(meta_path(self.path)).unlink(missing_ok=True)
            self._has_temporary_meta = False


def _temporary(target: Path) -> Path:
    return target.with_name(target.name + ".tmp")


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
