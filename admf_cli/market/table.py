"""One file's bars as columns, and what can be wrong with them. Refuses to know file formats and symbols' alignment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct

from admf_cli.errors import MarketDataError
from admf_cli.market.bars import BoolArray, FloatArray, IntArray
from admf_cli.market.faults import Faults

PRICES = ("open", "high", "low", "close")
OBLIGATORY = (*PRICES, "volume")
NUMERIC = (*OBLIGATORY, "adj_close")
SMALLEST, LARGEST = 1e-30, 1e30
"""Prices and volumes beyond these are faults: their squares and cubes would leave the range of a double."""


class SymbolColumn(Struct, frozen=True):
    """Which symbol each row is of, each name once.

    Attributes:
        names: in the order of their first rows; None is an empty cell.
        codes: shape (n_rows,), the place in `names` of each row's.
    """

    names: tuple[str | None, ...]
    codes: IntArray

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str | None]:
        return (self.names[code] for code in self.codes.tolist())

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> SymbolColumn:
        """Return the column of these cells."""
        codes = {text: code for code, text in enumerate(dict.fromkeys(texts))}
        return cls(tuple(codes), np.fromiter(map(codes.__getitem__, texts), np.int64, len(texts)))


class Table(Struct, frozen=True):
    """Rows of one file in the file's order.

    Attributes:
        source: the file, as messages name it.
        times: shape (n_rows,), microseconds since 1970 UTC.
        columns: open, high, low, close, volume and, where the file has it, adj_close; shape (n_rows,) each.
        symbols: None where the file has no such column.
        line: row index -> the line of the file it stands on, for messages.
        notes: what looks odd about the file itself, a line each, without its name.
        bars_sha256: what `LoadedBars.sha256` is of these rows as they are, if they are all of one symbol, under the
            name that the reader was told; None where nobody has worked it out.
    """

    source: str
    times: IntArray
    columns: dict[str, FloatArray]
    symbols: SymbolColumn | None
    line: Callable[[int], int]
    notes: tuple[str, ...] = ()
    bars_sha256: Callable[[], str] | None = None


def check_values(table: Table) -> None:
    """Raise MarketDataError if any price or volume cannot be true, naming the first rows and how many there are."""
    if len(table.times) and _all_can_be_true(table.columns):
        return
    faults = Faults(table.source, table.line)
    note_values(table.columns, faults)
    faults.raise_if_any("correct these rows in the file; nothing is repaired silently")


def _all_can_be_true(columns: Mapping[str, FloatArray]) -> bool:
    """Return whether `note_values` would note nothing, in a quarter of its time; nan passes no comparison."""
    for name, column in columns.items():
        lowest = 0.0 if name == "volume" else SMALLEST
        if not (lowest <= float(column.min()) and float(column.max()) <= LARGEST):
            return False
    inside = (columns["open"], columns["close"])
    return all((columns["low"] <= price).all() and (price <= columns["high"]).all() for price in inside)


def note_values(columns: Mapping[str, FloatArray], faults: Faults, *, but_nan: bool = False) -> None:
    """Note every price and volume that cannot be true.

    Args:
        columns: shape (n_rows,) each.
        but_nan: nan stands for cells that are among the faults already.
    """
    for name, column in columns.items():
        bad = ~np.isfinite(column)
        faults.add(bad & ~np.isnan(column) if but_nan else bad, name, column, "must be a finite number")
        faults.add(~bad & (column > LARGEST), name, column, f"must be at most {LARGEST:g}")
        if name == "volume":
            faults.add(~bad & (column < 0.0), name, column, "must not be negative")
        else:
            faults.add(~bad & (column <= 0.0), name, column, "must be above zero")
            faults.add(~bad & (column > 0.0) & (column < SMALLEST), name, column, f"must be at least {SMALLEST:g}")
    high, low = columns["high"], columns["low"]
    body_top = np.maximum(columns["open"], columns["close"])
    body_bottom = np.minimum(columns["open"], columns["close"])
    faults.add(high < low, "high", high, "high is below low")
    faults.add((high < body_top) & (high >= low), "high", high, "high is below open or close")
    faults.add((low > body_bottom) & (high >= low), "low", low, "low is above open or close")


def check_order(table: Table, rows: IntArray | None, times: IntArray) -> None:
    """Raise MarketDataError if one symbol's times do not rise.

    Args:
        rows: shape (k,), the row of the file of each of the symbol's bars; None is all rows.
        times: shape (k,), their times.
    """
    if (times[1:] > times[:-1]).all():
        return
    steps = np.diff(times)
    repeated: BoolArray = steps == 0
    place = int((steps <= 0).argmax()) + 1
    moment = str(times[place].astype("datetime64[us]")).removesuffix(".000000")
    line = table.line(place if rows is None else int(rows[place]))
    if repeated.any() and (steps >= 0).all():
        raise MarketDataError(
            f"{table.source}: row {line}, column timestamp: {moment} stands there twice "
            f"({int(repeated.sum())} repeated in all); keep one row a time and symbol"
        )
    raise MarketDataError(
        f"{table.source}: row {line}, column timestamp: {moment} comes after a later time "
        f"({int((steps < 0).sum())} such rows in all); sort the file by time, for example: "
        f"(head -n 1 FILE; tail -n +2 FILE | sort) > SORTED"
    )
