"""The directories of one run, claimed before anything runs and never shared. Refuses to know what is put there."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import orjson

from admf_cli.errors import ConfigError, StorageError
from admf_cli.tracefile.presence import held

_SUMMARY = re.compile(r"summary\.json|\.summary\.json\.\d+\.tmp")
_RESULT = re.compile(r"(?:trades\.csv|equity\.csv|summary\.json)|\.(?:trades\.csv|equity\.csv|summary\.json)\.\d+\.tmp")


class RunDirectories:
    """Claims `<trace_dir>/<workflow_id>` and `<results_dir>/<workflow_id>` by creating them exclusively.

    Two runs that start at once with one id cannot both succeed: the operating system lets only one create the
    directory. Within the `with` block the traces' directory is held, so that readers see that the run goes on; on
    leaving it, directories that stayed empty are removed again.

    Args:
        workflow_id: the id asked for; None makes one from `fallback`.
        fallback: the id to try without one, with -2, -3 … behind it while it is taken.
        overwrite: remove what an earlier run of this id wrote, and only that.

    Raises:
        ConfigError: the id is taken and `overwrite` is off, or traces and results share a directory.
        StorageError: a directory cannot be made.
    """

    def __init__(
        self,
        *,
        workflow_id: str | None,
        fallback: str,
        trace_dir: Path | None,
        results_dir: Path | None,
        overwrite: bool,
    ) -> None:
        self._bases = [base for base in (trace_dir, results_dir) if base is not None]
        self._claimed: list[Path] = []
        self._made: list[Path] = []
        if len(self._bases) == 2 and os.path.realpath(self._bases[0]) == os.path.realpath(self._bases[1]):
            raise ConfigError(
                f"traces and results would share {self._bases[0]}; give each a directory of its own with --trace-dir "
                "and --results-dir (in YAML: execution.trace_settings.trace_dir and results.dir)"
            )
        self._held = contextlib.ExitStack()
        if workflow_id is not None:
            if overwrite:
                for base in self._bases:
                    _clear(base / workflow_id, workflow_id)
            self.workflow_id = workflow_id
            taken = self._claim(workflow_id, reuse=overwrite)
            if taken is not None:
                raise ConfigError(
                    f"workflow id {workflow_id!r} is taken: {taken} exists; choose another with --workflow-id, "
                    "or replace that run with --overwrite"
                )
        else:
            self.workflow_id = next(name for name in _names(fallback) if self._claim(name, reuse=False) is None)
        self.traces = None if trace_dir is None else trace_dir / self.workflow_id
        self.results = None if results_dir is None else results_dir / self.workflow_id

    def __enter__(self) -> RunDirectories:
        if self.traces is not None:
            self._held.enter_context(held(self.traces))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._held.close()
        self._release()

    def _claim(self, name: str, *, reuse: bool) -> Path | None:
        """Create every directory of this name; return the first that exists already, having created none."""
        for base in self._bases:
            path = base / name
            try:
                if not base.is_dir():
                    base.mkdir(parents=True, exist_ok=True)
                    self._made.append(base)
                try:
                    path.mkdir(parents=True)  # again, for a run that just failed may have removed an empty base
                except FileExistsError:
                    if not reuse or path.is_symlink() or not path.is_dir():
                        self._release()
                        return path
                    continue
            except OSError as error:
                self._release()
                raise StorageError(
                    f"{path}: cannot create this directory: {error.strerror or error}; "
                    "check the path and its permissions, or choose another with --trace-dir or --set results.dir=…"
                ) from error
            self._claimed.append(path)
        return None

    def _release(self) -> None:
        for path in self._claimed:
            for folder in (*_folders(path), path):
                with contextlib.suppress(OSError):
                    folder.rmdir()  # succeeds only where nothing was written
        for path in self._made:
            with contextlib.suppress(OSError):
                path.rmdir()
        self._claimed.clear()
        self._made.clear()


def _names(fallback: str) -> Iterator[str]:
    yield fallback
    number = 2
    while True:
        yield f"{fallback}-{number}"
        number += 1


def _folders(path: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [Path(entry.path) for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    return []


def _clear(path: Path, workflow_id: str) -> None:
    """Remove a run's files: those that say themselves that they are this workflow's. Everything else stays."""
    if path.is_symlink() or not path.is_dir():
        return
    try:
        _clear_traces(path, workflow_id)
        _clear_results(path, workflow_id)
    except OSError as error:
        raise StorageError(f"{path}: cannot replace this run: {error.strerror or error}") from error


def _clear_traces(path: Path, workflow_id: str) -> None:
    for phase in _folders(path):
        for lines in sorted(phase.glob("*.jsonl")):
            meta = lines.with_name(lines.name.removesuffix(".jsonl") + ".meta.json")
            if lines.is_symlink() or not lines.is_file() or not _is_trace_of(lines, meta, workflow_id):
                continue
            for path in (lines, meta, lines.with_name(lines.name + ".tmp"), meta.with_name(meta.name + ".tmp")):
                if path.is_file() and not path.is_symlink():  # the last two are left by a kill in mid-write
                    path.unlink()
        with contextlib.suppress(OSError):
            phase.rmdir()


def _is_trace_of(lines: Path, meta: Path, workflow_id: str) -> bool:
    if meta.is_file() and not meta.is_symlink():
        return _says(meta, "workflow_id", workflow_id)
    with lines.open("rb") as file:  # never sealed: a first line that names this container is proof enough
        head = file.read(4096).partition(b"\n")[0]
    return not head or head.startswith(b'{"event_id":"' + lines.name.removesuffix(".jsonl").encode() + b"#")


def _clear_results(path: Path, workflow_id: str) -> None:
    """Remove results; of a run killed while it wrote them, which has no summary.json yet, what it had written."""
    whole = path / "summary.json"
    if os.path.lexists(whole) and not _says(whole, "workflow_id", workflow_id):
        return
    for phase in _folders(path):
        for portfolio in _folders(phase):
            own = portfolio / "summary.json"
            stranger = os.path.lexists(own) and not _says(own, "workflow_id", workflow_id)
            if not stranger and all(_RESULT.fullmatch(entry.name) for entry in portfolio.iterdir()):
                shutil.rmtree(portfolio)
        with contextlib.suppress(OSError):
            phase.rmdir()
    for entry in list(path.iterdir()):
        if entry.is_file() and not entry.is_symlink() and _SUMMARY.fullmatch(entry.name):
            entry.unlink()


def _says(path: Path, key: str, value: str) -> bool:
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get(key) == value
