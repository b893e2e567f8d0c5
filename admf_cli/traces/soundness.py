"""Is a file as its seal says, and is every event there that should be? Refuses to know what the events mean.

Missing numbers count as explained only as far as the seal says that events were filtered or dropped; a cause that is
not on disk is an orphan only if nothing explains its absence.
"""

from __future__ import annotations

from collections.abc import Mapping

from admf_cli.tracefile.format import SCHEMA_VERSION, STATUSES
from admf_cli.tracefile.metafile import Meta, Tally
from admf_cli.traces.contents import FileContents
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.numbers import split_id
from admf_cli.traces.scan import scan


def judge_seal(file: FileContents, faults: FaultLog) -> None:
    """Note what is wrong with a meta file, and where the lines are not those that it counts."""
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


def _judge_counts(file: FileContents, meta: Meta, faults: FaultLog) -> None:
    for event_type in sorted({*meta.events, *file.types}):
        sealed = meta.events.get(event_type, Tally()).written
        if sealed != file.types[event_type]:
            text = f"{file.types[event_type]:,} {event_type} on disk, {sealed:,} sealed"
            faults.add("count", file.name, None, text)
    if meta.file_bytes is not None and meta.file_bytes != file.bytes:
        faults.add("count", file.name, None, f"{file.bytes:,} bytes on disk, {meta.file_bytes:,} sealed")


def judge_numbers(file: FileContents, faults: FaultLog) -> None:
    """Note event numbers that come twice, go backwards or are missing."""
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


def judge_causes(file: FileContents, by_id: Mapping[str, FileContents], faults: FaultLog) -> None:
    """Note events whose cause is nowhere though nothing explains its absence."""
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


def _explained(source: FileContents | None, start: int, stop: int) -> list[tuple[int, int, bool]]:
    """Cut a range of absent causes into parts that the source's drops or filters explain, and parts they do not."""
    if source is None:
        return [(start, stop, True)]  # not traced, as far as anyone can tell
    if source.meta is not None and source.meta.status == "recovered":
        return [(start, stop, True)]  # lost with what was damaged
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


def _name_orphans(file: FileContents, lost: list[tuple[str, int, int]], faults: FaultLog) -> None:
    """Read the file once more, now that it is known which causes are nowhere, to count and name the events."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for container_id, start, stop in lost:
        ranges.setdefault(container_id, []).append((start, stop))
    for block in scan(file.container, file.name, FaultLog(keep=0)):
        for line, event_id, cause in block.links():
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
