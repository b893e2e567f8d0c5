"""Built-in strategies as one writes them for backtrader, with its own indicators. Refuses to know ADMF."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd

from tests.parity.fills import Fill, merged

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its docstrings hold invalid escapes
    import backtrader as bt

QUANTITY = 10


def run(name: str, frame: pd.DataFrame, first: int) -> list[Fill]:
    """Return the fills of a strategy of `STRATEGIES` that trades from bar `first` on, ten shares at a time."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(STRATEGIES[name], first=first)
    cerebro.broker.setcash(10_000_000)
    return merged(cerebro.run()[0].fills)


class _Sided(bt.Strategy):
    params = (("first", 0),)

    def __init__(self) -> None:
        self.fills: list[Fill] = []
        self.prepare()

    def notify_order(self, order: bt.Order) -> None:
        if order.status == order.Completed:
            size = order.executed.size
            self.fills.append(Fill(len(self) - 1, 1 if size > 0 else -1, abs(size), order.executed.price, 0.0))

    def hold(self, side: int) -> None:
        """Hold ten shares long, short, or nothing."""
        self.order_target_size(target=side * QUANTITY)

    @property
    def side(self) -> int:
        return (self.position.size > 0) - (self.position.size < 0)

    def next(self) -> None:
        if len(self) > self.p.first:
            self.trade()


class EmaCrossover(_Sided):
    def prepare(self) -> None:
        self.cross = bt.ind.CrossOver(bt.ind.EMA(period=12), bt.ind.EMA(period=40))

    def trade(self) -> None:
        if self.cross[0]:
            self.hold(1 if self.cross[0] > 0 else -1)


class Macd(_Sided):
    def prepare(self) -> None:
        lines = bt.ind.MACD(period_me1=12, period_me2=26, period_signal=9)
        self.cross = bt.ind.CrossOver(lines.macd, lines.signal)

    def trade(self) -> None:
        if self.cross[0]:
            self.hold(1 if self.cross[0] > 0 else -1)


class Rsi(_Sided):
    def prepare(self) -> None:
        self.rsi = bt.ind.RSI(period=14)

    def trade(self) -> None:
        if self.position and self.rsi[0] > 55:
            self.hold(0)
        elif not self.position and self.rsi[0] < 35:
            self.hold(1)


class Bollinger(_Sided):
    def prepare(self) -> None:
        self.bands = bt.ind.BollingerBands(period=20, devfactor=2.0)

    def trade(self) -> None:
        price, side = self.data.close[0], self.side
        if (side > 0 and price > self.bands.mid[0]) or (side < 0 and price < self.bands.mid[0]):
            side = 0
        if price < self.bands.bot[0]:
            side = 1
        elif price > self.bands.top[0]:
            side = -1
        self.hold(side)


class Donchian(_Sided):
    def prepare(self) -> None:
        self.upper, self.lower = bt.ind.Highest(self.data.high, period=20), bt.ind.Lowest(self.data.low, period=20)
        self.exit_upper = bt.ind.Highest(self.data.high, period=10)
        self.exit_lower = bt.ind.Lowest(self.data.low, period=10)

    def trade(self) -> None:
        price, side = self.data.close[0], self.side
        if (side > 0 and price < self.exit_lower[-1]) or (side < 0 and price > self.exit_upper[-1]):
            side = 0
        if price > self.upper[-1]:
            side = 1
        elif price < self.lower[-1]:
            side = -1
        self.hold(side)


class BuyAndHold(_Sided):
    def prepare(self) -> None:
        pass

    def trade(self) -> None:
        self.hold(1)


class Momentum(_Sided):
    def prepare(self) -> None:
        self.change = bt.ind.Momentum(period=60)

    def trade(self) -> None:
        if self.data.datetime.date(0).month != self.data.datetime.date(-1).month and self.change[0]:
            self.hold(1 if self.change[0] > 0 else -1)


class VolatilityBreakout(_Sided):
    def prepare(self) -> None:
        self.range = bt.ind.ATR(period=14)

    def trade(self) -> None:
        price, before, width = self.data.close[0], self.data.close[-1], 1.5 * self.range[-1]
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
