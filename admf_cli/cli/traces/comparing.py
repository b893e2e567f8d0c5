"""`admf traces diff`: two runs held against each other. Refuses to know how they are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from admf_cli.cli.traces.options import AsJson, Phase, Plain


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A phase or a workflow.", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="The one to compare it with.", show_default=False)],
    tolerance: Annotated[
        float, typer.Option("--tolerance", help="Numbers closer than this fraction of the larger are the same.")
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
