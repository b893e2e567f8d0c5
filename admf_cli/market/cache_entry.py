"""One table in a file of the cache. Refuses to know which file the table came from.

    ADMF table 1 <sha256 of the head> <sha256 of the name and the columns>
    <head: the name the digest begins with, and the table's head>
    <columns>

The second digest begins as that of the bars does (`LoadedBars.sha256`), so that checking what was read gives both.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from msgspec.structs import replace
from numpy.typing import NDArray

from admf_cli.market.bars import bars_digest
from admf_cli.market.packed import Head, parse_head, read_columns, read_line, unpack
from admf_cli.market.table import OBLIGATORY, Table

_MAGIC = "ADMF table 1"
_LONGEST_LINE = 1 << 20
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_AT_ONCE: int = getattr(os, "O_NONBLOCK", 0)  # a pipe would be waited for
_OF_BARS = 1 + len(OBLIGATORY)  # columns: times, prices, volume


class Digests:
    """The digests of a table's columns.

    Attributes:
        bars: what `LoadedBars.sha256` is of all rows under this name, if they are one symbol's.
        columns: of all columns.
    """

    __slots__ = ("bars", "columns")

    def __init__(self, name: str, columns: list[NDArray[Any]]) -> None:
        digest = bars_digest([name], columns[:_OF_BARS])
        self.bars = digest.hexdigest()
        for column in columns[_OF_BARS:]:
            digest.update(column.data)
        self.columns = digest.hexdigest()


def write_entry(file: IO[bytes], name: str, head: Head, columns: list[NDArray[Any]], digests: Digests) -> None:
    """Write an entry whole.

    Args:
        name: the one that the digests begin with.

    Raises:
        OSError: it cannot be written.
        ValueError: the head is longer than any that is read.
    """
    lines = json.dumps(name).encode() + b"\n" + head.line()
    if len(lines) > _LONGEST_LINE:
        raise ValueError("too many symbols")
    file.write(f"{_MAGIC} {hashlib.sha256(lines).hexdigest()} {digests.columns}\n".encode())
    file.write(lines)
    for column in columns:
        file.write(column.data)


def read_entry(path: Path, source: str, line: Callable[[int], int], name: str) -> Table | None:
    """Return the table of an entry, or None if it is damaged, or not a file of this user's.

    Args:
        source, line: of the table.
        name: what the bars' symbol is called if the table has no symbols.
    """
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_LINK | _AT_ONCE)) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                return None
            return _read(file, found.st_size, source, line, name)
    except (OSError, EOFError, ValueError, RecursionError):
        return None


def _read(file: IO[bytes], size: int, source: str, line: Callable[[int], int], name: str) -> Table:
    magic, head_digest, columns_digest = read_line(file, _LONGEST_LINE).decode().rstrip("\n").rsplit(" ", 2)
    lines = [read_line(file, _LONGEST_LINE) for _ in range(2)]
    if magic != _MAGIC or hashlib.sha256(b"".join(lines)).hexdigest() != head_digest:
        raise ValueError("damaged")
    its_name, head = json.loads(lines[0]), parse_head(lines[1])
    if not isinstance(its_name, str) or head.n_bytes != size - file.tell():
        raise ValueError("damaged")
    columns = list(read_columns(file, head))
    digests = Digests(its_name, columns)
    if digests.columns != columns_digest:
        raise ValueError("damaged")
    table = unpack(head, columns, source, line)
    return replace(table, bars_sha256=lambda: digests.bars) if its_name == name else table
