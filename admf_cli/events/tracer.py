"""Records what one bus carries: counts it, bounds it, writes it, seals it. Refuses to know what the events mean."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from admf_cli.events.event import Event, EventBatch
from admf_cli.events.settings import TraceSettings
from admf_cli.tracefile.encoder import as_mapping, encode_batch, encode_event
from admf_cli.tracefile.format import SCHEMA_VERSION, timestamp_text, trace_id, trace_path
from admf_cli.tracefile.writer import TraceFile

_FLUSH_EVENTS = 1000  # an unbounded trace goes to disk in portions of so many events
_BOUNDED_FLUSH_EVENTS = 100_000  # a bounded one waits: what is pushed out before it was written costs nothing


class _Tally:
    """What became of one type's events."""

    __slots__ = ("dropped", "filtered", "first_dropped", "last_dropped", "published")

    def __init__(self) -> None:
        self.published = self.filtered = self.dropped = 0
        self.first_dropped: int | None = None
        self.last_dropped: int | None = None


class Tracer:
    """The recorder of one container, in one phase.

    The newest `max_events` stay. They wait in memory as they were published and become text only when they are
    written, so an event that is pushed out before that has cost no formatting; what is pushed out afterwards is cut
    off the head of the file once enough of it has gathered.

    Args:
        settings: what to keep and where.
        identity: workflow_id, phase_name, container_id, container_type, mode and whatever else the meta is to say.
    """

    def __init__(self, settings: TraceSettings, identity: Mapping[str, Any]) -> None:
        self.settings = settings
        self.status = "open"
        self._identity = dict(identity)
        self._container_id: str = identity["container_id"]
        self._allowed = settings.event_types
        self._capacity = settings.max_events
        self._flush_at = _FLUSH_EVENTS if self._capacity is None else _BOUNDED_FLUSH_EVENTS
        self._pending: deque[Event | EventBatch] = deque()
        self._pending_count = 0
        self._on_disk: deque[list[Any]] = deque()  # runs of [event type, first number, count] still wanted in the file
        self._on_disk_count = 0
        self._dead_lines = 0  # at the head of the file, pushed out, not cut off yet
        self._tallies: dict[str, _Tally] = {}
        self._first: tuple[str, int] | None = None
        self._last: tuple[str, int] | None = None
        self.file: TraceFile | None = None
        if settings.trace_dir is not None:
            path = trace_path(
                settings.trace_dir, identity["workflow_id"], identity["phase_name"], identity["container_id"]
            )
            self.file = TraceFile(path)

    @property
    def trace_id(self) -> str:
        """`<workflow_id>_<container_id>`."""
        return trace_id(self._identity["workflow_id"], self._container_id)

    def record(self, event: Event) -> None:
        """Take one event."""
        tally = self._tallies.get(event.event_type)
        if tally is None:
            tally = self._tallies[event.event_type] = _Tally()
        tally.published += 1
        if self._allowed is not None and event.event_type not in self._allowed:
            tally.filtered += 1
            return
        self._pending.append(event)
        self._pending_count += 1
        self._note(event.event_id, event.time, event.event_id, event.time)
        self._settle()

    def record_batch(self, batch: EventBatch) -> None:
        """Take many events of one type: the same as taking them one by one."""
        rows = len(batch)
        if not rows:
            return
        tally = self._tallies.setdefault(batch.event_type, _Tally())
        tally.published += rows
        if self._allowed is not None and batch.event_type not in self._allowed:
            tally.filtered += rows
            return
        self._pending.append(batch)
        self._pending_count += rows
        last = batch.first_number + rows - 1
        self._note(
            f"{self._container_id}#{batch.first_number}",
            int(batch.time[0]),
            f"{self._container_id}#{last}",
            int(batch.time[-1]),
        )
        self._settle()

    def flush(self) -> None:
        """Write what waits; called by size, by time and at the end."""
        if self.file is None or not self._pending:
            return
        while self._pending:
            item = self._pending[0]
            if isinstance(item, Event):
                self.file.append(self._take_singles())
            else:
                self._pending.popleft()
                self._wrote(item.event_type, item.first_number, len(item))
                for lines in encode_batch(item):
                    self.file.append(lines)
        if self._capacity is not None and self._dead_lines >= max(self._capacity, _FLUSH_EVENTS):
            self._cut()

    def seal(self, status: str, reason: str | None = None) -> None:
        """Write the rest, cut the file to the newest `max_events`, and close it with its meta file."""
        self.status = status
        if self.file is None:
            return
        try:
            self.flush()
            if self._dead_lines:
                self._cut()
            self.file.seal(self._meta(status, reason))
        finally:
            self.file.close()

    def abandon(self) -> None:
        """Close the file without a meta: the disk refused, so nothing more can be promised."""
        self.status = "unsealed"
        if self.file is not None:
            self.file.close()

    def events(self) -> tuple[dict[str, Any], ...]:
        """Return the events kept in memory, oldest first, as the mappings their lines would read back to."""
        rows: list[dict[str, Any]] = []
        for item in self._pending:
            rows.extend(as_mapping(event) for event in ([item] if isinstance(item, Event) else item.rows()))
        return tuple(rows)

    def totals(self) -> dict[str, int]:
        """Return how many events were published, written, filtered and dropped; they add up."""
        tallies = self._tallies.values()
        published = sum(tally.published for tally in tallies)
        filtered = sum(tally.filtered for tally in tallies)
        dropped = sum(tally.dropped for tally in tallies)
        return {
            "published": published,
            "written": published - filtered - dropped,
            "filtered": filtered,
            "dropped": dropped,
        }

    def _note(self, first_id: str, first_time: int, last_id: str, last_time: int) -> None:
        if self._first is None:
            self._first = (first_id, first_time)
        self._last = (last_id, last_time)

    def _settle(self) -> None:
        if self._capacity is not None:
            excess = self._on_disk_count + self._pending_count - self._capacity
            if excess > 0:
                self._push_out(excess)
        if self._pending_count >= self._flush_at:
            self.flush()

    def _push_out(self, excess: int) -> None:
        while excess > 0 and self._on_disk:
            run = self._on_disk[0]
            taken = min(excess, run[2])
            self._drop(run[0], run[1], taken)
            run[1] += taken
            run[2] -= taken
            if not run[2]:
                self._on_disk.popleft()
            self._on_disk_count -= taken
            self._dead_lines += taken
            excess -= taken
        while excess > 0:
            item = self._pending[0]
            if isinstance(item, Event):
                taken = 1
                self._pending.popleft()
                self._drop(item.event_type, _number(item), 1)
            else:
                taken = min(excess, len(item))
                self._drop(item.event_type, item.first_number, taken)
                if taken == len(item):
                    self._pending.popleft()
                else:
                    self._pending[0] = item.part(taken, len(item))
            self._pending_count -= taken
            excess -= taken

    def _drop(self, event_type: str, first: int, count: int) -> None:
        tally = self._tallies[event_type]
        tally.dropped += count
        if tally.first_dropped is None:
            tally.first_dropped = first
        tally.last_dropped = first + count - 1

    def _take_singles(self) -> bytes:
        lines = []
        while self._pending and isinstance(item := self._pending[0], Event):
            self._pending.popleft()
            lines.append(encode_event(item))
            self._wrote(item.event_type, _number(item) if self._capacity is not None else 0, 1)
        return b"".join(lines)

    def _wrote(self, event_type: str, first: int, count: int) -> None:
        self._pending_count -= count
        self._on_disk_count += count
        if self._capacity is None:
            return  # nothing will ever be pushed out, so nobody will ask which types lie where
        if self._on_disk:
            run = self._on_disk[-1]
            if run[0] == event_type and run[1] + run[2] == first:
                run[2] += count
                return
        self._on_disk.append([event_type, first, count])

    def _cut(self) -> None:
        assert self.file is not None
        self.file.drop_first(self._dead_lines)
        self._dead_lines = 0

    def _meta(self, status: str, reason: str | None) -> dict[str, Any]:
        def name(number: int | None) -> str | None:
            return None if number is None else f"{self._container_id}#{number}"

        return {
            "schema_version": SCHEMA_VERSION,
            "trace_id": self.trace_id,
            **self._identity,
            "status": status,
            "reason": reason,
            "settings": self.settings.as_mapping(),
            "events": {
                event_type: {
                    "published": tally.published,
                    "written": tally.published - tally.filtered - tally.dropped,
                    "filtered": tally.filtered,
                    "dropped": tally.dropped,
                    "first_dropped": name(tally.first_dropped),
                    "last_dropped": name(tally.last_dropped),
                }
                for event_type, tally in sorted(self._tallies.items())
            },
            "total": self.totals(),
            "first_event": self._first[0] if self._first else None,
            "last_event": self._last[0] if self._last else None,
            "first_timestamp": timestamp_text(self._first[1]) if self._first else None,
            "last_timestamp": timestamp_text(self._last[1]) if self._last else None,
        }


def _number(event: Event) -> int:
    return int(event.event_id.rpartition("#")[2])
