"""What is in a trace directory, and is it sound? Refuses to know how the answer is shown. Reads every line once."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from admf_cli.tracefile.discovery import PhaseTrace, discover_some, display
from admf_cli.tracefile.reader import collection_paused
from admf_cli.traces.contents import FileContents, below, read_contents
from admf_cli.traces.faults import FaultLog, TraceFault
from admf_cli.traces.soundness import judge_causes, judge_numbers, judge_seal

NEVER_SEALED = "never sealed"


class ContainerInspection(Struct, frozen=True):
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


class PhaseInspection(Struct, frozen=True):
    """One phase of one workflow."""

    workflow_id: str
    phase_name: str
    path: str
    config_name: str | None
    containers: tuple[ContainerInspection, ...]


class Inspection(Struct, frozen=True):
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


def inspect(directory: Path) -> Inspection:
    """Return what lies under `directory`: a phase, a workflow or a folder of many.

    Raises:
        StorageError: there is no such directory, or no trace in it.
    """
    found = discover_some(directory)
    faults = FaultLog()
    notes = [f"{below(one.path, directory)}: skipped: {one.reason}" for one in found.skipped]
    notes += [f"{below(path, directory)}: left over by a writer that was killed" for path in found.leftovers]
    if found.truncated:
        faults.add("too-many-files", ".", None, "more directory entries than are looked at: name one workflow")
    with collection_paused():
        phases = tuple(_inspect_phase(phase, directory, faults) for phase in found.phases)
    return Inspection(display(directory), phases, faults.sorted(), dict(sorted(faults.counts.items())), tuple(notes))


def _inspect_phase(phase: PhaseTrace, root: Path, faults: FaultLog) -> PhaseInspection:
    files = [read_contents(container, below(container.lines_path, root), faults) for container in phase.containers]
    by_id = {file.container.container_id: file for file in files}
    for file in files:
        judge_seal(file, faults)
        judge_numbers(file, faults)
        judge_causes(file, by_id, faults)
    config_name = next((file.meta.config_name for file in files if file.meta and file.meta.config_name), None)
    return PhaseInspection(
        phase.workflow_id,
        phase.phase_name,
        display(phase.path),
        config_name,
        tuple(_summary(file) for file in files),
    )


def _summary(file: FileContents) -> ContainerInspection:
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
