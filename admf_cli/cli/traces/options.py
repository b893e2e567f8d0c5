"""Arguments and options that several commands of `admf traces` share. Refuses to know what they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Directory = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="A phase, a workflow, or a folder of many workflows.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Phase = Annotated[
    str | None, typer.Option("--phase", help="Which phase, where there are several: testing, or wf_1/testing.")
]
Portfolio = Annotated[str | None, typer.Option("--portfolio", help="Container id of the portfolio that is meant.")]
Plain = Annotated[bool, typer.Option("--plain", help="Print tab-separated text without colours or boxes.")]
