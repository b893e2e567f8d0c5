"""Trades and equity curves as CSV text. Refuses to know where it is written.

Floats are the shortest text that reads back to the same number, times stand as in the trace, undefined is an empty
cell, and text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from admf_cli.market.bars import FloatArray, IntArray
from admf_cli.results import PortfolioResult, Trade
from admf_cli.tracefile.blocks import (
    ROWS_AT_ONCE,
    Heads,
    Lines,
    Numbers,
    alike,
    as_text,
    fractional,
    moments,
    parts,
    timestamps,
)
from admf_cli.traces.render.text import csv_safe

TRADE_COLUMNS = Trade._fields
EQUITY_COLUMNS = ("timestamp", "equity", "cash", "exposure")

_ROWS_AT_ONCE = 65_536
_PLAIN = re.compile("[A-Za-z][A-Za-z0-9_#]*")  # text that needs neither quotes nor an apostrophe


def trades_csv(trades: Sequence[Trade]) -> Iterator[bytes]:
    """Yield the header and one row a trade, in the order given, in blocks."""
    yield _line(TRADE_COLUMNS)
    for start in range(0, len(trades), _ROWS_AT_ONCE):
        block = trades[start : start + _ROWS_AT_ONCE]
        columns = zip(*block, strict=True)
        yield _rows([_cells(name, column) for name, column in zip(TRADE_COLUMNS, columns, strict=True)])


def equity_csv(portfolio: PortfolioResult) -> Iterator[bytes | memoryview]:
    """Yield the header and time, equity, cash and gross exposure at every bar's close, in blocks."""
    yield _line(EQUITY_COLUMNS)
    for start, stop in parts(len(portfolio.times), ROWS_AT_ONCE):
        rows = slice(start, stop)
        yield _equity_rows(
            portfolio.times[rows], portfolio.equity[rows], portfolio.cash[rows], portfolio.exposure[rows]
        )


def _equity_rows(times: IntArray, *values: FloatArray) -> bytes | memoryview:
    numbers = Numbers(values)
    shapes = []
    at = np.empty(len(times), np.int64)
    for chosen in alike(fractional(times)):
        texts = moments(times[chosen])
        width = texts.dtype.itemsize - 2  # without the quotes
        heads = Heads(len(texts))
        heads.column(np.ndarray(texts.shape, f"V{width}", np.ascontiguousarray(texts), 1, (width + 2,)))
        heads.constant(b",")
        shapes.append((chosen, heads))
        at[chosen] = heads.length
    lines = Lines(at + numbers.lengths.sum(axis=1) + len(values))
    at += lines.starts
    for place in range(len(values)):
        lines.put_texts(at, numbers.texts(place))
        at += numbers.lengths[:, place]
        lines.put_constant(at, b"," if place < len(values) - 1 else b"\n")
        at += 1
    for chosen, heads in shapes:
        lines.put_heads(chosen, heads.texts())
    if not all(np.isfinite(column).all() for column in values):
        return lines.view().tobytes().replace(b"null", b"")
    return lines.view()


def _cells(name: str, column: Sequence[Any]) -> list[bytes]:
    if name.endswith("_time"):
        return [timestamp.encode() for timestamp in timestamps(column)]
    if isinstance(column[0], float):
        numbers = np.array(column, dtype=np.float64)
        texts = as_text(numbers)[1:-1].split(b",")
        return texts if np.isfinite(numbers).all() else [b"" if text == b"null" else text for text in texts]
    if isinstance(column[0], int):
        return [b"%d" % number for number in column]
    return [text.encode() if _PLAIN.fullmatch(text) else _line([csv_safe(text)])[:-1] for text in column]


def _rows(columns: Sequence[list[bytes]]) -> bytes:
    """Return cells, a list a column, as lines."""
    width, count = len(columns), len(columns[0])
    cells = [b""] * (width * count)
    for place, column in enumerate(columns):
        cells[place::width] = column
    return (b",".join([b"%b"] * width) + b"\n") * count % tuple(cells)


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "backslashreplace")
