"""Arguments and options of the commands that take a configuration. Refuses to know what they lead to."""

from __future__ import annotations

from typing import Annotated

import typer

Config = Annotated[str, typer.Argument(metavar="CONFIG", help="YAML file, or - for standard input.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Override a value; repeatable, last wins.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
