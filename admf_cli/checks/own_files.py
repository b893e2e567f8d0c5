"""Which files strategies open by themselves while they are checked. Refuses to know what is in them.

What is read there is not cut with the data, so no rerun can tell whether it knew the future. Heard is what goes through
Python's `open`, that of pandas and NumPy included; not what a library reads below it, as Polars does.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from admf_cli.python_strategies.calls import is_running

_CODE = (".py", ".pyc", ".so", ".pth")
_SYSTEM = ("/dev/", "/proc/", "/sys/", "/etc/", "/usr/share/")


class OwnFiles:
    """Hears, for the length of a block, of every file that a user's code opens.

    Attributes:
        paths: absolute, in the order in which they were first opened.
    """

    def __init__(self) -> None:
        self.paths: dict[Path, None] = {}
        self._listening = False
        # Nobody can take an audit hook away again; once the block is over it does nothing.
        sys.addaudithook(self.hear)

    def __enter__(self) -> OwnFiles:
        self._listening = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening = False

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of an audit event of Python's, if a user's code opens a file by it."""
        if event != "open" or not self._listening or not isinstance(arguments[0], str | bytes):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if path.endswith(_CODE) or path.startswith((*_SYSTEM, sys.prefix + os.sep, sys.base_prefix + os.sep)):
            return
        if is_running(sys._getframe(1)):
            self.paths[Path(path).resolve()] = None
