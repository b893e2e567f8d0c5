"""Parquet files to tables, by Polars, under the same rules as CSV. Refuses to know symbols.

As a program, it reads one file for `parquet_file`: settings in, the table out, as bytes.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from admf_cli.errors import MarketDataError
from admf_cli.market import parse
from admf_cli.market.bars import IntArray
from admf_cli.market.content import Content
from admf_cli.market.faults import Faults
from admf_cli.market.header import match_columns, unread
from admf_cli.market.packed import pack
from admf_cli.market.table import NUMERIC, SymbolColumn, Table

_MICROSECONDS = {"d": 86_400_000_000, "ms": 1_000, "us": 1}
_MAX_BYTES = 8 << 30
_MOST_READ_WHOLE = 1 << 30


def decode(path: Path, settings: Mapping[str, Any], content: Content | None = None) -> Table:
    """Return a Parquet file's rows, not yet checked against each other.

    Args:
        settings: the `data` section; `columns` and `timezone` are read.
        content: told the file's bytes, if they are not too many to be read whole; without it, columns that are not
            needed stay on the disk.

    Raises:
        MarketDataError: naming row, column and value of the first faults and how many there are.
    """
    source = str(path)
    try:
        file: Path | io.BytesIO = path
        if content is not None and path.stat().st_size <= _MOST_READ_WHOLE:
            data = path.read_bytes()
            content.read(data)
            file = io.BytesIO(data)
        import polars
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        header = list(polars.read_parquet_schema(file))
        places = match_columns(source, header, settings.get("columns"))
        rows = polars.scan_parquet(file).select(polars.len()).collect().item()
        if rows * len(places) * 8 > _MAX_BYTES:
            raise MarketDataError(f"{path}: {rows:,} rows, more than {_MAX_BYTES >> 30} GiB; split the file")
        frame = polars.read_parquet(file, columns=[header[place] for place in sorted(places.values())])
    except (polars.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, error) from error
    if not len(frame):
        raise MarketDataError(f"{path}: there are columns but no row of data")
    by_name = {name: frame[header[place]] for name, place in places.items()}
    faults = Faults(source, row_number)
    values = {}
    for name in NUMERIC:
        if name not in by_name:
            continue
        column = by_name[name]
        if not column.dtype.is_numeric():
            raise MarketDataError(f"{path}: column {name} holds {_kind(column)}, not numbers; write it as Float64")
        values[name] = column.cast(polars.Float64).to_numpy()
        if column.null_count():
            faults.add(column.is_null().to_numpy(), name, column.to_list(), "must be a number")
    times = _times(by_name["timestamp"], settings.get("timezone") or "UTC", faults, source)
    faults.raise_if_any("correct these rows in the file; nothing is repaired silently")
    values.setdefault("volume", np.zeros(len(frame)))
    return Table(source, times, values, _symbols(by_name.get("symbol"), source), row_number, unread(header, places))


def _unreadable(path: Path, error: Exception) -> MarketDataError:
    reason = " ".join(str(error).split())[:200]
    return MarketDataError(f"{path}: not readable as Parquet, so damaged or no Parquet file: {reason}")


def _symbols(column: Any, source: str) -> SymbolColumn | None:
    import polars

    if column is None:
        return None
    if column.dtype not in (polars.String, polars.Categorical, polars.Enum) and not column.dtype.is_integer():
        raise MarketDataError(f"{source}: column symbol holds {_kind(column)}, not text; write it as String")
    return SymbolColumn.of(column.cast(polars.String).to_list())


def _times(column: Any, zone: str, faults: Faults, source: str) -> IntArray:
    import polars

    if column.null_count():
        faults.add(column.is_null().to_numpy(), "timestamp", column.to_physical(), "must be a time")
        return np.zeros(len(column), dtype=np.int64)
    if column.dtype == polars.String or column.dtype.is_integer():
        return parse.times([str(value) for value in column.to_list()], zone, faults)
    kind = column.dtype
    if kind == polars.Date:
        unit, local = "d", True
    elif isinstance(kind, polars.Datetime):
        unit, local = kind.time_unit, kind.time_zone is None
    else:
        raise MarketDataError(f"{source}: column timestamp holds {_kind(column)}, not times; write it as Datetime")
    ticks = column.to_physical().cast(polars.Int64).to_numpy()
    faults.add(parse.off_the_calendar(ticks, unit), "timestamp", ticks, "is out of the years 1 to 9999")
    if unit == "ns":
        faults.add(ticks % 1_000 != 0, "timestamp", ticks, "is finer than a microsecond")
    if faults.count:
        return np.zeros(len(column), dtype=np.int64)
    if local and zone != "UTC":
        # By way of text, so that a moment that a clock change left out or doubled is named by its row.
        form = "%Y-%m-%d" if unit == "d" else "%Y-%m-%d %H:%M:%S%.6f"
        return parse.times(column.dt.to_string(form).to_list(), zone, faults)
    moments: IntArray = ticks * _MICROSECONDS[unit] if unit != "ns" else ticks // 1_000
    return moments


def _kind(column: Any) -> str:
    return str(column.dtype)[:60]


def row_number(row: int) -> int:
    """Return the number of a row as messages give it, counted from 1."""
    return row + 1


def main() -> None:
    """Read the request from standard input; write a line about the file, then the table or nothing."""
    request = json.load(sys.stdin)
    content = Content()
    try:
        table = decode(Path(request["path"]), request["settings"], content if request["digest"] else None)
    except MarketDataError as error:
        print(json.dumps({"error": str(error)}))
        return
    head, columns = pack(table)
    sys.stdout.buffer.write(json.dumps({"sha256": content.sha256()}).encode() + b"\n" + head.line())
    for column in columns:
        sys.stdout.buffer.write(column.data)


if __name__ == "__main__":
    main()
