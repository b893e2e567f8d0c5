"""How long a position may be held: bars, or the day. Pure functions. Refuses to know who holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from admf_cli.market.bars import IntArray
from admf_cli.market.timeframe import DAY_US
from admf_cli.risk.limits import Breach


def has_end(profile: Mapping[str, Any]) -> bool:
    """Return whether the profile closes positions by time at all."""
    return profile.get("max_holding_period") is not None or bool(profile.get("end_of_day"))


def checks(profile: Mapping[str, Any], opened: int, times: IntArray) -> list[int]:
    """Return the bars at whose close to ask `overdue` about a position opened at bar `opened`."""
    bars = []
    if (holding := profile.get("max_holding_period")) is not None:
        bars.append(opened + holding - 1)
    if profile.get("end_of_day"):
        last_of_day = int(np.searchsorted(times, (int(times[opened]) // DAY_US + 1) * DAY_US)) - 1
        bars.append(max(opened, last_of_day - 1))
    return bars


def overdue(profile: Mapping[str, Any], opened: int, bar: int, times: IntArray) -> tuple[Breach, str] | None:
    """Return why a position is to be closed, decided at the close of `bar`, and by which type of order; or None.

    A holding period of n closes at the open of the n-th bar after the entry's; the end of a day at the close of its
    last bar, as the data has it.
    """
    holding = profile.get("max_holding_period")
    if holding is not None and bar >= opened + holding - 1:
        return Breach("max_holding_period", float(holding), float(bar - opened + 1)), "market"
    if profile.get("end_of_day"):
        today = int(times[bar]) // DAY_US
        if bar + 2 >= len(times) or int(times[bar + 2]) // DAY_US != today:
            return Breach("end_of_day", 0.0, 1.0), "market_on_close"
    return None
