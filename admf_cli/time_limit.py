"""A limit on how long a run may take, by the wall clock. Refuses to know what runs."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

from admf_cli.errors import RunFailedError

_AGAIN_S = 0.05
_MOST_IGNORED = 20


class TimeLimit:
    """Ends a run whose time is up.

    Between bars `check` says so. A strategy that never comes back from its own code does not get there: there the
    alarm raises, but only there, because an error raised in the middle of our own would leave half a line in a trace.
    Where it finds our own code it comes back after a twentieth of a second. A strategy that catches everything, this
    error too, twenty times over, is not asked any more: the traces are sealed and the process ends.

    Args:
        seconds: above 0.
        is_interruptible: whether an error may be raised in the frame that the alarm found.
        error: what is raised there.
        end: ends the process, in the frame that the alarm found.
    """

    def __init__(
        self,
        seconds: float,
        is_interruptible: Callable[[FrameType | None], bool],
        error: Callable[[float], BaseException],
        end: Callable[[str, FrameType | None], NoReturn],
    ) -> None:
        self._seconds = seconds
        self._is_interruptible = is_interruptible
        self._error = error
        self._end = end
        self._seal: Callable[[str], None] = lambda reason: None
        self._passed = False
        self._raised = 0

    def seals_with(self, seal: Callable[[str], None]) -> None:
        """Say what seals the traces of what runs from here on, given the reason."""
        self._seal = seal

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
        if not self._is_interruptible(frame):
            return
        error = self._error(self._seconds)
        self._raised += 1
        if self._raised <= _MOST_IGNORED:
            raise error
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        reason = f"{error}, and the strategy catches every error that would end it, as a bare except does"
        self._seal(reason)
        self._end(reason, frame)
