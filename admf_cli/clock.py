"""Next-event time advance: jumps from one due moment to the next. Refuses to know what is done at any of them.

A moment is a bar and a stage within the bar. Actors ask to be woken (`at`); between the moments asked for nothing
runs, so a run costs what happens in it, not how many bars pass by.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final, Protocol

import numpy as np

from admf_cli.market.bars import IntArray
from admf_cli.tracefile.format import BAR_SHIFT, DECISION_PLACE, END_PLACE, FEATURE_PLACE, MARKET_PLACE

# The stages of a bar, in the order in which it is lived through.
ACCRUE: Final = 0  # interest and fees of the time since the last bar
MEET: Final = 1  # working orders meet the bar; fills reach their portfolios
MARK: Final = 2  # positions are marked at the close, limits are watched
DECIDE: Final = 3  # strategies see the closed bar
SUBMIT: Final = 4  # portfolios size, check and submit
SETTLE: Final = 5  # what was filled at the close is marked

_STAGE_BITS: Final = 4
_RANK_BITS: Final = 16
_BAR_BITS: Final = _STAGE_BITS + _RANK_BITS
_RANK_MASK: Final = (1 << _RANK_BITS) - 1
_STAGE_MASK: Final = (1 << _STAGE_BITS) - 1
_PULSE_BARS: Final = 1 << 15
_PULSE_S: Final = 0.5

Pulse = Callable[[int, bool], None]
"""(current bar, whether it comes because half a second has passed)."""


class Actor(Protocol):
    """Whoever can be woken."""

    def wake(self, bar: int, stage: int) -> None:
        """Do what is due at this stage of this bar."""
        ...


class Clock:
    """The run's agenda and its counter of places.

    Attributes:
        bar: index of the current bar within the phase.
        time: its time, microseconds since 1970 UTC.
        times: shape (n_bars,), all of them.
        sequence: the last number given out; `publish` takes the next.
    """

    __slots__ = (
        "_agenda",
        "_first_decision",
        "_next_pulse_bar",
        "_next_pulse_s",
        "_pulses",
        "_push",
        "_time_of",
        "_wakes",
        "bar",
        "n_bars",
        "sequence",
        "time",
        "times",
    )

    def __init__(self, times: IntArray) -> None:
        self.times = times
        self.n_bars = len(times)
        self._time_of = np.ascontiguousarray(times).data  # hands out plain integers
        self.bar = 0
        self.time: int = self._time_of[0]
        self.sequence = MARKET_PLACE - 1
        self._first_decision = DECISION_PLACE - 1
        self._wakes: list[Callable[[int, int], None]] = []
        self._agenda: list[int] = []
        self._push: Callable[[list[int], int], None] = heappush  # found sooner than a name of the module
        self._pulses: list[Pulse] = []
        self._next_pulse_bar = _PULSE_BARS
        self._next_pulse_s = 0.0

    def join(self, actor: Actor) -> int:
        """Take an actor in and return its rank: at one stage of one bar, lower ranks go first."""
        self._wakes.append(actor.wake)
        assert len(self._wakes) <= _RANK_MASK
        return len(self._wakes) - 1

    def at(self, rank: int, bar: int, stage: int) -> None:
        """Wake the actor of this rank then; asking twice for one moment wakes it once. Past the end: never."""
        if bar < self.n_bars:
            self._push(self._agenda, bar << _BAR_BITS | stage << _RANK_BITS | rank)

    def on_pulse(self, pulse: Pulse) -> None:
        """Call `pulse` with the current bar now and then: every half second, every 32,768 bars, and at the end."""
        self._pulses.append(pulse)

    def run(self) -> None:
        """Live through all bars."""
        agenda, wakes, n_bars = self._agenda, self._wakes, self.n_bars
        monotonic, pop = time.monotonic, heappop
        self._next_pulse_s = monotonic() + _PULSE_S
        done = -1
        now = self.bar
        while agenda:
            key = pop(agenda)
            if key == done:
                continue
            done = key
            bar = key >> _BAR_BITS
            stage = key >> _RANK_BITS & _STAGE_MASK
            if bar != now:
                self._enter(bar)
                now = bar
                on_time = monotonic() >= self._next_pulse_s
                if on_time or bar >= self._next_pulse_bar:
                    self.pulse(on_time=on_time)
                    self._next_pulse_bar = bar + _PULSE_BARS
                    if on_time:
                        self._next_pulse_s = monotonic() + _PULSE_S
            if stage >= DECIDE and self.sequence < self._first_decision:
                self.begin_decisions()
            wakes[key & _RANK_MASK](bar, stage)
        if self.bar != n_bars - 1:
            self._enter(n_bars - 1)
        self.pulse()

    def begin_decisions(self) -> None:
        """From here on in this bar, events are what is decided at its close."""
        if self.sequence < self._first_decision:
            self.sequence = self._first_decision

    def pulse(self, *, on_time: bool = False) -> None:
        """Let dense events catch up with the current bar, and buffers if half a second has passed."""
        for pulse in self._pulses:
            pulse(self.bar, on_time)

    def _enter(self, bar: int) -> None:
        place = self.sequence - (self.bar << BAR_SHIFT)
        assert place < FEATURE_PLACE or DECISION_PLACE - 1 <= place < END_PLACE, "too many events in one bar"
        assert bar > self.bar, "time runs forward"
        self.bar = bar
        self.time = self._time_of[bar]
        start = bar << BAR_SHIFT
        self.sequence = start + MARKET_PLACE - 1
        self._first_decision = start + DECISION_PLACE - 1
