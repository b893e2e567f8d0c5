"""`admf traces show`: the events themselves, filtered. Refuses to know how they are found."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from admf_cli.cli.traces import completion
from admf_cli.cli.traces.options import Directory, Phase, Plain

if TYPE_CHECKING:
    from pathlib import Path

    from admf_cli.traces.render.events import EventWriter
    from admf_cli.traces.show import Selection

Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="Only these types: FILL, or FILL,REJECT; repeatable.",
        autocompletion=completion.event_types,
    ),
]
Containers = Annotated[
    list[str] | None,
    typer.Option(
        "--container",
        metavar="ID",
        help="Only these containers: ids or patterns such as 'portfolio_*'.",
        autocompletion=completion.containers,
    ),
]
Symbols = Annotated[
    list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="Only these symbols; repeatable.")
]
First = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="From this year, month, day or moment on, UTC.")
]
Last = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Up to the end of this year, month, day or moment, UTC.")
]
Reasons = Annotated[
    list[str] | None, typer.Option("--reason", metavar="CODE", help="Only events with these reason codes; repeatable.")
]
Correlation = Annotated[
    str | None, typer.Option("--correlation", metavar="ID", help="Only the trade flow that this SIGNAL began.")
]


_FOLLOW_SECONDS = 0.25


class Format(StrEnum):
    """How events are printed."""

    table = "table"
    json = "json"
    csv = "csv"


def show(
    directory: Directory,
    types: Types = None,
    containers: Containers = None,
    symbols: Symbols = None,
    first: First = None,
    to: Last = None,
    reasons: Reasons = None,
    correlation: Correlation = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="The first N of them.")] = None,
    last: Annotated[int | None, typer.Option("--last", metavar="N", min=1, help="The newest N of them.")] = None,
    following: Annotated[
        bool, typer.Option("--follow", "-f", help="Then show what a run in progress adds, until it is over.")
    ] = False,
    phase: Phase = None,
    output: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.table,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, as --format json does.")] = False,
    plain: Plain = False,
) -> None:
    """Show the events of a run in the order in which they happened."""
    from admf_cli.traces.filters import filters_of
    from admf_cli.traces.show import Selection, dropped, nothing_found
    from admf_cli.traces.target import choose_phases

    filters = filters_of(
        types=types or (),
        containers=containers or (),
        symbols=symbols or (),
        reasons=reasons or (),
        correlation=correlation,
        first=first,
        last=to,
    )
    output = Format.json if as_json else output
    selection = Selection(filters, limit, last)
    if following:
        _follow(directory, phase, selection, output, plain)
        return
    phases = choose_phases(directory, phase)
    writer = _writer(output, plain=plain, several=len(phases) > 1)
    if not writer.write(selection.of(phases)):
        typer.echo(nothing_found(filters), err=True)
    for note in dropped(phases, filters) if last is None else ():
        typer.echo(f"note: {note}", err=True)


def _follow(directory: Path, phase: str | None, selection: Selection, output: Format, plain: bool) -> None:
    import time

    from admf_cli.traces.follow import follow
    from admf_cli.traces.render.events import LinesWriter
    from admf_cli.traces.render.screen import Screen

    def wait() -> None:
        sys.stdout.flush()
        time.sleep(_FOLLOW_SECONDS)

    events = follow(directory, phase, selection, wait)
    table = output is Format.table
    writer = LinesWriter(Screen(plain=plain)) if table else _writer(output, plain=plain, several=phase is None)
    writer.write(events)


def _writer(output: Format, *, plain: bool, several: bool) -> EventWriter:
    from admf_cli.traces.render.events import CsvWriter, JsonLinesWriter, TableWriter

    if output is Format.json:
        return JsonLinesWriter(sys.stdout, several=several)
    if output is Format.csv:
        return CsvWriter(sys.stdout)
    from admf_cli.traces.render.screen import Screen

    return TableWriter(Screen(plain=plain))
