"""A run as files: summary.json, and trades.csv and equity.csv of each portfolio. Computes nothing."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import orjson

from admf_cli.errors import StorageError
from admf_cli.reports.document import document
from admf_cli.results import PortfolioResult, RunResult, Trade
from admf_cli.tracefile.format import timestamp_text

_ROWS_AT_ONCE = 65_536
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_TRADE_COLUMNS = tuple(name for name in Trade.__slots__ if not name.endswith("_bar"))


def write_results(result: RunResult, directory: Path) -> None:
    """Write everything below a directory of the run's own; each file appears whole or not at all.

    Raises:
        StorageError: a file exists already or cannot be written.
    """
    for phase in result.phases:
        for portfolio in phase.portfolios:
            place = directory / phase.name / portfolio.portfolio_id
            _write(place / "trades.csv", _trades(portfolio.trades))
            _write(place / "equity.csv", _equity(portfolio))
    summary = orjson.dumps(document(result), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    _write(directory / "summary.json", [summary])  # last: whoever finds it finds the rest


def _write(path: Path, blocks: Iterator[bytes] | Sequence[bytes]) -> None:
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                for block in blocks:
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)  # unlike a rename, a link never replaces what is there
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot write this result: {error.strerror or error}; free the space or the name, "
            "or choose another place with --results-dir"
        ) from error


def _trades(trades: Sequence[Trade]) -> Iterator[bytes]:
    yield (",".join(_TRADE_COLUMNS) + "\n").encode()
    for trade in trades:
        text = io.StringIO()
        row = [_cell(name, getattr(trade, name)) for name in _TRADE_COLUMNS]
        csv.writer(text, lineterminator="\n").writerow(row)
        yield text.getvalue().encode()


def _cell(name: str, value: object) -> str:
    if name.endswith("_time"):
        assert isinstance(value, int)
        return timestamp_text(value)
    if isinstance(value, float):
        return orjson.dumps(value).decode()
    text = str(value)
    # A spreadsheet would run a symbol that looks like a formula.
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _equity(portfolio: PortfolioResult) -> Iterator[bytes]:
    """Yield timestamp, equity, cash and gross exposure at every bar's close."""
    yield b"timestamp,equity,cash,exposure\n"
    rows = len(portfolio.times)
    for start in range(0, rows, _ROWS_AT_ONCE):
        cut = slice(start, min(rows, start + _ROWS_AT_ONCE))
        columns = [
            _texts(portfolio.times[cut].astype("datetime64[us]")),
            *(_texts(column[cut]) for column in (portfolio.equity, portfolio.cash, portfolio.exposure)),
        ]
        columns[0] = [text.strip(b'"') for text in columns[0]]
        count = len(columns[0])
        cells = [b""] * (4 * count)
        for place, column in enumerate(columns):
            cells[place::4] = column
        yield (b"%b,%b,%b,%b\n" * count) % tuple(cells)


def _texts(column: np.ndarray) -> list[bytes]:
    option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
    return orjson.dumps(np.ascontiguousarray(column), option=option)[1:-1].split(b",")
