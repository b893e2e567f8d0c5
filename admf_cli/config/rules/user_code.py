"""Strategies in Python: the file is there, is Python, and has the class. Reads it; executes nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from admf_cli.config.rules.ground import Ground
from admf_cli.errors import Fault
from admf_cli.strategies.python_code import TYPE


def user_code_faults(ground: Ground, directory: Path | None) -> Iterator[Fault]:
    """Yield the faults of the strategies' `path`."""
    from admf_cli.python_strategies.source import SourceError, read_source

    for index, strategy in ground.items("strategies"):
        path, kind = strategy.get("path"), strategy.get("type")
        if not isinstance(kind, str):
            continue
        if kind != TYPE:
            if isinstance(path, str):
                remedy = f"remove it, or write type: {TYPE}"
                rule = f"has no meaning with type: {kind}"
                yield ground.at("strategies", index, "path", rule=rule, remedy=remedy, key=True)
            continue
        if path is None:
            rule, remedy = f"is required with type: {TYPE}", "write path: my_strategies.py:Breakout"
            yield ground.at("strategies", index, "path", rule=rule, remedy=remedy, value=False)
        elif isinstance(path, str):
            try:
                read_source(path, directory)
            except SourceError as error:
                yield ground.at("strategies", index, "path", rule=str(error), value=False)
