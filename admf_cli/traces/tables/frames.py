"""Trace files as frames of typed columns, a bounded number of rows at a time. Refuses to know where they go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from admf_cli.errors import StorageError
from admf_cli.tracefile.discovery import ContainerTrace, PhaseTrace
from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.tracefile.metafile import read_meta
from admf_cli.tracefile.reader import collection_paused
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.filters import Filters
from admf_cli.traces.render.text import json_text
from admf_cli.traces.scan import EventBlock, scan
from admf_cli.traces.tables.schema import COMMON, Column, Kind, Table

if TYPE_CHECKING:
    import polars as pl

_CELLS_AT_ONCE = 600_000  # some 30 MB of Python objects


def frames(
    phases: Iterable[PhaseTrace], tables: Sequence[Table], faults: FaultLog, filters: Filters
) -> Iterator[tuple[Table, pl.DataFrame]]:
    """Yield the rows of these tables, file by file in the order in which they stand there.

    Args:
        faults: told of every line that is no event, and of files that can't be read.
        filters: which events count.
    """
    pending = {table.name: _Pending(table) for table in tables}
    with collection_paused():
        for phase in phases:
            for container in phase.containers:
                if container.has_lines and filters.wants(container.container_id):
                    yield from _of_container(phase, container, pending, faults, filters)
        for rows in pending.values():
            if rows.count:
                yield rows.table, rows.take()


def _of_container(
    phase: PhaseTrace, container: ContainerTrace, pending: Mapping[str, _Pending], faults: FaultLog, filters: Filters
) -> Iterator[tuple[Table, pl.DataFrame]]:
    useful = [rows for rows in pending.values() if _may_give_rows(container, rows.table)]
    name = f"{phase.workflow_id}/{phase.phase_name}/{container.container_id}"
    try:
        for block in scan(container, name, faults) if useful else ():
            for rows in useful:
                rows.add(phase, container.container_id, block, filters)
                if rows.full:
                    yield rows.table, rows.take()
    except StorageError as error:
        faults.add("unreadable", name, None, str(error))


def empty(table: Table) -> pl.DataFrame:
    """Return a table's columns without a row."""
    import polars as pl

    return pl.DataFrame(schema={column.name: _data_type(column.kind) for column in (*COMMON, *table.columns)})


def _may_give_rows(container: ContainerTrace, table: Table) -> bool:
    if not table.types or not container.has_meta:
        return True
    try:
        events = read_meta(container.meta_path).events
    except StorageError:
        return True
    return not events or any(tally.written for name, tally in events.items() if name in table.types)


class _Pending:
    """Rows of one table that wait to become a frame, as lists of cells, one a column."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.count = 0
        self._columns = (*COMMON, *table.columns)
        self._cells: list[list[Any]] = [[] for _ in self._columns]

    @property
    def full(self) -> bool:
        return self.count * len(self._columns) >= _CELLS_AT_ONCE

    def add(self, phase: PhaseTrace, container_id: str, block: EventBlock, filters: Filters) -> None:
        places: Sequence[int] = _wanted(block, self.table.types, filters)
        if not places:
            return
        payloads: list[Any] = [block.payloads[place] for place in places]
        if self.table.each != "payload":
            split = _items if self.table.each == "items" else _trades
            pairs = [(place, row) for place, payload in zip(places, payloads, strict=True) for row in split(payload)]
            if not pairs:
                return
            places, payloads = [place for place, _ in pairs], [row for _, row in pairs]
        count = len(places)
        common = (
            [phase.workflow_id] * count,
            [phase.phase_name] * count,
            [container_id] * count,
            _at(block.event_ids, places),
            _at(block.types, places),
            sequences := _at(block.sequences, places),
            [sequence >> BAR_SHIFT for sequence in sequences],
            _at(block.timestamps, places),
            _at(block.symbols, places),
            _at(block.correlations, places),
            _at(block.causes, places),
        )
        cells = (*common, *(_values(payloads, column) for column in self.table.columns))
        for column, values in zip(self._cells, cells, strict=True):
            column.extend(values)
        self.count += count

    def take(self) -> pl.DataFrame:
        import polars as pl

        series = [_series(column, cells) for column, cells in zip(self._columns, self._cells, strict=True)]
        self._cells = [[] for _ in self._columns]
        self.count = 0
        return pl.DataFrame(series)


def _wanted(block: EventBlock, types: tuple[str, ...], filters: Filters) -> Sequence[int]:
    every: Sequence[int] = range(len(block.types))
    if types and not set(block.types) <= set(types):
        every = [place for place in every if block.types[place] in types]
    if filters == Filters():
        return every
    return [place for place in every if _admits(block, place, filters)]


def _admits(block: EventBlock, place: int, filters: Filters) -> bool:
    time = block.timestamps[place].removesuffix("Z")
    return (
        (filters.first is None or time >= filters.first)
        and (filters.stop is None or time < filters.stop)
        and (not filters.types or block.types[place] in filters.types)
        and (not filters.symbols or block.symbols[place] in filters.symbols)
    )


def _at(values: Sequence[Any], places: Sequence[int]) -> list[Any]:
    if isinstance(places, range) and len(places) == len(values):
        return list(values)
    return [values[place] for place in places]


def _items(payload: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name, value in payload.items():
        yield {"name": name, "value": value}


def _trades(payload: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    trades = payload.get("trades")
    if isinstance(trades, list):
        yield from (row for row in trades if isinstance(row, dict))


def _values(payloads: list[Any], column: Column) -> list[Any]:
    if not column.path:
        return payloads
    for key in column.path:
        payloads = [payload.get(key) if isinstance(payload, dict) else None for payload in payloads]
    return payloads


_FITTING: Mapping[Kind, frozenset[type]] = {
    "text": frozenset({str, type(None)}),
    "time": frozenset({str}),
    "number": frozenset({float, type(None)}),
    "whole": frozenset({int, type(None)}),
}


def _series(column: Column, cells: list[Any]) -> pl.Series:
    import polars as pl

    kind = column.kind
    if kind == "json":
        texts = [None if cell is None else json_text(cell) for cell in cells]
        return pl.Series(column.name, texts, dtype=pl.String)
    if not set(map(type, cells)) <= _FITTING[kind]:
        cells = [_fitting(cell, kind) for cell in cells]
    if kind == "time":
        text = pl.Series(column.name, cells, dtype=pl.String)
        return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False)
    return pl.Series(column.name, cells, dtype=_data_type(kind))


def _fitting(cell: Any, kind: Kind) -> Any:
    if kind in ("text", "time"):
        return cell if isinstance(cell, str) else None
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    if kind == "number":
        return float(cell)
    return cell if isinstance(cell, int) and abs(cell) < 1 << 63 else None


def _data_type(kind: Kind) -> Any:
    import polars as pl

    return {
        "text": pl.String,
        "json": pl.String,
        "number": pl.Float64,
        "whole": pl.Int64,
        "time": pl.Datetime("us"),
    }[kind]
