"""A sound copy of a damaged run: what is whole is kept as it stands, meta files are rebuilt, what was lost is listed.

Nothing is guessed or filled in, and nothing is written into the damaged run. A line is kept if it is an event of its
container with the keys of its type (unless another version sealed it), whose number and sequence fit. What its values
are is not judged: one that was changed can't be told from a right one, another version writes kinds this one doesn't
know, and a wrong time must not cost the lines after it. The copy keeps them, and `verify` says what doesn't add up.
Refuses to know how the answer is shown.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from admf_cli.errors import ConfigError, StorageError
from admf_cli.tracefile.discovery import ContainerTrace, PhaseTrace, discover_some, display
from admf_cli.tracefile.format import SCHEMA_VERSION, meta_path, trace_id, trace_path
from admf_cli.tracefile.lookup import TraceLookup
from admf_cli.tracefile.metafile import Meta, read_meta
from admf_cli.tracefile.payloads import missing_key
from admf_cli.tracefile.presence import is_held
from admf_cli.tracefile.reader import LineFault, collection_paused, parse_lines, read_blocks
from admf_cli.tracefile.writer import TraceFile
from admf_cli.traces.event import kind_of
from admf_cli.traces.numbers import NumberSet, split_id
from admf_cli.traces.outside import check_outside
from admf_cli.traces.scan import what_is_wrong

LOST_TYPE = "UNKNOWN"  # under which a rebuilt meta file counts lost events whose type nothing tells
_LISTED = 1_000
_IDENTITY = ("workflow_id", "phase_name", "mode", "admf_version", "config_name", "config_sha256", "data_sha256")


class LostLine(Struct, frozen=True):
    """A line that was not kept, and why."""

    line: int
    reason: str


class RepairedContainer(Struct, frozen=True):
    """One container.

    Attributes:
        status: "copied" (it was whole, and so is its copy), "recovered", or "lost" (there are no lines to copy).
        reason: what was wrong, None if nothing was.
        kept: events in the copy; `lost`: events known to be missing from it.
        ranges: of event ids that are missing; `lines`: that were left out; the first thousand of each.
    """

    container_id: str
    status: str
    reason: str | None
    kept: int
    lost: int
    ranges: tuple[str, ...]
    lines: tuple[LostLine, ...]


class RepairedPhase(Struct, frozen=True):
    """One phase and where its copy lies."""

    phase: str
    path: str
    containers: tuple[RepairedContainer, ...]


class Repair(Struct, frozen=True):
    """The answer for everything under a directory."""

    directory: str
    to: str
    phases: tuple[RepairedPhase, ...]


def repair(directory: Path, to: Path) -> Repair:
    """Write a sound copy of every run under `directory` to `to`/<workflow>/<phase>.

    Raises:
        ConfigError: `to` lies within `directory`, holds one of the runs already, or a run still goes on.
        StorageError: there is no trace to read, or the copy can't be written.
    """
    check_outside(to, directory)
    phases = discover_some(directory).phases
    for phase in phases:
        target = to / phase.workflow_id / phase.phase_name
        if target.exists() or target.is_symlink():
            raise ConfigError(f"{display(target)} exists already: name another directory with --to")
        if is_held(phase.path.absolute().parent):
            raise ConfigError(f"{phase.workflow_id} still goes on: repair it when it has ended")
    with collection_paused():
        return Repair(display(directory), display(to), tuple(_repair_phase(phase, to) for phase in phases))


def _repair_phase(phase: PhaseTrace, to: Path) -> RepairedPhase:
    metas = {one.container_id: _trusted_meta(one) for one in phase.containers}
    identity: dict[str, Any] = dict.fromkeys(_IDENTITY)
    identity |= {"workflow_id": phase.workflow_id, "phase_name": phase.phase_name}
    trusted = next((meta for meta in metas.values() if meta is not None), None)
    if trusted is not None:
        identity = {key: getattr(trusted, key) for key in _IDENTITY}
    else:
        identity["mode"] = _stated_mode(phase)
    path = to / phase.workflow_id / phase.phase_name
    containers = tuple(_repair_container(one, metas[one.container_id], identity, path) for one in phase.containers)
    return RepairedPhase(f"{phase.workflow_id}/{phase.phase_name}", display(path), containers)


def _trusted_meta(container: ContainerTrace) -> Meta | None:
    """Return a container's seal if nothing is wrong with it."""
    if not container.has_meta:
        return None
    try:
        meta = read_meta(container.meta_path)
    except StorageError:
        return None
    fits = meta.schema_version == SCHEMA_VERSION and meta.container_id == container.container_id
    return meta if fits and not meta.faults and meta.total is not None else None


