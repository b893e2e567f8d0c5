"""Tables of events as one Parquet file each, in bounded memory. Refuses to know who reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from admf_cli.errors import StorageError
from admf_cli.tracefile.discovery import PhaseTrace, display
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.filters import Filters
from admf_cli.traces.tables.frames import empty, frames
from admf_cli.traces.tables.schema import Table


def write_tables(
    phases: Sequence[PhaseTrace], tables: Sequence[Table], directory: Path, faults: FaultLog, filters: Filters
) -> Mapping[str, Path]:
    """Write these tables into an empty directory, each whole in a file of its name, also without a row.

    Returns:
        The path of each by its table's name.

    Raises:
        StorageError: a file can't be written.
    """
    import polars as pl

    parts: dict[str, list[Path]] = {table.name: [] for table in tables}
    try:
        for table, frame in frames(phases, tables, faults, filters):
            part = directory / f".{table.name}-{len(parts[table.name]):06}.parquet"
            frame.write_parquet(part)
            parts[table.name].append(part)
        written = {}
        for table in tables:
            path = written[table.name] = directory / f"{table.name}.parquet"
            of_table = parts[table.name]
            if not of_table:
                empty(table).write_parquet(path)
            elif len(of_table) == 1:
                of_table[0].rename(path)
            else:
                pl.scan_parquet(of_table).sink_parquet(path)
                for part in of_table:
                    part.unlink()
    except OSError as error:
        raise StorageError(f"{display(directory)}: a table can't be written: {error.strerror or error}") from error
    return written
