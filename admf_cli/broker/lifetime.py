"""How long an order may meet bars. Pure. Refuses to know prices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from admf_cli.market.bars import Bars
from admf_cli.market.timeframe import DAY_US


def dead_bar(bars: Bars, symbol: int, first_bar: int, time_in_force: str, good_till: dict[str, Any] | None) -> int:
    """Return the first bar that an order may no longer meet; n_bars if there is none.

    DAY lives through the UTC day of its first bar; GTD through `good_till`: {"bars": n} bars of its symbol from the
    first one on, or {"until": ISO time}, the bar at that time included. The others have no such end.
    """
    n_bars = len(bars.times)
    if first_bar >= n_bars or time_in_force in ("GTC", "IOC", "FOK"):
        return n_bars
    times = bars.times
    if time_in_force == "DAY":
        first = _present_from(bars, symbol, first_bar)
        if first >= n_bars:
            return n_bars
        return int(np.searchsorted(times, (int(times[first]) // DAY_US + 1) * DAY_US))
    assert good_till is not None
    if good_till.get("until") is not None:
        until = datetime.fromisoformat(good_till["until"].replace("Z", "+00:00"))
        return int(np.searchsorted(times, round(until.timestamp() * 1_000_000), side="right"))
    lives = int(good_till["bars"])
    if bars.present is None:
        return min(n_bars, first_bar + lives)
    present = np.flatnonzero(bars.present[first_bar:, symbol])
    return n_bars if len(present) <= lives else first_bar + int(present[lives])


def _present_from(bars: Bars, symbol: int, start: int) -> int:
    if bars.present is None:
        return start
    there = bars.present[start:, symbol]
    return start + int(there.argmax()) if there.any() else bars.n_bars
