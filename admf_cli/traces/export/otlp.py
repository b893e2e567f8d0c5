"""OpenTelemetry spans as JSON lines (OTLP), which collectors, Jaeger and Grafana Tempo take in.

A trade flow is a trace, an event a span, its cause the parent; an order's span lasts until the order's end. A cause of
another flow is a link, as a parent must be of the same trace. Ids are derived from names, so that exporting twice
gives the same bytes. Bars and features, which belong to no flow, stay out. Refuses to know where events lie.

Source: OTLP 1.x, JSON protobuf encoding: ids in hex, 64-bit integers as text, one TracesData a line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from admf_cli.tracefile.format import TERMINAL_ORDER_TYPES
from admf_cli.traces.archive import Archive
from admf_cli.traces.event import TracedEvent, kind_of
from admf_cli.traces.export.interface import Exported, Request
from admf_cli.traces.export.output import new_directory
from admf_cli.traces.moments import microseconds
from admf_cli.traces.numbers import split_id
from admf_cli.traces.render.text import json_line, json_text
from admf_cli.traces.selection import selected

MAX_FILE_BYTES = 20_000_000
_LINE_BYTES = 500_000
_OPEN_ORDERS = 100_000
_REMEMBERED = 200_000
_OUTSIDE = ("BAR", "FEATURE", "PHASE_START", "PHASE_END")
_INTERNAL, _ERROR = 1, 2
_MAX_DEPTH = 3

Span = dict[str, Any]


def export_otlp(request: Request, *, max_file_bytes: int = MAX_FILE_BYTES) -> Exported:
    """Write a directory of files, each below 20 MB."""
    with new_directory(request.output) as place:
        files = _Files(place, max_file_bytes)
        untimed = traces = 0
        try:
            for phase in request.phases:
                with Archive(phase) as archive:
                    spans = _Spans(archive)
                    for container_id, span in spans.of(request):
                        files.add(archive, container_id, span)
                    files.flush()
                    untimed += spans.untimed
                    traces += spans.begun
        finally:
            files.close()
    notes = (
        (f"{untimed:,} events without a time from 1970 to 2554 were left out: OTLP has no others",) if untimed else ()
    )
    return Exported(tuple(files.paths), {"spans": files.spans, "traces": traces}, notes)


class _Spans:
    def __init__(self, archive: Archive) -> None:
        self.untimed = self.begun = 0
        self._archive = archive
        self._flows: dict[str, str] = {}  # of the newest events
        self._open: dict[str, tuple[str, Span]] = {}

    def of(self, request: Request) -> Iterator[tuple[str, Span]]:
        for found in selected(self._archive, request.filters):
            event = found.event
            if event.event_type in _OUTSIDE and event.correlation_id is None:
                continue
            time = microseconds(event.timestamp)
            if time is None or not 0 <= time * 1000 < 1 << 64:
                self.untimed += 1
                continue
            span = self._span(event, str(time * 1000))
            if event.event_type == "ORDER":
                self._open[event.event_id] = event.container_id, span
                if len(self._open) > _OPEN_ORDERS:
                    yield self._open.pop(next(iter(self._open)))
                continue
            ended = self._open.get(event.text("order_id") or "") if _ends(event) else None
            if ended is not None:
                yield self._ended(event, ended, span["endTimeUnixNano"])
            yield event.container_id, span
        yield from self._open.values()
        self._open.clear()

    def _ended(self, event: TracedEvent, order: tuple[str, Span], time: str) -> tuple[str, Span]:
        self._open.pop(event.text("order_id") or "")
        order[1]["endTimeUnixNano"] = time
        order[1]["attributes"].append(_attribute("admf.ended_by", event.event_type))
        return order

    def _span(self, event: TracedEvent, time: str) -> Span:
        flow = self._flow(event)
        self.begun += flow == event.event_id
        what = event.text("action") or event.text("side")
        span: Span = {
            "traceId": self._trace_id(flow),
            "spanId": self._span_id(event.event_id),
            "name": " ".join(filter(None, (event.event_type, what, event.symbol))),
            "kind": _INTERNAL,
            "startTimeUnixNano": time,
            "endTimeUnixNano": time,
            "attributes": [*_attributes(event)],
        }
        cause = event.causation_id
        parts = split_id(cause) if cause else None
        if cause and parts and self._archive.kind(parts[0]) not in ("data", "features"):
            causing = self._flow_of(cause)
            if causing == flow:
                span["parentSpanId"] = self._span_id(cause)
            else:
                span["links"] = [{"traceId": self._trace_id(causing), "spanId": self._span_id(cause)}]
                order = event.text("order_id")
                if order and order != event.event_id and self._flow_of(order) == flow:
                    span["parentSpanId"] = self._span_id(order)
        if event.event_type in ("REJECT", "ERROR"):
            message = event.text("reason") or event.text("message") or ""
            span["status"] = {"code": _ERROR, "message": message}
        return span

    def _flow(self, event: TracedEvent, depth: int = 0) -> str:
        """Return what names an event's trade flow: its SIGNAL, else the first cause that is no bar."""
        flow = event.correlation_id or self._flows.get(event.event_id)
        if flow is None:
            cause = event.causation_id
            parts = split_id(cause) if cause else None
            rooted = cause is None or parts is None or self._archive.kind(parts[0]) in ("data", "features")
            flow = event.event_id if rooted or depth > 50 else self._flow_of(cause or "", depth + 1)
        self._flows[event.event_id] = flow
        if len(self._flows) > _REMEMBERED:
            self._flows.pop(next(iter(self._flows)))
        return flow

    def _flow_of(self, event_id: str, depth: int = 0) -> str:
        known = self._flows.get(event_id)
        if known is not None:
            return known
        event = self._archive.find(event_id)
        return self._flow(event, depth) if isinstance(event, TracedEvent) else event_id

    def _trace_id(self, flow: str) -> str:
        return hashlib.sha256(f"{self._archive.name}/{flow}".encode()).hexdigest()[:32]

    def _span_id(self, event_id: str) -> str:
        return hashlib.sha256(f"{self._archive.name}/{event_id}#span".encode()).hexdigest()[:16]


