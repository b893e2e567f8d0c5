"""CSV files to tables: well-formed ones by whole columns, large ones of long numbers by Polars, others with care.

All three give the same table. Polars takes a third of a second to import, longer than reading a million plain rows by
the column. Whatever either finds odd is read again by the careful reader, which names row, column and value. Refuses
to know symbols.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from admf_cli.errors import MarketDataError
from admf_cli.market import files
from admf_cli.market.bars import FloatArray, IntArray
from admf_cli.market.csv_columns import count_lines, line_of, read_columns
from admf_cli.market.header import match_columns, unread
from admf_cli.market.table import NUMERIC, SymbolColumn, Table

if TYPE_CHECKING:
    from admf_cli.market.content import Content

_LARGE_BYTES = 8 << 20
_SHORTEST_ROW = len("20200102,1,1,1,1\n")


def read_csv(path: Path, settings: Mapping[str, Any], content: Content | None = None) -> Table:
    """Return a CSV file's rows, strictly parsed but not yet checked against each other.

    Args:
        settings: the `data` section; `columns`, `delimiter` and `timezone` are read.
        content: told the file's bytes, as they lie on the disk.

    Raises:
        MarketDataError: naming row, column and value of the first faults and how many there are.
    """
    packed = files.read(path)
    if content is not None:
        content.read(packed)
    data = files.unpacked(path, packed)
    del packed
    _refuse_bytes(path, data)
    if data.endswith((b"\n\n", b"\n\r\n")):
        data = data.rstrip(b"\r\n") + b"\n"  # empty lines at the end are no rows, however many there are
    # Rows shorter than any bar would take the column readers far more memory than the text has.
    lines = count_lines(data)
    plausible = lines * _SHORTEST_ROW <= len(data)
    table = read_columns(str(path), data, settings, lines) if plausible else None
    if table is None and plausible and len(data) >= _LARGE_BYTES:
        table = _read_large(path, data, settings)
    if table is None:
        from admf_cli.market.csv_rows import read_carefully  # few files need it

        table = read_carefully(path, data, settings)
    notes = unread(*_header(path, data, settings))
    if not data.endswith((b"\n", b"\r")):
        notes += ("the last line has no line end, as if the file were cut off there",)
    return replace(table, notes=notes) if notes else table


def _header(path: Path, data: bytes, settings: Mapping[str, Any]) -> tuple[list[str], dict[str, int]]:
    """Return the header of a file that was read, and the places of its columns."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    header = next(csv.reader(text, delimiter=settings.get("delimiter") or ","))
    return header, match_columns(str(path), header, settings.get("columns"))


def _read_large(path: Path, data: bytes, settings: Mapping[str, Any]) -> Table | None:
    """Return the rows by Polars, or None if there is anything that the careful reader should look at."""
    import polars

    delimiter = settings.get("delimiter") or ","
    head = data[: files.LONGEST_LINE].split(b"\n", 1)[0].decode("utf-8-sig", "replace").rstrip("\r")
    if len(head) >= files.LONGEST_LINE or '"' in head or data.startswith(b"\xef\xbb\xbf"):
        return None
    mark = delimiter.encode()
    if any(before + blank in data for before in (mark, b"\n") for blank in (b" ", b"\t")):
        return None  # Polars would skip blanks before a number
    if b"\n\n" in data or b"\n\r\n" in data:
        return None  # it would hold a row of nulls for each empty line
    header = head.split(delimiter)
    places = match_columns(str(path), header, settings.get("columns"))
    names = [f"column_{place}" for place in range(len(header))]
    chosen = {names[place]: name for name, place in places.items()}
    schema = {name: polars.Float64 if chosen.get(name) in NUMERIC else polars.String for name in names}
    try:
        frame = polars.read_csv(
            io.BytesIO(data),
            has_header=False,
            skip_rows=1,
            separator=delimiter,
            schema=schema,
            columns=sorted(chosen, key=names.index),
            truncate_ragged_lines=False,
        )
    except polars.exceptions.PolarsError:
        return None
    if sum(frame.null_count().row(0)):
        return None
    if len(frame) != data.count(b"\n") - 1 + (not data.endswith(b"\n")):
        return None  # empty lines, or line ends inside quotes
    by_name = {chosen[name]: frame[name] for name in frame.columns}
    times = _polars_times(by_name["timestamp"], settings.get("timezone") or "UTC")
    if times is None:
        return None
    values: dict[str, FloatArray] = {}
    for name in NUMERIC:
        if name in by_name:
            column = by_name[name].to_numpy()
            if not np.isfinite(column).all():
                return None
            values[name] = column
    values.setdefault("volume", np.zeros(len(frame)))
    symbols = SymbolColumn.of(by_name["symbol"].to_list()) if "symbol" in by_name else None
    return Table(str(path), times, values, symbols, line_of)


def _polars_times(texts: Any, zone: str) -> IntArray | None:
    import polars

    lengths = texts.str.len_bytes().unique().to_list()
    if zone != "UTC" or len(lengths) != 1 or lengths[0] not in (10, 19, 20):
        return None
    first = texts[0]
    form = "%Y-%m-%d" if lengths[0] == 10 else f"%Y-%m-%d{first[10]}%H:%M:%S" + ("Z" if lengths[0] == 20 else "")
    digits = r"^\d{4}-\d{2}-\d{2}" + ("$" if lengths[0] == 10 else r"[T ]\d{2}:\d{2}:\d{2}Z?$")
    if not texts.str.contains(digits).all():
        return None
    try:
        moments = texts.str.to_datetime(form, time_unit="us", strict=True)
    except polars.exceptions.PolarsError:
        return None
    return moments.to_physical().to_numpy() if not moments.null_count() else None


def _refuse_bytes(path: Path, data: bytes) -> None:
    text = data.removeprefix(b"\xef\xbb\xbf")
    if not text or text.isspace():
        raise MarketDataError(f"{path}: the file is empty")
    place = data.find(b"\0")
    if place >= 0:
        row = data.count(b"\n", 0, place) + 1
        raise MarketDataError(f"{path}: row {row}: a NUL byte; this is no text file, or it is damaged")
