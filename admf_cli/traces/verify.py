"""Is a trace what its run wrote, whole, and right in itself? Refuses to know how the answer is shown.

One pass over every line. What the seals explain (dropped, filtered, a container without tracing) is no fault; every
other absence is.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from admf_cli.tracefile.discovery import PhaseTrace, discover_some, display
from admf_cli.tracefile.payloads import what_lacks
from admf_cli.tracefile.reader import collection_paused
from admf_cli.traces.bookkeeping import Bookkeeping, Row
from admf_cli.traces.contents import FileContents, below, read_contents
from admf_cli.traces.dense import DenseBlock
from admf_cli.traces.event import kind_of
from admf_cli.traces.faults import FaultLog, TraceFault
from admf_cli.traces.scan import EventBlock
from admf_cli.traces.seals import judge_digest, judge_meta, judge_together
from admf_cli.traces.soundness import judge_causes, judge_numbers, judge_seal
from admf_cli.traces.timeline import Timeline

MAX_FAULTS = 10_000  # of each kind that are listed; all are counted
_READING_ORDER = ("data", "features", "strategy", "execution", "portfolio")
_PRICES = {"open", "high", "low", "close", "volume"}


class VerifiedPhase(Struct, frozen=True):
    """One phase; `status` is that of its containers, or "mixed"."""

    workflow_id: str
    phase_name: str
    status: str
    containers: int
    events: int
    bytes: int
    dropped: int
    filtered: int


class Verification(Struct, frozen=True):
    """The answer for everything under a directory.

    Attributes:
        faults: the first `MAX_FAULTS` of each kind, by file and line; `fault_counts` counts them all.
        notes: what could not be verified, and what was skipped.
    """

    directory: str
    phases: tuple[VerifiedPhase, ...]
    faults: tuple[TraceFault, ...]
    fault_counts: dict[str, int]
    notes: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """True if nothing is wrong."""
        return not self.fault_counts


def verify(directory: Path) -> Verification:
    """Return every fault of the traces under `directory`: a phase, a workflow or a folder of many.

    Raises:
        StorageError: there is no such directory, or no trace in it.
    """
    found = discover_some(directory)
    faults = FaultLog(keep=MAX_FAULTS)
    notes = [f"{below(one.path, directory)}: skipped: {one.reason}" for one in found.skipped]
    for path in found.leftovers:
        faults.add("leftover", below(path, directory), None, "left over by a writer that was killed")
    if found.truncated:
        faults.add("too-many-files", ".", None, "more directory entries than are looked at: name one workflow")
    with collection_paused():
        phases = tuple(_PhaseVerifier(phase, directory, faults, notes).verify() for phase in found.phases)
    counts = dict(sorted(faults.counts.items()))
    return Verification(display(directory), phases, faults.sorted(), counts, tuple(notes))


class _PhaseVerifier:
    def __init__(self, phase: PhaseTrace, root: Path, faults: FaultLog, notes: list[str]) -> None:
        self._phase = phase
        self._root = root
        self._faults = faults
        self._notes = notes
        self._timeline = Timeline(faults)
        self._books = Bookkeeping(faults)

    def verify(self) -> VerifiedPhase:
        faults = self._faults
        files: dict[str, FileContents] = {}
        for container in sorted(self._phase.containers, key=lambda one: _reading_order(one.container_id)):
            digest = hashlib.sha256()
            file = read_contents(
                container,
                below(container.lines_path, self._root),
                faults,
                strict=True,
                on_block=self._take,
                on_bytes=digest.update,
            )
            files[container.container_id] = file
            self._timeline.file_done()
            judge_seal(file, faults)
            if container.has_lines:
                judge_digest(file, digest.hexdigest(), faults)
            judge_meta(file, faults)
            judge_numbers(file, faults)
        for file in files.values():
            judge_causes(file, files, faults)
        self._timeline.phase_done(files)
        firsts = {one: first for one in files if (first := self._timeline.first_sequence(one)) is not None}
        self._books.close(files, firsts, self._timeline.last_bar())
        judge_together(self._phase, list(files.values()), faults, self._notes)
        return self._summary(list(files.values()))

    def _take(self, file: FileContents, block: EventBlock | DenseBlock) -> None:
        self._timeline.take(file, block)
        if isinstance(block, DenseBlock) and self._is_plain(block):
            return
        for row in _rows(block):
            wrong = what_lacks(row.event_type, row.payload)
            if wrong is not None:
                self._faults.add("payload", file.name, row.line, f"{row.event_id}: {row.event_type}: {wrong}")
            else:
                self._books.take(file, row)

    def _is_plain(self, block: DenseBlock) -> bool:
        """Return whether these are BARs or FEATUREs of which nothing is wrong, found out for all at once."""
        payloads = block.payloads
        types = set(map(type, itertools.chain.from_iterable(map(dict.values, payloads))))
        if block.event_type == "FEATURE":
            return types <= {float, int, type(None)}
        if block.event_type != "BAR" or not types <= {float, int}:
            return False
        return all(_PRICES.issubset(keys) for keys in set(map(tuple, payloads)))

    def _summary(self, files: list[FileContents]) -> VerifiedPhase:
        metas = [file.meta for file in files if file.meta is not None]
        states = {meta.status or "damaged meta" for meta in metas} | (
            {"never sealed"} if len(metas) < len(files) else set()
        )
        totals = [meta.total for meta in metas if meta.total is not None]
        for file in files:
            total = file.meta.total if file.meta else None
            if total is not None and total.dropped:
                self._notes.append(f"{file.name}: {total.dropped:,} events were dropped by max_events: not verified")
        return VerifiedPhase(
            self._phase.workflow_id,
            self._phase.phase_name,
            states.pop() if len(states) == 1 else "mixed",
            len(files),
            sum(file.types.total() for file in files),
            sum(file.bytes for file in files),
            sum(total.dropped for total in totals),
            sum(total.filtered for total in totals),
        )


def _reading_order(container_id: str) -> tuple[int, str]:
    """Portfolios last, so that the fills they book are known; bars first, so that their times are."""
    kind = kind_of(container_id)
    return (_READING_ORDER.index(kind) if kind in _READING_ORDER else len(_READING_ORDER)), container_id


def _rows(block: EventBlock | DenseBlock) -> Iterator[Row]:
    if isinstance(block, DenseBlock):
        for (line, event_id, cause), sequence, symbol, payload in zip(
            block.links(), block.sequences.tolist(), block.symbols, block.payloads, strict=True
        ):
            yield Row(line, event_id, sequence, block.event_type, cause, symbol, payload)
        return
    yield from map(
        Row, block.lines, block.event_ids, block.sequences, block.types, block.causes, block.symbols, block.payloads
    )
