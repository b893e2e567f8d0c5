"""Keeps what strategies print out of the results: standard output belongs to those. Refuses to know who prints."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def prints_go_to_stderr() -> Iterator[None]:
    """Send to standard error what is written to standard output within the block, by Python or any library."""
    output, errors = 1, 2
    try:
        saved = os.dup(output)
    except OSError:  # closed by whoever started us
        saved = None
    try:
        if saved is not None:
            sys.stdout.flush()
            with contextlib.suppress(OSError):
                os.dup2(errors, output)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if saved is not None:
            os.dup2(saved, output)
            os.close(saved)
