"""What looks odd about bars without being wrong: splits, gaps, no volume. Says so; alters nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from admf_cli.market.bars import Bars
from admf_cli.market.periods import open_calendar
from admf_cli.market.timeframe import DAY_US

_SPLIT_RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 25.0, 50.0, 100.0)
_SPLIT_TOLERANCE = 0.02
_SHOWN = 3


def oddities(bars: Bars, settings: Mapping[str, Any]) -> list[str]:
    """Return a line for each kind of odd thing and symbol."""
    found: list[str] = []
    for place, symbol in enumerate(bars.symbols):
        rows = slice(None) if bars.present is None else np.flatnonzero(bars.present[:, place])
        days = bars.times[rows]
        found.extend(_splits(symbol, bars.open[rows, place], bars.close[rows, place], days))
        volume = bars.volume[rows, place]
        idle = np.flatnonzero(volume == 0.0)
        if len(idle) == len(volume):
            found.append(f"{symbol}: no volume: the file has none, or it is zero in all {len(volume)} bars")
        elif len(idle):
            found.append(f"{symbol}: {_bars(len(idle))} of zero volume, the first at {_day(days[idle[0]])}")
        if settings.get("calendar"):
            found.extend(_gaps(symbol, days, settings["calendar"]))
    return found


def _splits(symbol: str, opens: np.ndarray, closes: np.ndarray, times: np.ndarray) -> list[str]:
    """Name jumps from close to open that are near a usual split ratio (2:1, 3:2 … or the reverse)."""
    if len(opens) < 2:
        return []
    ratio = closes[:-1] / opens[1:]
    if float(ratio.min()) > 0.75 and float(ratio.max()) < 1.25:  # far from any split, as nearly always
        return []
    jump = np.maximum(ratio, 1.0 / ratio)
    far = np.flatnonzero(jump > 1.0 + (_SPLIT_RATIOS[0] - 1.0) * 0.9)
    near = [row for row in far if np.abs(jump[row] / np.array(_SPLIT_RATIOS) - 1.0).min() <= _SPLIT_TOLERANCE]
    if not near:
        return []
    some = ", ".join(f"{_day(times[row + 1])} (x{1.0 / ratio[row]:.3g})" for row in near[:_SHOWN])
    more = f" and {len(near) - _SHOWN} more" if len(near) > _SHOWN else ""
    return [f"{symbol}: price jumps that look like unadjusted splits: {some}{more}"]


def _gaps(symbol: str, times: np.ndarray, calendar: str) -> list[str]:
    exchange = open_calendar(calendar)
    have = np.unique(times // DAY_US)
    first = max(str(have[0].astype("datetime64[D]")), str(exchange.first_session.date()))
    last = min(str(have[-1].astype("datetime64[D]")), str(exchange.last_session.date()))
    if first > last:
        return []
    expected = exchange.sessions_in_range(first, last).values.astype("datetime64[D]").astype(np.int64)
    found = []
    for days, words in (
        (np.setdiff1d(expected, have), ("session of {} without a bar", "sessions of {} without a bar")),
        (np.setdiff1d(have, expected), ("day with bars on which {} is closed", "days with bars on which {} is closed")),
    ):
        if len(days):
            some = ", ".join(str(day.astype("datetime64[D]")) for day in days[:_SHOWN])
            what = words[len(days) > 1].format(calendar)
            found.append(f"{symbol}: {len(days)} {what}: {some}{' …' if len(days) > _SHOWN else ''}")
    return found


def _bars(count: int) -> str:
    return f"{count} bar" if count == 1 else f"{count} bars"


def _day(time: np.int64) -> str:
    return str(time.astype("datetime64[us]")).removesuffix(".000000").removesuffix("T00:00:00")
