"""Records what one bus carries: counts it, bounds it, writes it, seals it. Refuses to know what the events mean."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from admf_cli.events.event import Event, EventBatch
from admf_cli.events.settings import TraceSettings
from admf_cli.tracefile.appending import Lines
from admf_cli.tracefile.encoder import as_mapping, encode_batch, encode_events
from admf_cli.tracefile.format import SCHEMA_VERSION, timestamp_text, trace_id, trace_path
from admf_cli.tracefile.writer import TraceFile

_PORTION: Final = 1000  # single events are counted, bounded and written in portions of so many
_BOUNDED_FLUSH_EVENTS: Final = 100_000  # a bounded trace waits: what is pushed out before it was written costs nothing
_WRITING_S: Final = 4e-6  # what an event costs, roughly, that is written and pushed out of the file afterwards
_CHECKPOINT_SHARE: Final = 0.01  # of the time, at most, a bounded trace writes what may yet be pushed out


class _Tally:
    """What became of one type's events."""

    __slots__ = ("dropped", "filtered", "first_dropped", "last_dropped", "published")

    def __init__(self) -> None:
        self.published = self.filtered = self.dropped = 0
        self.first_dropped: str | None = None
        self.last_dropped: str | None = None


class _Singles:
    """Single events by type and id, which is all that is asked of them once they are written."""

    __slots__ = ("ids", "types")

    def __init__(self, types: list[str], ids: list[str]) -> None:
        self.types = types
        self.ids = ids

    @classmethod
    def of(cls, events: Sequence[Event]) -> _Singles:
        return cls([event.event_type for event in events], [event.event_id for event in events])

    def __len__(self) -> int:
        return len(self.types)

    def part(self, start: int, stop: int) -> _Singles:
        return _Singles(self.types[start:stop], self.ids[start:stop])


class _Run:
    """Written events of one type, numbered consecutively."""

    __slots__ = ("event_type", "first_number", "rows")

    def __init__(self, event_type: str, first_number: int, rows: int) -> None:
        self.event_type = event_type
        self.first_number = first_number
        self.rows = rows

    def __len__(self) -> int:
        return self.rows

    def part(self, start: int, stop: int) -> _Run:
        return _Run(self.event_type, self.first_number + start, stop - start)


