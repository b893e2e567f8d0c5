"""The equity at every bar as a run left it beside its traces. Refuses to know what it is compared with."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from admf_cli.errors import StorageError
from admf_cli.tracefile.discovery import PhaseTrace, display
from admf_cli.tracefile.reader import open_regular


def equity_file(results: Path, phase: PhaseTrace, portfolio: str) -> Path | None:
    """Return a portfolio's equity.csv below RESULTS_DIR or RESULTS_DIR/<workflow_id>, None if there is none."""
    for base in (results / phase.workflow_id, results):
        path = base / phase.phase_name / portfolio / "equity.csv"
        if path.is_file() and not path.is_symlink():
            return path
    return None


def read_equity(path: Path) -> Iterator[dict[str, float | None]]:
    """Yield each bar's row; a cell that is no number is None.

    Raises:
        StorageError: it can't be read, or is no such table.
    """
    try:
        with open(open_regular(path), encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield {key: _number(row.get(key)) for key in ("equity", "cash", "exposure")}
    except (OSError, ValueError, csv.Error) as error:
        raise StorageError(f"{display(path)}: cannot be read as a table: {error}") from error


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
