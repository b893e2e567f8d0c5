"""Columns as they are known at the current bar. Refuses to hand out an array that holds anything later.

What a strategy gets are views of buffers of its own, into which rows are copied once they are past and asked for; so
neither an array nor its `.base` holds the future, whatever is done to its shape or strides. The views cannot be
written to, nor made writable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from admf_cli.market.bars import BoolArray, FloatArray, IntArray

_FIRST_CAPACITY = 256


class Now(Protocol):
    """The run's clock: index of the current bar in its phase, and its time in microseconds since 1970 UTC."""

    @property
    def bar(self) -> int: ...
    @property
    def time(self) -> int: ...


class Past:
    """All columns of a run, up to now.

    Args:
        columns: name -> shape (n_history, n_symbols): the bars' and the features'.
        present: shape (n_history, n_symbols), or None where every symbol has every bar.
        first: row of the phase's first bar.
    """

    def __init__(
        self, columns: Mapping[str, FloatArray], present: BoolArray | None, first: int, n_symbols: int, now: Now
    ) -> None:
        self.__columns = columns
        self.__now = now
        self.__first = first  # before the first bar has closed; then one more
        self.__n_symbols = n_symbols
        self.__rows: list[IntArray] | None = None
        if present is not None:
            self.__rows = [np.flatnonzero(present[:, symbol]) for symbol in range(n_symbols)]
        self.__series: dict[tuple[str, int], _Grown] = {}
        self.__tables: dict[str, _Grown] = {}
        self.__cells: dict[tuple[str, int], memoryview] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.__columns)

    def begin(self) -> None:
        """From here on the current bar has closed whenever something is asked."""
        self.__first += 1

    def series(self, name: str, symbol: int) -> FloatArray:
        """Return a column of one symbol over its own bars so far, oldest first, shape (n,)."""
        key = (name, symbol)
        grown = self.__series.get(key)
        stop = self.__first + self.__now.bar
        if grown is None:
            grown = self.__series[key] = _Grown(1)
        if self.__rows is None:
            if grown.count < stop:
                grown.append(self.__columns[name][grown.count : stop, symbol, None])
        else:
            rows = self.__rows[symbol]
            count = int(np.searchsorted(rows, stop))
            if grown.count < count:
                grown.append(self.__columns[name][rows[grown.count : count], symbol, None])
        return grown.flat[: grown.count]

    def table(self, name: str) -> FloatArray:
        """Return a column of all symbols on the common timeline so far, shape (n, n_symbols); nan: no bar."""
        grown = self.__tables.get(name)
        stop = self.__first + self.__now.bar
        if grown is None:
            grown = self.__tables[name] = _Grown(self.__n_symbols)
        if grown.count < stop:
            grown.append(self.__columns[name][grown.count : stop])
        return grown.rows[: grown.count]

    def value(self, name: str, symbol: int) -> float:
        """Return the last value of a column over the symbol's own bars; nan before its first."""
        row = self.__first + self.__now.bar - 1
        if self.__rows is not None:
            place = int(np.searchsorted(self.__rows[symbol], row, side="right"))
            if not place:
                return float("nan")
            row = int(self.__rows[symbol][place - 1])
        if row < 0:
            return float("nan")
        cells = self.__cells.get((name, symbol))
        if cells is None:
            column = np.ascontiguousarray(self.__columns[name][:, symbol])
            cells = self.__cells[name, symbol] = column.data  # hands out plain floats
        number: float = cells[row]
        return number

    def has_bar(self, symbol: int) -> bool:
        """Return whether the symbol has a bar now."""
        if self.__rows is None:
            return True
        row = self.__first + self.__now.bar - 1
        place = int(np.searchsorted(self.__rows[symbol], row))
        return place < len(self.__rows[symbol]) and int(self.__rows[symbol][place]) == row


class _Grown:
    """Rows of numbers to which more are appended; beyond `count` there is nothing but nan."""

    __slots__ = ("_width", "_writer", "count", "flat", "rows")

    def __init__(self, width: int) -> None:
        self.count = 0
        self._width = width
        self._make(_FIRST_CAPACITY)

    def append(self, more: FloatArray) -> None:
        count = self.count + len(more)
        if count > len(self._writer):
            kept = self._writer[: self.count]
            self._make(max(count, 2 * len(self._writer)))
            self._writer[: self.count] = kept
        self._writer[self.count : count] = more
        self.count = count

    def _make(self, capacity: int) -> None:
        memory = bytearray(8 * self._width * capacity)
        self._writer = np.frombuffer(memory, np.float64).reshape(capacity, self._width)
        self._writer[:] = np.nan
        # Over a read-only buffer numpy refuses to make the array, or a view of it, writable.
        self.flat = np.frombuffer(memoryview(memory).toreadonly(), np.float64)
        self.rows = self.flat.reshape(capacity, self._width)
