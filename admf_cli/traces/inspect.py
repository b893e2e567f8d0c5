"""What is in a trace directory, and is it sound? Refuses to know how the answer is shown.

Reads every line once. Missing numbers count as explained only as far as the seal says that events were filtered or
dropped; a cause that is not on disk is an orphan only if nothing explains its absence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from admf_cli.errors import StorageError
from admf_cli.tracefile.discovery import ContainerTrace, PhaseTrace, discover_some, display
from admf_cli.tracefile.format import SCHEMA_VERSION, STATUSES
from admf_cli.tracefile.metafile import Meta, Tally, read_meta
from admf_cli.traces.faults import FaultLog, TraceFault
from admf_cli.traces.numbers import NumberSet, References, split_id
from admf_cli.traces.scan import EventBlock, scan

NEVER_SEALED = "never sealed"
_NAMED_ORPHANS = 20


@dataclass(frozen=True, slots=True)
class ContainerInspection:
    """One container's file.

    Attributes:
        status: complete, failed, interrupted, recovered, "never sealed", or "damaged meta".
        events: type -> lines on disk.
        published, written, filtered, dropped: as sealed; without a seal, written is what lies there and the others
            are None.
        missing: numbers that nothing explains; `duplicate`: numbers on disk more than once.
        orphans: events whose cause is nowhere; `causes_dropped`: whose cause was dropped, filtered or untraced.
    """

    container_id: str
    container_type: str | None
    status: str
    reason: str | None
    events: dict[str, int]
    first_timestamp: str | None
    last_timestamp: str | None
    published: int | None
    written: int
    filtered: int | None
    dropped: int | None
    bytes: int
    torn_lines: int
    bad_lines: int
    duplicate: int
    missing: int
    orphans: int
    causes_dropped: int


@dataclass(frozen=True, slots=True)
class PhaseInspection:
    """One phase of one workflow."""

    workflow_id: str
    phase_name: str
    path: str
    config_name: str | None
    containers: tuple[ContainerInspection, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything under one directory.

    Attributes:
        faults: the first of each kind; `fault_counts` counts them all.
        notes: what was skipped and why, leftovers of killed writers; nothing of it makes a trace unsound.
    """

    directory: str
    phases: tuple[PhaseInspection, ...]
    faults: tuple[TraceFault, ...]
    fault_counts: dict[str, int]
    notes: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """True if every trace is sealed and whole; a failed run's trace can be sound."""
        return not self.fault_counts


@dataclass(slots=True)
class _File:
    """What one pass over a file found."""

    container: ContainerTrace
    name: str
    meta: Meta | None = None
    meta_fault: str | None = None
    types: Counter[str] = field(default_factory=Counter)
    numbers: NumberSet = field(default_factory=NumberSet)
    causes: References = field(default_factory=References)
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    bytes: int = 0
    torn: int = 0
    bad: int = 0
    duplicate: int = 0
    missing: int = 0
    orphans: int = 0
    causes_dropped: int = 0


def inspect(directory: Path) -> Inspection:
    """Return what lies under `directory`: a phase, a workflow or a folder of many.

    Raises:
        StorageError: there is no such directory, or no trace in it.
    """
    found = discover_some(directory)
    faults = FaultLog()
    notes = [f"{_below(one.path, directory)}: skipped: {one.reason}" for one in found.skipped]
    notes += [f"{_below(path, directory)}: left over by a writer that was killed" for path in found.leftovers]
    if found.truncated:
        faults.add("too-many-files", ".", None, "more directory entries than are looked at: name one workflow")
    phases = tuple(_inspect_phase(phase, directory, faults) for phase in found.phases)
    return Inspection(display(directory), phases, faults.sorted(), dict(sorted(faults.counts.items())), tuple(notes))


