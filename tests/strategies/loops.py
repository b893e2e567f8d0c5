"""The built-in strategies as one writes them by hand for an event-driven backtester: a loop over one symbol's bars.

Shares no code with the package: indicators come from TA-Lib or from plain Python over the symbol's own bars.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import talib

NAN = float("nan")
Condition = Callable[[int], bool]
Params = dict[str, Any]


class Series(NamedTuple):
    """One symbol's own bars."""

    times: list[int]
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray

    def moment(self, t: int, zone: str = "UTC") -> datetime:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.times[t])).astimezone(ZoneInfo(zone))


class Conditions(NamedTuple):
    enter_long: Condition
    exit_long: Condition
    enter_short: Condition
    exit_short: Condition


def never(t: int) -> bool:
    return False


def walk(conditions: Conditions, n: int, first: int, direction: str) -> Iterator[tuple[int, int]]:
    """Yield (bar, new position) as a strategy's `next` would trade: exits first, then entries."""
    enter_long, exit_long, enter_short, exit_short = conditions
    if direction == "long_flat":
        enter_short = exit_short = never
    if direction == "short_flat":
        enter_long = exit_long = never
    position = 0
    for t in range(first, n):
        before = position
        if (position > 0 and exit_long(t)) or (position < 0 and exit_short(t)):
            position = 0
        buys, sells = enter_long(t) and not exit_long(t), enter_short(t) and not exit_short(t)
        if buys and not sells:
            position = 1
        if sells and not buys:
            position = -1
        if position != before:
            yield t, position


def mean(values: np.ndarray, n: int) -> list[float]:
    return [NAN if t < n - 1 else math.fsum(values[t - n + 1 : t + 1].tolist()) / n for t in range(len(values))]


def crossing(fast: list[float], slow: list[float]) -> Conditions:
    def up(t: int) -> bool:
        return t > 0 and fast[t - 1] <= slow[t - 1] and fast[t] > slow[t]

    def down(t: int) -> bool:
        return t > 0 and fast[t - 1] >= slow[t - 1] and fast[t] < slow[t]

    return Conditions(up, down, down, up)


def sma_crossover(bars: Series, params: Params) -> Conditions:
    return crossing(mean(bars.close, params["fast"]), mean(bars.close, params["slow"]))


def ema(values: np.ndarray, n: int) -> list[float]:
    """Begins with the mean of the first n values."""
    found, k = [NAN] * len(values), 2.0 / (n + 1)
    for t in range(n - 1, len(values)):
        found[t] = float(np.mean(values[:n])) if t == n - 1 else found[t - 1] + k * (float(values[t]) - found[t - 1])
    return found


def ema_crossover(bars: Series, params: Params) -> Conditions:
    return crossing(ema(bars.close, params["fast"]), ema(bars.close, params["slow"]))


def macd(bars: Series, params: Params) -> Conditions:
    line, signal, _ = talib.MACD(
        bars.close, fastperiod=params["fast"], slowperiod=params["slow"], signalperiod=params["signal"]
    )
    return crossing(line.tolist(), signal.tolist())


def rsi_mean_reversion(bars: Series, params: Params) -> Conditions:
    rsi = talib.RSI(bars.close, timeperiod=params["period"]).tolist()
    low, high = params["oversold"], params["overbought"]
    leave_long, leave_short = params.get("exit_long") or high, params.get("exit_short") or low
    buys: Condition = lambda t: rsi[t] < low  # noqa: E731
    sells: Condition = lambda t: rsi[t] > high  # noqa: E731
    if params.get("trigger") == "return":
        buys = lambda t: t > 0 and rsi[t - 1] <= low < rsi[t]  # noqa: E731
        sells = lambda t: t > 0 and rsi[t - 1] >= high > rsi[t]  # noqa: E731
    return Conditions(buys, lambda t: rsi[t] > leave_long, sells, lambda t: rsi[t] < leave_short)


