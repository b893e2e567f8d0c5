"""`admf traces export`: a run in the formats of other tools. Refuses to know any of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from admf_cli.cli.traces import completion
from admf_cli.cli.traces.options import Directory, Phase
from admf_cli.cli.traces.showing import Containers, First, Symbols, Types
from admf_cli.traces.export.formats import Target, TimeAxis


def export(
    directory: Directory,
    target: Annotated[Target, typer.Option("--to", help="The format.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", metavar="PATH", help="A new file (perfetto, mermaid: or -) or directory (otlp, parquet, csv)."
        ),
    ],
    event: Annotated[
        str | None,
        typer.Option(
            "--event",
            metavar="EVENT",
            help="mermaid: whose causal graph, as explain takes it.",
            autocompletion=completion.events,
        ),
    ] = None,
    time: Annotated[TimeAxis, typer.Option("--time", help="perfetto: simulated time, or the order of events.")] = (
        TimeAxis.sim
    ),
    types: Types = None,
    containers: Containers = None,
    symbols: Symbols = None,
    first: First = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Up to the end of this year, month, day or moment, UTC."),
    ] = None,
    phase: Phase = None,
) -> None:
    """Write a run for Perfetto, OpenTelemetry, DataFrames, spreadsheets, or one trade's graph for a wiki."""
    from admf_cli.errors import ConfigError
    from admf_cli.tracefile.discovery import display
    from admf_cli.traces.export.interface import STANDARD_OUTPUT, Request, exporter
    from admf_cli.traces.filters import filters_of
    from admf_cli.traces.outside import check_outside
    from admf_cli.traces.target import choose_phases

    printed = output == STANDARD_OUTPUT
    if printed and target is not Target.mermaid:
        raise ConfigError(f"--output -: {target.value} is not printed; name a new file or directory")
    if not printed:
        check_outside(output, directory)
    filters = filters_of(types=types or (), containers=containers or (), symbols=symbols or (), first=first, last=until)
    done = exporter(target)(Request(choose_phases(directory, phase), output, filters, time, event))
    counts = ", ".join(f"{count:,} {name}" for name, count in done.counts.items() if count)
    if not printed:
        typer.echo(f"{display(output)}: {counts or 'nothing'}")
    for note in done.notes:
        typer.echo(f"note: {note}", err=True)
