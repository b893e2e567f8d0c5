"""The runs under a directory, each in a few small reads: when, what, how it ended, what came out. Reads no file whole.

A line holds no wall clock, so a run's date is that of its newest file. Refuses to know how the answer is shown.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from admf_cli.errors import StorageError
from admf_cli.tracefile.discovery import Discovery, PhaseTrace, discover_some, display
from admf_cli.tracefile.metafile import Meta
from admf_cli.tracefile.presence import is_held
from admf_cli.traces.archive import Archive
from admf_cli.traces.event import amount, kind_of

HEADLINES = ("total_return", "sharpe_ratio", "max_drawdown", "trades")


class RunSummary(Struct, frozen=True):
    """One workflow.

    Attributes:
        modified: of its newest file, seconds since 1970 UTC.
        status: that of its containers: the worst of "running", "never sealed", "damaged meta", "failed",
            "interrupted", "recovered", "complete".
        portfolios: over all phases.
        best: the portfolio whose figures `metrics` are, phase/portfolio: that with the highest total return of the
            last phase (the one that reaches furthest in simulated time) that reported any; None if none did.
        phases: in order of simulated time, as far as their seals tell it, then by name.
        metrics: of `HEADLINES`, None where undefined.
        size: bytes of all its trace files.
    """

    workflow_id: str
    path: str
    modified: float
    config_name: str | None
    status: str
    phases: tuple[str, ...]
    portfolios: int
    best: str | None
    metrics: dict[str, float | None]
    size: int


class Runs(Struct, frozen=True):
    """The runs found, newest first.

    Attributes:
        older: how many more there are than were asked for.
        foreign: directories whose `.jsonl` files are no traces.
        truncated: True if there was more than is looked at.
    """

    directory: str
    runs: tuple[RunSummary, ...]
    older: int
    foreign: tuple[str, ...]
    truncated: bool


_Best = tuple[str, dict[str, float | None]]  # a portfolio and its figures
_WORST_FIRST = ("never sealed", "damaged meta", "failed", "interrupted", "recovered", "complete")


def list_runs(directory: Path, limit: int | None = None) -> Runs:
    """Return the runs under a directory, or only the newest `limit` of them, which is all that is then opened.

    Raises:
        StorageError: there is no such directory, or no trace in it.
    """
    found = discover_some(directory)
    grouped = workflows(found)
    foreign = [path for path, phases in grouped.items() if _is_foreign(phases)]
    own = [(path, phases) for path, phases in grouped.items() if path not in foreign]
    own.sort(key=lambda one: (-last_written(one[1])[0], one[1][0].workflow_id))
    runs = tuple(_summary(path, phases) for path, phases in own[:limit])
    return Runs(display(directory), runs, len(own) - len(runs), tuple(map(display, foreign)), found.truncated)


def _is_foreign(phases: Sequence[PhaseTrace]) -> bool:
    """Return whether no file is named as a container's, sealed, or begins with an event."""
    for phase in phases:
        if any(one.has_meta or kind_of(one.container_id) for one in phase.containers):
            return False
        with Archive(phase) as archive, contextlib.suppress(StorageError):
            if any(archive.first(one.container_id) for one in phase.containers):
                return False
    return True


def workflows(found: Discovery) -> dict[Path, list[PhaseTrace]]:
    """Return the phases found by the directory of their workflow."""
    by_path: dict[Path, list[PhaseTrace]] = {}
    for phase in found.phases:
        by_path.setdefault(phase.path.absolute().parent, []).append(phase)
    return by_path


def last_written(phases: Sequence[PhaseTrace]) -> tuple[float, int]:
    """Return when the newest file of some phases was written, and how many bytes all have."""
    newest, size = 0.0, 0
    for phase in phases:
        for container in phase.containers:
            for there, path in ((container.has_lines, container.lines_path), (container.has_meta, container.meta_path)):
                with contextlib.suppress(OSError):
                    if there:
                        entry = path.lstat()
                        newest, size = max(newest, entry.st_mtime), size + entry.st_size
    return newest, size


def _summary(path: Path, phases: Sequence[PhaseTrace]) -> RunSummary:
    statuses: set[str] = set()
    config_name: str | None = None
    portfolios = 0
    read: list[tuple[tuple[str, str, str], _Best | None]] = []
    for phase in phases:
        with Archive(phase) as archive:
            metas = [meta for one in phase.containers if (meta := archive.meta(one.container_id))]
            statuses |= {_status(archive, one.container_id) for one in phase.containers}
            config_name = config_name or next((meta.config_name for meta in metas if meta.config_name), None)
            mine = archive.containers("portfolio")
            portfolios += len(mine)
            read.append(((*_reach(metas), phase.phase_name), _best(archive, mine)))
    read.sort(key=lambda one: one[0])
    best, metrics = next(
        ((f"{name}/{found[0]}", found[1]) for (_, _, name), found in reversed(read) if found is not None), (None, {})
    )
    modified, size = last_written(phases)
    running = is_held(path) is True
    return RunSummary(
        phases[0].workflow_id,
        display(path),
        modified,
        config_name,
        "running" if running else next((one for one in _WORST_FIRST if one in statuses), "damaged meta"),
        tuple(name for (_, _, name), _ in read),
        portfolios,
        best,
        metrics,
        size,
    )


def _reach(metas: Sequence[Meta]) -> tuple[str, str]:
    """Return when a phase's containers were at their last and at their first event; "" where no seal tells it.

    A walk forward's testing phase reaches as far as the next training phase, but begins later.
    """
    return (
        max((meta.last_timestamp or "" for meta in metas), default=""),
        min((meta.first_timestamp for meta in metas if meta.first_timestamp), default=""),
    )


def _status(archive: Archive, container_id: str) -> str:
    container = archive.phase.container(container_id)
    if container is not None and not container.has_meta:
        return "never sealed"
    meta = archive.meta(container_id)
    return meta.status if meta is not None and meta.status in _WORST_FIRST else "damaged meta"


def _best(archive: Archive, portfolios: Sequence[str]) -> _Best | None:
    best: _Best | None = None
    for portfolio in portfolios:
        with contextlib.suppress(StorageError):
            end = archive.last(portfolio)
            if end is None or end.event_type != "PHASE_END":
                continue
            reported = end.mapping("metrics")
            figures = {name: amount(reported, name) for name in HEADLINES}
            if reported and (best is None or _return(figures) > _return(best[1])):
                best = (portfolio, figures)
    return best


def _return(figures: dict[str, float | None]) -> float:
    value = figures["total_return"]
    return float("-inf") if value is None else value
