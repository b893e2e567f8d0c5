"""`admf traces list`, `prune` and `repair`: which runs there are, may go, can be saved. Refuses to know how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from admf_cli.cli.options import AsJson
from admf_cli.cli.traces.options import Directory, Plain


def list_runs(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of workflows.")] = Path("traces"),
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="Only the newest so many.")] = None,
    as_json: AsJson = False,
    plain: Plain = False,
) -> None:
    """List runs, newest first: date, config, status, headline metrics and size."""
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.listing import show_runs
    from admf_cli.traces.render.screen import Screen
    from admf_cli.traces.runs import list_runs as ask

    answer = ask(directory, limit)
    if as_json:
        typer.echo(document(answer))
    else:
        show_runs(answer, Screen(plain=plain))


def prune(
    directory: Directory,
    keep: Annotated[
        int | None, typer.Option("--keep", metavar="N", min=0, help="Spare so many of the newest runs.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="Remove only older ones: 30d, 12h, 4w, or a date.")
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(
            "--max-size", metavar="SIZE", help="Remove only the oldest, until all are below this: 500MB, 2GB."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; remove nothing.")] = False,
    as_json: AsJson = False,
    plain: Plain = False,
) -> None:
    """Remove whole runs that are no longer wanted, and only what is recognisably a run's own traces."""
    from admf_cli.traces.prune import prune as ask
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.listing import show_pruning
    from admf_cli.traces.render.screen import Screen

    answer = ask(directory, keep=keep, older_than=older_than, max_size=max_size, dry_run=dry_run)
    if as_json:
        typer.echo(document(answer))
    else:
        show_pruning(answer, Screen(plain=plain))


def repair(
    directory: Directory,
    to: Annotated[Path, typer.Option("--to", metavar="DIR2", help="Where to write the copy.", show_default=False)],
    as_json: AsJson = False,
    plain: Plain = False,
) -> None:
    """Write a sound copy of a damaged run: torn and broken lines left out, meta files rebuilt, losses listed."""
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.repaired import show_repair
    from admf_cli.traces.render.screen import Screen
    from admf_cli.traces.repair import repair as ask

    answer = ask(directory, to)
    if as_json:
        typer.echo(document(answer))
    else:
        show_repair(answer, Screen(plain=plain))
