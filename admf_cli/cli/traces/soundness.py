"""`admf traces inspect`: is a trace whole and right? Refuses to know how that is found out."""

from __future__ import annotations

import typer

from admf_cli.cli.traces.options import AsJson, Directory, Plain


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
