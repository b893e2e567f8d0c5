"""Arguments and options that several commands of `admf traces` share. Refuses to know what they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from admf_cli.cli.traces import completion


def directory(metavar: str, text: str) -> Any:
    """Return an argument that names a directory of traces, completed in the shell."""
    return typer.Argument(metavar=metavar, help=text, show_default=False, autocompletion=completion.directories)


Directory = Annotated[Path, directory("DIR", "A phase, a workflow, or a folder of many workflows.")]
Phase = Annotated[
    str | None,
    typer.Option(
        "--phase",
        metavar="NAME",
        help="Which phase, where there are several: testing, or wf_1/testing.",
        autocompletion=completion.phases,
    ),
]
Portfolio = Annotated[
    str | None,
    typer.Option(
        "--portfolio",
        metavar="ID",
        help="Container id of the portfolio that is meant.",
        autocompletion=completion.portfolios,
    ),
]
Plain = Annotated[bool, typer.Option("--plain", help="Print tab-separated text without colours or boxes.")]
