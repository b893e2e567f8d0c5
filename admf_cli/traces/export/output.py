"""Where exports are written: new files and new directories, whole or not at all. Refuses to know what is in them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from admf_cli.errors import StorageError
from admf_cli.new_file import write_new_file
from admf_cli.tracefile.discovery import display


def write_export(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a new file.

    Raises:
        StorageError: it exists, or can't be written.
    """
    write_new_file(path, blocks, option="--output", if_taken="choose another with --output")


@contextlib.contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """Make a directory that does not exist yet; when the block fails, nothing of it is left.

    Raises:
        StorageError: it exists, or the block's files can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir()
    except FileExistsError as error:
        raise StorageError(
            f"{display(path)}: exists already, and nothing is ever overwritten; choose another with --output"
        ) from error
    except OSError as error:
        raise StorageError(f"{display(path)}: cannot be made: {error.strerror or error}") from error
    try:
        yield path
    except BaseException as error:
        shutil.rmtree(path, ignore_errors=True)
        if isinstance(error, OSError):
            raise StorageError(f"{display(path)}: cannot be written: {error.strerror or error}") from error
        raise
