"""Several waits at once. Refuses to know what is waited for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

_MOST_THREADS = 16


def together(tasks: Sequence[Callable[[], None]]) -> None:
    """Do what mostly waits, as for a disk, all at once; return when all of it is done.

    Raises:
        Exception: the first of what the tasks raised, in their order.
    """
    left = deque(enumerate(tasks))
    raised: dict[int, Exception] = {}

    def work() -> None:
        while left:
            try:
                number, task = left.popleft()
            except IndexError:  # another was faster
                return
            try:
                task()
            except Exception as error:  # noqa: BLE001 - raised below, in the thread that asked
                raised[number] = error

    threads = [threading.Thread(target=work) for _ in range(min(len(tasks), _MOST_THREADS) - 1)]
    started = []
    try:
        for thread in threads:
            try:
                thread.start()
            except RuntimeError:  # no more are allowed: those that are do it all
                break
            started.append(thread)
        work()
    finally:
        for thread in started:
            thread.join()
    if raised:
        raise raised[min(raised)]
