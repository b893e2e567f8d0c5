"""The first bar that touches an order, over the columns of a phase. Refuses to know what happens there."""

from __future__ import annotations

from typing import Final

import numpy as np

from admf_cli.broker.order import Order
from admf_cli.broker.search import Highs, Lows, trailing_levels
from admf_cli.market.bars import Bars

_FIRST_WINDOW: Final = 64


class Touches:
    """Searches the lows and highs of each symbol for the bar at which an order becomes due."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._n_bars = bars.n_bars
        self._present = bars.present
        self._lows: dict[int, Lows] = {}
        self._highs: dict[int, Highs] = {}

    def first(self, order: Order, start: int) -> int:
        """Return the first bar >= `start` at which the order can fill or trigger; n_bars if none does."""
        n_bars = self._n_bars
        if start >= n_bars:
            return n_bars
        if order.order_type in ("market", "market_on_close") or order.time_in_force in ("IOC", "FOK"):
            return start if self._present is None else self._next_present(order.symbol, start)
        if order.order_type == "trailing_stop":
            return self._first_trailed(order, start)
        if order.order_type == "limit" or order.triggered:
            assert order.limit is not None
            below = order.side > 0
            level = order.limit
        else:
            assert order.stop is not None
            below = order.side < 0
            level = order.stop
        if below:
            return self._low(order.symbol).first_touch(level, start)
        return self._high(order.symbol).first_touch(level, start)

    def move_trail(self, order: Order, bar: int) -> None:
        """Move a trailing stop's level at the close of a bar that did not fill it whole."""
        if order.order_type == "trailing_stop":
            self._trail(order, bar, bar + 1)

    def trail_level(self, order: Order, bar: int) -> float:
        """Return a working trailing stop's level for `bar`; its `stop` is already that of the bar that touches it."""
        if order.trailed_from is None:  # not searched at all: it lives for one bar
            assert order.stop is not None
            return order.stop
        start, level = order.trailed_from
        if bar <= start:
            return level
        closes = self._bars.close[start:bar, order.symbol]
        amount, percent = order.trail_amount, order.trail_percent
        return float(trailing_levels(closes, level, order.side, amount=amount, percent=percent)[-1])

    def _first_trailed(self, order: Order, start: int) -> int:
        n_bars, window = self._bars.n_bars, _FIRST_WINDOW
        assert order.stop is not None
        order.trailed_from = (start, order.stop)
        while start < n_bars:
            stop = min(start + window, n_bars)
            levels = self._levels(order, start, stop)
            if order.side < 0:
                touched = self._bars.low[start:stop, order.symbol] <= levels[:-1]
            else:
                touched = self._bars.high[start:stop, order.symbol] >= levels[:-1]
            place = int(touched.argmax())
            if touched[place]:
                order.stop = float(levels[place])
                return start + place
            order.stop = float(levels[-1])
            start, window = stop, window * 2
        return n_bars

    def _trail(self, order: Order, start: int, stop: int) -> None:
        order.stop = float(self._levels(order, start, stop)[-1])

    def _levels(self, order: Order, start: int, stop: int) -> np.ndarray:
        assert order.stop is not None
        moved = trailing_levels(
            self._bars.close[start:stop, order.symbol],
            order.stop,
            order.side,
            amount=order.trail_amount,
            percent=order.trail_percent,
        )
        return np.concatenate(([order.stop], moved))

    def _next_present(self, symbol: int, start: int) -> int:
        present = self._present
        if present is None or present[start, symbol]:
            return start
        there = present[start:, symbol]
        return start + int(there.argmax()) if there.any() else self._bars.n_bars

    def _low(self, symbol: int) -> Lows:
        if symbol not in self._lows:
            self._lows[symbol] = Lows(self._bars.low[:, symbol])
        return self._lows[symbol]

    def _high(self, symbol: int) -> Highs:
        if symbol not in self._highs:
            self._highs[symbol] = Highs(self._bars.high[:, symbol])
        return self._highs[symbol]
