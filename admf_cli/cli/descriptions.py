"""How features and strategies are described on the screen. Refuses to know what they do."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from admf_cli.features.parameters import Parameter

_NARROWEST = 40


def print_wrapped(text: str, indent: int = 0) -> None:
    """Print a line; on a terminal folded to its width, what follows indented by so many columns."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    if width >= _NARROWEST and len(text) > width:
        text = textwrap.fill(text, width, subsequent_indent=" " * indent, break_on_hyphens=False)
    typer.echo(text)


def print_parameters(parameters: Sequence[Parameter]) -> None:
    """Print a line a parameter: name, default, what is allowed, what it means; with a heading if there are any."""
    from admf_cli.features.reference import yaml_value

    if parameters:
        typer.echo("\nparameters")
    widest = max((len(parameter.name) for parameter in parameters), default=0)
    for parameter in parameters:
        default = "required" if parameter.required else f"default {yaml_value(parameter)}"
        words = "; ".join(part for part in (default, parameter.range_text(), parameter.doc) if part)
        print_wrapped(f"  {parameter.name:<{widest}}  {words}", widest + 4)


def print_json(document: object) -> None:
    """Print one JSON document."""
    import json

    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def list_installed(group: str) -> None:
    """Print the names that installed packages add to a list, if any do."""
    from admf_cli.extensions import extension_names

    names = extension_names(group)
    if names:
        typer.echo("from installed packages")
    for name in names:
        typer.echo("  " + "".join(c for c in name if c.isprintable()))
