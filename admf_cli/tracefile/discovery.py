"""Finding trace files under a directory, without following links. Refuses to know what the lines say.

A directory that directly holds `*.jsonl` files is a phase, its parent the workflow; so a phase, a workflow, or a
folder of many can be given. Whatever is not a regular file is skipped and named; the number of directory entries
looked at is bounded, so a directory of millions of files ends in a fault instead of a hang.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from admf_cli.errors import StorageError

LINES_SUFFIX = ".jsonl"
META_SUFFIX = ".meta.json"
_LEFTOVER_SUFFIXES = (LINES_SUFFIX + ".tmp", META_SUFFIX + ".tmp")
_MAX_DEPTH = 4
MAX_ENTRIES = 200_000


class ContainerTrace(Struct, frozen=True):
    """Where one container's lines and meta file lie; either may be missing.

    Attributes:
        container_id: the file's stem.
        has_lines, has_meta: whether the file was there, as a regular file, when the directory was read.
    """

    container_id: str
    lines_path: Path
    meta_path: Path
    has_lines: bool
    has_meta: bool


class PhaseTrace(Struct, frozen=True):
    """One phase: the directory that holds its containers' files."""

    workflow_id: str
    phase_name: str
    path: Path
    containers: tuple[ContainerTrace, ...]

    def container(self, container_id: str) -> ContainerTrace | None:
        """Return the container of that id, or None."""
        return next((one for one in self.containers if one.container_id == container_id), None)


class Skipped(Struct, frozen=True):
    """Something that was not read, and why."""

    path: Path
    reason: str


class Discovery(Struct, frozen=True):
    """What lies under a directory.

    Attributes:
        phases: sorted by workflow, then by their order in the run as far as the names tell (by name).
        skipped: links, devices and other things that are not regular files.
        leftovers: temporary files of a writer that was killed.
        truncated: True when there was more than could be looked at.
    """

    root: Path
    phases: tuple[PhaseTrace, ...]
    skipped: tuple[Skipped, ...]
    leftovers: tuple[Path, ...]
    truncated: bool

    @property
    def workflow_ids(self) -> tuple[str, ...]:
        """The workflows found, sorted."""
        return tuple(sorted({phase.workflow_id for phase in self.phases}))


def discover(root: Path) -> Discovery:
    """Return the phases under `root`: itself a phase, a workflow, or a folder of many.

    Raises:
        StorageError: it does not exist, is not a directory, or cannot be listed.
    """
    if not root.exists():
        raise StorageError(f"{display(root)}: no such directory; name a directory that holds traces")
    if not root.is_dir():
        raise StorageError(f"{display(root)}: not a directory; name the directory that holds the .jsonl files")
    walk = _Walk()
    walk.visit(root, depth=0)
    phases = sorted(walk.phases, key=lambda phase: (phase.workflow_id, phase.phase_name, str(phase.path)))
    return Discovery(root, tuple(phases), tuple(walk.skipped), tuple(walk.leftovers), walk.truncated)


def discover_some(root: Path) -> Discovery:
    """Return what `discover` does, but insist that there is at least one phase.

    Raises:
        StorageError: also when no trace lies under `root`.
    """
    found = discover(root)
    if not found.phases:
        skipped = f" ({len(found.skipped)} links or special files were skipped)" if found.skipped else ""
        raise StorageError(f"{display(root)}: no traces here{skipped}; they are files ending in {LINES_SUFFIX}")
    return found


def display(path: Path) -> str:
    """Return a path as text that can be encoded, whatever bytes the file system holds."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class _Walk:
    def __init__(self) -> None:
        self.phases: list[PhaseTrace] = []
        self.skipped: list[Skipped] = []
        self.leftovers: list[Path] = []
        self.truncated = False
        self._entries = 0

    def visit(self, directory: Path, depth: int) -> None:
        stems: dict[str, set[str]] = {}
        below: list[Path] = []
        for entry in self._listing(directory, depth):
            name, path = entry.name, directory / entry.name
            suffix = next((one for one in (LINES_SUFFIX, META_SUFFIX) if name.endswith(one)), None)
            if entry.is_symlink():
                self.skipped.append(Skipped(path, "a symbolic link: links are not followed"))
            elif entry.is_dir(follow_symlinks=False):
                if suffix:
                    self.skipped.append(Skipped(path, "a directory where a file was expected"))
                elif not name.startswith("."):
                    below.append(path)
            elif name.endswith(_LEFTOVER_SUFFIXES):
                self.leftovers.append(path)
            elif suffix:
                if entry.is_file(follow_symlinks=False):
                    stems.setdefault(name.removesuffix(suffix), set()).add(suffix)
                else:
                    self.skipped.append(Skipped(path, "not a regular file"))
        if stems:
            self._add_phase(directory, stems)
        for path in sorted(below):
            if depth < _MAX_DEPTH and not self.truncated:
                self.visit(path, depth + 1)

    def _listing(self, directory: Path, depth: int) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    self._entries += 1
                    if self._entries > MAX_ENTRIES:
                        self.truncated = True
                        return
                    yield entry
        except OSError as error:
            if depth == 0:
                raise StorageError(f"{display(directory)}: cannot be listed: {error.strerror or error}") from error
            self.skipped.append(Skipped(directory, f"cannot be listed: {error.strerror or error}"))

    def _add_phase(self, directory: Path, stems: dict[str, set[str]]) -> None:
        absolute = Path(os.path.abspath(directory))
        containers = tuple(
            ContainerTrace(
                container_id=display(Path(stem)) if stem else "",
                lines_path=directory / (stem + LINES_SUFFIX),
                meta_path=directory / (stem + META_SUFFIX),
                has_lines=LINES_SUFFIX in suffixes,
                has_meta=META_SUFFIX in suffixes,
            )
            for stem, suffixes in sorted(stems.items())
        )
        workflow_id, phase_name = display(Path(absolute.parent.name)), display(Path(absolute.name))
        self.phases.append(PhaseTrace(workflow_id, phase_name, directory, containers))
