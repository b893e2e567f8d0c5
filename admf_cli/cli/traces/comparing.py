"""`admf traces diff` and `stats`: two runs held against each other, one summed up. Refuses to know how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from admf_cli.cli.options import AsJson
from admf_cli.cli.traces.options import Directory, Phase, Plain, directory


def diff(
    a: Annotated[Path, directory("A", "A phase or a workflow.")],
    b: Annotated[Path, directory("B", "The one to compare it with.")],
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance", metavar="FRACTION", help="Numbers closer than this fraction of the larger are the same."
        ),
    ] = 0.0,
    phase: Phase = None,
    as_json: AsJson = False,
    plain: Plain = False,
) -> None:
    """Show the first event at which two runs part, its causes, and how far they do: exit 0 if the same, 1 if not."""
    from admf_cli.traces.diff import diff as ask
    from admf_cli.traces.render.differing import diff_document, show_diff
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.screen import Screen

    answer = ask(a, b, tolerance=tolerance, phase=phase)
    if as_json:
        typer.echo(document(diff_document(answer)))
    else:
        show_diff(answer, Screen(plain=plain))
    raise typer.Exit(0 if answer.same else 1)


def stats(
    directory: Directory,
    phase: Phase = None,
    trades: Annotated[
        int, typer.Option("--trades", metavar="N", min=0, help="How many of the biggest and slowest trades.")
    ] = 5,
    as_json: AsJson = False,
    plain: Plain = False,
) -> None:
    """Show funnel, rejects by reason, bars from signal to fill, slippage, costs, biggest and slowest trades."""
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.screen import Screen
    from admf_cli.traces.render.statistics import show_stats
    from admf_cli.traces.stats import stats as ask

    answer = ask(directory, phase=phase, trades=trades)
    if as_json:
        typer.echo(document(answer))
    else:
        show_stats(answer, Screen(plain=plain))
