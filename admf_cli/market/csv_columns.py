"""Well-formed CSV text to a table by whole columns. Refuses to diagnose: whatever is odd is the careful reader's.

A file is taken only if every row has the same characters below `-` (separators, spaces, line ends, quotes, control
characters) in the same order as the first, and nothing but separators and the line's end, or a space within the time.
So no cell can be shifted, quoted, blank or padded unseen.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from admf_cli.market.bars import FloatArray, IntArray
from admf_cli.market.decimals import LONGEST, NUMBER, parse_decimals, words_of
from admf_cli.market.fixed_times import parse_alike
from admf_cli.market.header import MAX_COLUMNS, match_columns
from admf_cli.market.table import SymbolColumn, Table

_BLOCK_BYTES = 1 << 20
_LONGEST_HEADER = 1 << 20
_NUMERIC = ("open", "high", "low", "close", "volume", "adj_close")
_MOST_LEFT_OVER = 400_000
"""Cells that Python's own parser may be given one by one; with more of them, Polars is faster."""


def line_of(row: int) -> int:
    """Return the line of the file on which a row stands: below the header, counted from 1."""
    return row + 2


def count_lines(data: bytes) -> int:
    """Return how many line ends there are.

    By NumPy, because counting in bytes searches for one line end after the other, at three times the cost; by blocks,
    for the memory.
    """
    text = np.frombuffer(data, np.uint8)
    blocks = (text[start : start + _BLOCK_BYTES] for start in range(0, len(data), _BLOCK_BYTES))
    return sum(int(np.count_nonzero(block == ord("\n"))) for block in blocks)


