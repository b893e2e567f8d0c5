"""How features and strategies are described on the screen. Refuses to know what they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from admf_cli.features.parameters import Parameter


def parameter_lines(parameters: Sequence[Parameter]) -> list[str]:
    """Return a line a parameter: name, default, what is allowed, what it means; with a heading if there are any."""
    from admf_cli.features.reference import yaml_value

    widest = max((len(parameter.name) for parameter in parameters), default=0)
    lines = ["", "parameters"] if parameters else []
    for parameter in parameters:
        default = "required" if parameter.required else f"default {yaml_value(parameter)}"
        words = "; ".join(part for part in (default, parameter.range_text(), parameter.doc) if part)
        lines.append(f"  {parameter.name:<{widest}}  {words}")
    return lines


def print_json(document: object) -> None:
    """Print one JSON document."""
    import json

    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
