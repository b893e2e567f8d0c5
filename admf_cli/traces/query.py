"""SQL over the events of any number of runs, by DuckDB. Refuses to know how rows are shown.

The tables that a statement mentions are written as Parquet into a directory of our own, from where DuckDB streams
them; then it is locked: no other file, no network, no extension and no setting is within a statement's reach.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from msgspec import Struct

from admf_cli.errors import ConfigError
from admf_cli.tracefile.discovery import PhaseTrace, display
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.filters import Filters
from admf_cli.traces.tables.parquet import write_tables
from admf_cli.traces.tables.runs import runs
from admf_cli.traces.tables.schema import COMMON, TABLES, Kind, Table

_MEMORY_LIMIT = "1GB"
_ROWS_AT_ONCE = 1024
_SQL_TYPES: Mapping[Kind, str] = {
    "text": "VARCHAR",
    "json": "JSON",
    "number": "DOUBLE",
    "whole": "BIGINT",
    "time": "TIMESTAMP",
}
_RUNS = "runs"
VIEWS = (_RUNS, *TABLES)


class Answer(Struct, frozen=True):
    """What a statement gives, to be read once.

    Attributes:
        types: DuckDB's name of each column's type.
        faults: what was not read on the way to it.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]
    faults: FaultLog


@contextlib.contextmanager
def query(phases: Sequence[PhaseTrace], sql: str) -> Iterator[Answer]:
    """Yield the rows that one SELECT gives.

    Raises:
        ConfigError: DuckDB is not installed, or the statement is not one that can be run.
        StorageError: there is no room for the tables.
    """
    with _locked(phases, sql) as (connection, statement, faults, _):
        with _told():
            result = connection.execute(statement)
            description = result.description
        columns = _distinct([str(column[0]) for column in description])
        types = tuple(str(column[1]) for column in description)
        yield Answer(columns, types, _rows(result), faults)


@contextlib.contextmanager
def query_as_parquet(phases: Sequence[PhaseTrace], sql: str) -> Iterator[Iterator[bytes]]:
    """Yield the rows that one SELECT gives as the bytes of a Parquet file.

    Raises:
        ConfigError: as of `query`.
        StorageError: there is no room for the file.
    """
    with _locked(phases, sql) as (connection, statement, _, room):
        path = room / "result.parquet"
        with _told():
            connection.sql(statement.query).write_parquet(str(path))
        with path.open("rb") as source:
            yield iter(lambda: source.read(1 << 20), b"")


@contextlib.contextmanager
def _locked(phases: Sequence[PhaseTrace], sql: str) -> Iterator[tuple[Any, Any, FaultLog, Path]]:
    """Yield a connection that sees the views and nothing else, the statement, and a directory it may write to."""
    duckdb = _duckdb()
    faults = FaultLog()
    with TemporaryDirectory(prefix="admf-query-") as folder:
        place = Path(folder)
        settings = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
        }
        with duckdb.connect(":memory:", config=settings) as connection:
            with _told():
                statement = _only_statement(duckdb, connection, sql)
            needed, room = _mentioned(connection, sql), place / "room"
            views = _views(phases, needed, place / "tables", faults)
            room.mkdir()
            with _told():
                for view in views:
                    connection.execute(view)
                connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
                connection.execute(f"SET temp_directory = {_quoted(room)}")
                connection.execute(f"SET allowed_directories = [{_quoted(place / 'tables')}, {_quoted(room)}]")
                connection.execute("SET enable_external_access = false")
                connection.execute("SET lock_configuration = true")
            yield connection, statement, faults, room


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise ConfigError("SQL over traces needs DuckDB, which is not installed: pip install 'admf[sql]'") from error
    return duckdb


def _only_statement(duckdb: Any, connection: Any, sql: str) -> Any:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise ConfigError(f"one SELECT is expected, this is {len(statements)} statements")
    (statement,) = statements
    if statement.type == duckdb.StatementType.MULTI:
        raise ConfigError(
            "this needs two steps, and one is run; a PIVOT names its values: ON purpose IN ('entry', 'exit')"
        )
    if statement.type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise ConfigError(f"only SELECT (and DESCRIBE, SUMMARIZE, EXPLAIN) can be run, not {statement.type.name}")
    return statement


@contextlib.contextmanager
def _told() -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise ConfigError(f"the SQL can't be run: {error}") from error


def _mentioned(connection: Any, sql: str) -> set[str]:
    """Return the names of the tables that a statement reads; all its words if it can't be taken apart."""
    import duckdb

    words = {word.lower() for word in re.findall(r"\w+", sql)}
    try:
        ((text,),) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
        parsed = orjson.loads(text)
    except (duckdb.Error, ValueError):
        return words
    # Some functions take a table's name, or a statement, as a text.
    if parsed.get("error") is not False or words & {"query", "query_table"}:
        return words
    return set(_table_names(parsed))


def _table_names(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        name = part.get("table_name")
        if isinstance(name, str):
            yield name.lower()
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _table_names(one)


def _views(phases: Sequence[PhaseTrace], needed: set[str], place: Path, faults: FaultLog) -> list[str]:
    """Return the statements that make every view: over the runs if it is needed, else without a row."""
    place.mkdir()
    if "trades" in needed:
        needed = needed | {"fills"}
    tables = [table for name, table in TABLES.items() if name in needed]
    files = write_tables(phases, tables, place, faults, Filters())
    views = [_view(table, files.get(name)) for name, table in TABLES.items() if name != "trades"]
    views.append(_trades_view(files.get("trades")))
    runs_file = place / f"{_RUNS}.parquet"
    runs(phases if _RUNS in needed else (), faults).write_parquet(runs_file)
    return [*views, f"CREATE VIEW {_RUNS} AS FROM read_parquet({_quoted(runs_file)})"]


def _view(table: Table, file: Path | None) -> str:
    return f"CREATE VIEW {table.name} AS {_rows_of(table, file)}"


def _trades_view(file: Path | None) -> str:
    """Return the view of trades, which also tells when they were opened, as their entries' fills say."""
    return (
        f"CREATE VIEW trades AS SELECT closed.*, entry.time AS entry_time FROM ({_rows_of(TABLES['trades'], file)}) "
        "AS closed LEFT JOIN (SELECT workflow_id, phase, event_id, any_value(time) AS time FROM fills GROUP BY ALL) "
        "AS entry ON (entry.workflow_id, entry.phase, entry.event_id) = "
        "(closed.workflow_id, closed.phase, closed.entry_fill)"
    )


def _rows_of(table: Table, file: Path | None) -> str:
    names = [(f'"{column.name}"', _SQL_TYPES[column.kind]) for column in (*COMMON, *table.columns)]
    if file is None:
        return f"SELECT {', '.join(f'NULL::{kind} AS {name}' for name, kind in names)} WHERE false"
    return f"SELECT {', '.join(f'{name}::{kind} AS {name}' for name, kind in names)} FROM read_parquet({_quoted(file)})"


def _quoted(path: Path) -> str:
    return "'" + display(path).replace("'", "''") + "'"


def _rows(result: Any) -> Iterator[tuple[Any, ...]]:
    while True:
        with _told():
            portion = result.fetchmany(_ROWS_AT_ONCE)
        if not portion:
            return
        yield from portion


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Return names that differ, so that a row can be an object: the second `a` becomes `a_2`."""
    taken: list[str] = []
    for name in names:
        number, candidate = 2, name
        while candidate in taken:
            candidate, number = f"{name}_{number}", number + 1
        taken.append(candidate)
    return tuple(taken)
