"""The directory of the cache: where it is, what it may hold, and what goes first. Refuses to know what entries are.

Only files that carry a name of the cache's own are ever removed, wherever the directory may be.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

SWITCH = "ADMF_CACHE_DIR"
_NAME = r"[0-9a-f]{32}-[0-9a-f]+-[0-9a-f]{64}\.bars"
_UNFINISHED = r"admf-\w+\.tmp"
_MAX_BYTES = 2 << 30
_MAX_ENTRIES = 4096
_SHARE_OF_FREE = 10
"""An entry takes at most one part in so many of the disk's free bytes: traces and results come first."""
_UNUSED_S = 30 * 86_400
_ABANDONED_S = 3_600


def chosen_directory(environment: Mapping[str, str]) -> Path | None:
    """Return the directory that the environment chooses, else the platform's own for caches; None for no cache.

    Source: XDG Base Directory Specification 0.8 (a relative path there is no path); macOS's ~/Library/Caches.
    """
    chosen = environment.get(SWITCH)
    if chosen is not None:
        try:
            return Path(chosen).absolute() if chosen else None
        except OSError:  # the working directory is gone
            return None
    home, shared = environment.get("HOME") or "", environment.get("XDG_CACHE_HOME") or ""
    if os.path.isabs(shared):
        return Path(shared, "admf")
    if not os.path.isabs(home):
        return None
    return Path(home, "Library/Caches" if sys.platform == "darwin" else ".cache", "admf")


class CacheDirectory:
    """Entries by name, the ones unused for longest making room.

    Args:
        path: made when there is something to keep; not used if it is another's, or others may write to it.
        max_bytes, max_entries: of all entries together.
    """

    def __init__(self, path: Path, *, max_bytes: int = _MAX_BYTES, max_entries: int = _MAX_ENTRIES) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._used: set[str] = set()

    def names(self, prefix: str) -> list[str]:
        """Return the entries whose names begin so; none where the directory is not for this user alone to write."""
        try:
            return [name for name in os.listdir(self.path) if name.startswith(prefix)] if self._is_own() else []
        except OSError:
            return []

    def use(self, name: str) -> None:
        """Note that an entry was used: it stays for as long as this run may need it, and for longer than others."""
        self._used.add(name)
        with contextlib.suppress(OSError):
            os.utime(self.path / name)

    def write(self, name: str, n_bytes: int, write: Callable[[IO[bytes]], None]) -> None:
        """Make an entry of about so many bytes, which appears whole or not at all; not if there is no room for it.

        Raises:
            OSError: it cannot be written.
        """
        import tempfile

        os.makedirs(self.path, mode=0o700, exist_ok=True)
        disk = os.statvfs(self.path)
        if (
            not self._is_own()
            or n_bytes * _SHARE_OF_FREE > disk.f_bavail * disk.f_frsize
            or not self._has_room(n_bytes)
        ):
            return
        descriptor, unfinished = tempfile.mkstemp(".tmp", "admf-", self.path)  # readable by its owner only
        try:
            with open(descriptor, "wb") as file:
                write(file)
            os.replace(unfinished, self.path / name)
            self._used.add(name)
        except BaseException:
            os.unlink(unfinished)
            raise

    def _is_own(self) -> bool:
        found = self.path.stat()
        return found.st_uid == os.geteuid() and not found.st_mode & 0o022

    def _has_room(self, n_bytes: int) -> bool:
        """Remove what is old, then what makes room for so many bytes; return whether there is room."""
        now = time.time()
        entries: list[tuple[float, int, str]] = []
        for entry in os.scandir(self.path):
            is_entry = re.fullmatch(_NAME, entry.name) is not None
            if not is_entry and not re.fullmatch(_UNFINISHED, entry.name):
                continue
            with contextlib.suppress(FileNotFoundError):  # another run may be at it as well
                found = entry.stat(follow_symlinks=False)
                if now - found.st_mtime > (_UNUSED_S if is_entry else _ABANDONED_S):
                    os.unlink(entry.path)
                else:
                    entries.append((found.st_mtime, found.st_size, entry.name))
        entries.sort()
        total, count = sum(size for _, size, _ in entries), len(entries)
        for _, size, name in entries:
            if total + n_bytes <= self._max_bytes and count < self._max_entries:
                break
            # What this run reads stays, or the files of one that reads more than fits would push out each other.
            if name not in self._used and re.fullmatch(_NAME, name):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.path / name)
                total, count = total - size, count - 1
        return total + n_bytes <= self._max_bytes and count < self._max_entries
