"""A request to stop, made by a signal and heard between two bars. Refuses to know who runs."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from admf_cli.errors import InterruptedRunError

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU") if hasattr(signal, name))


class StopRequest:
    """Remembers the first signal that came.

    A handler that raised wherever the signal found the program could leave half a line in a trace; so the run is only
    told, and stops at a bar's edge. A second signal of the same kind does what it would have done without us.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def check(self) -> None:
        """Raise InterruptedRunError if a signal has come."""
        if self.signal_number is not None:
            raise InterruptedRunError(self.signal_number)

    @contextlib.contextmanager
    def listening(self) -> Iterator[StopRequest]:
        """Take the signals for the length of a block; the former handlers come back after it."""
        former = {number: signal.signal(number, self._note) for number in _SIGNALS}
        try:
            yield self
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
