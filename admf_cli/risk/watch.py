"""Limits on the course of equity: drawdown, daily loss, maintenance margin. Refuses to know what a breach leads to.

Between fills equity is a linear function of known closes, so the bar at which a limit would be crossed is found by
searching windows that grow geometrically; nothing runs at the bars between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from admf_cli.broker.account import Account
from admf_cli.broker.instrument import Instrument
from admf_cli.market.bars import FloatArray, IntArray
from admf_cli.market.timeframe import DAY_US
from admf_cli.risk.limits import Breach

_FIRST_WINDOW = 64
_LAST_WINDOW = 1 << 16
_ENTRY_LIMITS = ("max_position_size", "max_portfolio_heat", "max_net_exposure", "max_open_positions")


class Watch:
    """Follows one portfolio's equity at the closes.

    Args:
        maintenance: share of gross exposure below which equity must not fall, or None.

    Attributes:
        is_needed: whether anything limits the course of equity at all.
        has_entry_limits: whether it limits what an entry may add.
    """

    def __init__(
        self,
        profile: Mapping[str, Any],
        account: Account,
        times: IntArray,
        marks: FloatArray,
        instruments: Sequence[Instrument],
        maintenance: float | None = None,
    ) -> None:
        self._max_drawdown: float | None = profile.get("max_drawdown")
        self._daily_loss: float | None = profile.get("daily_loss_limit")
        self._maintenance = maintenance
        limits = (self._max_drawdown, self._daily_loss, maintenance)
        self.is_needed = any(limit is not None for limit in limits)
        self.has_entry_limits = any(profile.get(key) is not None for key in _ENTRY_LIMITS)
        self._account = account
        self._times = times
        self._marks = marks
        self._instruments = instruments
        self._seen = 0  # bars before this one are in the peak and in the day's opening equity
        self._peak = account.initial_capital
        self._day = int(times[0]) // DAY_US
        self._day_open = account.initial_capital  # equity at the last close before the current day
        self._last = account.initial_capital
        self._window = _FIRST_WINDOW
        self._halted: Breach | None = None
        self._halted_day: tuple[int, Breach] | None = None

    def catch_up(self, bar: int) -> None:
        """Take in the closes before `bar`; called before a fill changes the position."""
        if self.is_needed and bar > self._seen:
            self._take(self._path(self._seen, bar), self._seen)
            self._seen = bar
            self._window = _FIRST_WINDOW

    def check(self, bar: int) -> list[Breach]:
        """Return the limits crossed at the close of `bar` for the first time.

        That close is taken in later, once nothing can be filled at it any more.
        """
        self.catch_up(bar)
        breaches = []
        equity = float(self._path(bar, bar + 1)[0])
        if self._max_drawdown is not None and self._halted is None:
            peak = max(self._peak, equity)
            drawdown = 1.0 - equity / peak if peak > 0.0 else 1.0
            if drawdown > self._max_drawdown:
                self._halted = Breach("max_drawdown", self._max_drawdown, drawdown)
                breaches.append(self._halted)
        day = int(self._times[bar]) // DAY_US
        if self._daily_loss is not None and (self._halted_day is None or self._halted_day[0] != day):
            before = self._day_open if day == self._day else self._last
            # Whoever had nothing left the day before has lost it all, but need not be told again holding nothing.
            loss = 1.0 - equity / before if before > 0.0 else 1.0 if self._account.held else 0.0
            if loss > self._daily_loss:
                breach = Breach("daily_loss_limit", self._daily_loss, loss)
                self._halted_day = (day, breach)
                breaches.append(breach)
        return breaches

    def halted(self, bar: int) -> Breach | None:
        """Return the breach because of which entries are not allowed at this bar, or None."""
        if self._halted is not None:
            return self._halted
        if self._halted_day is not None and self._halted_day[0] == int(self._times[bar]) // DAY_US:
            return self._halted_day[1]
        return None

    def margin_call(self, bar: int) -> Breach | None:
        """Return whether equity at the close of `bar` covers less of the gross exposure than the maintenance margin.

        Source: maintenance margin as in FINRA rule 4210(c).
        """
        if self._maintenance is None:
            return None
        equity, gross = float(self._path(bar, bar + 1)[0]), float(self._gross(bar, bar + 1)[0])
        if equity >= self._maintenance * gross:
            return None
        return Breach("maintenance_margin", self._maintenance, equity / gross)

    def next_due(self, bar: int) -> int | None:
        """Return the bar after `bar` at which to check again: a crossing, or the end of what was searched."""
        n_bars = len(self._times)
        if bar + 1 >= n_bars or not self._account.held:
            return None
        stop = min(bar + 1 + self._window, n_bars)
        self._window = min(self._window * 2, _LAST_WINDOW)
        path = self._path(bar, stop)
        crossed = np.zeros(len(path), dtype=bool)
        if self._max_drawdown is not None and self._halted is None:
            peaks = np.maximum.accumulate(np.concatenate(([self._peak], path)))[1:]
            left = np.divide(path, peaks, out=np.zeros_like(path), where=peaks > 0.0)
            crossed |= 1.0 - left > self._max_drawdown
        if self._daily_loss is not None:
            opening = self._day_opens(path, bar)
            left = np.divide(path, opening, out=np.zeros_like(path), where=opening > 0.0)
            lost = 1.0 - left > self._daily_loss
            if self._halted_day is not None:
                lost &= self._times[bar:stop] // DAY_US != self._halted_day[0]
            crossed |= lost
        if self._maintenance is not None:
            crossed |= path < self._maintenance * self._gross(bar, stop)
        crossed[0] = False  # what was crossed at `bar` itself has been told
        place = int(crossed.argmax())
        if crossed[place]:
            return bar + place
        return stop - 1 if stop < n_bars else None

    def _path(self, start: int, stop: int) -> FloatArray:
        equity = np.full(stop - start, self._account.cash)
        for symbol in self._account.held:
            held = self._account.positions[symbol].quantity
            equity += held * self._marks[start:stop, symbol] * self._instruments[symbol].multiplier
        return equity

    def _gross(self, start: int, stop: int) -> FloatArray:
        gross = np.zeros(stop - start)
        for symbol in self._account.held:
            held = self._account.positions[symbol].quantity
            gross += np.abs(held * self._marks[start:stop, symbol] * self._instruments[symbol].multiplier)
        return gross

    def _take(self, path: FloatArray, start: int) -> None:
        days = self._times[start : start + len(path)] // DAY_US
        last_day = int(days[-1])
        if last_day != self._day:
            place = int(np.searchsorted(days, last_day))
            self._day_open = float(path[place - 1]) if place else self._last
            self._day = last_day
        self._last = float(path[-1])
        self._peak = max(self._peak, float(path.max()))

    def _day_opens(self, path: FloatArray, start: int) -> FloatArray:
        days = self._times[start : start + len(path)] // DAY_US
        previous_day = np.concatenate(([self._day], days[:-1]))
        previous = np.concatenate(([self._last], path[:-1]))
        is_new = days != previous_day
        opens = np.where(is_new, previous, np.nan)
        if np.isnan(opens[0]):
            opens[0] = self._day_open
        rows = np.maximum.accumulate(np.where(np.isnan(opens), 0, np.arange(len(opens))))
        return opens[rows]
