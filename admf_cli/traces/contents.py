"""What one pass over a trace file finds: its types, numbers, causes and first and last times, beside its seal.

Refuses to judge it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from admf_cli.errors import StorageError
from admf_cli.tracefile.discovery import ContainerTrace, display
from admf_cli.tracefile.format import SCHEMA_VERSION
from admf_cli.tracefile.metafile import Meta, read_meta
from admf_cli.traces.dense import DenseBlock
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.numbers import NumberSet, References
from admf_cli.traces.scan import EventBlock, scan_dense


class FileContents(Struct):
    """One container's file and its seal.

    Attributes:
        name: path below the directory that was asked about.
        meta: None if there is none that can be read; `meta_fault` says why.
        bytes: read in all.
        torn, bad, duplicate, missing, orphans, causes_dropped: counts, as in `ContainerInspection`.
    """

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


def read_contents(
    container: ContainerTrace,
    name: str,
    faults: FaultLog,
    *,
    strict: bool = False,
    on_block: Callable[[FileContents, EventBlock | DenseBlock], None] | None = None,
    on_bytes: Callable[[bytes], Any] | None = None,
) -> FileContents:
    """Return what lies in a file and its meta file; what can't be read is among the faults.

    Args:
        strict: also name lines whose keys are not exactly the format's, in its order, unless the seal says that
            another version wrote them: that is a fault of its own, told once a file.
        on_block: given every block of events, in order.
        on_bytes: given every byte of the file, in order.
    """
    file = FileContents(container, name)
    if container.has_meta:
        try:
            file.meta = read_meta(container.meta_path)
        except StorageError as error:
            file.meta_fault = str(error)
    if not container.has_lines:
        return file

    def count(chunk: bytes) -> None:
        file.bytes += len(chunk)
        if on_bytes is not None:
            on_bytes(chunk)

    before = faults.counts.copy()
    strict = strict and (file.meta is None or file.meta.schema_version in (None, SCHEMA_VERSION))
    try:
        for block in scan_dense(container, name, faults, strict=strict, on_bytes=count):
            _take(file, block)
            if on_block is not None:
                on_block(file, block)
    except StorageError as error:
        faults.add("unreadable", name, None, str(error))
    file.torn = faults.counts["torn-line"] - before["torn-line"]
    file.bad = sum(faults.counts[kind] - before[kind] for kind in ("not-json", "not-an-event", "long-line"))
    return file


def _take(file: FileContents, block: EventBlock | DenseBlock) -> None:
    file.numbers.add(block.numbers)
    if isinstance(block, DenseBlock):
        file.types[block.event_type] += len(block.numbers)
        if block.cause_container is not None and block.causes is not None:
            file.causes.add_numbers(block.cause_container, block.causes)
    else:
        file.types.update(block.types)
        file.causes.add(block.causes)
    first, last = block.timestamps[0], block.timestamps[-1]
    if file.first_timestamp is None or first < file.first_timestamp:
        file.first_timestamp = first
    if file.last_timestamp is None or last > file.last_timestamp:
        file.last_timestamp = last


def below(path: Path, root: Path) -> str:
    """Return a path as people name it: below the directory they gave."""
    try:
        return display(path.relative_to(root))
    except ValueError:
        return display(path)
