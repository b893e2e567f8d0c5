"""Tables that were read before, kept in the user's cache directory by what was read. Refuses to know file formats.

What a file holds decides, not its name or date: an entry is named by the sha256 of the file's bytes and by all that
says how they are read. Every fault of the cache is silent: then the file is read, as without it.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from admf_cli.market.cache_directory import CacheDirectory
from admf_cli.market.files import open_unblocking, packing
from admf_cli.market.table import Table

if TYPE_CHECKING:
    from admf_cli.market.content import Beside, Content

_MOST_WRITERS = 8
_PATIENCE_S = 1.0
_CHUNK = 1 << 18


class Read(Protocol):
    """Reads a file by the settings of a `data` section, and tells `content` its bytes or their digest."""

    def __call__(self, path: Path, settings: Mapping[str, Any], content: Content | None = None) -> Table:
        """Return the file's rows."""


class Reader(Struct, frozen=True):
    """One kind of file.

    Attributes:
        line: of the tables that it reads.
        least_bytes: of a file that is worth keeping.
    """

    read: Read
    line: Callable[[int], int]
    least_bytes: int


class TableCache:
    """Reads files, or what it keeps of an earlier reading."""

    def __init__(self, directory: CacheDirectory) -> None:
        self._directory = directory
        self._writers: list[Beside[None]] = []

    def table(self, path: Path, settings: Mapping[str, Any], name: str, reader: Reader) -> Table:
        """Return a file's rows, as the reader gives or gave them.

        Args:
            settings: the `data` section.
            name: what the bars' symbol is called if the file has no symbols.

        Raises:
            AdmfError: as the reader raises it; what cannot be read is not kept.
        """
        size = _size_of(path)
        if size < reader.least_bytes:
            return reader.read(path, settings)
        # What few runs need is loaded by those.
        from admf_cli.market.cache_key import reading_key
        from admf_cli.market.content import Content

        key = reading_key(settings, packing(path))
        if key is None:
            return reader.read(path, settings)
        prefix = f"{key}-{size:x}-"
        kept = self._kept(path, prefix, name, reader)
        if kept is not None:
            return kept
        content = Content()
        return self._keep(reader.read(path, settings, content), prefix, name, content)

    def finish(self, patience_s: float = _PATIENCE_S) -> None:
        """Wait until what was read is kept, but not for longer than so many seconds in all."""
        end = time.monotonic() + patience_s
        for writer in self._writers:
            writer.is_done(max(0.0, end - time.monotonic()))

    def _kept(self, path: Path, prefix: str, name: str, reader: Reader) -> Table | None:
        """Return what is kept of a file; where nothing can be, that is known without looking into the file."""
        found = self._directory.names(prefix)
        if not found:
            return None
        from admf_cli.market.cache_entry import read_entry
        from admf_cli.market.content import Beside

        def entry(wanted: str) -> Table | None:
            return read_entry(self._directory.path / wanted, str(path), reader.line, name)

        sha256 = Beside(lambda: _sha256_of(path))
        likely = found[0] if len(found) == 1 else None  # nearly always it is this one, so it is read meanwhile
        table = None if likely is None else entry(likely)
        wanted = _entry_name(prefix, sha256.value())
        if wanted not in found:
            return None
        table = table if wanted == likely else entry(wanted)
        if table is not None:
            self._directory.use(wanted)
        return table

    def _keep(self, table: Table, prefix: str, name: str, content: Content) -> Table:
        """Let a table be kept beside what goes on."""
        from admf_cli.market.cache_entry import Digests, write_entry
        from admf_cli.market.content import Beside
        from admf_cli.market.packed import pack

        head, columns = pack(table)
        digests = Beside(lambda: Digests(name, columns))

        def keep() -> None:
            sha256 = content.sha256()
            if sha256 is None:
                return
            with contextlib.suppress(OSError, ValueError):
                self._directory.write(
                    _entry_name(prefix, sha256),
                    head.n_bytes,
                    lambda file: write_entry(file, name, head, columns, digests.value()),
                )

        self._writers = [writer for writer in self._writers if not writer.is_done()]
        if len(self._writers) < _MOST_WRITERS:  # a disk that cannot follow is not waited for
            self._writers.append(Beside(keep))
        return replace(table, bars_sha256=lambda: digests.value().bars)


def _entry_name(prefix: str, sha256: str) -> str:
    return f"{prefix}{sha256}.bars"


def _size_of(path: Path) -> int:
    """Return a file's size, -1 if it cannot be had: who reads it says why."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _sha256_of(path: Path) -> str:
    """Return the digest of a file's bytes, or an empty text if it cannot be read."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK))
    try:
        with open_unblocking(path) as file:
            while count := file.readinto(buffer):  # type: ignore[attr-defined]
                digest.update(buffer[:count])
    except OSError:
        return ""
    return digest.hexdigest()
