"""The wanted events of one phase in the order of the run: its containers' files merged by sequence.

Where a span of time begins is found by bisection, so the first or the last few events of millions cost a few small
reads. Refuses to know how they are shown.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator

from msgspec import Struct

from admf_cli.tracefile.lookup import Line, TraceLookup
from admf_cli.traces.archive import Archive
from admf_cli.traces.event import TracedEvent, as_event
from admf_cli.traces.filters import Filters

_LINES_AT_ONCE = 128


class Found(Struct, frozen=True):
    """An event, and its line as it stands on disk, with whatever this version knows nothing of."""

    event: TracedEvent
    line: bytes


def wanted_containers(archive: Archive, filters: Filters) -> list[str]:
    """Return the containers in which wanted events can lie."""
    return [one for one in archive.containers() if filters.wants(one) and _may_hold(archive, one, filters)]


def selected(archive: Archive, filters: Filters) -> Iterator[Found]:
    """Yield the wanted events, oldest first."""
    streams = [_forwards(archive, one, filters) for one in wanted_containers(archive, filters)]
    return heapq.merge(*streams, key=_sequence)


def newest(archive: Archive, filters: Filters, count: int) -> list[Found]:
    """Return the last `count` wanted events, oldest first."""
    streams = [_backwards(archive, one, filters) for one in wanted_containers(archive, filters)]
    return [*itertools.islice(heapq.merge(*streams, key=_sequence, reverse=True), count)][::-1]


def following(archive: Archive, container_id: str, filters: Filters, number: int) -> Iterator[Found]:
    """Yield a container's wanted events after the one of that number, oldest first."""
    lookup = archive.lookup(container_id)
    line = lookup.first_at(lambda head: head.number, number + 1) if lookup else None
    return _wanted(_lines(archive, container_id, line.offset if line else None, None), filters)


def _sequence(found: Found) -> int:
    return found.event.sequence


def _may_hold(archive: Archive, container_id: str, filters: Filters) -> bool:
    """Return False if the seal says that a container wrote none of the wanted types."""
    meta = archive.meta(container_id) if filters.types else None
    if meta is None or not meta.events:
        return True
    return any(tally.written for name, tally in meta.events.items() if name in filters.types)


def _forwards(archive: Archive, container_id: str, filters: Filters) -> Iterator[Found]:
    lookup = archive.lookup(container_id)
    start = 0 if lookup else None
    if lookup and filters.first is not None:
        line = lookup.first_at(lambda head: head.time, filters.first)
        start = line.offset if line else None
    elif lookup and filters.correlation is not None:
        begun = archive.find(filters.correlation)  # nothing of a flow lies before the event that began it
        if isinstance(begun, TracedEvent):
            line = lookup.first_at(lambda head: head.sequence, begun.sequence)
            start = line.offset if line else None
    return _wanted(_lines(archive, container_id, start, filters.needle), filters)


def _backwards(archive: Archive, container_id: str, filters: Filters) -> Iterator[Found]:
    lookup = archive.lookup(container_id)
    line = lookup.first_at(lambda head: head.time, filters.stop) if lookup and filters.stop is not None else None
    offset = line.offset if line else lookup.size if lookup else None
    return _wanted(_lines_backwards(archive, container_id, offset), filters)


def _wanted(lines: Iterator[Line], filters: Filters) -> Iterator[Found]:
    first, stop, types = filters.first, filters.stop, filters.types
    for line in lines:
        head = line.head()
        if head is None:
            continue
        if not _within(head.time, first, stop):
            return  # read forwards it is past the end, read backwards before the start
        if types and head.event_type not in types:
            continue
        event = as_event(line.event())
        if event is not None and filters.admits(event):
            yield Found(event, line.data)


def _within(time: str, first: str | None, stop: str | None) -> bool:
    return (first is None or time >= first) and (stop is None or time < stop)


# Hundreds of files can be merged at once, more than may be open, so none is held: each portion asks for its file anew.


def _lines(archive: Archive, container_id: str, offset: int | None, needle: bytes | None) -> Iterator[Line]:
    def read(lookup: TraceLookup, start: int) -> Iterator[Line]:
        return lookup.lines_from(start) if needle is None else lookup.containing(needle, start)

    return _portions(archive, container_id, offset, read, lambda line: line.end)


def _lines_backwards(archive: Archive, container_id: str, offset: int | None) -> Iterator[Line]:
    return _portions(archive, container_id, offset, TraceLookup.lines_before, lambda line: line.offset)


def _portions(
    archive: Archive,
    container_id: str,
    offset: int | None,
    read: Callable[[TraceLookup, int], Iterator[Line]],
    onwards: Callable[[Line], int],
) -> Iterator[Line]:
    while offset is not None:
        lookup = archive.lookup(container_id)
        portion = [*itertools.islice(read(lookup, offset), _LINES_AT_ONCE)] if lookup else []
        yield from portion
        offset = onwards(portion[-1]) if portion else None
