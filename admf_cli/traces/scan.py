"""A trace file as columns of its events, block by block, what is malformed named on the way.

Blocks are checked column by column with operations that run in C; only a block in which something is unusual is
looked through event by event. Refuses to know what the events of a type mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from msgspec import Struct

from admf_cli.tracefile.discovery import ContainerTrace
from admf_cli.tracefile.format import KEYS
from admf_cli.tracefile.reader import LineBlock, LineFault, parse_lines, read_blocks
from admf_cli.traces.dense import FEWEST_LINES, DenseBlock, read_dense
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.numbers import numbers_of, split_id

_TEXT: set[type] = {str}
_TEXT_OR_NULL: set[type] = {str, type(None)}
_WHOLE: set[type] = {int}
_OBJECT: set[type] = {dict}
_COLUMN_TYPES = (_TEXT, _WHOLE, _TEXT, _TEXT, _TEXT, _TEXT_OR_NULL, _TEXT_OR_NULL, _TEXT_OR_NULL, _OBJECT)
_MAX_SEQUENCE = 1 << 62


class EventBlock(Struct, frozen=True):
    """Consecutive well-formed events of one file as columns, in the format's order.

    Attributes:
        lines: line number of each.
        numbers: the event ids' counters.
    """

    lines: Sequence[int]
    numbers: Sequence[int]
    event_ids: Sequence[str]
    sequences: Sequence[int]
    types: Sequence[str]
    timestamps: Sequence[str]
    correlations: Sequence[str | None]
    causes: Sequence[str | None]
    symbols: Sequence[str | None]
    payloads: Sequence[dict[str, Any]]

    def links(self) -> Iterator[tuple[int, str, str | None]]:
        """Yield each event's line, id and cause."""
        return zip(self.lines, self.event_ids, self.causes, strict=True)


def scan(container: ContainerTrace, file: str, faults: FaultLog) -> Iterator[EventBlock]:
    """Yield a file's well-formed events; every other line becomes a fault.

    To be read with `collection_paused`: it takes half the time then.

    Args:
        file: the name to put into faults.

    Raises:
        StorageError: the file cannot be read.
    """
    for block in _scan(container, file, faults, dense=False, strict=False, on_bytes=None):
        assert isinstance(block, EventBlock)
        yield block


def scan_dense(
    container: ContainerTrace,
    file: str,
    faults: FaultLog,
    *,
    strict: bool = False,
    on_bytes: Callable[[bytes], Any] | None = None,
) -> Iterator[EventBlock | DenseBlock]:
    """Yield what `scan` does, but lines that differ in digits only as dense blocks, which take half the time.

    Args:
        strict: also name lines whose keys are not exactly the format's, in its order.
        on_bytes: given every byte of the file, in order.
    """
    return _scan(container, file, faults, dense=True, strict=strict, on_bytes=on_bytes)


def _scan(
    container: ContainerTrace,
    file: str,
    faults: FaultLog,
    *,
    dense: bool,
    strict: bool,
    on_bytes: Callable[[bytes], Any] | None,
) -> Iterator[EventBlock | DenseBlock]:
    def line_fault(fault: LineFault) -> None:
        if fault.kind == "torn":
            text = f"torn line: {fault.length:,} bytes after the last newline"
            faults.add("torn-line", file, fault.line, text)
        else:
            faults.add("long-line", file, fault.line, f"{fault.length:,} bytes in one line: not read")

    expected = 1
    for block in read_blocks(container.lines_path, on_fault=line_fault, on_bytes=on_bytes):
        if dense and len(block.lines) >= FEWEST_LINES:
            columnar = read_dense(block.lines, block.first_line, container.container_id)
            if columnar is not None:
                expected = columnar.numbers.stop
                yield columnar
                continue
        events = parse_lines(block.lines)
        columns = _uniform(events, container.container_id)
        lines: Sequence[int] = range(block.first_line, block.first_line + len(events))
        numbers = numbers_of(columns[0], container.container_id, expected) if columns else [None]
        if columns is None or None in numbers:
            lines, columns = _one_by_one(events, block, container.container_id, file, faults, strict)
            if not lines:
                continue
            numbers = numbers_of(columns[0], container.container_id, 0)
        known = cast("Sequence[int]", numbers)
        expected = known[-1] + 1
        yield EventBlock(lines, known, *columns[:4], *columns[5:])


def _uniform(events: list[Any], container_id: str) -> list[Sequence[Any]] | None:
    """Return the columns if every event has exactly the format's keys and types, else None."""
    if set(map(type, events)) != {dict} or set(map(tuple, events)) != {KEYS}:
        return None
    columns: list[Sequence[Any]] = list(zip(*map(dict.values, events), strict=True))
    if not all(set(map(type, column)) <= types for column, types in zip(columns, _COLUMN_TYPES, strict=True)):
        return None
    if set(columns[4]) != {container_id} or min(columns[1]) < 0 or max(columns[1]) > _MAX_SEQUENCE:
        return None
    return columns


def _one_by_one(
    events: list[Any], block: LineBlock, container_id: str, file: str, faults: FaultLog, strict: bool
) -> tuple[list[int], list[Sequence[Any]]]:
    lines: list[int] = []
    rows: list[tuple[Any, ...]] = []
    for line, event in enumerate(events, block.first_line):
        if isinstance(event, ValueError):
            faults.add("not-json", file, line, f"not JSON: {event}")
            continue
        wrong = what_is_wrong(event, container_id)
        if wrong:
            faults.add("not-an-event", file, line, wrong)
            continue
        if strict and tuple(event) != KEYS:
            faults.add("unusual-keys", file, line, "the keys are not those of the format, in its order")
        lines.append(line)
        rows.append(tuple(map(event.get, KEYS)))
    return lines, list(zip(*rows, strict=True))


def what_is_wrong(event: Any, container_id: str) -> str | None:
    """Return why a line's JSON value is no event of a container, None if it is one."""
    if not isinstance(event, dict):
        return "not a JSON object"
    for key, types in zip(KEYS, _COLUMN_TYPES, strict=True):
        if type(event.get(key)) not in types:
            return f"{key} is missing" if key not in event else f"{key} is of the wrong type"
    parts = split_id(event["event_id"])
    if parts is None:
        return "event_id is not written as container#number"
    if parts[0] != container_id or event["container_id"] != container_id:
        return f"an event of container {event['container_id']!r} with id {event['event_id']!r}, not of {container_id!r}"
    if not 0 <= event["sequence"] <= _MAX_SEQUENCE:
        return "sequence is out of range"
    return None
