"""How long a position may be held: bars, or the day. Pure functions. Refuses to know who holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from admf_cli.market.bars import IntArray
from admf_cli.market.timeframe import DAY_US
from admf_cli.risk.limits import Breach


def has_end(profile: Mapping[str, Any]) -> bool:
    """Return whether the profile closes positions by time at all."""
    return profile.get("max_holding_period") is not None or bool(profile.get("end_of_day"))


class Overdue(NamedTuple):
    """Why a position is to be closed, and by which type of order."""

    breach: Breach
    order_type: str


END_OF_DAY = Overdue(Breach("end_of_day", 0.0, 1.0), "market_on_close")


def checks(profile: Mapping[str, Any], opened: int, times: IntArray, *, at_close: bool) -> list[int]:
    """Return the bars at whose close to ask `overdue` about a position opened at bar `opened`.

    Args:
        at_close: market orders fill at the close of the bar they are decided on.
    """
    bars = []
    if (holding := profile.get("max_holding_period")) is not None:
        bars.append(opened + holding - (not at_close))
    if profile.get("end_of_day"):
        first = opened + 1 if _ends_day(opened, times) else opened
        if first < len(times):
            last_of_day = int(np.searchsorted(times, (int(times[first]) // DAY_US + 1) * DAY_US)) - 1
            bars.append(last_of_day - 1)
    return bars


def next_day_check(profile: Mapping[str, Any], bar: int, times: IntArray) -> int | None:
    """Return the first bar after `bar` at whose close the end of a day is to be asked about, or None."""
    if not profile.get("end_of_day") or bar + 2 >= len(times):
        return None
    return int(np.searchsorted(times, (int(times[bar + 2]) // DAY_US + 1) * DAY_US)) - 2


def overdue(profile: Mapping[str, Any], opened: int, bar: int, times: IntArray, *, at_close: bool) -> Overdue | None:
    """Return why a position is to be closed, decided at the close of `bar`, or None.

    A holding period of n closes at the open of the n-th bar after the entry's, or at its close if market orders fill
    there; the end of a day closes at the close of its last bar, as the data has it.
    """
    holding = profile.get("max_holding_period")
    if holding is not None and bar >= opened + holding - (not at_close):
        return Overdue(Breach("max_holding_period", float(holding), float(bar - opened + 1)), "market")
    if profile.get("end_of_day") and bar + 1 < len(times) and _ends_day(bar + 1, times):
        return END_OF_DAY
    return None


def closes_today(profile: Mapping[str, Any], bar: int, times: IntArray) -> bool:
    """Return whether what is opened inside `bar` has to be closed at its close, the day's last."""
    return bool(profile.get("end_of_day")) and _ends_day(bar, times)


def _ends_day(bar: int, times: IntArray) -> bool:
    return bar + 1 >= len(times) or int(times[bar]) // DAY_US != int(times[bar + 1]) // DAY_US
