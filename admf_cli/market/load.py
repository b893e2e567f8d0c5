"""A `data` section to bars: chooses the source, checks, aligns. Refuses to know what the bars are for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from admf_cli.errors import MarketDataError
from admf_cli.market.align import Series, align, split_symbols, whole
from admf_cli.market.bars import Bars, bars_digest
from admf_cli.market.cache import Reader, TableCache
from admf_cli.market.csv_columns import line_of
from admf_cli.market.csv_file import read_csv
from admf_cli.market.facts import oddities
from admf_cli.market.files import find, packing
from admf_cli.market.table import PRICES, Table, check_values
from admf_cli.market.timeframe import check_timeframe, infer_timeframe, parse_timeframe
from admf_cli.market.times import instant

_MAX_SYMBOLS = 10_000
_MANY_BARS = 100_000  # their digest is worth a thread of its own
# A smaller CSV file is read in the time that it takes to look what is kept; what Polars reads is always worth keeping.
_CSV = Reader(read_csv, line_of, least_bytes=1 << 20)
_ZST = Reader(read_csv, line_of, least_bytes=0)


class LoadedBars(Struct, frozen=True):
    """All bars of a source, from its first to its last; `phase_window` cuts them.

    Attributes:
        timeframe: as given or inferred, such as "1d".
        warnings: what looks odd about the data, a line each.
        known_sha256: the digest, where it was worked out while the bars were read.
    """

    bars: Bars
    timeframe: str
    warnings: tuple[str, ...] = ()
    known_sha256: Callable[[], str] | None = None

    def digest(self) -> Callable[[], str]:
        """Return what gives the digest of the bars, which may yet be worked out beside what goes on."""
        if self.known_sha256 is not None:
            return self.known_sha256
        bars = self.bars
        columns = (bars.times, bars.open, bars.high, bars.low, bars.close, bars.volume)

        def sha256() -> str:
            return bars_digest(bars.symbols, columns).hexdigest()

        if bars.n_bars * bars.n_symbols < _MANY_BARS:
            known = sha256()
            return lambda: known
        from admf_cli.market.content import Beside  # what few runs need is loaded by those

        return Beside(sha256).value

    def sha256(self) -> str:
        """Return a digest of symbols, times and columns: the same for the same bars, whatever file they came in."""
        return self.digest()()


def load_bars(data: Mapping[str, Any], *, directory: Path | None = None, cache: TableCache | None = None) -> LoadedBars:
    """Return the bars that a resolved `data` section describes.

    Args:
        directory: where relative paths are looked for after the working directory: that of the configuration.
        cache: of tables that were read before; None reads every file.

    Raises:
        MarketDataError: the bars cannot be had or cannot be true; with `strict`, also if anything looks odd.
    """
    if data["source"] == "synthetic":
        from admf_cli.market.synthetic import synthetic_bars

        frame = parse_timeframe(data.get("timeframe") or "1d")
        names = data.get("symbols") or ["SYNTH"]
        return LoadedBars(synthetic_bars(data["synthetic"], names, data.get("start"), frame), str(frame))
    files = _Files(data, directory, cache)
    series = files.series()
    if len(series) > _MAX_SYMBOLS:
        raise MarketDataError(f"the data has {len(series):,} symbols; name at most {_MAX_SYMBOLS:,} under data.symbols")
    bars = align(series)
    if data.get("timeframe"):
        frame = parse_timeframe(data["timeframe"])
        check_timeframe(frame, bars.times)
    else:
        frame = infer_timeframe(bars.times)
    warnings = (*files.notes, *oddities(bars, data))
    if warnings and data.get("strict"):
        raise MarketDataError("\n".join([*warnings, "data.strict is on, so these warnings are errors"]))
    return LoadedBars(bars, str(frame), warnings, files.known_sha256)


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


class _Files:
    """The files that a `data` section names.

    Attributes:
        notes: what looks odd about those that were read.
        known_sha256: the digest of the bars, if they are one file's and it is known.
    """

    def __init__(self, data: Mapping[str, Any], directory: Path | None, cache: TableCache | None) -> None:
        self._data = data
        self._directory = directory
        self._cache = cache
        self.notes: list[str] = []
        self.known_sha256: Callable[[], str] | None = None

    def series(self) -> dict[str, Series]:
        """Return each symbol's times and columns."""
        path, symbols = self._data["path"], self._data.get("symbols")
        if isinstance(path, Mapping):
            missing = [name for name in symbols or () if name not in path]
            if missing:
                raise MarketDataError(f"data.symbols: {', '.join(missing)} has no file under data.path")
            return self._each({name: path[name] for name in (symbols or path)})
        if "{symbol}" in path:
            if not symbols:
                raise MarketDataError("data.path holds {symbol}: name the symbols under data.symbols")
            return self._each({name: path.replace("{symbol}", name) for name in symbols})
        found = find(path, self._directory)
        name = symbols[0] if symbols else found.name.partition(".")[0]
        table = self._table(found, name)
        if table.symbols is not None:
            return split_symbols(table, symbols)
        if symbols and len(symbols) > 1:
            raise MarketDataError(
                f"{table.source}: one file without a symbol column cannot hold {len(symbols)} symbols; "
                "write data.path with {symbol} in it, or a mapping of symbol to file"
            )
        self.known_sha256 = table.bars_sha256
        return {name: whole(table)}

    def _each(self, paths: Mapping[str, str]) -> dict[str, Series]:
        series = {}
        for name, path in paths.items():
            table = self._table(find(path, self._directory), name)
            series[name] = whole(table) if table.symbols is None else split_symbols(table, [name])[name]
            if len(paths) == 1 and table.symbols is None:
                self.known_sha256 = table.bars_sha256
        return series

    def _table(self, path: Path, name: str) -> Table:
        reader = _reader(path, self._data["source"])
        if self._cache is None:
            table = reader.read(path, self._data)
        else:
            table = self._cache.table(path, self._data, name, reader)
        check_values(table)
        self.notes.extend(f"{table.source}: {note}" for note in table.notes)
        return _adjusted(table) if self._data.get("adjust") else table


def _reader(path: Path, source: str) -> Reader:
    if source != "parquet":
        return _ZST if packing(path) == ".zst" else _CSV
    from admf_cli.market.parquet_file import read_parquet
    from admf_cli.market.parquet_rows import row_number

    return Reader(read_parquet, row_number, least_bytes=0)


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
