"""Removing whole runs that are no longer wanted, and nothing that is not recognisably a run's own traces.

A workflow's directory goes only if everything in it is a trace file of that workflow; a link, another file, a seal that
names another workflow or a run that still goes on keep all of it. Refuses to ask or to print.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from admf_cli.errors import ConfigError, StorageError
from admf_cli.tracefile.discovery import LINES_SUFFIX, META_SUFFIX, PhaseTrace, discover_some, display
from admf_cli.tracefile.lookup import TraceLookup, read_head
from admf_cli.tracefile.metafile import read_meta
from admf_cli.tracefile.presence import is_held
from admf_cli.traces.runs import last_written, workflows

_SUFFIXES = (LINES_SUFFIX, META_SUFFIX, LINES_SUFFIX + ".tmp", META_SUFFIX + ".tmp")
_AGE = re.compile(r"(\d{1,6})([hdw])")
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([KMGT]?)i?B?", re.IGNORECASE)
_SECONDS = {"h": 3600, "d": 86_400, "w": 604_800}
_MOST_FILES = 100_000


class PrunedRun(Struct, frozen=True):
    """One run: gone (or to go), or spared though it was due, and why."""

    workflow_id: str
    path: str
    modified: float
    size: int
    spared: str | None = None


class Pruning(Struct, frozen=True):
    """What was done, or would be.

    Attributes:
        removed, spared: oldest first.
        kept: how many runs were not due.
        freed: bytes of the removed ones.
    """

    directory: str
    dry_run: bool
    removed: tuple[PrunedRun, ...]
    spared: tuple[PrunedRun, ...]
    kept: int
    freed: int


def prune(
    directory: Path,
    *,
    keep: int | None = None,
    older_than: str | None = None,
    max_size: str | None = None,
    dry_run: bool = False,
) -> Pruning:
    """Remove old runs under a directory, whole ones only.

    Args:
        keep: spare this many of the newest.
        older_than: remove only what is older: 30d, 12h, 4w, or a date.
        max_size: remove only as many of the oldest as it takes to bring all together below this: 500MB, 2GB.
        dry_run: find out, remove nothing.

    Raises:
        ConfigError: no rule was given, or one can't be read.
        StorageError: there is no trace to read, or something could not be removed.
    """
    if keep is None and older_than is None and max_size is None:
        raise ConfigError("say what may go: --keep N, --older-than 30d or --max-size 2GB; --dry-run shows it first")
    limit = None if max_size is None else parse_size(max_size)
    before = None if older_than is None else parse_age(older_than, time.time())
    runs = [(*last_written(phases), path, phases) for path, phases in workflows(discover_some(directory)).items()]
    runs.sort(key=lambda run: (run[0], display(run[2])))
    candidates = runs[: max(0, len(runs) - (keep or 0))]
    if before is not None:
        candidates = [run for run in candidates if run[0] < before]
    total, due = sum(run[1] for run in runs), []
    for run in candidates:
        if limit is None or total > limit:
            due.append(run)
            total -= run[1]
    gone: list[PrunedRun] = []
    spared: list[PrunedRun] = []
    for modified, size, path, phases in due:
        reason = _why_spared(path, phases)
        row = PrunedRun(phases[0].workflow_id, display(path), modified, size, reason)
        (spared if reason else gone).append(row)
        if not reason and not dry_run:
            _remove(path)
    freed = sum(one.size for one in gone)
    return Pruning(display(directory), dry_run, tuple(gone), tuple(spared), len(runs) - len(due), freed)


def parse_age(text: str, now: float) -> float:
    """Return the moment, in seconds since 1970, before which something is older than `text` says.

    Raises:
        ConfigError: it is neither an age nor a date.
    """
    match = _AGE.fullmatch(text.strip())
    if match:
        return now - int(match[1]) * _SECONDS[match[2]]
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(f"--older-than {text!r}: write 30d, 12h, 4w, or a date such as 2026-01-31 (UTC)") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_size(text: str) -> int:
    """Return a size in bytes; K, M, G and T are powers of 1,000.

    Raises:
        ConfigError: it is no size.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ConfigError(f"--max-size {text!r}: write bytes or 500MB, 2GB")
    return int(float(match[1]) * 1000 ** " KMGT".index(match[2].upper() or " "))


def _why_spared(path: Path, phases: Sequence[PhaseTrace]) -> str | None:
    """Return why a workflow's directory must stay, None if all of it is its own traces."""
    if is_held(path):
        return "its run still goes on"
    known = {phase.path.name for phase in phases}
    try:
        for entry in _entries(path):
            if not entry.is_dir(follow_symlinks=False) or entry.name not in known:
                return f"it holds {display(Path(entry.name))}, which is no phase"
            for file in _entries(Path(entry.path)):
                if not file.is_file(follow_symlinks=False) or not file.name.endswith(_SUFFIXES):
                    return f"it holds {display(Path(entry.name, file.name))}, which is no trace file"
    except OSError as error:
        return f"it can't be looked into: {error.strerror or error}"
    for phase in phases:
        for container in phase.containers:
            if container.has_meta:
                named = _named_workflow(container.meta_path)
                if named != path.name:
                    return f"{container.meta_path.name} is of workflow {named!r}"
            elif not _is_own(container.lines_path, container.container_id):
                return f"{container.lines_path.name} is not recognisably a trace"
    return None


def _entries(path: Path) -> list[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        found = [entry for entry, _ in zip(entries, range(_MOST_FILES), strict=False)]
    if len(found) == _MOST_FILES:
        raise OSError(f"more than {_MOST_FILES:,} entries")
    return found


def _named_workflow(meta_path: Path) -> str | None:
    with contextlib.suppress(StorageError):
        return read_meta(meta_path).workflow_id
    return None


def _is_own(lines_path: Path, container_id: str) -> bool:
    """Return whether a file without a seal begins with an event of the container that it is named after."""
    try:
        with TraceLookup(lines_path) as lookup:
            line = next(lookup.lines_from(0), None)
    except StorageError:
        return False
    if line is None:
        return lookup.size == 0
    return read_head(line.data) is not None and line.data.startswith(b'{"event_id":"' + container_id.encode() + b"#")


def _remove(path: Path) -> None:
    try:
        for phase in _entries(path):
            for file in _entries(Path(phase.path)):
                os.unlink(file.path)
            os.rmdir(phase.path)
        os.rmdir(path)
    except OSError as error:
        raise StorageError(f"{display(path)}: cannot be removed: {error.strerror or error}") from error
