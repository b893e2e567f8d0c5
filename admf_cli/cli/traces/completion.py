"""What the shell offers while someone types: runs, phases, containers, event ids. A fault offers nothing.

Refuses to know how the words are found.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer

_TRACE_DIR = Path("traces")  # the default of trace_settings.trace_dir


def directories(incomplete: str) -> list[str]:
    """Offer directories and runs."""
    from admf_cli.traces.suggestions import run_directories

    return _without_faults(lambda: run_directories(incomplete, _TRACE_DIR))


def events(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer event ids, trades and last-fill."""
    from admf_cli.traces.suggestions import event_words

    return _without_faults(lambda: event_words(_directory(ctx), incomplete))


def phases(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the directory's phases."""
    from admf_cli.traces.suggestions import phase_names

    return _beginning(incomplete, lambda: phase_names(_directory(ctx)))


def containers(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the directory's containers."""
    from admf_cli.traces.suggestions import container_ids

    return _beginning(incomplete, lambda: container_ids(_directory(ctx)))


def portfolios(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the directory's portfolios."""
    from admf_cli.traces.suggestions import container_ids

    return _beginning(incomplete, lambda: container_ids(_directory(ctx), "portfolio"))


def strategies(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the directory's strategies."""
    from admf_cli.traces.suggestions import container_ids

    return _beginning(incomplete, lambda: container_ids(_directory(ctx), "strategy"))


def event_types(incomplete: str) -> list[str]:
    """Offer the types of events."""
    from admf_cli.tracefile.format import EVENT_TYPES

    return [name for name in EVENT_TYPES if name.startswith(incomplete.upper())]


def _directory(ctx: typer.Context) -> Path:
    # While the value of an option is still missing, arguments are parsed but not yet given their names.
    return Path(str(ctx.params.get("directory") or ctx.args[0]))


def _beginning(incomplete: str, words: Callable[[], list[str]]) -> list[str]:
    return [word for word in _without_faults(words) if word.startswith(incomplete)]


def _without_faults(words: Callable[[], list[str]]) -> list[str]:
    from admf_cli.errors import AdmfError
    from admf_cli.traces.render.text import printable

    try:
        return [word for word in words() if printable(word) == word]
    except (AdmfError, OSError, IndexError, ValueError):
        return []
