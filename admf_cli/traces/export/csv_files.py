"""CSV: a directory with one file a table. Refuses to know who reads them.

A cell that a spreadsheet would take for a formula gets an apostrophe before it, control characters are written out.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

from admf_cli.traces.export.interface import Exported, Request
from admf_cli.traces.export.output import new_directory
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.render.text import csv_safe, printable
from admf_cli.traces.tables.frames import empty, frames
from admf_cli.traces.tables.runs import runs
from admf_cli.traces.tables.schema import TABLES

if TYPE_CHECKING:
    import polars as pl

_HARMLESS = r"^([A-Za-z0-9_{\[][\x20-\x7e]*)?$"


def export_csv(request: Request) -> Exported:
    """Write every table under the names of its columns, also without a row."""
    faults, counts = FaultLog(), dict.fromkeys((*TABLES, "runs"), 0)
    with new_directory(request.output) as place, ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for name in counts:
            files[name] = stack.enter_context((place / f"{name}.csv").open("xb"))
        for name, table in TABLES.items():
            empty(table).write_csv(files[name])
        for table, frame in frames(request.phases, [*TABLES.values()], faults, request.filters):
            counts[table.name] += frame.height
            _harmless(frame).write_csv(files[table.name], include_header=False)
        portfolios = runs(request.phases, faults)
        counts["runs"] = portfolios.height
        _harmless(portfolios).write_csv(files["runs"])
    return Exported(tuple(place / f"{name}.csv" for name in counts), counts, faults.notes())


def _harmless(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    columns = []
    for series in frame:
        if series.dtype == pl.String and not series.str.contains(_HARMLESS).all():
            cells = [None if cell is None else csv_safe(printable(cell)) for cell in series]
            columns.append(pl.Series(series.name, cells, dtype=pl.String))
        elif series.dtype == pl.Datetime:
            columns.append(series.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
        else:
            columns.append(series)
    return pl.DataFrame(columns)
