"""What the alarm of `--timeout` does where it finds the run, by alarms of its own instead of time that passes."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

import pytest

from admf_cli.errors import RunFailedError
from admf_cli.time_limit import TimeLimit


class EndedError(Exception):
    """Stands for the end of the process."""


class OutOfTimeError(Exception):
    """Stands for what is raised within a strategy."""


def limit(*, is_interruptible: bool) -> TimeLimit:
    def end(reason: str, frame: FrameType | None) -> NoReturn:
        raise EndedError(reason)

    return TimeLimit(
        1000.0, lambda frame: is_interruptible, lambda seconds: OutOfTimeError(f"after {seconds:g} s"), end
    )


def test_where_the_alarm_finds_our_own_code_the_run_ends_at_the_next_bar() -> None:
    ours = limit(is_interruptible=False)
    before = signal.getsignal(signal.SIGALRM)
    with ours.running():
        ours.check()
        signal.raise_signal(signal.SIGALRM)
        with pytest.raises(RunFailedError, match="--timeout: still running after 1000 s; allow more, or run less"):
            ours.check()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_strategy_that_catches_twenty_alarms_is_ended_with_its_traces_sealed() -> None:
    theirs, sealed = limit(is_interruptible=True), list[str]()
    theirs.seals_with(sealed.append)
    with theirs.running():
        for _ in range(20):
            with pytest.raises(OutOfTimeError, match="after 1000 s"):
                signal.raise_signal(signal.SIGALRM)
        assert sealed == []
        with pytest.raises(EndedError, match="the strategy catches every error that would end it"):
            signal.raise_signal(signal.SIGALRM)
    assert sealed == ["after 1000 s, and the strategy catches every error that would end it, as a bare except does"]
