"""A table as bytes: a line of JSON, then its columns one after the other. Refuses to know where the bytes go.

What comes back is not trusted: a head that no table has is a fault, however it came about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, TypeGuard

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from admf_cli.market.bars import FloatArray, IntArray
from admf_cli.market.table import NUMERIC, OBLIGATORY, SymbolColumn, Table


class Head(Struct, frozen=True):
    """What the line says: how many rows, which numeric columns, the symbols that codes stand for, the table's notes.

    Attributes:
        symbols: names of a `SymbolColumn`; None where the table has no such column.
    """

    rows: int
    columns: tuple[str, ...]
    symbols: tuple[str | None, ...] | None
    notes: tuple[str, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes of all columns together."""
        return 8 * self.rows * (1 + len(self.columns) + (self.symbols is not None))

    def line(self) -> bytes:
        """Return the line, its end included."""
        said = {"rows": self.rows, "columns": self.columns, "symbols": self.symbols, "notes": self.notes}
        return json.dumps(said).encode() + b"\n"


def pack(table: Table) -> tuple[Head, list[NDArray[Any]]]:
    """Return a table's head and its columns of 8 bytes a row: times, prices and volume, adj_close, codes of symbols."""
    names = tuple(name for name in NUMERIC if name in table.columns)
    columns: list[NDArray[Any]] = [table.times, *(table.columns[name] for name in names)]
    if table.symbols is not None:
        columns.append(table.symbols.codes)
    head = Head(len(table.times), names, None if table.symbols is None else table.symbols.names, table.notes)
    return head, [np.ascontiguousarray(column) for column in columns]


def read_line(stream: IO[bytes], longest: int = -1) -> bytes:
    """Return the next line, of at most so many bytes.

    Raises:
        EOFError: it is not whole.
    """
    line = stream.readline(longest)
    if not line.endswith(b"\n"):
        raise EOFError
    return line


def parse_head(line: bytes) -> Head:
    """Return what a line says.

    Raises:
        ValueError: no table says so.
    """
    said = json.loads(line)
    if not isinstance(said, dict):
        raise ValueError("not the head of a table")
    rows, columns, symbols, notes = said.get("rows"), said.get("columns"), said.get("symbols"), said.get("notes")
    if (
        not isinstance(rows, int)
        or rows < 1
        or not _are_texts(columns)
        or columns not in (list(OBLIGATORY), list(NUMERIC))
        or not (symbols is None or _are_texts(symbols, but_none=True))
        or not _are_texts(notes)
    ):
        raise ValueError("not the head of a table")
    return Head(rows, tuple(columns), None if symbols is None else tuple(symbols), tuple(notes))


def read_columns(stream: IO[bytes], head: Head) -> Iterator[NDArray[Any]]:
    """Yield the columns in the order of `pack`.

    Raises:
        EOFError: they are not whole.
    """
    kinds: list[type[np.generic]] = [np.int64, *[np.float64] * len(head.columns)]
    for kind in kinds if head.symbols is None else [*kinds, np.int64]:
        column: NDArray[Any] = np.empty(head.rows, dtype=kind)
        if stream.readinto(column.data) < column.nbytes:  # type: ignore[attr-defined]
            raise EOFError
        yield column


def unpack(head: Head, columns: Sequence[NDArray[Any]], source: str, line: Callable[[int], int]) -> Table:
    """Return the table.

    Args:
        source, line: of the table.

    Raises:
        ValueError: a code stands for no symbol.
    """
    times: IntArray = columns[0]
    values: dict[str, FloatArray] = dict(zip(head.columns, columns[1:], strict=False))
    symbols = None
    if head.symbols is not None:
        codes = columns[-1]
        if int(codes.min()) < 0 or int(codes.max()) >= len(head.symbols):
            raise ValueError("a code without a symbol")
        symbols = SymbolColumn(head.symbols, codes)
    return Table(source, times, values, symbols, line, head.notes)


def _are_texts(values: object, *, but_none: bool = False) -> TypeGuard[list[Any]]:
    return isinstance(values, list) and all(isinstance(it, str) or (but_none and it is None) for it in values)