class _Files:
    """Lines of spans, gathered by container, in files that stay below a size."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self.paths: list[Path] = []
        self.spans = 0
        self._max_bytes = max_bytes
        self._line_bytes = min(_LINE_BYTES, max_bytes // 4)
        self._directory = directory
        self._file: BinaryIO | None = None
        self._written = 0
        self._waiting: dict[tuple[str, str, str], list[bytes]] = {}
        self._size = 0

    def add(self, archive: Archive, container_id: str, span: Span) -> None:
        text = json_line(orjson.dumps(span)).encode()
        self._waiting.setdefault((archive.phase.workflow_id, archive.phase.phase_name, container_id), []).append(text)
        self._size += len(text)
        self.spans += 1
        if self._size > self._line_bytes:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        groups = [_resource(*key) + b",".join(spans) + b"]}]}" for key, spans in self._waiting.items()]
        line = b'{"resourceSpans":[' + b",".join(groups) + b"]}\n"
        if self._file is None or self._written + len(line) > self._max_bytes:
            self.close()
            self.paths.append(self._directory / f"spans-{len(self.paths) + 1:05}.jsonl")
            self._file, self._written = self.paths[-1].open("xb"), 0
        self._file.write(line)
        self._written += len(line)
        self._waiting, self._size = {}, 0

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _resource(workflow_id: str, phase_name: str, container_id: str) -> bytes:
    attributes = [
        _attribute("service.name", container_id),
        _attribute("service.namespace", "admf"),
        _attribute("admf.workflow_id", workflow_id),
        _attribute("admf.phase_name", phase_name),
        _attribute("admf.container_kind", kind_of(container_id) or "unknown"),
    ]
    document = {"resource": {"attributes": attributes}, "scopeSpans": [{"scope": {"name": "admf"}, "spans": []}]}
    return json_line(orjson.dumps(document)).encode().removesuffix(b"]}]}")


def _ends(event: TracedEvent) -> bool:
    if event.event_type == "FILL":
        return not event.amount("remaining")
    return event.event_type in TERMINAL_ORDER_TYPES


def _attributes(event: TracedEvent) -> Iterator[dict[str, Any]]:
    yield _attribute("admf.event_id", event.event_id)
    yield _attribute("admf.event_type", event.event_type)
    yield _attribute("admf.sequence", event.sequence)
    if event.causation_id is not None:
        yield _attribute("admf.causation_id", event.causation_id)
    if event.symbol is not None:
        yield _attribute("admf.symbol", event.symbol)
    yield from _flat("admf.payload", event.payload, 0)


def _flat(prefix: str, mapping: Mapping[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    for key, value in mapping.items():
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            yield from _flat(f"{prefix}.{key}", value, depth + 1)
        elif value is not None:
            yield _attribute(f"{prefix}.{key}", value)


def _attribute(key: str, value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return {"key": key, "value": {"intValue": str(value)}}
    if isinstance(value, int | float):
        return {"key": key, "value": {"doubleValue": float(value)}}
    return {"key": key, "value": {"stringValue": value if isinstance(value, str) else json_text(value)}}
