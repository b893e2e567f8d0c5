"""Does a seal fit its file, itself, and the seals beside it? Refuses to know what the events mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from admf_cli.tracefile.discovery import PhaseTrace
from admf_cli.tracefile.format import SCHEMA_VERSION, trace_id
from admf_cli.tracefile.metafile import Meta, Tally
from admf_cli.traces.contents import FileContents
from admf_cli.traces.event import kind_of
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.numbers import split_id

_SHARED = ("workflow_id", "phase_name", "mode", "admf_version", "config_name", "config_sha256", "data_sha256")
_COUNTS = ("published", "written", "filtered", "dropped")


def judge_digest(file: FileContents, digest: str, faults: FaultLog) -> None:
    """Note lines that are not those that were sealed."""
    sealed = file.meta.file_sha256 if file.meta else None
    if sealed is not None and sealed != digest:
        faults.add("changed", file.name, None, f"its sha256 is {digest[:16]}…, the sealed one {sealed[:16]}…")


def judge_meta(file: FileContents, faults: FaultLog) -> None:
    """Note where a meta file contradicts itself or what was read of its lines."""
    meta = file.meta
    if meta is None or meta.schema_version != SCHEMA_VERSION:
        return
    name = file.container.meta_path.name

    def wrong(text: str) -> None:
        faults.add("meta", file.name, None, f"in {name}: {text}")

    if "seal" not in meta.document:
        faults.add("no-seal", file.name, None, f"{name} has no seal of its own, so a change in it can't be told")
    if meta.workflow_id is not None and meta.container_id is not None:
        expected = trace_id(meta.workflow_id, meta.container_id)
        if meta.trace_id != expected:
            wrong(f"trace_id is not {expected}")
    if meta.file_name is not None and meta.file_name != file.container.lines_path.name:
        wrong(f"it seals a file named {meta.file_name}")
    kind = kind_of(file.container.container_id)
    if kind and meta.container_type is not None and meta.container_type != kind:
        wrong(f"container_type is {meta.container_type}, its name says {kind}")
    for event_type, tally in meta.events.items():
        if tally.published != tally.written + tally.filtered + tally.dropped:
            wrong(f"{event_type}: published is not written + filtered + dropped")
        if bool(tally.dropped) != (tally.first_dropped is not None and tally.last_dropped is not None):
            wrong(f"{event_type}: {tally.dropped:,} dropped does not go with its first and last dropped")
        if meta.status != "recovered":  # there, what was lost may lie anywhere
            _judge_dropped(file, event_type, tally, wrong)
    if meta.total is not None:
        for count in _COUNTS:
            total = sum(getattr(tally, count) for tally in meta.events.values())
            if getattr(meta.total, count) != total:
                wrong(f"the total {count} is not the sum over the types, {total:,}")
    _judge_ends(file, meta, wrong)


def judge_together(phase: PhaseTrace, files: Sequence[FileContents], faults: FaultLog, notes: list[str]) -> None:
    """Note where the seals of one phase contradict each other; a moved directory is no fault."""
    metas = [(file, file.meta) for file in files if file.meta is not None]
    for key in _SHARED:
        values = {getattr(meta, key) for _, meta in metas}
        if len(values) > 1:
            file = metas[-1][0]
            text = f"the meta files of this phase differ in {key}: {', '.join(sorted(map(str, values)))[:200]}"
            faults.add("meta", file.name, None, text)
    named = {(meta.workflow_id, meta.phase_name) for _, meta in metas}
    if named and (phase.workflow_id, phase.phase_name) not in named:
        workflow, name = sorted(named, key=str)[0]
        notes.append(f"{phase.workflow_id}/{phase.phase_name}: written as {workflow}/{name}, so it was moved or copied")


def _judge_dropped(file: FileContents, event_type: str, tally: Tally, wrong: Callable[[str], None]) -> None:
    first = split_id(tally.first_dropped or "")
    last = split_id(tally.last_dropped or "")
    if tally.dropped and first and last:
        known = first[0] == last[0] == file.container.container_id
        if not known or last[1] - first[1] + 1 < tally.dropped:
            wrong(
                f"{event_type}: {tally.dropped:,} events can't lie from {tally.first_dropped} to {tally.last_dropped}"
            )
        elif file.numbers.first is not None and last[1] >= file.numbers.first:
            wrong(f"{event_type}: {tally.last_dropped} was dropped, but older events are on disk")


def _judge_ends(file: FileContents, meta: Meta, wrong: Callable[[str], None]) -> None:
    last = split_id(meta.last_event or "")
    if file.numbers.last is not None:
        if last is None or last != (file.container.container_id, file.numbers.last):
            wrong(f"last_event is {meta.last_event}, on disk it is number {file.numbers.last}")
        if meta.last_timestamp != file.last_timestamp:
            wrong(f"last_timestamp is {meta.last_timestamp}, on disk it is {file.last_timestamp}")
    first = split_id(meta.first_event or "")
    if file.numbers.first is not None and meta.total is not None:
        whole = not meta.total.dropped
        if first is None or first[1] > file.numbers.first or (whole and first[1] != file.numbers.first):
            wrong(f"first_event is {meta.first_event}, on disk it is number {file.numbers.first}")
        if whole and meta.first_timestamp != file.first_timestamp:
            wrong(f"first_timestamp is {meta.first_timestamp}, on disk it is {file.first_timestamp}")
