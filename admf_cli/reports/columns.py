"""Trades and equity curves as CSV text. Refuses to know where it is written.

Floats are the shortest text that reads back to the same number, times stand as in the trace, undefined is an empty
cell, and text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from admf_cli.market.bars import FloatArray, IntArray
from admf_cli.results import PortfolioResult, Trade
from admf_cli.tracefile.format import timestamp_text
from admf_cli.traces.render.text import csv_safe

if TYPE_CHECKING:
    import polars

TRADE_COLUMNS = Trade._fields
EQUITY_COLUMNS = ("timestamp", "equity", "cash", "exposure")

_ROWS_AT_ONCE = 65_536
_POLARS_ROWS_AT_ONCE = 1 << 20
_POLARS_PAYS_FROM = 400_000  # rows, from which on it saves more time than its import takes
_ARRAY = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def trades_csv(trades: Sequence[Trade]) -> Iterator[bytes]:
    """Yield the header and one row a trade, in the order given, in blocks."""
    yield _line(TRADE_COLUMNS)
    for start in range(0, len(trades), _ROWS_AT_ONCE):
        block = trades[start : start + _ROWS_AT_ONCE]
        columns = [_cells(name, [getattr(trade, name) for trade in block]) for name in TRADE_COLUMNS]
        yield _rows(columns)


def equity_csv(portfolio: PortfolioResult, *, many: bool | None = None) -> Iterator[bytes]:
    """Yield the header and time, equity, cash and gross exposure at every bar's close, in blocks.

    Args:
        many: True formats by Polars, False by orjson, None as the number of rows asks for. The bytes are the same.
    """
    yield _line(EQUITY_COLUMNS)
    times, values = portfolio.times, (portfolio.equity, portfolio.cash, portfolio.exposure)
    if many is None:
        many = len(times) >= (_ROWS_AT_ONCE if "polars" in sys.modules else _POLARS_PAYS_FROM)
    step, form = (_POLARS_ROWS_AT_ONCE, _rows_by_polars) if many else (_ROWS_AT_ONCE, _rows_by_orjson)
    for start in range(0, len(times), step):
        cut = slice(start, start + step)
        yield form(times[cut], [column[cut] for column in values])


def _rows_by_orjson(times: IntArray, values: Sequence[FloatArray]) -> bytes:
    moments = orjson.dumps(times.astype("datetime64[us]"), option=_ARRAY)
    columns = [moments[1:-1].replace(b'"', b"").split(b","), *map(_float_texts, values)]
    return _rows(columns)


def _rows_by_polars(times: IntArray, values: Sequence[FloatArray]) -> bytes:
    import polars as pl

    moment = pl.col("time").cast(pl.Datetime("us"))
    whole, broken = moment.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    text: polars.Expr = whole
    if (times % 1_000_000).any():
        text = pl.when(pl.col("time") % 1_000_000 == 0).then(whole).otherwise(broken)
    numbers = [pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in EQUITY_COLUMNS[1:]]
    frame = pl.DataFrame({"time": times, **dict(zip(EQUITY_COLUMNS[1:], values, strict=True))})
    out = io.BytesIO()
    frame.select(text.alias("timestamp"), *numbers).write_csv(out, include_header=False)
    return out.getvalue()


def _cells(name: str, column: list[Any]) -> list[bytes]:
    if name.endswith("_time"):
        return [timestamp_text(time).encode() for time in column]
    if isinstance(column[0], float):
        return _float_texts(np.array(column, dtype=np.float64))
    if isinstance(column[0], int):
        return [b"%d" % number for number in column]
    known: dict[str, bytes] = {}  # few texts, in many rows
    return [known.get(text) or known.setdefault(text, _line([csv_safe(text)])[:-1]) for text in column]


def _float_texts(column: FloatArray) -> list[bytes]:
    texts = orjson.dumps(np.ascontiguousarray(column, dtype=np.float64), option=_ARRAY)[1:-1].split(b",")
    return texts if np.isfinite(column).all() else [b"" if text == b"null" else text for text in texts]


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
