"""A plan carried out by backtrader, written for that package alone. Refuses to know ADMF."""

from __future__ import annotations

import datetime
import math
import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd

from tests.engine.reference import Bar, Plan
from tests.parity.fills import Fill, Outcome, merged

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its docstrings hold invalid escapes
    import backtrader as bt

KINDS = {
    "market": bt.Order.Market,
    "limit": bt.Order.Limit,
    "stop": bt.Order.Stop,
    "stop_limit": bt.Order.StopLimit,
    "trailing_stop": bt.Order.StopTrail,
    "market_on_close": bt.Order.Close,
}


def run(plan: Plan, bars: Sequence[Bar]) -> Outcome:
    """Return what backtrader makes of the plan."""
    index = pd.date_range("2020-01-01", periods=len(bars), freq="D")
    frame = pd.DataFrame(bars, columns=["open", "high", "low", "close", "volume"], index=index)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(Crossing, plan=plan)
    broker = cerebro.broker
    broker.setcash(plan.capital)
    broker.set_checksubmit(False)
    broker.set_coc(plan.fill_price == "close")
    broker.addcommissioninfo(Costs(costs=plan.commission, mult=plan.multiplier))
    if plan.bps:
        broker.set_slippage_perc(plan.bps / 10_000, slip_open=True, slip_limit=True, slip_match=True, slip_out=True)
    if plan.participation is not None:
        broker.set_filler(bt.fillers.FixedBarPerc(perc=plan.participation * 100.0))
    strategy = cerebro.run()[0]
    return Outcome(merged(strategy.fills), float(broker.getvalue()))


class Costs(bt.CommInfoBase):
    """Commission by value or by share, with a minimum."""

    params = (("costs", {}), ("stocklike", True), ("commtype", bt.CommInfoBase.COMM_PERC), ("percabs", True))

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:
        costs = self.p.costs
        base = {"percent": abs(size) * price, "per_share": abs(size)}.get(costs.get("type"), 0.0)
        return max(base * costs.get("rate", 0.0), costs.get("minimum", 0.0))


class Crossing(bt.Strategy):
    """Two averages of the closes; the fast one crossing the slow one is the signal."""

    params = (("plan", Plan()),)

    def __init__(self) -> None:
        self.fills: list[Fill] = []
        self.wanted = 0
        self.waiting: list[Any] = []
        self.exits: list[Any] = []
        self.decided_at: dict[int, float] = {}
        self.seen: dict[int, int] = {}
        self.opened: int | None = None

    def notify_order(self, order: bt.Order) -> None:
        if order.status not in (order.Completed, order.Partial):
            return
        done = order.executed
        bits = list(done.exbits)[self.seen.get(order.ref, 0) :]
        self.seen[order.ref] = len(done.exbits)
        for bit in bits:
            paid = bit.closedcomm + bit.openedcomm
            self.fills.append(Fill(self._bar(bit.dt), 1 if order.isbuy() else -1, abs(bit.size), bit.price, paid))
        if order.ref in [old.ref for old in self.exits]:
            return
        if order.status == order.Completed:
            self.waiting = [old for old in self.waiting if old.ref != order.ref]
        for old in self.exits:
            self.cancel(old)
        self.exits = []
        held = self.position.size
        self.opened = len(self) - 1 if held else None
        if held:
            self._protect(order, done.price, 1 if held > 0 else -1)

    def _bar(self, number: float) -> int:
        return (bt.num2date(number) - datetime.datetime(2020, 1, 1)).days

    def _protect(self, order: bt.Order, price: float, sign: int) -> None:
        plan = self.p.plan
        send = self.sell if sign > 0 else self.buy
        size = abs(self.position.size)
        base = {"fill": price, "close": self.decided_at[order.ref]}
        first = None
        for kind, rule, away in ((bt.Order.Stop, plan.stop_loss, -1), (bt.Order.Limit, plan.take_profit, 1)):
            if rule is not None:
                parts = rule if isinstance(rule, dict) else {"percent": rule}
                origin = base[parts.get("from", "fill")]
                level = origin + sign * away * (parts.get("amount") or origin * parts["percent"])
                exit_order = send(size=size, exectype=kind, price=level, oco=first)
                first = first or exit_order
                self.exits.append(exit_order)
        if plan.trailing_stop is not None:
            rule = plan.trailing_stop
            parts = {"trailamount": rule["amount"]} if isinstance(rule, dict) else {"trailpercent": rule}
            best = (max if sign > 0 else min)(price, self.data.close[0])
            self.exits.append(send(size=size, exectype=bt.Order.StopTrail, price=best, oco=first, **parts))

    def next(self) -> None:
        plan, bar = self.p.plan, len(self) - 1
        held = self.position.size
        due = plan.max_holding_period is not None and self.opened is not None
        if held and due and bar == self.opened + plan.max_holding_period - 1:
            self._send(-held, {}, self.data.close[0])
        if bar < plan.slow:
            return
        closes = [self.data.close[-back] for back in range(plan.slow, -1, -1)]
        fast, slow = (math.fsum(closes[-n:]) / n for n in (plan.fast, plan.slow))
        fast_before, slow_before = (math.fsum(closes[-n - 1 : -1]) / n for n in (plan.fast, plan.slow))
        target = self._wanted(fast_before <= slow_before and fast > slow, fast_before >= slow_before and fast < slow)
        if target is None or target == self.wanted:
            return
        self.wanted = target
        for order in self.waiting:
            self.cancel(order)
        self.waiting = []
        if target == 0:
            if held:
                self._send(-held, plan.exit, closes[-1])
        elif held * target <= 0:
            size = plan.quantity or math.floor(self.broker.getvalue() * plan.percent / closes[-1] + 1e-9)
            if size >= 1 or held:
                self._send(target * size - held, plan.entry if size >= 1 else plan.exit, closes[-1])

    def _wanted(self, up: bool, down: bool) -> int | None:
        direction = self.p.plan.direction
        if up:
            return 0 if direction == "short_flat" else 1
        if down:
            return 0 if direction == "long_flat" else -1
        return None

    def _send(self, change: float, style: dict[str, Any], price: float) -> None:
        side = 1 if change > 0 else -1
        if style.get("type", "market") == "market":
            for old in self.exits:
                self.cancel(old)
            self.exits = []
        kind = style.get("type", "market")
        parts: dict[str, Any] = {"exectype": KINDS[kind]}
        limit = price * (1 + side * style.get("limit_offset", 0.0))
        stop = price * (1 + side * style.get("stop_offset", 0.0))
        if kind == "limit":
            parts["price"] = limit
        elif kind in ("stop", "stop_limit"):
            parts["price"] = stop
        if kind == "stop_limit":
            parts["plimit"] = limit
        if kind == "trailing_stop":
            parts |= {"price": price, "trailamount": style.get("trail_amount")}
            parts["trailpercent"] = style.get("trail_percent") or 0.0
        if style.get("time_in_force") == "GTD":
            # Bars are days here, so so many bars are so many days.
            parts["valid"] = self.data.datetime.datetime() + datetime.timedelta(days=style["good_till"]["bars"])
        elif style.get("time_in_force") == "DAY":
            parts["valid"] = self.data.datetime.datetime() + datetime.timedelta(days=1)
        order = (self.buy if side > 0 else self.sell)(size=abs(change), **parts)
        self.decided_at[order.ref] = price
        self.waiting.append(order)