class Tracer:
    """The recorder of one container, in one phase.

    The newest `max_events` stay. They wait in memory as they were published and become text only when they are
    written, so an event that is pushed out before that has cost no formatting; what is pushed out afterwards is cut
    off the head of the file once enough of it has gathered.

    Args:
        settings: what to keep and where.
        identity: workflow_id, phase_name, container_id, container_type, mode and whatever else the meta is to say.
        provenance: returns what the meta is to say after that; asked for when a meta is written.
        now: seconds that never go back.
    """

    def __init__(
        self,
        settings: TraceSettings,
        identity: Mapping[str, Any],
        now: Callable[[], float] = time.monotonic,
        provenance: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self.settings = settings
        self.status = "open"
        self._identity = dict(identity)
        self._provenance = provenance
        self._container_id: str = identity["container_id"]
        self._allowed = settings.event_types
        self._capacity = settings.max_events
        self._flush_at = _PORTION if self._capacity is None else _BOUNDED_FLUSH_EVENTS
        self._fresh: list[Event] = []  # not counted yet, in order, after everything that is
        self._pending: deque[list[Event] | EventBatch] = deque()  # counted, within bounds, not written yet
        self._pending_count = 0
        self._on_disk: deque[_Singles | _Run] = deque()  # what is still wanted in the file
        self._on_disk_count = 0
        self._dead_lines = 0  # at the head of the file, pushed out, not cut off yet
        self._disk_is_old = False  # all on the disk was pushed out, and what came next never got there
        self._tallies: dict[str, _Tally] = {}
        self._first: tuple[str, int] | None = None
        self._last: tuple[str, int] | None = None
        self._now = now
        self._checkpoint_s = now()
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
        """Take one event; what becomes of it is settled for a portion at a time."""
        fresh = self._fresh
        fresh.append(event)
        if len(fresh) >= _PORTION:
            self._settle()

    def record_batch(self, batch: EventBatch) -> None:
        """Take many events of one type: the same as taking them one by one."""
        rows = len(batch)
        if not rows:
            return
        if self._fresh:
            self._settle()
        if self._admitted(batch.event_type, rows):
            last = batch.first_number + rows - 1
            self._note((f"{self._container_id}#{batch.first_number}", int(batch.time[0])))
            self._note((f"{self._container_id}#{last}", int(batch.time[-1])))
            self._take(batch)

    def keeps_all(self, event_type: str) -> bool:
        """Return whether every event of a type will be in its file."""
        is_wanted = self._allowed is None or event_type in self._allowed
        return is_wanted and self._capacity is None and self.file is not None

    def checkpoint(self) -> None:
        """Write what waits, now and then, so that a killed process leaves its newest events.

        A bounded trace puts it off while that would take more than a hundredth of the time, because most of what it
        writes is pushed out again: a few events wait for a moment, ten thousand for four seconds.
        """
        if self._capacity is None:
            self.flush()
            return
        waiting = min(self._pending_count + len(self._fresh), self._capacity)
        if waiting * _WRITING_S <= (self._now() - self._checkpoint_s) * _CHECKPOINT_SHARE:
            self.flush()
            self._checkpoint_s = self._now()

    def flush(self) -> None:
        """Write what waits."""
        self._settle()
        self._write_pending()
        if self.file is not None:
            self.file.wait()

    def sync(self) -> None:
        """Write the rest, cut the file to the newest `max_events`, and bring it to the disk."""
        if self.file is not None:
            self._finish_lines(self.file)
            self.file.sync()

    def write_meta(self) -> None:
        """Bring the seal of a complete trace to the disk, after `sync`; it holds from `complete` on."""
        if self.file is not None:
            self.file.write_meta(self._meta("complete", None))

    def complete(self) -> None:
        """Let the seal hold, and close the file."""
        if self.file is not None:
            self.file.name_meta()
            self.file.close()
        self.status = "complete"

    def seal(self, status: str, reason: str | None = None) -> None:
        """Write the rest, cut the file to the newest `max_events`, and close it with its meta file."""
        self.status = status
        if self.file is None:
            return
        try:
            self._finish_lines(self.file)
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
        self._settle()
        return tuple(
            as_mapping(event)
            for item in self._pending
            for event in (item.rows() if isinstance(item, EventBatch) else item)
        )

    def totals(self) -> dict[str, int]:
        """Return how many events were published, written, filtered and dropped; they add up."""
        self._settle()
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

    def _finish_lines(self, file: TraceFile) -> None:
        self.flush()
        if self._dead_lines:
            self._cut(file)

    def _note(self, event: tuple[str, int]) -> None:
        self._first = self._first or event
        self._last = event

    def _admitted(self, event_type: str, count: int) -> bool:
        """Count so many events of a type as published, and return whether they are recorded."""
        tally = self._tallies.get(event_type)
        if tally is None:
            tally = self._tallies[event_type] = _Tally()
        tally.published += count
        if self._allowed is None or event_type in self._allowed:
            return True
        tally.filtered += count
        return False

    def _settle(self) -> None:
        """Count the fresh events, leave out those of other types, and let the oldest be pushed out."""
        events = self._fresh
        if not events:
            return
        self._fresh = []
        wanted = {event_type for event_type, count in _counts(events).items() if self._admitted(event_type, count)}
        if self._allowed is not None:
            events = [event for event in events if event.event_type in wanted]
        if events:
            self._note((events[0].event_id, events[0].time))
            self._note((events[-1].event_id, events[-1].time))
            self._take(events)

    def _take(self, item: list[Event] | EventBatch) -> None:
        self._pending.append(item)
        self._pending_count += len(item)
        if self._capacity is not None:
            excess = self._on_disk_count + self._pending_count - self._capacity
            if excess > 0:
                self._push_out(excess)
        if self._pending_count >= self._flush_at:
            self._write_pending()

    def _push_out(self, excess: int) -> None:
        while excess > 0 and self._on_disk:
            written = self._on_disk.popleft()
            taken = min(excess, len(written))
            self._drop_first(written, taken)
            if taken < len(written):
                self._on_disk.appendleft(written.part(taken, len(written)))
            self._on_disk_count -= taken
            self._dead_lines += taken
            excess -= taken
        while excess > 0:
            item = self._pending.popleft()
            taken = min(excess, len(item))
            self._drop_first(item, taken)
            if taken < len(item):
                self._pending.appendleft(item.part(taken, len(item)) if isinstance(item, EventBatch) else item[taken:])
            self._pending_count -= taken
            excess -= taken
            self._disk_is_old = self._dead_lines > 0

    def _drop_first(self, item: _Singles | _Run | list[Event] | EventBatch, count: int) -> None:
        tallies = self._tallies
        if isinstance(item, list):
            for event in item[:count]:
                tally = tallies[event.event_type]
                tally.dropped += 1
                tally.last_dropped = event.event_id
                if tally.first_dropped is None:
                    tally.first_dropped = event.event_id
        elif isinstance(item, _Singles):
            for event_type, event_id in zip(item.types[:count], item.ids[:count], strict=True):
                tally = tallies[event_type]
                tally.dropped += 1
                tally.last_dropped = event_id
                if tally.first_dropped is None:
                    tally.first_dropped = event_id
        else:
            tally = tallies[item.event_type]
            tally.dropped += count
            tally.last_dropped = f"{self._container_id}#{item.first_number + count - 1}"
            if tally.first_dropped is None:
                tally.first_dropped = f"{self._container_id}#{item.first_number}"

    def _write_pending(self) -> None:
        file = self.file
        if file is None:
            return
        if self._capacity is None:  # nobody will ask what lies where
            while self._pending:
                item = self._pending.popleft()
                self._pending_count -= len(item)
                if isinstance(item, EventBatch):
                    file.append_rows(item)
                else:
                    file.append(encode_events(item))
            return
        if self._disk_is_old:
            # Appended, the newest would follow lines that they do not follow, for whoever reads this after a kill.
            file.replace(self._written())
            self._disk_is_old, self._dead_lines = False, 0
            return
        for lines in self._written():
            file.append(lines)
        if self._dead_lines >= max(self._capacity, _PORTION):
            self._cut(file)

    def _written(self) -> Iterator[Lines]:
        """Yield the lines of what waits, which counts as on disk from then on."""
        while self._pending:
            item = self._pending.popleft()
            self._pending_count -= len(item)
            self._on_disk_count += len(item)
            self._on_disk.append(
                _Run(item.event_type, item.first_number, len(item))
                if isinstance(item, EventBatch)
                else _Singles.of(item)
            )
            if isinstance(item, EventBatch):
                yield from encode_batch(item)
            else:
                yield encode_events(item)

    def _cut(self, file: TraceFile) -> None:
        file.drop_first(self._dead_lines)
        self._dead_lines = 0

    def _meta(self, status: str, reason: str | None) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "trace_id": self.trace_id,
            **self._identity,
            **self._provenance(),
            "status": status,
            "reason": reason,
            "settings": self.settings.as_mapping(),
            "events": {
                event_type: {
                    "published": tally.published,
                    "written": tally.published - tally.filtered - tally.dropped,
                    "filtered": tally.filtered,
                    "dropped": tally.dropped,
                    "first_dropped": tally.first_dropped,
                    "last_dropped": tally.last_dropped,
                }
                for event_type, tally in sorted(self._tallies.items())
            },
            "total": self.totals(),
            "first_event": self._first[0] if self._first else None,
            "last_event": self._last[0] if self._last else None,
            "first_timestamp": timestamp_text(self._first[1]) if self._first else None,
            "last_timestamp": timestamp_text(self._last[1]) if self._last else None,
        }


def _counts(events: Sequence[Event]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for event in events:
        event_type = event.event_type
        if event_type in counts:
            counts[event_type] += 1
        else:
            counts[event_type] = 1
    return counts
