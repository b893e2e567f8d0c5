"""Whether a run still goes on: it holds a lock on its own directory, which the system lifts when it ends, however.

So a run that was killed is known to be gone, and no process number is ever written down. Refuses to know what a run
is. Where the file system or the platform has no such locks, nobody can tell.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

_HELD_BY_ANOTHER = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


@contextlib.contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold a directory for as long as the block lasts; where that can't be done, just run the block."""
    descriptor = _opened(directory)
    try:
        if descriptor is not None and fcntl is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_held(directory: Path) -> bool | None:
    """Return whether a process holds a directory, None where nobody can tell. Nothing is written."""
    descriptor = _opened(directory) if fcntl is not None else None
    if descriptor is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return True if error.errno in _HELD_BY_ANOTHER else None
    finally:
        os.close(descriptor)
    return False


def _opened(directory: Path) -> int | None:
    flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(directory, flags)
    except OSError:
        return None
