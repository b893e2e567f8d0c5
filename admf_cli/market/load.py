"""A `data` section to bars: chooses the source, checks, aligns. Refuses to know what the bars are for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from admf_cli.errors import MarketDataError
from admf_cli.market.align import Series, align, split_symbols, whole
from admf_cli.market.bars import Bars
from admf_cli.market.csv_file import read_csv
from admf_cli.market.facts import oddities
from admf_cli.market.files import find
from admf_cli.market.table import PRICES, Table, check_values
from admf_cli.market.timeframe import check_timeframe, infer_timeframe, parse_timeframe
from admf_cli.market.times import instant

_MAX_SYMBOLS = 10_000


class LoadedBars(Struct, frozen=True):
    """All bars of a source, from its first to its last; `phase_window` cuts them.

    Attributes:
        timeframe: as given or inferred, such as "1d".
        warnings: what looks odd about the data, a line each.
    """

    bars: Bars
    timeframe: str
    warnings: tuple[str, ...] = ()

    def sha256(self) -> str:
        """Return a digest of symbols, times and columns: the same for the same bars, whatever file they came in."""
        bars = self.bars
        digest = hashlib.sha256("\0".join(bars.symbols).encode())
        for array in (bars.times, bars.open, bars.high, bars.low, bars.close, bars.volume):
            digest.update(np.ascontiguousarray(array.T).data)
        return digest.hexdigest()


def load_bars(data: Mapping[str, Any], *, directory: Path | None = None) -> LoadedBars:
    """Return the bars that a resolved `data` section describes.

    Args:
        directory: where relative paths are looked for after the working directory: that of the configuration.

    Raises:
        MarketDataError: the bars cannot be had or cannot be true; with `strict`, also if anything looks odd.
    """
    if data["source"] == "synthetic":
        from admf_cli.market.synthetic import synthetic_bars

        frame = parse_timeframe(data.get("timeframe") or "1d")
        names = data.get("symbols") or ["SYNTH"]
        return LoadedBars(synthetic_bars(data["synthetic"], names, data.get("start"), frame), str(frame))
    notes: list[str] = []
    series = _series(data, directory, notes)
    if len(series) > _MAX_SYMBOLS:
        raise MarketDataError(f"the data has {len(series):,} symbols; name at most {_MAX_SYMBOLS:,} under data.symbols")
    bars = align(series)
    if data.get("timeframe"):
        frame = parse_timeframe(data["timeframe"])
        check_timeframe(frame, bars.times)
    else:
        frame = infer_timeframe(bars.times)
    warnings = (*notes, *oddities(bars, data))
    if warnings and data.get("strict"):
        raise MarketDataError("\n".join([*warnings, "data.strict is on, so these warnings are errors"]))
    return LoadedBars(bars, str(frame), warnings)


def phase_window(bars: Bars, start: str | None, end: str | None) -> tuple[int, int]:
    """Return the half-open index range of the bars from `start` to `end`, both included.

    Args:
        start, end: ISO date or time, UTC; an end date includes that whole day; None is unbounded.
    """
    times = bars.times
    first = 0 if start is None else int(np.searchsorted(times, instant(str(start)), side="left"))
    stop = len(times) if end is None else int(np.searchsorted(times, instant(str(end), end=True), side="right"))
    if first >= stop:
        have = [str(moment.astype("datetime64[us]").astype("datetime64[s]")) for moment in (times[0], times[-1])]
        raise MarketDataError(
            f"no bars from {start or 'the beginning'} to {end or 'the end'}; the data has {have[0]} to {have[1]}"
        )
    return first, stop


def _series(data: Mapping[str, Any], directory: Path | None, notes: list[str]) -> dict[str, Series]:
    path, symbols = data["path"], data.get("symbols")
    if isinstance(path, Mapping):
        missing = [name for name in symbols or () if name not in path]
        if missing:
            raise MarketDataError(f"data.symbols: {', '.join(missing)} has no file under data.path")
        return {name: _one(_table(path[name], data, directory, notes), name) for name in (symbols or path)}
    if "{symbol}" in path:
        if not symbols:
            raise MarketDataError("data.path holds {symbol}: name the symbols under data.symbols")
        return {name: _one(_table(path.replace("{symbol}", name), data, directory, notes), name) for name in symbols}
    table = _table(path, data, directory, notes)
    if table.symbols is not None:
        return split_symbols(table, symbols)
    if symbols and len(symbols) > 1:
        raise MarketDataError(
            f"{table.source}: one file without a symbol column cannot hold {len(symbols)} symbols; "
            "write data.path with {symbol} in it, or a mapping of symbol to file"
        )
    stem = Path(table.source).name.partition(".")[0]
    return {symbols[0] if symbols else stem: whole(table)}


def _one(table: Table, name: str) -> Series:
    return whole(table) if table.symbols is None else split_symbols(table, [name])[name]


def _table(path: str, data: Mapping[str, Any], directory: Path | None, notes: list[str]) -> Table:
    found = find(path, directory)
    if data["source"] == "parquet":
        from admf_cli.market.parquet_file import read_parquet

        table = read_parquet(found, data)
    else:
        table = read_csv(found, data)
    check_values(table)
    notes.extend(table.notes)
    return _adjusted(table) if data.get("adjust") else table


def _adjusted(table: Table) -> Table:
    """Return prices scaled by adj_close / close, so that splits and dividends leave no jumps; volume stays as it is.

    Source: the adjusted close as published by CRSP and by Yahoo Finance.
    """
    adjusted = table.columns.get("adj_close")
    if adjusted is None:
        raise MarketDataError(f"{table.source}: data.adjust needs a column adj_close; the file has none")
    factor = adjusted / table.columns["close"]
    columns = {name: table.columns[name] * factor for name in PRICES}
    columns["close"] = adjusted
    columns["high"] = np.maximum(columns["high"], np.maximum(columns["open"], adjusted))
    columns["low"] = np.minimum(columns["low"], np.minimum(columns["open"], adjusted))
    columns["volume"] = table.columns["volume"]
    return Table(table.source, table.times, columns, table.symbols, table.line)
