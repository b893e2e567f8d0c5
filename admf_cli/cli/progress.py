"""Progress on a terminal. Refuses to know what progresses."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress(of: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """Yield what shows (done, total) on stderr, or None where nobody watches a terminal."""
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(of, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
