"""The events of one phase, found where they lie: by id, by time, by what they answer. Nothing is read in full.

Refuses to know what is asked about them, and how answers are shown.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

import orjson
from msgspec import Struct

from admf_cli.errors import StorageError
from admf_cli.tracefile.discovery import PhaseTrace
from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.tracefile.lookup import Head, Key, Line, TraceLookup
from admf_cli.tracefile.metafile import Meta, Tally, read_meta
from admf_cli.traces.event import TracedEvent, as_event, kind_of
from admf_cli.traces.numbers import split_id

_OPEN_FILES = 64
_SEARCH_BYTES = 1 << 16


class Gone(Struct, frozen=True):
    """An event that is not on disk, and why as far as anyone can tell."""

    event_id: str
    why: str


class Archive:
    """One phase's files, opened when they are asked for. Use it in a `with` block.

    Raises:
        StorageError: from every method, when a file can't be read.
    """

    def __init__(self, phase: PhaseTrace) -> None:
        self.phase = phase
        self._lookups: dict[str, TraceLookup] = {}
        self._metas: dict[str, Meta | None] = {}

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lookup in self._lookups.values():
            lookup.close()
        self._lookups.clear()

    @property
    def name(self) -> str:
        """`workflow/phase`."""
        return f"{self.phase.workflow_id}/{self.phase.phase_name}"

    def containers(self, *kinds: str) -> list[str]:
        """Return the ids of the containers with lines, of these kinds or of all."""
        return [
            one.container_id
            for one in self.phase.containers
            if one.has_lines and (not kinds or self.kind(one.container_id) in kinds)
        ]

    def kind(self, container_id: str) -> str:
        """Return what kind of container an id names: by its name, else as its meta file says."""
        kind = kind_of(container_id)
        if kind:
            return kind
        meta = self.meta(container_id)
        return (meta.container_type or "") if meta else ""

    def meta(self, container_id: str) -> Meta | None:
        """Return a container's seal, or None if there is none that can be read."""
        if container_id not in self._metas:
            container = self.phase.container(container_id)
            self._metas[container_id] = None
            if container is not None and container.has_meta:
                # A damaged one is as good as none here; inspect and verify say what is wrong with it.
                with contextlib.suppress(StorageError):
                    self._metas[container_id] = read_meta(container.meta_path)
        return self._metas[container_id]

    def find(self, event_id: str) -> TracedEvent | Gone:
        """Return an event by its id, or why it isn't there."""
        parts = split_id(event_id)
        if parts is None:
            return Gone(event_id, "not an event id")
        lookup = self.lookup(parts[0])
        line = lookup.by_number(parts[1]) if lookup else None
        event = as_event(line.event()) if line else None
        return event if event is not None else Gone(event_id, self.why_gone(*parts))

    def why_gone(self, container_id: str, number: int) -> str:
        """Say why an event is not on disk."""
        lookup = self.lookup(container_id)
        if lookup is None:
            return f"{container_id} was not traced"
        first = next((head for line in lookup.lines_from(0) if (head := line.head())), None)
        last = next((head for line in lookup.lines_before(lookup.size) if (head := line.head())), None)
        meta = self.meta(container_id)
        total = meta.total if meta else None
        if meta is None or total is None:
            if first and number < first.number:
                return "not kept: before the oldest event on disk, in a trace that was never sealed"
            if last is None or number > last.number:
                return "lost: the trace was never sealed, and it had not been written when the run ended"
            return "missing from a trace that was never sealed"
        if number > total.published:
            return f"it never existed: {container_id} published {total.published:,} events"
        if total.dropped and (first is None or number < first.number):
            limit = meta.settings.get("max_events")
            setting = f" (max_events: {limit:,})" if isinstance(limit, int) else ""
            return f"dropped: only the newest events of {container_id} were kept{setting}"
        if total.filtered:
            return f"filtered out: its type was not recorded by {container_id}"
        return "missing from the file though nothing says it was dropped"

    def lookup(self, container_id: str) -> TraceLookup | None:
        """Return a container's file to look into, or None if it has no lines."""
        found = self._lookups.pop(container_id, None)
        if found is None:
            container = self.phase.container(container_id)
            if container is None or not container.has_lines:
                return None
            found = TraceLookup(container.lines_path)
            if len(self._lookups) >= _OPEN_FILES:
                self._lookups.pop(next(iter(self._lookups))).close()
        self._lookups[container_id] = found  # last in: the one used longest ago is closed first
        return found

    def from_key(self, container_id: str, key: Callable[[Head], Key], start: Key) -> Iterator[TracedEvent]:
        """Yield a container's events whose key (sequence, number or time) is at least `start`."""
        lookup = self.lookup(container_id)
        first = lookup.first_at(key, start) if lookup else None
        if lookup is None or first is None:
            return
        for line in lookup.lines_from(first.offset):
            event = as_event(line.event())
            if event is not None:
                yield event

    def before(self, container_id: str, offset: int | None, lines: int) -> Iterator[TracedEvent]:
        """Yield a container's events before a byte of its file (None: from its end), newest first, at most `lines`."""
        lookup = self.lookup(container_id)
        if lookup is None:
            return
        start = lookup.size if offset is None else offset
        for line in itertools.islice(lookup.lines_before(start), lines):
            event = as_event(line.event())
            if event is not None:
                yield event

    def in_bar(self, container_id: str, bar: int) -> Iterator[TracedEvent]:
        """Yield a container's events of one bar."""
        stop = (bar + 1) << BAR_SHIFT
        for event in self.from_key(container_id, lambda head: head.sequence, bar << BAR_SHIFT):
            if event.sequence >= stop:
                return
            yield event

    def containing(
        self, container_id: str, text: bytes, offset: int = 0, stop: int | None = None
    ) -> Iterator[TracedEvent]:
        """Yield a container's events, between two bytes of its file, in whose lines a text stands."""
        lookup = self.lookup(container_id)
        for line in lookup.containing(text, offset, stop) if lookup else ():
            event = as_event(line.event())
            if event is not None:
                yield event

    def naming(self, container_id: str, key: str, value: str, after: int) -> Iterator[TracedEvent]:
        """Yield a container's events from a sequence on that hold this text under this key, wherever in the line."""
        lookup = self.lookup(container_id)
        first = lookup.first_at(lambda head: head.sequence, after) if lookup else None
        if lookup is None or first is None:
            return
        text = orjson.dumps(key) + b":" + orjson.dumps(value)
        yield from self.containing(container_id, text, first.offset)

    def naming_until(
        self, container_ids: Sequence[str], key: str, value: str, after: int, last: Callable[[TracedEvent], bool]
    ) -> list[TracedEvent]:
        """Return what `naming` finds in several containers, up to the first event that is the `last`, by sequence.

        They are searched side by side, so it costs as much as that event is away, not the whole of a file in which
        nothing more is said.
        """
        text = orjson.dumps(key) + b":" + orjson.dumps(value)
        starts: dict[str, int] = {}
        for container_id in dict.fromkeys(container_ids):
            lookup = self.lookup(container_id)
            line = lookup.first_at(lambda head: head.sequence, after) if lookup else None
            if line is not None:
                starts[container_id] = line.offset
        found: dict[str, TracedEvent] = {}
        end, size = None, _SEARCH_BYTES
        while starts:
            for container_id, start in [*starts.items()]:
                lookup = self.lookup(container_id)
                stop = self._offset_after(lookup, end) if lookup else 0
                for event in self.containing(container_id, text, start, min(stop, start + size)):
                    found[event.event_id] = event
                    if last(event) and (end is None or event.sequence < end):
                        end = event.sequence
                starts[container_id] = start + size - len(text)  # a little back: it may lie across the edge
                if start + size >= stop:
                    del starts[container_id]
            size *= 2
        ordered = sorted(found.values(), key=lambda event: event.sequence)
        return [event for event in ordered if end is None or event.sequence <= end]

    @staticmethod
    def _offset_after(lookup: TraceLookup, sequence: int | None) -> int:
        line = lookup.first_at(lambda head: head.sequence, sequence + 1) if sequence is not None else None
        return line.offset if line else lookup.size

    def first(self, container_id: str) -> TracedEvent | None:
        """Return a container's first event on disk."""
        lookup = self.lookup(container_id)
        return _first_event(lookup.lines_from(0)) if lookup else None

    def last(self, container_id: str, event_type: str | None = None) -> TracedEvent | None:
        """Return a container's last event on disk, of a type or of any."""
        lookup = self.lookup(container_id)
        if lookup is None:
            return None
        lines = lookup.lines_before(lookup.size)
        if event_type is not None:
            meta = self.meta(container_id)
            if meta is not None and meta.events and not meta.events.get(event_type, Tally()).written:
                return None
            mark = b'"' + event_type.encode() + b'"'
            lines = (line for line in lines if mark in line.data)
        return _first_event(lines, event_type)

    def start(self, container_id: str) -> TracedEvent | None:
        """Return a container's PHASE_START, None if it was not kept."""
        event = self.first(container_id)
        return event if event is not None and event.event_type == "PHASE_START" else None


def _first_event(lines: Iterator[Line], event_type: str | None = None) -> TracedEvent | None:
    for line in lines:
        event = as_event(line.event())
        if event is not None and event_type in (None, event.event_type):
            return event
    return None
