"""What is worked out in a thread beside the run, such as the digest of a file's bytes. Refuses to know files' formats.

hashlib, reading and writing let go of the interpreter, so that on a second processor they cost no time.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Beside(Generic[T]):
    """The value of a function that is called at once, in a thread of its own; it must not raise.

    The process does not wait at its end for what nobody asked for.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._values: list[T] = []
        self._later: Callable[[], T] | None = None
        self._thread = threading.Thread(target=self._work, args=(function,), daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the system lets us have no more threads: it is done when it is asked for
            self._later = function

    def value(self) -> T:
        """Wait for the value and return it."""
        if self._later is None:
            self._thread.join()
        elif not self._values:
            self._work(self._later)
        return self._values[0]

    def is_done(self, within_s: float = 0.0) -> bool:
        """Return whether the value is there, waiting for at most so many seconds."""
        if self._later is None:
            self._thread.join(within_s)
        return bool(self._values)

    def _work(self, function: Callable[[], T]) -> None:
        self._values.append(function())


class Content:
    """The sha256 of a file's bytes, taken while they are read."""

    def __init__(self) -> None:
        self._sha256: Callable[[], str] | None = None

    def read(self, data: bytes) -> None:
        """Take the digest of all the bytes of the file, beside what is done with them."""
        self._sha256 = Beside(lambda: hashlib.sha256(data).hexdigest()).value

    def is_known(self, sha256: str) -> None:
        """Take a digest that another process took."""
        self._sha256 = lambda: sha256

    def sha256(self) -> str | None:
        """Wait for the digest and return it; None if the bytes were never all read."""
        return None if self._sha256 is None else self._sha256()