def _stated_mode(phase: PhaseTrace) -> str | None:
    """Return the mode that a container's first event tells, for all of them: some may have lost theirs."""
    for container in phase.containers:
        if not container.has_lines:
            continue
        with TraceLookup(container.lines_path) as lookup:
            first = lookup.line_at(0)
        event = first and first.event()
        payload = event.get("payload") if event and event.get("event_type") == "PHASE_START" else None
        if isinstance(payload, dict) and isinstance(payload.get("mode"), str):
            return str(payload["mode"])
    return None


class _Copy(Struct):
    """What was kept and what was not."""

    types: Counter[str] = field(default_factory=Counter)
    numbers: NumberSet = field(default_factory=NumberSet)
    lines: list[LostLine] = field(default_factory=list)
    lost_lines: int = 0
    first: Mapping[str, Any] | None = None
    last: Mapping[str, Any] | None = None
    start: Mapping[str, Any] = field(default_factory=dict)
    is_foreign: bool = False  # sealed by another version, which may leave out keys of this one's

    def lose(self, line: int, reason: str) -> None:
        self.lost_lines += 1
        if len(self.lines) < _LISTED:
            self.lines.append(LostLine(line, reason))


def _repair_container(
    container: ContainerTrace, meta: Meta | None, identity: Mapping[str, Any], path: Path
) -> RepairedContainer:
    name = container.container_id
    if not container.has_lines:
        lost = meta.total.published if meta is not None and meta.total is not None else 0
        return RepairedContainer(name, "lost", "its file of lines is gone", 0, lost, (), ())
    foreign = meta is not None and meta.schema_version not in (None, SCHEMA_VERSION)
    copy, digest = _Copy(is_foreign=foreign), hashlib.sha256()
    file = TraceFile(trace_path(path.parent.parent, path.parent.name, path.name, container.lines_path.stem))
    try:
        for chunk in _kept(container, copy, digest.update):
            file.append(chunk)
        whole = not copy.lost_lines and meta is not None and meta.file_sha256 == digest.hexdigest()
        if whole and meta is not None:
            file.wait()
            _copy_meta(container, meta_path(file.path))
            return RepairedContainer(name, "copied", None, copy.numbers.count, 0, (), ())
        reason = _reason(container, meta, copy)
        document = _rebuilt(container, meta, identity, copy, reason)
        file.seal(document)
    finally:
        file.close()
    lost = document["total"]["dropped"] - (meta.total.dropped if meta is not None and meta.total is not None else 0)
    ranges = tuple(f"{name}#{start} to {name}#{stop - 1}" for start, stop in _gaps(copy, document))[:_LISTED]
    return RepairedContainer(name, "recovered", reason, copy.numbers.count, max(0, lost), ranges, tuple(copy.lines))


def _kept(container: ContainerTrace, copy: _Copy, on_bytes: Any) -> Iterator[bytes]:
    """Yield the lines that are sound events in order, block by block."""

    def on_fault(fault: LineFault) -> None:
        torn = fault.kind == "torn"
        copy.lose(fault.line, "cut off" if torn else f"{fault.length:,} bytes in one line")

    for block in read_blocks(container.lines_path, on_fault=on_fault, on_bytes=on_bytes):
        good = []
        for line, text, event in zip(
            range(block.first_line, block.first_line + len(block.lines)),
            block.lines,
            parse_lines(block.lines),
            strict=True,
        ):
            wrong = _what_is_wrong(event, container.container_id, copy)
            if wrong is not None:
                copy.lose(line, wrong)
                continue
            good.append(text)
            _note(event, copy)
        if good:
            yield b"\n".join(good) + b"\n"


def _what_is_wrong(event: Any, container_id: str, copy: _Copy) -> str | None:
    if isinstance(event, ValueError):
        return f"not JSON: {event}"
    wrong = what_is_wrong(event, container_id)
    if wrong is None and not copy.is_foreign:
        key = missing_key(event["event_type"], event["payload"])
        wrong = key and f"{event['event_type']}: {key} is missing"
    if wrong is None and copy.last is not None:
        number, before = _number(event), _number(copy.last)
        if number <= before or event["sequence"] <= copy.last["sequence"]:
            return f"{event['event_id']} does not come after {copy.last['event_id']}"
    return wrong


