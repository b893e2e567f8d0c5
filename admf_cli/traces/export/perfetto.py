"""Chrome's trace event format, as Perfetto (ui.perfetto.dev) and chrome://tracing read it.

Containers are processes, symbols their threads, events slices, causes flow arrows, equity and positions counters.
Events of one bar share its time in the order in which they happened, each a part of the bar's length, so that arrows
lead from left to right. Refuses to know where events lie.

Source: the Trace Event Format document (ph X, s, f, C, M; ts and dur in microseconds).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import orjson

from admf_cli.traces.archive import Archive
from admf_cli.traces.event import BOOKING_TYPES, TracedEvent
from admf_cli.traces.export.formats import TimeAxis
from admf_cli.traces.export.interface import Exported, Request
from admf_cli.traces.export.output import write_export
from admf_cli.traces.moments import microseconds
from admf_cli.traces.render.text import json_line, json_text
from admf_cli.traces.selection import selected

_DENSE = ("BAR", "FEATURE")  # they cause nothing beyond their bar
_REMEMBERED = 200_000
_SECOND = 1_000_000

Slot = tuple[TracedEvent, int, int]


def export_perfetto(request: Request) -> Exported:
    """Write one JSON file."""
    story = _Story(request)
    write_export(request.output, story.blocks())
    notes = []
    if story.untimed:
        notes.append(f"{story.untimed:,} events without a readable time were left out")
    if story.missing:
        notes.append(f"{story.missing:,} arrows are missing: their causes were not exported, or lie too far back")
    return Exported((request.output,), {"events": story.events, "arrows": story.arrows}, tuple(notes))


class _Story:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.events = self.arrows = self.untimed = self.missing = 0
        self._tracks = _Tracks(several=len(request.phases) > 1)
        self._recent: dict[str, tuple[int, int, int]] = {}
        self._of_bar: dict[str, tuple[int, int, int]] = {}
        self._bar = -1

    def blocks(self) -> Iterator[bytes]:
        yield b'{"displayTimeUnit":"ms","otherData":{"source":"admf","time":"' + self.request.time.encode()
        yield b'"},"traceEvents":[\n'
        between = b""
        for record in self._records():
            yield between + json_line(orjson.dumps(record)).encode()
            between = b",\n"
        yield b"\n]}\n"

    def _records(self) -> Iterator[dict[str, Any]]:
        base = 0 if self.request.time is TimeAxis.sequence else _first_time(self.request)
        for phase in self.request.phases:
            self._recent.clear()
            with Archive(phase) as archive:
                events = (found.event for found in selected(archive, self.request.filters))
                for event, start, length in self._slots(events):
                    yield from self._of(archive, event, start - base, length)

    def _slots(self, events: Iterable[TracedEvent]) -> Iterator[Slot]:
        if self.request.time is TimeAxis.sequence:
            return ((event, place, 1) for place, event in enumerate(events, self.events))
        return self._at_sim_time(events)

    def _at_sim_time(self, events: Iterable[TracedEvent]) -> Iterator[Slot]:
        shortest: int | None = None
        waiting: list[TracedEvent] = []
        start = 0
        for _, group in groupby(events, key=lambda event: event.bar):
            of_bar = [*group]
            time = microseconds(of_bar[0].timestamp)
            if time is None:
                self.untimed += len(of_bar)
                continue
            if waiting:
                gap = time - start
                shortest = gap if shortest is None or 0 < gap < shortest else shortest
                yield from _shared(waiting, start, min(gap, shortest))
            waiting, start = of_bar, time
        yield from _shared(waiting, start, shortest or _SECOND)

    def _of(self, archive: Archive, event: TracedEvent, start: int, length: int) -> Iterator[dict[str, Any]]:
        pid, tid, named = self._tracks.of(archive, event)
        yield from named
        self.events += 1
        place = (start, pid, tid)
        where = {"ts": start, "pid": pid, "tid": tid}
        links = {"event_id": event.event_id, "timestamp": event.timestamp, "sequence": event.sequence}
        links |= {"causation_id": event.causation_id, "correlation_id": event.correlation_id}
        args = {**links, **_shallow(event.payload)}
        yield {"name": _name(event), "cat": event.event_type, "ph": "X", **where, "dur": length, "args": args}
        yield from self._arrow(event, place)
        yield from _counters(event, pid, start)
        self._remember(event, place)

    def _arrow(self, event: TracedEvent, place: tuple[int, int, int]) -> Iterator[dict[str, Any]]:
        if event.causation_id is None:
            return
        cause = self._recent.get(event.causation_id)
        if cause is None and event.bar == self._bar:
            cause = self._of_bar.get(event.causation_id)
        if cause is None:
            self.missing += 1
            return
        self.arrows += 1
        for mark, (start, pid, tid) in (({"ph": "s"}, cause), ({"ph": "f", "bp": "e"}, place)):
            yield {"name": "cause", "cat": "cause", **mark, "id": self.arrows, "ts": start, "pid": pid, "tid": tid}

    def _remember(self, event: TracedEvent, place: tuple[int, int, int]) -> None:
        if event.event_type in _DENSE:
            if event.bar != self._bar:
                self._bar = event.bar
                self._of_bar.clear()
            self._of_bar[event.event_id] = place
            return
        self._recent[event.event_id] = place
        if len(self._recent) > _REMEMBERED:
            self._recent.pop(next(iter(self._recent)))


class _Tracks:
    """Numbers of processes and threads, given when they are first needed, with the records that name them."""

    def __init__(self, *, several: bool) -> None:
        self._several = several
        self._processes: dict[tuple[str, str], int] = {}
        self._threads: dict[tuple[int, str | None], int] = {}

    def of(self, archive: Archive, event: TracedEvent) -> tuple[int, int, list[dict[str, Any]]]:
        named: list[dict[str, Any]] = []
        key = archive.name, event.container_id
        pid = self._processes.get(key)
        if pid is None:
            pid = self._processes[key] = len(self._processes) + 1
            name = f"{archive.name} {event.container_id}" if self._several else event.container_id
            named.append(_naming("process_name", pid, 0, name))
            named.append({**_naming("process_sort_index", pid, 0, ""), "args": {"sort_index": pid}})
        tid = self._threads.get((pid, event.symbol))
        if tid is None:
            tid = self._threads[pid, event.symbol] = len(self._threads) + 1
            named.append(_naming("thread_name", pid, tid, event.symbol or "the run"))
        return pid, tid, named


def _naming(what: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": pid, "tid": tid, "args": {"name": name}}


def _shared(events: list[TracedEvent], start: int, length: int) -> Iterator[Slot]:
    part = max(1, length // max(1, len(events)))
    for place, event in enumerate(events):
        yield event, start + place * part, part


def _counters(event: TracedEvent, pid: int, start: int) -> Iterator[dict[str, Any]]:
    def counter(name: str, value: float) -> dict[str, Any]:
        return {"name": name, "ph": "C", "ts": start, "pid": pid, "args": {"value": value}}

    if event.event_type == "PORTFOLIO_UPDATE":
        for name in ("equity", "cash", "exposure"):
            value = event.amount(name)
            if value is not None:
                yield counter(name, value)
    elif event.event_type in BOOKING_TYPES:
        quantity = event.amount("quantity")
        if quantity is not None:
            yield counter(f"position {event.symbol}", quantity)


def _name(event: TracedEvent) -> str:
    words = (event.text(key) for key in ("action", "side", "purpose", "reason", "rule"))
    return " ".join([event.event_type, *(word for word in words if word)][:3])


def _shallow(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload whose nested values are text, as viewers show two levels and parsers bound the depth."""
    return {key: json_text(value) if isinstance(value, dict | list) else value for key, value in payload.items()}


def _first_time(request: Request) -> int:
    times = []
    for phase in request.phases:
        with Archive(phase) as archive:
            every = (microseconds(found.event.timestamp) for found in selected(archive, request.filters))
            times.append(next((time for time in every if time is not None), 0))
    return min(times, default=0)
