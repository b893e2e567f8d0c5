"""The events of a run in progress as they reach the disk, until the run is over. Refuses to know how to wait.

Containers write in portions of their own, so events come in order within a portion, not over all of them.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from admf_cli.tracefile.discovery import PhaseTrace, discover
from admf_cli.tracefile.presence import is_held
from admf_cli.traces.archive import Archive
from admf_cli.traces.selection import following, newest, wanted_containers
from admf_cli.traces.show import Selection, Shown
from admf_cli.traces.target import named


def follow(directory: Path, phase: str | None, selection: Selection, wait: Callable[[], object]) -> Iterator[Shown]:
    """Yield what is there (or the newest `last` of it), then what comes, until nobody writes any more.

    Args:
        phase: only that one; None for all, also those that begin later.
        wait: called whenever everything on disk has been handed over.

    Raises:
        StorageError: the directory or a file can't be read.
    """
    return itertools.islice(_rounds(directory, phase, selection, wait), selection.limit)


def _rounds(directory: Path, phase: str | None, selection: Selection, wait: Callable[[], object]) -> Iterator[Shown]:
    seen: dict[tuple[Path, str], int] = {}
    last = selection.last
    while True:
        phases = named(discover(directory).phases, phase)
        going_on = _goes_on(directory, phases)  # asked first: what is written before the end is then still read
        for one in phases:
            with Archive(one) as archive:
                yield from _new(archive, selection, seen, last)
        if phases:
            last = None
        if not going_on:
            return
        wait()


def _new(
    archive: Archive, selection: Selection, seen: dict[tuple[Path, str], int], last: int | None
) -> Iterator[Shown]:
    filters, phase = selection.filters, archive.phase
    ends = {one: _last_number(archive, one) for one in wanted_containers(archive, filters)}
    if last is not None:
        events = iter(newest(archive, filters, last))
    else:
        streams = [following(archive, one, filters, seen.get((phase.path, one), 0)) for one in ends]
        events = heapq.merge(*streams, key=lambda found: found.event.sequence)
    for found in events:
        if found.event.number <= ends[found.event.container_id]:  # what was written meanwhile comes in the next round
            yield Shown(phase, found)
    seen.update({(phase.path, one): number for one, number in ends.items()})


def _last_number(archive: Archive, container_id: str) -> int:
    event = archive.last(container_id)
    return event.number if event else 0


def _goes_on(directory: Path, phases: tuple[PhaseTrace, ...]) -> bool:
    """Return whether a run holds one of the directories; where nobody can tell, whether something is not sealed."""
    answers = [is_held(place) for place in {directory, *(phase.path.parent for phase in phases)}]
    if None not in answers:
        return True in answers
    return not phases or any(not one.has_meta for phase in phases for one in phase.containers)
