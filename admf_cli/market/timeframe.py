"""Bar lengths: their text, their inference from times. Refuses to know prices."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from admf_cli.errors import MarketDataError
from admf_cli.market.bars import IntArray

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
_UNITS = {"s": SECOND_US, "m": 60 * SECOND_US, "h": 3_600 * SECOND_US, "d": DAY_US, "w": 7 * DAY_US}
_TEXT = re.compile(r"([1-9][0-9]{0,11})(s|mo|m|h|d|w)")
_MONTH_DAYS = (28, 31)


class Timeframe(NamedTuple):
    """A number of units: s, m, h, d, w or mo."""

    number: int
    unit: str

    def __str__(self) -> str:
        return f"{self.number}{self.unit}"

    @property
    def length_us(self) -> int:
        """Microseconds from one bar to the next; a month counts as 30 days."""
        return self.number * (30 * DAY_US if self.unit == "mo" else _UNITS[self.unit])


def parse_timeframe(text: str) -> Timeframe:
    """Return the timeframe that `5m`, `1h`, `1d`, `1w`, `1mo` … name."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise MarketDataError(f"data.timeframe: {text!r} is not <number>(s|m|h|d|w|mo), such as 5m or 1d")
    return Timeframe(int(found[1]), found[2])


def infer_timeframe(times: IntArray) -> Timeframe:
    """Return the commonest distance between neighbouring bars, in the largest unit that divides it; 1d for one bar."""
    if len(times) < 2:
        return Timeframe(1, "d")
    steps = np.diff(times)
    distance = int(steps[0])
    if 2 * np.count_nonzero(steps == distance) <= len(steps):  # else no other is commoner
        distances, counts = np.unique(steps, return_counts=True)
        distance = int(distances[counts.argmax()])
    days = distance / DAY_US
    if _MONTH_DAYS[0] <= days <= _MONTH_DAYS[1]:
        return Timeframe(1, "mo")
    for unit in ("w", "d", "h", "m", "s"):
        if distance >= _UNITS[unit] and distance % _UNITS[unit] == 0:
            return Timeframe(distance // _UNITS[unit], unit)
    return Timeframe(max(1, round(distance / SECOND_US)), "s")


def check_timeframe(given: Timeframe, times: IntArray) -> None:
    """Raise MarketDataError if the bars are plainly not of the timeframe that the configuration names."""
    if len(times) < 2:
        return
    found = infer_timeframe(times)
    months = given.unit == "mo" and (found.unit == "mo" or found.length_us >= 28 * DAY_US)
    weeks = given == (7, "d") and found == (1, "w")
    if found != given and found.length_us != given.length_us and not months and not weeks:
        raise MarketDataError(
            f"data.timeframe says {given}, but the commonest distance between bars is {found}; "
            f"write timeframe: {found}, or leave it out"
        )