def bollinger(bars: Series, params: Params) -> Conditions:
    width = float(params["deviations"])
    upper, middle, lower = (
        band.tolist()
        for band in talib.BBANDS(bars.close, timeperiod=params["period"], nbdevup=width, nbdevdn=width, matype=0)
    )
    close = bars.close.tolist()
    across = params["exit"] == "opposite"
    if params["mode"] == "reversion":
        return Conditions(
            lambda t: close[t] < lower[t],
            lambda t: close[t] > (upper if across else middle)[t],
            lambda t: close[t] > upper[t],
            lambda t: close[t] < (lower if across else middle)[t],
        )
    return Conditions(
        lambda t: close[t] > upper[t],
        lambda t: close[t] < (lower if across else middle)[t],
        lambda t: close[t] < lower[t],
        lambda t: close[t] > (upper if across else middle)[t],
    )


def donchian_breakout(bars: Series, params: Params) -> Conditions:
    def highest(t: int, n: int) -> float:
        return max(bars.high[t - n : t].tolist()) if t >= n else NAN

    def lowest(t: int, n: int) -> float:
        return min(bars.low[t - n : t].tolist()) if t >= n else NAN

    close, entry, leave = bars.close.tolist(), params["entry"], params["exit"]
    return Conditions(
        lambda t: close[t] > highest(t, entry),
        lambda t: close[t] < lowest(t, leave),
        lambda t: close[t] < lowest(t, entry),
        lambda t: close[t] > highest(t, leave),
    )


def volatility_breakout(bars: Series, params: Params) -> Conditions:
    atr = talib.ATR(bars.high, bars.low, bars.close, timeperiod=params["period"]).tolist()
    close, k = bars.close.tolist(), params["multiple"]
    base = bars.open.tolist() if params["base"] == "open" else [NAN, *close[:-1]]
    average = mean(bars.close, params["exit"]) if params["exit"] else []

    def up(t: int) -> bool:
        return t > 0 and close[t] > base[t] + k * atr[t - 1]

    def down(t: int) -> bool:
        return t > 0 and close[t] < base[t] - k * atr[t - 1]

    if not average:
        return Conditions(up, down, down, up)
    return Conditions(up, lambda t: close[t] < average[t], down, lambda t: close[t] > average[t])


def opening_range_breakout(bars: Series, params: Params) -> Conditions:
    start, end = params["start"], params["exit_at"]
    begins = int(start[:2]) * 60 + int(start[3:])
    until = int(end[:2]) * 60 + int(end[3:])
    high, low = [NAN] * len(bars.times), [NAN] * len(bars.times)
    minutes: list[int] = []
    session, top, bottom, past = None, NAN, NAN, False
    for t in range(len(bars.times)):
        now = bars.moment(t, params["timezone"])
        minutes.append(now.hour * 60 + now.minute)
        day = (now.replace(tzinfo=None) - timedelta(minutes=begins)).date()
        if day != session:
            session, top, bottom, past = day, NAN, NAN, False
        if begins <= minutes[t] < begins + params["minutes"]:
            top = max(bars.high[t], top) if top == top else bars.high[t]
            bottom = min(bars.low[t], bottom) if bottom == bottom else bars.low[t]
        else:
            past = True
        if past:
            high[t], low[t] = top, bottom

    def open_now(t: int) -> bool:
        return begins <= minutes[t] < until

    stops = params["stop"] == "opposite"
    return Conditions(
        lambda t: bars.close[t] > high[t] and open_now(t),
        lambda t: not open_now(t) or (stops and bars.close[t] < low[t]),
        lambda t: bars.close[t] < low[t] and open_now(t),
        lambda t: not open_now(t) or (stops and bars.close[t] > high[t]),
    )


def momentum(bars: Series, params: Params) -> Conditions:
    skip, lookback = params["skip"], params["lookback"]
    first: list[int] = params["first"]

    def risen(t: int) -> float:
        return float(bars.close[t - skip] / bars.close[t - lookback] - 1.0) if t >= lookback else NAN

    def due(t: int) -> bool:
        if t == first[0] or params["rebalance"] == "every_bar":
            return True
        if params["rebalance"] == "never":
            return False
        now, before = bars.moment(t), bars.moment(t - 1)
        if params["rebalance"] == "daily":
            return now.date() != before.date()
        if params["rebalance"] == "weekly":
            return now.isocalendar()[:2] != before.isocalendar()[:2]
        return (now.year, now.month) != (before.year, before.month)

    return Conditions(
        lambda t: due(t) and risen(t) > 0,
        lambda t: due(t) and risen(t) <= 0,
        lambda t: due(t) and risen(t) < 0,
        lambda t: due(t) and risen(t) >= 0,
    )
