"""`admf traces query`: SQL over the events of runs. Refuses to know how it is answered."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from admf_cli.cli.traces.options import Directory, Phase, Plain

_PHASES_LOOKED_AT = 100  # for what was dropped


class QueryFormat(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"


def query(
    directory: Directory,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT; try 'SHOW TABLES' and 'DESCRIBE fills'.")],
    phase: Phase = None,
    form: Annotated[QueryFormat, typer.Option("--format", help="How to print rows.")] = QueryFormat.table,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="A new file to write instead of printing.")
    ] = None,
    plain: Plain = False,
) -> None:
    """Ask the events of one run or of thousands in SQL: bars, signals, orders, fills, trades, runs and more."""
    from admf_cli.errors import ConfigError
    from admf_cli.traces.outside import check_outside
    from admf_cli.traces.query import query as ask
    from admf_cli.traces.query import query_as_parquet
    from admf_cli.traces.target import choose_phases
    from admf_cli.traces.windows import phases_cut

    if output is not None:
        check_outside(output, directory)
    elif form is QueryFormat.parquet:
        raise ConfigError("Parquet is not text: name a file for it with --output")
    phases = choose_phases(directory, phase)
    if form is QueryFormat.parquet and output is not None:
        with query_as_parquet(phases, sql) as blocks:
            _write(output, blocks)
        return
    with ask(phases, sql) as answer:
        from admf_cli.traces.render.answers import csv_lines, json_lines, show_answer
        from admf_cli.traces.render.screen import Screen

        if form is QueryFormat.table and output is None:
            show_answer(answer, Screen(plain=plain))
        else:
            lines = csv_lines(answer) if form is QueryFormat.csv else json_lines(answer)
            if output is None:
                sys.stdout.writelines(lines)
            else:
                _write(output, (line.encode() for line in lines))
        for note in answer.faults.notes():
            typer.echo(note, err=True)
    if cut := phases_cut(phases[:_PHASES_LOOKED_AT]):
        named = ", ".join(cut[:3]) + (f" and {len(cut) - 3:,} more" if len(cut) > 3 else "")
        typer.echo(f"note: max_events dropped events of {named}: rows are of those that were kept", err=True)


def _write(output: Path, blocks: Iterable[bytes]) -> None:
    from admf_cli.new_file import write_new_file

    write_new_file(output, blocks, option="--output", if_taken="choose another with --output")
