"""Keeps what reading tools write out of the traces they read. Refuses to know what is written."""

from __future__ import annotations

from pathlib import Path

from admf_cli.errors import ConfigError
from admf_cli.tracefile.discovery import display


def check_outside(output: Path, directory: Path) -> None:
    """Refuse an output that would lie within a directory of traces.

    Raises:
        ConfigError: it would.
    """
    place, traces = output.resolve(), directory.resolve()
    if place == traces or traces in place.parents:
        raise ConfigError(f"{display(output)} lies within {display(directory)}, which is only read: write elsewhere")
