"""Built-in strategies as one writes them for backtesting.py, with its own helpers. Refuses to know ADMF."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd
import talib

from tests.parity.fills import Fill, merged

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover

QUANTITY = 10


def run(name: str, frame: pd.DataFrame, first: int) -> list[Fill]:
    """Return the fills of a strategy of `STRATEGIES` that trades from bar `first` on, ten shares at a time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backtest = Backtest(frame, STRATEGIES[name], cash=10_000_000)
        stats = backtest.run(first=first)
    fills = []
    for trade in (*stats["_strategy"].closed_trades, *stats["_strategy"].trades):
        side = 1 if trade.size > 0 else -1
        fills.append(Fill(trade.entry_bar, side, QUANTITY, trade.entry_price, 0.0))
        if trade.exit_bar is not None:
            fills.append(Fill(trade.exit_bar, -side, QUANTITY, trade.exit_price, 0.0))
    return merged(fills)


class _Sided(Strategy):
    first = 0

    def hold(self, side: int) -> None:
        """Hold ten shares long, short, or nothing."""
        if side == (self.position.size > 0) - (self.position.size < 0):
            return
        self.position.close()
        if side:
            (self.buy if side > 0 else self.sell)(size=QUANTITY)

    @property
    def trading(self) -> bool:
        return len(self.data) > self.first


class EmaCrossover(_Sided):
    def init(self) -> None:
        self.fast = self.I(talib.EMA, self.data.Close, 12)
        self.slow = self.I(talib.EMA, self.data.Close, 40)

    def next(self) -> None:
        if not self.trading:
            return
        if crossover(self.fast, self.slow):
            self.hold(1)
        elif crossover(self.slow, self.fast):
            self.hold(-1)


class Macd(_Sided):
    def init(self) -> None:
        self.macd, self.signal, _ = self.I(talib.MACD, self.data.Close, 12, 26, 9)

    def next(self) -> None:
        if not self.trading:
            return
        if crossover(self.macd, self.signal):
            self.hold(1)
        elif crossover(self.signal, self.macd):
            self.hold(-1)


class Rsi(_Sided):
    def init(self) -> None:
        self.rsi = self.I(talib.RSI, self.data.Close, 14)

    def next(self) -> None:
        if not self.trading:
            return
        if self.position.is_long and self.rsi[-1] > 55:
            self.hold(0)
        elif not self.position and self.rsi[-1] < 35:
            self.hold(1)


class Bollinger(_Sided):
    def init(self) -> None:
        self.upper, self.middle, self.lower = self.I(talib.BBANDS, self.data.Close, 20, 2.0, 2.0)

    def next(self) -> None:
        if not self.trading:
            return
        price = self.data.Close[-1]
        side = (self.position.size > 0) - (self.position.size < 0)
        if (side > 0 and price > self.middle[-1]) or (side < 0 and price < self.middle[-1]):
            side = 0
        if price < self.lower[-1]:
            side = 1
        elif price > self.upper[-1]:
            side = -1
        self.hold(side)


class Donchian(_Sided):
    def init(self) -> None:
        high, low = pd.Series(self.data.High), pd.Series(self.data.Low)
        self.upper = self.I(lambda: high.rolling(20).max().shift(1))
        self.lower = self.I(lambda: low.rolling(20).min().shift(1))
        self.exit_upper = self.I(lambda: high.rolling(10).max().shift(1))
        self.exit_lower = self.I(lambda: low.rolling(10).min().shift(1))

    def next(self) -> None:
        if not self.trading:
            return
        price = self.data.Close[-1]
        side = (self.position.size > 0) - (self.position.size < 0)
        if (side > 0 and price < self.exit_lower[-1]) or (side < 0 and price > self.exit_upper[-1]):
            side = 0
        if price > self.upper[-1]:
            side = 1
        elif price < self.lower[-1]:
            side = -1
        self.hold(side)


class BuyAndHold(_Sided):
    def init(self) -> None:
        pass

    def next(self) -> None:
        if self.trading:
            self.hold(1)


class Momentum(_Sided):
    def init(self) -> None:
        self.roc = self.I(talib.ROC, self.data.Close, 60)

    def next(self) -> None:
        index = self.data.index
        if not self.trading or (len(index) > 1 and index[-1].month == index[-2].month):
            return
        if self.roc[-1] > 0:
            self.hold(1)
        elif self.roc[-1] < 0:
            self.hold(-1)


class VolatilityBreakout(_Sided):
    def init(self) -> None:
        self.range = self.I(talib.ATR, self.data.High, self.data.Low, self.data.Close, 14)

    def next(self) -> None:
        if not self.trading or len(self.data) < 2:
            return
        price, before, width = self.data.Close[-1], self.data.Close[-2], 1.5 * self.range[-2]
        if price > before + width:
            self.hold(1)
        elif price < before - width:
            self.hold(-1)


STRATEGIES: dict[str, Any] = {
    "buy_and_hold": BuyAndHold,
    "momentum": Momentum,
    "volatility_breakout": VolatilityBreakout,
    "ema_crossover": EmaCrossover,
    "macd": Macd,
    "rsi_mean_reversion": Rsi,
    "bollinger": Bollinger,
    "donchian_breakout": Donchian,
}
