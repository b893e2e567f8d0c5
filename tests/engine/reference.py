"""A plain bar-by-bar backtest that shares no code with the engine: the reference that the engine must equal.

Every bar of every symbol is visited, every working order is tried at every bar, everything is a float in a loop. Where
other backtesters have another rule, it is a switch in `Rules`, so that what they do is predicted as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

OPEN, RANGE, CLOSE = range(3)
NEVER = 1 << 60
KIND_RANK = {"market": 0, "stop": 1, "trailing_stop": 1, "stop_limit": 1, "limit": 2, "market_on_close": 3}
OF_SIGNALS = ("entry", "exit", "reversal", "rebalance")
Bar = tuple[float, float, float, float, float]  # open, high, low, close, volume


@dataclass(frozen=True)
class Rules:
    """Ours by default; docs/parity.md says which of the others' are which.

    Attributes:
        exits_on_entry_bar: protective orders are live on the bar of their entry: "always", "never", or "market" (only
            after a market entry).
        open_decides: of two orders that one bar meets, the one met at the open goes first; else a market order, then
            the first in line.
        stop_limit: what a stop-limit does in the bar that triggers it.
        parts: a reversal pays commission for what it closes and for what it opens, each for itself.
        slip: which fills slip: "market and stop", "open" (those and all at the open) or "entries".
        last_close: with `fill_price: close`, an order of the last bar fills.
        cash: too little for a reversal rejects it "whole", or leaves what it closes ("closing").
        end: where `close_at_end` closes a position: the "close" of the last bar, or its "open".
    """

    exits_on_entry_bar: str = "always"
    open_decides: bool = True
    stop_limit: str = "admf"
    parts: bool = False
    slip: str = "market and stop"
    last_close: bool = True
    cash: str = "whole"
    end: str = "close"


@dataclass(frozen=True)
class Plan:
    """What is traded and at what cost, in the words of the configuration."""

    fast: int = 1
    slow: int = 2
    direction: str = "long_flat"
    entry: dict[str, Any] = field(default_factory=dict)
    exit: dict[str, Any] = field(default_factory=dict)
    stop_loss: Any = None
    take_profit: Any = None
    trailing_stop: Any = None
    max_holding_period: int | None = None
    end_of_day: bool = False
    cooldown: int | None = None
    quantity: float | None = None
    percent: float = 0.5
    commission: dict[str, Any] = field(default_factory=dict)
    bps: float = 0.0
    participation: float | None = None
    fill_price: str = "next_open"
    max_drawdown: float | None = None
    daily_loss_limit: float | None = None
    margin: dict[str, Any] | None = None
    financing: dict[str, float] | None = None
    close_at_end: bool = False
    multiplier: float = 1.0
    lot: float = 1.0
    tick: float | None = None
    capital: float = 10_000.0


@dataclass
class Order:
    """One order and all that is known of it."""

    number: int
    symbol: int
    side: int
    quantity: float
    kind: str
    purpose: str
    price: float  # close of the deciding bar
    born: int
    dead: int
    force: str = "GTC"
    limit: float = 0.0
    stop: float = 0.0
    trail: tuple[float, float] = (0.0, 0.0)  # amount, fraction
    group: int | None = None
    closes_only: bool = False
    after_open: bool = False
    triggered: bool = False
    alive: bool = True
    left: float = 0.0
    opens: float = 0.0  # of a reversal: what it opens once all is closed
    filled: float = 0.0
    value: float = 0.0
    paid: float = 0.0


class Reference:
    """Runs a plan over bars[symbol][t], None where a symbol has no bar; days[t] and hours[t] are each bar's time."""

    def __init__(
        self,
        plan: Plan,
        bars: Sequence[Sequence[Bar | None]],
        days: Sequence[int],
        rules: Rules | None = None,
        hours: Sequence[int] = (),
    ) -> None:
        self.plan, self.bars, self.days, self.rules = plan, bars, days, rules or Rules()
        self.n, self.t = len(days), 0
        self.hours = hours or [24 * day for day in days]
        self.cash = plan.capital
        self.held = [0.0] * len(bars)
        self.last = [math.nan] * len(bars)
        self.opened: list[int | None] = [None] * len(bars)
        self.cooling = [0] * len(bars)
        self.wanted = [0] * len(bars)
        self.orders: list[Order] = []
        self.events: list[tuple[Any, ...]] = []
        self.equity: list[float] = []
        self.moment: int | None = None
        self.met: list[tuple[tuple[int, ...], Order, float, int, bool]] = []
        self.number = self.groups = 0
        self.taken = [0.0] * len(bars)
        self.settles = False  # something filled at the close that it was decided on
        self.peak = self.day_open = plan.capital
        self.halted: str | None = None
        self.halted_day: int | None = None

    def run(self) -> Reference:
        """Live through all bars."""
        for t in range(self.n):
            self.t = t
            self._accrue()
            self._meet()
            for symbol, series in enumerate(self.bars):
                if series[self.t] is not None:
                    self.last[symbol] = series[self.t][3]
            self._mark()
            wanted = [order for signal in list(self._signals()) if (order := self._answer(*signal)) is not None]
            for symbol, change, purpose, style, price in sorted(wanted, key=lambda order: order[1] > 0.0):
                self._send(symbol, change, purpose, style, price)
            if self.plan.close_at_end:
                self._close_for_good()
            if self.settles:
                self._mark()
            self.equity.append(self._worth())
            self.peak = max(self.peak, self.equity[-1])
        for order in self._working():
            self._end(order, "EXPIRE", "end_of_data")
        return self

    # ------------------------------------------------------------ the market

    def _working(self) -> list[Order]:
        self.orders = [order for order in self.orders if order.alive]
        return list(self.orders)

    def _meet(self) -> None:
        self.taken, self.settles = [0.0] * len(self.bars), False
        for order in self._working():
            if self.t >= order.dead:
                self._end(order, "EXPIRE", "gtd_reached" if order.force == "GTD" else "day_end")
        self.moment, self.met = OPEN, []
        for order in self._working():
            self._offer(order)
        while self.met:
            self.met.sort(key=lambda row: row[0])
            _, order, price, self.moment, slips = self.met.pop(0)
            if order.alive:
                self._fill(order, price, slips)
                if order.alive:
                    self._wait(order)
        self.moment = None
        self._trail()

    def _offer(self, order: Order) -> None:
        bar = self.bars[order.symbol][self.t]
        found = None if bar is None else self._match(order, *bar[:4])
        if found is None:
            self._wait(order)
            return
        price, moment, slips = found
        rank = (order.side, KIND_RANK[order.kind], order.number)
        key = (moment, *rank) if self.rules.open_decides else (order.kind != "market", order.number)
        self.met.append((key, order, price, moment, slips))

    def _wait(self, order: Order) -> None:
        bar = self.bars[order.symbol][self.t]
        if bar is None:
            return
        if order.force in ("IOC", "FOK"):
            self._end(order, "CANCEL", "ioc_unfilled" if order.force == "IOC" else "fok_unfilled")

    def _trail(self) -> None:
        for order in self._working():
            bar = self.bars[order.symbol][self.t]
            if order.kind == "trailing_stop" and order.born <= self.t and bar is not None:
                amount, fraction = order.trail
                level = bar[3] * (1.0 + order.side * fraction) + order.side * amount
                order.stop = min(order.stop, level) if order.side > 0 else max(order.stop, level)

    def _match(self, order: Order, o: float, h: float, lo: float, c: float) -> tuple[float, int, bool] | None:
        """Return price, moment and whether it slips, as if all were a buy: a sale is mirrored at zero."""
        sign = order.side
        limit, stop = sign * order.limit, sign * order.stop
        o, c = sign * o, sign * c
        h, lo = (h, lo) if sign > 0 else (-lo, -h)
        late = order.after_open and self.t == order.born
        found: tuple[float, int, bool] | None = None
        if order.kind == "market":
            found = (o, OPEN, True)
        elif order.kind == "market_on_close":
            found = (c, CLOSE, True)
        elif order.kind == "limit" or order.triggered:
            if o <= limit and not late:
                found = (o, OPEN, False)
            elif lo <= limit:
                found = (limit, RANGE, False)
        elif order.kind == "stop_limit":
            found = self._match_stop_limit(order, o, h, lo, c, limit, stop)
        elif o >= stop and not late:
            found = (o, OPEN, True)
        elif h >= stop:
            found = (stop, RANGE, True)
        return None if found is None else (sign * found[0], *found[1:])

    def _match_stop_limit(
        self, order: Order, o: float, h: float, lo: float, c: float, limit: float, stop: float
    ) -> tuple[float, int, bool] | None:
        if h < stop:
            return None
        order.triggered = True
        if self.rules.stop_limit == "backtesting":
            return (stop, RANGE, False) if lo <= limit and limit > stop else None
        if o >= stop:
            return (o, OPEN, False) if o <= limit else (limit, RANGE, False) if lo <= limit else None
        if stop <= limit:
            return (stop, RANGE, False)
        # A buy in backtrader needs a falling bar for it, a sale a rising one; that is `o > c` seen as a buy.
        falls = o > c or (self.rules.stop_limit == "backtrader" and order.side < 0 and o == c)
        back = c <= limit and (self.rules.stop_limit == "admf" or falls)
        return (limit, RANGE, False) if back else None

    def _fill(self, order: Order, price: float, slips: bool) -> None:
        plan, symbol, side = self.plan, order.symbol, order.side
        quantity = order.left
        if order.closes_only:
            quantity = min(quantity, max(0.0, -side * self.held[symbol]))
            if quantity < 1e-9 * plan.lot:
                self._end(order, "CANCEL", "nothing_to_close")
                return
        asked = quantity
        if plan.participation is not None:
            bar = self.bars[symbol][self.t]
            assert bar is not None
            room = max(0.0, plan.participation * bar[4] - self.taken[symbol])
            quantity = min(quantity, self._lots(room))
            if quantity < 1e-9 * plan.lot or (order.force == "FOK" and quantity < asked):
                return
        held = self.held[symbol]
        closing = min(quantity, abs(held)) if held * side < 0.0 else 0.0
        parts = [closing, quantity - closing] if self.rules.parts and 0.0 < closing < quantity else [quantity]
        fills = []
        for part in parts:
            opens = closing < quantity and part is parts[-1]
            paid = self._slipped(price, side, slips, opens=opens)
            value = part * paid * plan.multiplier
            if self.rules.parts:
                commission = self._commission(part, value)
            else:
                commission = self._commission(order.filled + part, order.value + value) - order.paid
            fills.append((part, paid, value, commission))
        value = sum(fill[2] for fill in fills)
        commission = sum(fill[3] for fill in fills)
        needed, available = self._funds(symbol, side, quantity, fills[-1][1], value, commission)
        if available < needed - 1e-9 * abs(needed):
            if self.rules.cash == "whole" or len(fills) == 1:
                self._end(order, "REJECT", "no_margin" if plan.margin else "no_cash")
                return
            fills = fills[:1]
            quantity = order.left = closing
        self.taken[symbol] += quantity
        self.settles = self.settles or self.moment is None
        for part, paid, value, commission in fills:
            order.filled, order.value, order.paid = order.filled + part, order.value + value, order.paid + commission
            self.cash -= side * value + commission
            self.events.append(("FILL", self.t, symbol, order.number, order.purpose, side, part, paid, commission))
        order.left -= quantity
        if (order.closes_only and quantity == asked) or abs(order.left) < 1e-9 * plan.lot:
            order.left, order.alive = 0.0, False
        after = held + side * quantity
        self.held[symbol] = 0.0 if abs(after) < 1e-9 * plan.lot else after
        self._on_fill(order, held, self.held[symbol], quantity, fills[-1][1])
        if order.group is not None and not (order.closes_only and order.alive):
            for other in self._working():
                if other.group == order.group:
                    self._end(other, "CANCEL", "oco_filled")

    def _funds(
        self, symbol: int, side: int, quantity: float, price: float, value: float, commission: float
    ) -> tuple[float, float]:
        """Return what a fill needs and what there is."""
        if self.plan.margin is None:
            return (value + commission, self.cash) if side > 0 else (commission, self.cash + value)
        held = self.held[symbol]
        after = held + side * quantity
        if abs(after) <= abs(held) and after * held >= 0.0:
            return 0.0, 0.0  # what only reduces the exposure needs no margin
        marks = [price if s == symbol else mark for s, mark in enumerate(self.last)]
        worths = [held * marks[s] * self.plan.multiplier for s, held in enumerate(self.held) if held]
        others = [abs(h * marks[s]) * self.plan.multiplier for s, h in enumerate(self.held) if h and s != symbol]
        exposure = sum(others) + abs(after * price) * self.plan.multiplier
        return exposure * self.plan.margin["initial"], self.cash + sum(worths) - commission

    def _slipped(self, price: float, side: int, slips: bool, *, opens: bool) -> float:
        does = {"market and stop": slips, "open": slips or self.moment == OPEN, "entries": opens}[self.rules.slip]
        paid = price + side * (price * (self.plan.bps / 10_000)) if does and self.plan.bps else price
        moved = slips and (self.plan.bps or self.moment == RANGE)  # a trailing stop's level is off the grid
        return self._worse(paid, side) if moved else paid

    def _worse(self, price: float, side: int) -> float:
        """Return the tick that is no better for a side than a price."""
        if self.plan.tick is None:
            return price
        steps = side * price / self.plan.tick
        return round(side * math.ceil(steps - 1e-9 * max(1.0, abs(steps))) * self.plan.tick, 10)

    def _commission(self, quantity: float, value: float) -> float:
        costs = self.plan.commission
        charged = {"percent": value, "per_share": quantity}.get(costs.get("type", ""), 0.0) * costs.get("rate", 0.0)
        return max(charged, costs.get("minimum", 0.0))

    def _lots(self, quantity: float) -> float:
        return round(math.floor(quantity / self.plan.lot + 1e-9) * self.plan.lot, 8)

    # ------------------------------------------------------------ the portfolio

    def _on_fill(self, order: Order, before: float, after: float, quantity: float, price: float) -> None:
        symbol, plan = order.symbol, self.plan
        turned = before * after < 0.0
        if before != 0.0 and (after == 0.0 or turned):
            self.opened[symbol] = None
            if plan.cooldown and order.purpose in ("stop_loss", "trailing_stop"):
                self.cooling[symbol] = self.t + plan.cooldown
            for other in [o for o in self._working() if o.symbol == symbol and o is not order]:
                if other.purpose not in OF_SIGNALS:
                    self._end(other, "CANCEL", "position_closed")
                elif not turned and other.purpose == "reversal" and self._blocked(symbol) is None:
                    self.number += 1
                    size = other.opens
                    entry = replace(other, number=self.number, purpose="entry", quantity=size, left=size)
                    entry.born, entry.after_open, entry.filled, entry.value, entry.paid = (
                        self.t + 1,
                        False,
                        0.0,
                        0.0,
                        0.0,
                    )
                    self._submit(entry, after=order, replaced=other)
                elif not turned:
                    self._end(other, "CANCEL", "position_closed")
        if after == 0.0 or not (before == 0.0 or turned or abs(after) > abs(before)):
            return
        if before == 0.0 or turned:
            self.opened[symbol] = self.t
            if plan.end_of_day and self._ends_day(self.t) and self.moment in (OPEN, RANGE):
                self._close(symbol, "end_of_day", "market_on_close")
        self.groups += 1
        group, sign, size = self.groups, (1 if after > 0.0 else -1), min(quantity, abs(after))
        for kind, purpose, rule, away in (
            ("stop", "stop_loss", plan.stop_loss, -1),
            ("limit", "take_profit", plan.take_profit, 1),
            ("trailing_stop", "trailing_stop", plan.trailing_stop, -1),
        ):
            if rule is None or not self.held[symbol]:
                continue
            parts = rule if isinstance(rule, dict) else {"percent": rule}
            base = order.price if parts.get("from") == "close" else price
            amount, fraction = parts.get("amount", 0.0), parts.get("percent", 0.0)
            level = base + sign * away * (amount or base * fraction)
            child = self._order(symbol, -sign * size, kind, purpose, order.price)
            child.group, child.closes_only = group, True
            child.limit, child.stop = self._worse(level, -child.side), self._worse(level, child.side)
            child.trail = (amount, fraction)
            self._submit(child, after=order)

    def _accrue(self) -> None:
        terms = self.plan.financing
        if self.t and self.days[self.t] != self.days[self.t - 1]:
            self.day_open = self.equity[-1]
        if terms is None or self.t == 0:
            return
        years = (self.hours[self.t] - self.hours[self.t - 1]) / (365 * 24)
        worths = [held * self.last[s] * self.plan.multiplier for s, held in enumerate(self.held) if held]
        interest = self.cash * terms["cash_interest" if self.cash > 0.0 else "debit_interest"] * years
        fee = -sum(worth for worth in worths if worth < 0.0) * terms["borrow_fee"] * years
        if interest or fee:
            self.cash += interest - fee
            self.events.append(("FINANCING", self.t, interest, fee))

    def _watch(self) -> None:
        plan, worth, today = self.plan, self._worth(), self.days[self.t]
        if plan.max_drawdown is not None and self.halted is None:
            peak = max(self.peak, worth)
            if (1.0 - worth / peak if peak > 0.0 else 1.0) > plan.max_drawdown:
                self.halted = "max_drawdown"
                self._halt("max_drawdown")
        if plan.daily_loss_limit is not None and self.halted_day != today:
            before = self.day_open
            ruined = 1.0 if any(self.held) else 0.0
            if (1.0 - worth / before if before > 0.0 else ruined) > plan.daily_loss_limit:
                self.halted_day = today
                self._halt("daily_loss_limit")
        rule = self.halted or ("daily_loss_limit" if self.halted_day == today else None)
        if rule is not None:
            for symbol, held in enumerate(self.held):
                if held:
                    self._close(symbol, rule, "market", told=False)
        margin, gross = plan.margin or {}, self._gross()
        worth = self._worth()
        if not margin.get("maintenance") or not gross or worth >= margin["maintenance"] * gross:
            return
        if any(order.purpose == "liquidation" for order in self._working()):
            return
        self._halt("maintenance_margin")
        share = 1.0 if margin.get("liquidation") != "reduce" else max(0.0, 1.0 - worth / gross / margin["initial"])
        for symbol, held in enumerate(self.held):
            if held:
                cut = min(abs(held), round(math.ceil(abs(held) * share / plan.lot - 1e-9) * plan.lot, 8))
                self._close(symbol, "liquidation", "market", told=False, quantity=cut if share < 1.0 else abs(held))

    def _halt(self, rule: str) -> None:
        self.events.append(("RISK_BREACH", self.t, None, rule))
        for order in self._working():
            if not order.closes_only and order.purpose != "exit":
                self._end(order, "CANCEL", rule)

    def _gross(self) -> float:
        return sum(abs(held * self.last[s] * self.plan.multiplier) for s, held in enumerate(self.held) if held)

    def _mark(self) -> None:
        self._watch()
        period, early = self.plan.max_holding_period, self.plan.fill_price != "close"
        for symbol, opened in enumerate(self.opened):
            if opened is not None and period is not None and self.t >= opened + period - early:
                self._close(symbol, "max_holding_period", "market")
            elif opened is not None and self.plan.end_of_day and self.t + 1 < self.n and self._ends_day(self.t + 1):
                self._close(symbol, "end_of_day", "market_on_close")

    def _close(self, symbol: int, rule: str, kind: str, *, told: bool = True, quantity: float | None = None) -> None:
        if any(o.symbol == symbol and o.purpose == rule for o in self._working()):
            return
        if told:
            self.events.append(("RISK_BREACH", self.t, symbol, rule))
        held = self.held[symbol]
        change = -held if quantity is None else -math.copysign(quantity, held)
        order = self._order(symbol, change, kind, rule, self.last[symbol])
        order.closes_only = True
        self._submit(order)

    def _ends_day(self, t: int) -> bool:
        return t == self.n - 1 or self.days[t + 1] != self.days[t]

    def _worth(self) -> float:
        worth = self.cash
        for symbol, held in enumerate(self.held):
            if held:
                worth += held * self.last[symbol] * self.plan.multiplier
        return worth

    def _signals(self) -> Iterator[tuple[int, int, float]]:
        plan = self.plan
        for symbol, series in enumerate(self.bars):
            closes = [bar[3] for bar in series[: self.t + 1] if bar is not None]
            if series[self.t] is None or len(closes) <= plan.slow:
                continue
            now = [math.fsum(closes[-n:]) / n for n in (plan.fast, plan.slow)]
            past = [math.fsum(closes[-n - 1 : -1]) / n for n in (plan.fast, plan.slow)]
            up = past[0] <= past[1] and now[0] > now[1]
            down = past[0] >= past[1] and now[0] < now[1]
            target = 1 if up else -1 if down else None
            if plan.direction == "long_flat" and target == -1:
                target = 0
            if plan.direction == "short_flat" and target == 1:
                target = 0
            if target is None or target == self.wanted[symbol]:
                continue  # a strategy begins flat and speaks when what it wants changes
            self.wanted[symbol] = target
            self.events.append(("SIGNAL", self.t, symbol, float(target)))
            yield symbol, target, closes[-1]

    def _answer(self, symbol: int, target: int, price: float) -> tuple[int, float, str, dict[str, Any], float] | None:
        plan, held = self.plan, self.held[symbol]
        old = [order for order in self._working() if order.symbol == symbol and order.purpose in OF_SIGNALS]
        for order in old:
            self._end(order, "CANCEL", "superseded")
        if target == 0:
            if held == 0.0:
                withdrawn = any(order.purpose == "entry" for order in old)
                self._refuse(symbol, "entry_cancelled" if withdrawn else "no_position")
                return None
            return symbol, -held, "exit", plan.exit, price
        if held * target > 0.0:
            self._refuse(symbol, "already_in_position")
            return None
        wanted = self._worth() * plan.percent / (price * plan.multiplier) if plan.quantity is None else plan.quantity
        size = self._lots(max(0.0, wanted))
        reason = self._blocked(symbol) or ("lot_too_small" if size == 0.0 else None)
        if reason is not None:
            self._refuse(symbol, reason)
            return (symbol, -held, "exit", plan.exit, price) if held else None
        return symbol, target * size - held, "reversal" if held else "entry", plan.entry, price

    def _blocked(self, symbol: int) -> str | None:
        if self.halted is not None:
            return self.halted
        if self.halted_day == self.days[self.t]:
            return "daily_loss_limit"
        return "cooldown" if self.t < self.cooling[symbol] else None

    def _send(self, symbol: int, change: float, purpose: str, style: dict[str, Any], price: float) -> None:
        order = self._order(symbol, change, style.get("type", "market"), purpose, price)
        order.opens = abs(change) - abs(self.held[symbol])
        order.force = style.get("time_in_force", "GTC")
        order.limit = price * (1.0 + order.side * style.get("limit_offset", 0.0))
        order.stop = price * (1.0 + order.side * style.get("stop_offset", 0.0))
        if order.kind == "trailing_stop":
            order.trail = (style.get("trail_amount", 0.0), style.get("trail_percent", 0.0))
            order.stop = price + order.side * (order.trail[0] or price * order.trail[1])
        order.limit, order.stop = self._worse(order.limit, -order.side), self._worse(order.stop, order.side)
        later = [t for t in range(self.t + 1, self.n) if self.bars[symbol][t] is not None]
        if order.force == "GTD":
            lives = style["good_till"]["bars"]
            order.dead = later[lives] if lives < len(later) else NEVER
        elif order.force == "DAY" and later:
            order.dead = next((t for t in range(later[0], self.n) if self.days[t] > self.days[later[0]]), NEVER)
        self._submit(order)

    def _order(self, symbol: int, change: float, kind: str, purpose: str, price: float) -> Order:
        self.number += 1
        side = 1 if change > 0.0 else -1
        return Order(self.number, symbol, side, abs(change), kind, purpose, price, self.t + 1, NEVER, left=abs(change))

    def _submit(self, order: Order, after: Order | None = None, replaced: Order | None = None) -> None:
        self.orders.append(order)
        self.events.append(
            ("ORDER", self.t, order.symbol, order.number, order.purpose, order.side, order.quantity, order.kind)
        )
        if replaced is not None:
            self._end(replaced, "CANCEL", "replaced")
        if self.moment is None:
            bar = self.bars[order.symbol][self.t]
            last = self.t == self.n - 1 and not self.rules.last_close
            if self.plan.fill_price == "close" and order.kind == "market" and bar is not None and not last:
                self._fill(order, bar[3], True)
                if order.alive:
                    self._wait(order)
            return
        live = {"always": True, "never": replaced is not None, "market": after is not None and after.kind == "market"}
        if self.moment != CLOSE and live[self.rules.exits_on_entry_bar]:
            order.born, order.after_open = self.t, self.moment == RANGE
            self._offer(order)
        elif self.moment != CLOSE:
            order.born = self.t  # it follows the close of its first bar, without having been live in it

    def _close_for_good(self) -> None:
        for symbol, series in enumerate(self.bars):
            bar, held = series[self.t], self.held[symbol]
            if held and bar is not None and all(later is None for later in series[self.t + 1 :]):
                order = self._order(symbol, -held, "market", "close_at_end", bar[3])
                order.closes_only = True
                self.orders.append(order)
                self.events.append(
                    ("ORDER", self.t, symbol, order.number, order.purpose, order.side, order.quantity, order.kind)
                )
                self._fill(order, bar[0] if self.rules.end == "open" else bar[3], True)

    def _refuse(self, symbol: int, reason: str) -> None:
        self.events.append(("REJECT", self.t, symbol, None, None, reason))

    def _end(self, order: Order, event: str, reason: str) -> None:
        order.alive = False
        self.events.append((event, self.t, order.symbol, order.number, order.purpose, reason))
