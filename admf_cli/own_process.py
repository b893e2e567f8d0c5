"""Starts a program of this package as a process of its own. Refuses to know what it does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def start(
    module: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Run `python -m module` with what this process can import, nothing of its working directory, and return it.

    It is out of reach of the terminal's Ctrl-C, which is for us to hear: whoever starts it ends it. What it complains
    of is not shown.

    Args:
        environment: what is to differ from this process's own.

    Raises:
        OSError: the operating system allows no further process.
    """
    streams: dict[str, Any] = {"stdin": stdin, "stdout": stdout, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
        pass_fds=pass_fds,
        start_new_session=True,
        **streams,
    )