def _inspect_phase(phase: PhaseTrace, root: Path, faults: FaultLog) -> PhaseInspection:
    files = [_read(container, _below(container.lines_path, root), faults) for container in phase.containers]
    by_id = {file.container.container_id: file for file in files}
    for file in files:
        _judge_seal(file, phase, faults)
        _judge_numbers(file, faults)
        _judge_causes(file, by_id, faults)
    config_name = next((file.meta.config_name for file in files if file.meta and file.meta.config_name), None)
    return PhaseInspection(
        phase.workflow_id,
        phase.phase_name,
        display(phase.path),
        config_name,
        tuple(_summary(file) for file in files),
    )


def _read(container: ContainerTrace, name: str, faults: FaultLog) -> _File:
    file = _File(container, name)
    if container.has_meta:
        try:
            file.meta = read_meta(container.meta_path)
        except StorageError as error:
            file.meta_fault = str(error)
    if not container.has_lines:
        return file

    def count(chunk: bytes) -> None:
        file.bytes += len(chunk)

    before = faults.counts.copy()
    try:
        for block in scan(container, name, faults, on_bytes=count):
            _take(file, block)
    except StorageError as error:
        faults.add("unreadable", name, None, str(error))
    file.torn = faults.counts["torn-line"] - before["torn-line"]
    file.bad = sum(faults.counts[kind] - before[kind] for kind in ("not-json", "not-an-event", "long-line"))
    return file


def _take(file: _File, block: EventBlock) -> None:
    file.types.update(block.types)
    file.numbers.add(block.numbers)
    file.causes.add(block.causes)
    first, last = block.timestamps[0], block.timestamps[-1]
    if file.first_timestamp is None or first < file.first_timestamp:
        file.first_timestamp = first
    if file.last_timestamp is None or last > file.last_timestamp:
        file.last_timestamp = last


def _judge_seal(file: _File, phase: PhaseTrace, faults: FaultLog) -> None:
    meta, name, container = file.meta, file.name, file.container
    if not container.has_meta:
        faults.add("never-sealed", name, None, "no meta file: the container never closed; events may be missing")
        return
    if meta is None:
        faults.add("damaged-meta", name, None, file.meta_fault or "the meta file can't be read")
        return
    if not container.has_lines:
        faults.add("missing-lines", name, None, "a meta file without its file of lines")
    if meta.schema_version is not None and meta.schema_version != SCHEMA_VERSION:
        text = f"schema version {meta.schema_version}; this tool knows {SCHEMA_VERSION}: read as far as it goes"
        faults.add("other-version", name, None, text)
    elif meta.faults:
        faults.add("damaged-meta", name, None, "in the meta file: " + "; ".join(meta.faults[:5]))
    if meta.status is not None and meta.status not in STATUSES:
        faults.add("damaged-meta", name, None, f"in the meta file: unknown status {meta.status!r}")
    if meta.container_id is not None and meta.container_id != container.container_id:
        faults.add("mixed-up", name, None, f"the meta file is of container {meta.container_id!r}")
    _judge_counts(file, meta, faults)


def _judge_counts(file: _File, meta: Meta, faults: FaultLog) -> None:
    for event_type in sorted({*meta.events, *file.types}):
        sealed = meta.events.get(event_type, Tally()).written
        if sealed != file.types[event_type]:
            text = f"{file.types[event_type]:,} {event_type} on disk, {sealed:,} sealed"
            faults.add("count", file.name, None, text)
    if meta.file_bytes is not None and meta.file_bytes != file.bytes:
        faults.add("count", file.name, None, f"{file.bytes:,} bytes on disk, {meta.file_bytes:,} sealed")


def _judge_numbers(file: _File, faults: FaultLog) -> None:
    numbers, meta = file.numbers, file.meta
    file.duplicate = numbers.duplicates
    if file.duplicate:
        faults.add("duplicate", file.name, None, f"{file.duplicate:,} event numbers twice", file.duplicate)
    elif numbers.backward:
        faults.add("out-of-order", file.name, None, f"event numbers go backwards {numbers.backward:,} times")
    gaps = list(numbers.gaps())
    distinct = numbers.count - file.duplicate
    if meta is not None and meta.total is not None:
        absent = max(meta.total.published, numbers.last or 0) - distinct
        file.missing = max(0, absent - meta.total.filtered - meta.total.dropped)
    else:
        # Before the first number: pushed out by max_events, as far as anyone can tell without a seal.
        file.missing = sum(stop - start for start, stop in gaps)
    if file.missing:
        where = f", such as number {gaps[0][0]}" if gaps else ""
        text = f"{file.missing:,} events missing that were neither filtered nor dropped{where}"
        faults.add("missing", file.name, None, text, file.missing)


