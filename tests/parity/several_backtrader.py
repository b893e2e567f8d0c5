"""Built-in strategies over several symbols as one writes them for backtrader. Refuses to know ADMF."""

from __future__ import annotations

import math
import statistics
import warnings
from typing import Any

import pandas as pd

from tests.parity.fills import Fill, merged

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its docstrings hold invalid escapes
    import backtrader as bt

CAPITAL = 1_000_000
GROSS = 0.8


def run(name: str, frames: dict[str, pd.DataFrame]) -> dict[str, list[Fill]]:
    """Return the fills of a strategy of `STRATEGIES`, symbol by symbol."""
    cerebro = bt.Cerebro(stdstats=False)
    for symbol, frame in frames.items():
        cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=symbol)
    cerebro.addstrategy(STRATEGIES[name])
    cerebro.broker.setcash(CAPITAL)
    cerebro.broker.set_checksubmit(False)
    return {symbol: merged(fills) for symbol, fills in cerebro.run()[0].fills.items()}


class _Weighted(bt.Strategy):
    def __init__(self) -> None:
        self.fills: dict[str, list[Fill]] = {data._name: [] for data in self.datas}
        self.prepare()

    def prepare(self) -> None:
        pass

    def notify_order(self, order: bt.Order) -> None:
        if order.status == order.Completed:
            size = order.executed.size
            fill = Fill(len(self) - 1, 1 if size > 0 else -1, abs(size), order.executed.price, 0.0)
            self.fills[order.data._name].append(fill)

    def begins_month(self) -> bool:
        return len(self) == 1 or self.data.datetime.date(0).month != self.data.datetime.date(-1).month

    def hold(self, weights: dict[str, float]) -> None:
        """Hold whole shares of these fractions of equity, what has to be sold first."""
        equity = self.broker.getvalue()
        targets = {name: int(weight * equity / self.getdatabyname(name).close[0]) for name, weight in weights.items()}
        changes = {name: target - self.getpositionbyname(name).size for name, target in targets.items()}
        for name in sorted(changes, key=lambda name: changes[name] > 0):
            self.order_target_size(self.getdatabyname(name), target=targets[name])


class TargetWeights(_Weighted):
    def next(self) -> None:
        if self.begins_month():
            self.hold({"amzn": 0.4, "meta": 0.3, "nflx": 0.2})


class CrossSection(_Weighted):
    def prepare(self) -> None:
        self.change = {data._name: bt.ind.RateOfChange(data, period=60) for data in self.datas}

    def next(self) -> None:
        if self.begins_month():
            best = max(self.change, key=lambda name: self.change[name][0])
            self.hold({name: GROSS * (name == best) for name in self.change})


class Pairs(_Weighted):
    def prepare(self) -> None:
        self.spreads: list[float] = []
        self.side = 0

    def next(self) -> None:
        one, other = (self.getdatabyname(name) for name in ("amzn", "nflx"))
        self.spreads.append(math.log(one.close[0]) - math.log(other.close[0]))
        if len(self.spreads) < 60:
            return
        last = self.spreads[-60:]
        z = (last[-1] - statistics.fmean(last)) / statistics.pstdev(last)
        side = self.side
        if (side > 0 and z >= -0.5) or (side < 0 and z <= 0.5):
            side = 0
        if z < -2 or z > 2:
            side = 1 if z < -2 else -1
        if side != self.side:
            self.side = side
            self.hold({"amzn": side * GROSS / 2, "nflx": -side * GROSS / 2})


STRATEGIES: dict[str, Any] = {"target_weights": TargetWeights, "momentum": CrossSection, "zscore_pairs": Pairs}
