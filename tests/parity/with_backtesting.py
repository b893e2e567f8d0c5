"""A plan carried out by backtesting.py, written for that package alone. Refuses to know ADMF."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from tests.engine.reference import Bar, Plan
from tests.parity.fills import Fill, Outcome, merged

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from backtesting import Backtest, Strategy


def run(plan: Plan, bars: Sequence[Bar], *, close_at_end: bool = False, margin: float = 1.0) -> Outcome:
    """Return what backtesting.py makes of the plan."""
    index = pd.date_range("2020-01-01", periods=len(bars), freq="D")
    frame = pd.DataFrame(bars, columns=["Open", "High", "Low", "Close", "Volume"], index=index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backtest = Backtest(
            frame,
            Crossing,
            cash=plan.capital,
            commission=_commission(plan.commission),
            spread=plan.bps / 10_000,
            margin=margin,
            trade_on_close=plan.fill_price == "close",
            finalize_trades=close_at_end,
        )
        stats = backtest.run(plan=plan)
    strategy = stats["_strategy"]
    charge = backtest._results["_strategy"]._broker._commission
    return Outcome(merged(fills_of(strategy, charge)), float(stats["Equity Final [$]"]))


def fills_of(strategy: Strategy, charge: Callable[[float, float], float] = lambda size, price: 0.0) -> list[Fill]:
    """Return the fills of its trades, closed and open.

    Args:
        charge: size, price -> commission.
    """
    fills = []
    for trade in (*strategy.closed_trades, *strategy.trades):
        side = 1 if trade.size > 0 else -1
        size = abs(trade.size)
        fills.append(Fill(trade.entry_bar, side, size, trade.entry_price, charge(trade.size, trade.entry_price)))
        if trade.exit_bar is not None:
            fills.append(Fill(trade.exit_bar, -side, size, trade.exit_price, charge(trade.size, trade.exit_price)))
    return fills


def _commission(costs: dict[str, Any]) -> Any:
    rate, minimum = costs.get("rate", 0.0), costs.get("minimum", 0.0)
    if costs.get("type") == "percent" and not minimum:
        return rate
    if costs.get("type") == "per_share":
        return lambda size, price: max(abs(size) * rate, minimum)
    return lambda size, price: max(abs(size) * price * rate, minimum)


class Crossing(Strategy):
    """Two averages of the closes; the fast one crossing the slow one is the signal."""

    plan: Plan = Plan()

    def init(self) -> None:
        self.wanted = 0

    def next(self) -> None:
        plan = self.plan
        close = self.data.Close
        if len(close) <= plan.slow:
            return
        fast, slow = (math.fsum(close[-n:]) / n for n in (plan.fast, plan.slow))
        fast_before, slow_before = (math.fsum(close[-n - 1 : -1]) / n for n in (plan.fast, plan.slow))
        if fast_before <= slow_before and fast > slow:
            target = 0 if plan.direction == "short_flat" else 1
        elif fast_before >= slow_before and fast < slow:
            target = 0 if plan.direction == "long_flat" else -1
        else:
            return
        if target == self.wanted:
            return
        self.wanted = target
        for order in list(self.orders):
            if not order.is_contingent:
                order.cancel()
        held = self.position.size
        if target == 0:
            if held:
                self.position.close()
        elif held * target <= 0:
            self._enter(target, held, float(close[-1]))

    def _enter(self, target: int, held: int, price: float) -> None:
        plan, style = self.plan, self.plan.entry
        size = plan.quantity or math.floor(self.equity * plan.percent / price + 1e-9)
        if size < 1:
            if held:
                self.position.close()
            return
        prices: dict[str, float] = {}
        if "limit_offset" in style:
            prices["limit"] = price * (1 + target * style["limit_offset"])
        if "stop_offset" in style:
            prices["stop"] = price * (1 + target * style["stop_offset"])
        if plan.stop_loss:
            prices["sl"] = price - target * price * plan.stop_loss["percent"]
        if plan.take_profit:
            prices["tp"] = price + target * price * plan.take_profit["percent"]
        if held and not style:
            self.position.close()
            held = 0
        (self.buy if target > 0 else self.sell)(size=int(size + abs(held)), **prices)
