"""A file that appears whole or not at all, and never in another's place. Refuses to know what is in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from admf_cli.errors import StorageError

PathLinker = Callable[[Path, Path], None]


_ANOTHER_RUN = "choose another --workflow-id or --results-dir, or replace that run with --overwrite"


def write_new_file(
    path: Path,
    blocks: Iterable[bytes | memoryview],
    *,
    option: str = "--results-dir",
    if_taken: str = _ANOTHER_RUN,
    link: PathLinker = os.link,
) -> None:
    """Write blocks to a file that must not exist yet, by a temporary file beside it, fsync and link.

    Args:
        option: the command line's option that chooses another place.
        if_taken: what to do when there is such a file already.
        link: makes the finished file known under its name; must fail with FileExistsError if there is one.

    Raises:
        StorageError: the file exists, or cannot be written; nothing of it is left then.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            try:
                for block in blocks:
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
                _publish(temporary, path, link)
            finally:
                temporary.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except FileExistsError as error:
        raise StorageError(f"{path}: there is a result already, and none is ever overwritten; {if_taken}") from error
    except OSError as error:
        raise StorageError(
            f"{path}: cannot write this result: {error.strerror or error}; check the disk's space and the "
            f"directory's permissions, or choose another with {option}"
        ) from error


def _publish(temporary: Path, path: Path, link: PathLinker) -> None:
    """Give the finished file its name; unlike a rename, a link never replaces what is there."""
    try:
        link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here (FAT, some network drives): take the name exclusively, then rename over our own empty file.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            temporary.replace(path)
        except OSError:
            path.unlink(missing_ok=True)
            raise


def _sync_directory(directory: Path) -> None:
    with contextlib.suppress(OSError):  # not every system can; the file itself is safe
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