def _judge_causes(file: _File, by_id: dict[str, _File], faults: FaultLog) -> None:
    lost: list[tuple[str, int, int]] = []
    for container_id, numbers in file.causes.by_container.items():
        source = by_id.get(container_id)
        for start, stop in numbers.absent_from(source.numbers if source else None):
            for part_start, part_stop, explained in _explained(source, start, stop):
                if explained:
                    file.causes_dropped += part_stop - part_start
                else:
                    lost.append((container_id, part_start, part_stop))
    if lost or file.causes.malformed:
        _name_orphans(file, lost, faults)


def _explained(source: _File | None, start: int, stop: int) -> list[tuple[int, int, bool]]:
    """Cut a range of absent causes into parts that the source's drops or filters explain, and parts they do not."""
    if source is None:
        return [(start, stop, True)]  # not traced, as far as anyone can tell
    total = source.meta.total if source.meta is not None else None
    if total is None:  # never sealed: what was not flushed is lost with it
        first, last = source.numbers.first or 0, source.numbers.last or 0
        parts = [(start, min(stop, first), True), (max(start, first), min(stop, last + 1), False)]
        parts.append((max(start, last + 1), stop, True))
    else:
        known = total.published + 1
        head = known if total.filtered or source.numbers.first is None else source.numbers.first
        if not total.filtered and not total.dropped:
            head = 0
        parts = [(start, min(stop, head), True), (max(start, head), stop, False)]
    return [part for part in parts if part[0] < part[1]]


def _name_orphans(file: _File, lost: list[tuple[str, int, int]], faults: FaultLog) -> None:
    """Read the file once more, now that it is known which causes are nowhere, to count and name the events."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for container_id, start, stop in lost:
        ranges.setdefault(container_id, []).append((start, stop))
    for block in scan(file.container, file.name, FaultLog(keep=0)):
        for line, event_id, cause in zip(block.lines, block.event_ids, block.causes, strict=True):
            if cause is None:
                continue
            parts = split_id(cause)
            if parts is not None and not _within(parts[1], ranges.get(parts[0], ())):
                continue
            file.orphans += 1
            faults.add("orphan", file.name, line, f"{event_id} answers {cause[:80]}, which is nowhere")


def _within(number: int, ranges: list[tuple[int, int]] | tuple[()]) -> bool:
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        start, stop = ranges[middle]
        if number < start:
            high = middle
        elif number >= stop:
            low = middle + 1
        else:
            return True
    return False


def _summary(file: _File) -> ContainerInspection:
    meta, total = file.meta, file.meta.total if file.meta else None
    status = NEVER_SEALED if not file.container.has_meta else "damaged meta" if meta is None else meta.status
    return ContainerInspection(
        container_id=file.container.container_id,
        container_type=meta.container_type if meta else None,
        status=status or "damaged meta",
        reason=meta.reason if meta else None,
        events=dict(sorted(file.types.items())),
        first_timestamp=file.first_timestamp,
        last_timestamp=file.last_timestamp,
        published=total.published if total else None,
        written=file.types.total(),
        filtered=total.filtered if total else None,
        dropped=total.dropped if total else None,
        bytes=file.bytes,
        torn_lines=file.torn,
        bad_lines=file.bad,
        duplicate=file.duplicate,
        missing=file.missing,
        orphans=file.orphans,
        causes_dropped=file.causes_dropped,
    )


def _below(path: Path, root: Path) -> str:
    try:
        return display(path.relative_to(root))
    except ValueError:
        return display(path)
