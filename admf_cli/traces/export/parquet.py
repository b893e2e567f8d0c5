"""Parquet: a directory with one file a table, their columns the same for every run. Refuses to know who reads them."""

from __future__ import annotations

from admf_cli.traces.export.interface import Exported, Request
from admf_cli.traces.export.output import new_directory
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.tables.parquet import write_tables
from admf_cli.traces.tables.runs import runs
from admf_cli.traces.tables.schema import TABLES


def export_parquet(request: Request) -> Exported:
    """Write every table, also without a row, so that whoever reads several runs finds the same files."""
    import polars as pl

    faults = FaultLog()
    with new_directory(request.output) as place:
        files = [*write_tables(request.phases, [*TABLES.values()], place, faults, request.filters).values()]
        files.append(place / "runs.parquet")
        runs(request.phases, faults).write_parquet(files[-1])
        counts = {path.stem: pl.scan_parquet(path).select(pl.len()).collect().item() for path in files}
    return Exported(tuple(files), counts, faults.notes())