def _note(event: Mapping[str, Any], copy: _Copy) -> None:
    copy.types[event["event_type"]] += 1
    copy.numbers.add([_number(event)])
    copy.first = copy.first or event
    copy.last = event
    if event["event_type"] == "PHASE_START":
        copy.start = event["payload"]


def _number(event: Mapping[str, Any]) -> int:
    parts = split_id(event["event_id"])
    assert parts is not None
    return parts[1]


def _reason(container: ContainerTrace, meta: Meta | None, copy: _Copy) -> str:
    if meta is None:
        what = "its meta file was damaged" if container.has_meta else "it was never sealed"
    else:
        what = "its lines were not those that were sealed"
    if not copy.lost_lines:
        return what
    return f"{what}; {copy.lost_lines:,} line{'s' * (copy.lost_lines != 1)} left out"


def _rebuilt(
    container: ContainerTrace, meta: Meta | None, identity: Mapping[str, Any], copy: _Copy, reason: str
) -> dict[str, Any]:
    """Return the meta document of what was kept; what was lost counts as dropped."""
    name = container.container_id
    last = copy.numbers.last or 0
    events: dict[str, dict[str, Any]] = {}
    known = _published(meta, copy, last)
    for event_type in sorted({*copy.types, *known}):
        written = copy.types[event_type]
        published, filtered = known.get(event_type, (written, 0))
        events[event_type] = _tally(published, written, filtered)
    unknown = last - sum(tally["published"] for tally in events.values())
    if unknown > 0:
        events[LOST_TYPE] = _tally(unknown, 0, 0)
    total = {
        key: sum(tally[key] for tally in events.values()) for key in ("published", "written", "filtered", "dropped")
    }
    gaps = _gaps(copy, {"total": total})
    for tally in events.values():
        if tally["dropped"]:
            tally["first_dropped"] = f"{name}#{gaps[0][0] if gaps else 1}"
            tally["last_dropped"] = f"{name}#{gaps[-1][1] - 1 if gaps else last}"
    told = copy.start.get("container_type")
    kind = meta.container_type if meta is not None else told if isinstance(told, str) else kind_of(name) or "unknown"
    return {
        "schema_version": SCHEMA_VERSION,
        "trace_id": trace_id(identity["workflow_id"], name),
        **identity,
        "container_id": name,
        "container_type": kind,
        "status": "recovered",
        "reason": reason,
        "settings": meta.settings if meta is not None else {},
        "events": events,
        "total": total,
        "first_event": copy.first["event_id"] if copy.first else None,
        "last_event": copy.last["event_id"] if copy.last else None,
        "first_timestamp": copy.first["timestamp"] if copy.first else None,
        "last_timestamp": copy.last["timestamp"] if copy.last else None,
    }


def _published(meta: Meta | None, copy: _Copy, last: int) -> dict[str, tuple[int, int]]:
    """Return type -> published and filtered as a trusted seal counts them; empty if the lines contradict it."""
    if meta is None or meta.total is None or meta.total.published < last:
        return {}
    if any(meta.events[one].published < count for one, count in copy.types.items() if one in meta.events):
        return {}
    if set(copy.types) - set(meta.events):
        return {}
    return {
        name: (tally.published, min(tally.filtered, tally.published - copy.types[name]))
        for name, tally in meta.events.items()
    }


def _tally(published: int, written: int, filtered: int) -> dict[str, Any]:
    return {
        "published": published,
        "written": written,
        "filtered": filtered,
        "dropped": published - written - filtered,
        "first_dropped": None,
        "last_dropped": None,
    }


def _gaps(copy: _Copy, document: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the half-open ranges of event numbers that are not in the copy."""
    published, gaps = document["total"]["published"], list(copy.numbers.gaps())
    first, last = copy.numbers.first, copy.numbers.last
    if first is None or last is None:
        return [(1, published + 1)] if published else []
    if first > 1:
        gaps.insert(0, (1, first))
    if published > last:
        gaps.append((last + 1, published + 1))
    return gaps


def _copy_meta(container: ContainerTrace, target: Path) -> None:
    from admf_cli.tracefile.reader import read_whole

    try:
        with target.open("xb") as file:
            file.write(read_whole(container.meta_path, 1 << 23))
    except OSError as error:
        raise StorageError(f"{display(target)}: cannot be written: {error.strerror or error}") from error