def read_columns(source: str, data: bytes, settings: Mapping[str, Any], lines: int) -> Table | None:
    """Return the rows of a CSV file, or None if there is anything that the careful reader should look at.

    Args:
        lines: how many line ends there are in `data`.
        settings: the `data` section; `columns`, `delimiter` and `timezone` are read.

    Raises:
        MarketDataError: the header lacks a column, or two could be meant.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    delimiter = settings.get("delimiter") or ","
    header_end = data.find(b"\n", 0, _LONGEST_HEADER)
    if header_end < 0 or header_end + 1 == len(data) or len(delimiter) != 1 or not data[:header_end].isascii():
        return None
    try:
        header = next(csv.reader([data[:header_end].decode().removesuffix("\r")], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None
    if len(header) > MAX_COLUMNS:
        return None
    places = match_columns(source, header, settings.get("columns"))
    if not data.endswith(b"\n"):
        data, lines = data + b"\n", lines + 1
    first = header_end + 1
    if first < LONGEST:  # numbers are read as words that may reach 16 bytes back
        data, first = b" " * LONGEST + data, first + LONGEST
    zone_known = (settings.get("timezone") or "UTC") == "UTC"
    rows = _rows(data, first, lines - 1, places, len(header), ord(delimiter), zone_known)
    return None if rows is None else Table(source, rows.times, rows.numbers, rows.symbols(), line_of)


class _Rows:
    """All rows: their times, numbers and symbols, filled a block at a time; a second copy would double the memory."""

    __slots__ = ("codes", "known", "numbers", "times")

    def __init__(self, count: int, places: Mapping[str, int]) -> None:
        self.times: IntArray = np.empty(count, np.int64)
        self.numbers: dict[str, FloatArray] = {name: np.empty(count) for name in _NUMERIC if name in places}
        self.numbers.setdefault("volume", np.zeros(count))
        self.codes: IntArray | None = np.empty(count, np.int64) if "symbol" in places else None
        self.known: dict[bytes, int] = {}

    def symbols(self) -> SymbolColumn | None:
        """Return the column of symbols, if there is one."""
        return None if self.codes is None else SymbolColumn(tuple(text.decode() for text in self.known), self.codes)


def _rows(
    data: bytes, start: int, count: int, places: Mapping[str, int], width: int, delimiter: int, zone_known: bool
) -> _Rows | None:
    buffer = np.frombuffer(data, np.uint8)
    words = words_of(data)
    pattern = _pattern(buffer[start : data.index(b"\n", start) + 1], places["timestamp"], width, delimiter)
    if pattern is None:
        return None
    rows = _Rows(count, places)
    row = left_over = time_width = 0
    while start < len(data):
        stop = data.rfind(b"\n", start, start + _BLOCK_BYTES) + 1
        if stop == 0:
            return None
        edges = _edges(buffer[start:stop], start, pattern, delimiter)
        if edges is None:
            return None
        cells = _cells(edges, pattern, delimiter)
        begins, limits = cells[places["timestamp"]]
        time_width = time_width or int(limits[0] - begins[0])
        if not (zone_known or data[limits[0] - 1] == ord("Z")):
            return None
        times = _times(data, begins, limits, time_width)
        if times is None:
            return None
        block = slice(row, row + len(times))
        rows.times[block] = times
        for name in _NUMERIC:
            if name in places:
                values = rows.numbers[name][block]
                odd = parse_decimals(words, *cells[places[name]], values)
                left_over += len(odd)
                if left_over > _MOST_LEFT_OVER or not _read_singly(data, *cells[places[name]], odd, values):
                    return None
        if rows.codes is not None:
            spans = zip(*(edge.tolist() for edge in cells[places["symbol"]]), strict=True)
            known = rows.known
            rows.codes[block] = [known.setdefault(data[begin:end], len(known)) for begin, end in spans]
        row += len(times)
        start = stop
    return rows


def _is_mark(text: NDArray[np.uint8], delimiter: int) -> NDArray[np.bool_]:
    """Return where there is a mark, as which a byte of text that is not ASCII counts too: it is in no pattern."""
    marks: NDArray[np.bool_] = text.view(np.int8) <= ord(",")
    return marks if delimiter <= ord(",") else marks | (text == delimiter)


def _pattern(row: NDArray[np.uint8], time_place: int, width: int, delimiter: int) -> NDArray[np.uint8] | None:
    """Return the marks of the first row if they are those of a plain row, else None."""
    marks = row[_is_mark(row, delimiter)]
    plain = [delimiter] * (width - 1) + [ord("\n")]
    spaced = [*plain[:time_place], ord(" "), *plain[time_place:]]
    if delimiter in b'\r\n "':
        return None
    for form in (plain, spaced):
        if marks.tolist() in (form, [*form[:-1], ord("\r"), ord("\n")]):
            return marks
    return None


def _edges(text: NDArray[np.uint8], start: int, pattern: NDArray[np.uint8], delimiter: int) -> IntArray | None:
    """Return where the marks of whole rows of text are, or None if they are not those of the pattern in all rows.

    Args:
        start: the place of the text in the data.

    Returns:
        Shape (n_marks + 1, n_rows): places in the data of the line end before each row and of its own marks.
    """
    places = np.flatnonzero(_is_mark(text, delimiter))
    if len(places) % len(pattern):
        return None
    marks = places.reshape(-1, len(pattern)).T
    edges: IntArray = np.empty((len(pattern) + 1, marks.shape[1]), np.int64)
    edges[1:] = marks
    if any((text.take(edge) != mark).any() for edge, mark in zip(edges[1:], pattern, strict=True)):
        return None
    edges[0, 0] = -1
    edges[0, 1:] = edges[-1, :-1]
    edges += start
    return edges


def _cells(edges: IntArray, pattern: NDArray[np.uint8], delimiter: int) -> list[tuple[IntArray, IntArray]]:
    """Return the begins and ends of each column's cells."""
    limits = [place for place, mark in enumerate(pattern.tolist(), start=1) if mark == delimiter]
    last = len(pattern)
    crlf = int(last > 1 and pattern[-2] == ord("\r"))
    begins = edges + 1
    return [(begins[place], edges[end]) for place, end in zip([0, *limits], [*limits, last - crlf], strict=True)]


def _times(data: bytes, begins: IntArray, ends: IntArray, width: int) -> IntArray | None:
    if width < 1 or (ends - begins != width).any():
        return None
    overlapping: NDArray[Any] = np.ndarray(shape=(len(data) - width + 1,), dtype=f"V{width}", buffer=data, strides=(1,))
    return parse_alike(overlapping[begins].view(np.uint8).reshape(-1, width))


def _read_singly(data: bytes, begins: IntArray, ends: IntArray, rows: IntArray, values: FloatArray) -> bool:
    """Read the cells of `rows` into `values` by Python's own parser; False if one of them is no number."""
    for row, begin, end in zip(rows.tolist(), begins[rows].tolist(), ends[rows].tolist(), strict=True):
        text = data[begin:end].decode()
        if NUMBER.fullmatch(text) is None:
            return False
        values[row] = float(text)
    return True
