"""Where only a container's newest events were kept: from when on, and in words. Refuses to know what the events say."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from admf_cli.tracefile.discovery import PhaseTrace
from admf_cli.traces.archive import Archive
from admf_cli.traces.event import TracedEvent


class Window(Struct, frozen=True):
    """What a container kept of its events.

    Attributes:
        first: its oldest event on disk, None if there is none.
        dropped: how many older ones there were, None in a trace that was never sealed.
        limit: its `max_events`, None if that is not known.
    """

    container_id: str
    first: TracedEvent | None
    dropped: int | None
    limit: int | None

    def lacks(self, sequence: int) -> bool:
        """Return whether an event of this sequence would not be on disk any more."""
        return self.first is None or sequence < self.first.sequence

    def lacks_time(self, timestamp: str) -> bool:
        """Return whether events before this time are not on disk any more."""
        return self.first is None or timestamp < self.first.timestamp

    def __str__(self) -> str:
        setting = "" if self.limit is None else f" (max_events: {self.limit:,})"
        dropped = "older events" if self.dropped is None else f"{self.dropped:,} older events"
        since = "none is left" if self.first is None else f"it has those from {_day(self.first.timestamp)} on"
        return f"{dropped} of {self.container_id} were dropped{setting}; {since}"


def window_of(archive: Archive, container_id: str) -> Window | None:
    """Return what a container kept, None if nothing was dropped before its oldest event on disk."""
    meta = archive.meta(container_id)
    total = meta.total if meta else None
    if total is not None and not total.dropped:
        return None
    first = archive.first(container_id)
    if total is None and (first is None or first.number == 1):
        return None
    limit = meta.settings.get("max_events") if meta else None
    known = limit if isinstance(limit, int) and not isinstance(limit, bool) else None
    return Window(container_id, first, total.dropped if total else None, known)


def windows_of(archive: Archive, container_ids: Iterable[str]) -> list[Window]:
    """Return those of several containers that dropped anything."""
    found = (window_of(archive, one) for one in dict.fromkeys(container_ids))
    return [one for one in found if one is not None]


def phases_cut(phases: Iterable[PhaseTrace]) -> list[str]:
    """Return the phases in which a container dropped events, as its seal says."""
    cut = []
    for phase in phases:
        with Archive(phase) as archive:
            metas = (archive.meta(one.container_id) for one in phase.containers)
            if any(meta is not None and meta.total is not None and meta.total.dropped for meta in metas):
                cut.append(archive.name)
    return cut


def _day(timestamp: str) -> str:
    date, _, clock = timestamp.removesuffix("Z").partition("T")
    return date if clock in ("", "00:00:00") else f"{date} {clock}"
