"""`admf init`: a new project in a directory. Refuses to know what is in it."""

# Annotations are not put off by `from __future__`: Typer would compile each of them twice.

from pathlib import Path
from typing import Annotated

import typer


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A directory that is empty or not there yet.")],
) -> None:
    """Start a project: configuration, strategy, a data sample and a CI file, ready to run."""
    import shlex

    from admf_cli.project.creation import create_project

    for path in create_project(directory):
        typer.echo(f"created  {directory / path}")
    place = shlex.quote(str(directory))
    typer.echo(f"\nnext\n  cd {place}\n  admf run backtest.yaml\n  admf check lookahead backtest.yaml")
