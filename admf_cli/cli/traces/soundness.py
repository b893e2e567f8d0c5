"""`admf traces inspect`, `verify` and `replay`: is a trace whole and right? Refuses to know how that is found out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from admf_cli.cli.options import AsJson
from admf_cli.cli.traces.options import Directory, Plain


def inspect(directory: Directory, as_json: AsJson = False, plain: Plain = False) -> None:
    """Show what each container recorded and whether it is whole: exit 0 if sound, 1 if not, 5 if unreadable."""
    from admf_cli.traces.inspect import inspect as ask
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.inspection import show_inspection
    from admf_cli.traces.render.screen import Screen

    answer = ask(directory)
    if as_json:
        typer.echo(document(answer, sound=answer.sound))
    else:
        show_inspection(answer, Screen(plain=plain))
    raise typer.Exit(0 if answer.sound else 1)


def verify(directory: Directory, as_json: AsJson = False, plain: Plain = False) -> None:
    """Check seals, lines, causes, orders, positions and cash: exit 0 if all is right, 1 if not, 5 if unreadable."""
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.screen import Screen
    from admf_cli.traces.render.verification import show_verification
    from admf_cli.traces.verify import verify as ask

    answer = ask(directory)
    if as_json:
        typer.echo(document(answer, verified=answer.verified))
    else:
        show_verification(answer, Screen(plain=plain))
    raise typer.Exit(0 if answer.verified else 1)


def replay(
    directory: Directory,
    results: Annotated[
        Path | None,
        typer.Option("--results", metavar="DIR", help="Compare the equity of every bar with the run's results, too."),
    ] = None,
    as_json: AsJson = False,
    plain: Plain = False,
) -> None:
    """Rebuild positions, cash, equity, trades and metrics from the trace alone: exit 1 if they part from the run's."""
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.replayed import replay_document, show_replay
    from admf_cli.traces.render.screen import Screen
    from admf_cli.traces.replay import replay as ask

    answer = ask(directory, results=results)
    if as_json:
        typer.echo(document(replay_document(answer)))
    else:
        show_replay(answer, Screen(plain=plain))
    raise typer.Exit(0 if answer.agrees else 1)
