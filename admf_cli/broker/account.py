"""Cash, positions and lots of one portfolio, changed by fills alone. Refuses to know why it traded."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from admf_cli.broker.instrument import Instrument
from admf_cli.results import Trade


class Deal(NamedTuple):
    """One fill, as the account needs it.

    Attributes:
        side: +1 bought, -1 sold.
        price: after slippage.
        commission: account currency.
        reason: purpose of the order.
    """

    symbol: int
    side: int
    quantity: float
    price: float
    commission: float
    bar: int
    time: int
    fill_id: str
    reason: str


class Lot(NamedTuple):
    """Part of a position, as it was opened; `commission` is a unit's share."""

    quantity: float
    price: float
    commission: float
    bar: int
    time: int
    fill_id: str
    reason: str


@dataclass(slots=True)
class Position:
    """Lots of one symbol, all of one sign, oldest first.

    Attributes:
        quantity: signed units.
        direction: +1 long, -1 short, 0 flat.
        cost: sum of quantity x price over the lots, carried along: there may be thousands of them.
    """

    quantity: float = 0.0
    direction: int = 0
    cost: float = 0.0
    lots: deque[Lot] = field(default_factory=deque)

    @property
    def average_price(self) -> float:
        """Mean price of the open lots by quantity; 0.0 when flat."""
        if len(self.lots) == 1:
            return self.lots[0].price
        return self.cost / abs(self.quantity) if self.lots else 0.0


class Outcome(NamedTuple):
    """What a fill did to its position.

    Attributes:
        before, after: signed units.
        realized_pnl: of the lots closed, less this fill's commission.
        trades: the lots closed.
    """

    before: float
    after: float
    realized_pnl: float
    trades: list[Trade]


NO_SYMBOL = -1


class Step(NamedTuple):
    """The account after a change: positions and cash are step functions, and this is one step.

    Attributes:
        symbol: NO_SYMBOL where only cash changed.
        quantity: of the symbol, signed, from then on.
    """

    bar: int
    symbol: int
    quantity: float
    cash: float


class Account:
    """One portfolio's money, first in first out.

    Attributes:
        cash: account currency; a short sale's proceeds are in it.
        positions: by symbol index.
        held: indices of the symbols with a position, in order.
        steps: every change, in order, from which the equity curve is computed afterwards.
        trades: closed lots, in order of closing.
    """

    __slots__ = (
        "_symbols",
        "cash",
        "commission_paid",
        "held",
        "initial_capital",
        "instruments",
        "positions",
        "steps",
        "traded_value",
        "trades",
    )

    def __init__(self, initial_capital: float, instruments: tuple[Instrument, ...], symbols: tuple[str, ...]) -> None:
        self.initial_capital = initial_capital
        self.cash = initial_capital
        self.instruments = instruments
        self.positions = [Position() for _ in symbols]
        self.held: tuple[int, ...] = ()
        self.steps: list[Step] = []
        self.trades: list[Trade] = []
        self.commission_paid = 0.0
        self.traded_value = 0.0
        self._symbols = symbols

    def value_of(self, symbol: int, quantity: float, price: float) -> float:
        """Return quantity x price x multiplier."""
        return quantity * price * self.instruments[symbol].multiplier

    def accrue(self, amount: float, bar: int) -> None:
        """Book interest and fees at the beginning of a bar."""
        self.cash += amount
        self.steps.append(Step(bar, NO_SYMBOL, 0.0, self.cash))

    def apply(self, deal: Deal) -> Outcome:
        """Book a fill."""
        symbol, side, quantity, price, commission, bar, time, fill_id, reason = deal
        position = self.positions[symbol]
        instrument = self.instruments[symbol]
        dust = instrument.dust
        value = quantity * price * instrument.multiplier
        self.cash -= side * value + commission
        self.commission_paid += commission
        self.traded_value += value
        unit_commission = commission / quantity
        before, direction, lots = position.quantity, position.direction, position.lots
        left, gross = quantity, 0.0
        trades: list[Trade] = []
        if direction and direction != side:
            while lots and left >= dust:
                lot = lots.popleft()
                closed = lot.quantity if lot.quantity < left else left
                left -= closed
                position.cost -= closed * lot.price
                rest = lot.quantity - closed
                if rest >= dust:
                    lots.appendleft(lot._replace(quantity=rest))
                profit = (price - lot.price) * direction * closed * instrument.multiplier
                gross += profit
                trades.append(
                    self._trade(
                        len(self.trades) + len(trades) + 1,
                        deal,
                        lot,
                        closed,
                        profit,
                        (lot.commission + unit_commission) * closed,
                    )
                )
            self.trades.extend(trades)
        if left >= dust:
            lots.append(Lot(left, price, unit_commission, bar, time, fill_id, reason))
            position.cost += left * price
        after = before + side * quantity
        if not lots:  # what the sum of many fills is off by is no position
            after = position.cost = 0.0
        position.quantity = after
        position.direction = (after > 0.0) - (after < 0.0)
        if before == 0.0:
            self.held = tuple(sorted((*self.held, symbol))) if after != 0.0 else self.held
        elif after == 0.0:
            self.held = tuple(index for index in self.held if index != symbol)
        self.steps.append(Step(bar, symbol, after, self.cash))
        return Outcome(before, after, gross - commission, trades)

    def _trade(self, number: int, deal: Deal, lot: Lot, quantity: float, profit: float, commission: float) -> Trade:
        invested = lot.price * quantity * self.instruments[deal.symbol].multiplier
        pnl = profit - commission
        return Trade(
            number,
            self._symbols[deal.symbol],
            "long" if deal.side < 0 else "short",
            quantity,
            lot.time,
            lot.price,
            lot.bar,
            deal.time,
            deal.price,
            deal.bar,
            commission,
            pnl,
            pnl / invested if invested else math.nan,
            lot.reason,
            deal.reason,
            lot.fill_id,
            deal.fill_id,
        )
