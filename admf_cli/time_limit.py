"""A limit on how long a run may take, by the wall clock. Refuses to know what runs."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

from admf_cli.errors import RunFailedError

_AGAIN_S = 0.05


class TimeLimit:
    """Ends a run whose time is up.

    Between bars `check` says so. A strategy that never comes back from its own code does not get there: there the
    alarm raises, but only there, because an error raised in the middle of our own would leave half a line in a trace.
    Where it finds our own code it comes back after a twentieth of a second.

    Args:
        seconds: above 0.
        is_interruptible: whether an error may be raised in the frame that the alarm found.
        error: what is raised there.
    """

    def __init__(
        self,
        seconds: float,
        is_interruptible: Callable[[FrameType | None], bool],
        error: Callable[[float], BaseException],
    ) -> None:
        self._seconds = seconds
        self._is_interruptible = is_interruptible
        self._error = error
        self._passed = False

    def check(self) -> None:
        """Raise RunFailedError if the time is up."""
        if self._passed:
            raise RunFailedError(f"--timeout: still running after {self._seconds:g} s; allow more, or run less")

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Measure the length of a block."""
        former = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, former)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        self._passed = True
        if self._is_interruptible(frame):
            raise self._error(self._seconds)
