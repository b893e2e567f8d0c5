"""Words that a shell may offer while someone types a question to a trace. Refuses to know any shell.

Few and quick: a handful of small reads, however large the run.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from admf_cli.tracefile.discovery import PhaseTrace, discover, display
from admf_cli.traces.archive import Archive
from admf_cli.traces.target import last_trade

_NEWEST = 20
_TRADES = 50
_DIRECTORIES = 200


def run_directories(incomplete: str, trace_dir: Path) -> list[str]:
    """Return directories that begin so; to begin with, the runs below `trace_dir`, the newest first."""
    if not incomplete:
        runs = sorted(_folders(trace_dir), key=lambda path: path.stat().st_mtime, reverse=True)
        return [display(path) for path in runs[:_DIRECTORIES]]
    found = sorted(display(path) for path in _below(Path(incomplete)))
    wanted = incomplete.removeprefix("./")
    return [incomplete[: len(incomplete) - len(wanted)] + path for path in found if path.startswith(wanted)][
        :_DIRECTORIES
    ]


def phase_names(directory: Path) -> list[str]:
    """Return what `--phase` takes."""
    phases = discover(directory).phases
    several = len({phase.workflow_id for phase in phases}) > 1
    return [f"{one.workflow_id}/{one.phase_name}" if several else one.phase_name for one in phases]


def container_ids(directory: Path, kind: str | None = None) -> list[str]:
    """Return the containers' ids, of a kind or of all."""
    ids: dict[str, None] = {}
    for phase in discover(directory).phases:
        with Archive(phase) as archive:
            ids.update(dict.fromkeys(archive.containers(*([kind] if kind else []))))
    return list(ids)


def event_words(directory: Path, incomplete: str) -> list[str]:
    """Return what `explain` takes: event ids, trades, last-fill, as far as they begin so."""
    words: list[str] = []
    for phase in discover(directory).phases:
        words += _of_phase(phase, incomplete)
    return [word for word in dict.fromkeys(words) if word.startswith(incomplete)]


def _of_phase(phase: PhaseTrace, incomplete: str) -> Iterator[str]:
    container_id, mark, digits = incomplete.rpartition("#")
    with Archive(phase) as archive:
        if mark:
            if container_id in archive.containers():
                yield from (f"{container_id}#{number}" for number in _numbers(archive, container_id, digits))
            return
        yield "last-fill"
        yield from (f"{one}#" for one in archive.containers())
        portfolios = archive.containers("portfolio")
        if incomplete.startswith("trade:") and len(portfolios) == 1:
            last = last_trade(archive, portfolios)
            yield from (f"trade:{number}" for number in range(last, max(0, last - _TRADES), -1))
        elif portfolios:
            yield from ("trade:" if len(portfolios) == 1 else f"trade:{one}:" for one in portfolios)


def _numbers(archive: Archive, container_id: str, digits: str) -> Iterator[int]:
    """Return numbers of events that begin with these digits: itself and the next digit; without any, the newest."""
    first, last = archive.first(container_id), archive.last(container_id)
    if first is None or last is None:
        return
    if not digits:
        yield from range(last.number, max(first.number, last.number - _NEWEST) - 1, -1)
    elif digits.isascii() and digits.isdigit() and len(digits) < 18:
        start = int(digits)
        for number in (start, *range(start * 10, start * 10 + 10)):
            if first.number <= number <= last.number:
                yield number


def _below(path: Path) -> Iterator[Path]:
    yield from (one for one in _folders(path.parent) if one.name.startswith(path.name))
    yield from _folders(path)


def _folders(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for one in itertools.islice(path.iterdir(), 10_000):
            if one.is_dir() and not one.name.startswith("."):
                yield one
