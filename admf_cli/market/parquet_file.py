"""Parquet files to tables, by Polars, under the same rules as CSV. Refuses to know symbols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from admf_cli.errors import MarketDataError
from admf_cli.market import parse
from admf_cli.market.bars import IntArray
from admf_cli.market.faults import Faults
from admf_cli.market.header import match_columns
from admf_cli.market.table import Table

_NUMERIC = ("open", "high", "low", "close", "volume", "adj_close")


def read_parquet(path: Path, settings: Mapping[str, Any]) -> Table:
    """Return a Parquet file's rows, not yet checked against each other."""
    import polars

    source = str(path)
    try:
        header = list(polars.read_parquet_schema(path))
        places = match_columns(source, header, settings.get("columns"))
        frame = polars.read_parquet(path, columns=[header[place] for place in sorted(places.values())])
    except (polars.exceptions.PolarsError, OSError) as error:
        raise MarketDataError(f"{path}: not readable as Parquet: {error}") from error
    if not len(frame):
        raise MarketDataError(f"{path}: there are columns but no row of data")
    by_name = {name: frame[header[place]] for name, place in places.items()}
    faults = Faults(source, _line)
    values = {}
    for name in _NUMERIC:
        if name not in by_name:
            continue
        column = by_name[name]
        if not column.dtype.is_numeric():
            raise MarketDataError(f"{path}: column {name} holds {column.dtype}, not numbers")
        values[name] = column.cast(polars.Float64).to_numpy()
        faults.add(column.is_null().to_numpy(), name, values[name], "must be a number, not null")
    times = _times(by_name["timestamp"], settings.get("timezone") or "UTC", faults, source)
    faults.raise_if_any("correct these rows in the file; nothing is repaired silently")
    values.setdefault("volume", np.zeros(len(frame)))
    symbols = by_name["symbol"].cast(polars.String).to_list() if "symbol" in by_name else None
    return Table(source, times, values, symbols, _line)


def _times(column: Any, zone: str, faults: Faults, source: str) -> IntArray:
    import polars

    if column.null_count():
        faults.add(column.is_null().to_numpy(), "timestamp", column.to_list(), "must be a time, not null")
        return np.zeros(len(column), dtype=np.int64)
    if column.dtype == polars.String or column.dtype.is_integer():
        return parse.times([str(value) for value in column.to_list()], zone, faults)
    if column.dtype == polars.Date:
        days: IntArray = column.cast(polars.Datetime("us")).to_physical().to_numpy()
        return days
    if not isinstance(column.dtype, polars.Datetime):
        raise MarketDataError(f"{source}: column timestamp holds {column.dtype}, not times")
    if column.dtype.time_unit == "ns" and (column.to_physical() % 1_000 != 0).any():
        raise MarketDataError(f"{source}: column timestamp: times finer than a microsecond")
    if column.dtype.time_zone is None and zone != "UTC":
        try:
            column = column.dt.replace_time_zone(zone)
        except polars.exceptions.PolarsError as error:
            raise MarketDataError(f"{source}: column timestamp: {error} (data.timezone: {zone})") from error
    moments: IntArray = column.cast(polars.Datetime("us", column.dtype.time_zone)).to_physical().to_numpy()
    return moments


def _line(row: int) -> int:
    return row + 1
