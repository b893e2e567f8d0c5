"""Cash, positions and lots of one portfolio, changed by fills alone. Refuses to know why it traded."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Sequence
from typing import Final

from admf_cli.broker.instrument import Instrument
from admf_cli.results import Trade


class Deal:
    """One fill, as the account needs it.

    Attributes:
        side: +1 bought, -1 sold.
        price: after slippage.
        commission: account currency.
        reason: purpose of the order.
    """

    __slots__ = ("bar", "commission", "fill_id", "price", "quantity", "reason", "side", "symbol", "time")

    def __init__(
        self,
        symbol: int,
        side: int,
        quantity: float,
        price: float,
        commission: float,
        bar: int,
        time: int,
        fill_id: str,
        reason: str,
    ) -> None:
        self.symbol = symbol
        self.side = side
        self.quantity = quantity
        self.price = price
        self.commission = commission
        self.bar = bar
        self.time = time
        self.fill_id = fill_id
        self.reason = reason


class Lot:
    """What is left of a deal that opened part of a position; `commission` is a unit's share."""

    __slots__ = ("commission", "deal", "price", "quantity")

    def __init__(self, quantity: float, commission: float, deal: Deal) -> None:
        self.quantity = quantity
        self.price = deal.price
        self.commission = commission
        self.deal = deal


class Position:
    """Lots of one symbol, all of one sign, oldest first.

    Attributes:
        quantity: signed units.
        direction: +1 long, -1 short, 0 flat.
        cost: sum of quantity x price over the lots, carried along: there may be thousands of them.
    """

    __slots__ = ("cost", "direction", "lots", "quantity")

    def __init__(self) -> None:
        self.quantity = 0.0
        self.direction = 0
        self.cost = 0.0
        self.lots: deque[Lot] = deque()

    @property
    def average_price(self) -> float:
        """Mean price of the open lots by quantity; 0.0 when flat."""
        if len(self.lots) == 1:
            return self.lots[0].price
        return self.cost / abs(self.quantity) if self.lots else 0.0


class Outcome:
    """What a fill did to its position.

    Attributes:
        before, after: signed units.
        realized_pnl: of the lots closed, less this fill's commission.
        trades: the lots closed.
    """

    __slots__ = ("after", "before", "realized_pnl", "trades")

    def __init__(self, before: float, after: float, realized_pnl: float, trades: Sequence[Trade]) -> None:
        self.before = before
        self.after = after
        self.realized_pnl = realized_pnl
        self.trades = trades


NO_SYMBOL: Final = -1


class Steps:
    """The account after each change, in order: positions and cash are step functions.

    Attributes:
        rows: of each change four numbers, side by side in memory, where they are read at once at the end:
            its bar (several in one bar are allowed, the last one counts at its close); the symbol, NO_SYMBOL where
            only cash changed; the symbol's signed quantity from then on; cash from then on, account currency.
    """

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: array[float] = array("d")

    def add(self, bar: int, symbol: int, quantity: float, cash: float) -> None:
        """Take one change."""
        self.rows.extend((bar, symbol, quantity, cash))


class Account:
    """One portfolio's money, first in first out.

    Attributes:
        cash: account currency; a short sale's proceeds are in it.
        positions: by symbol index.
        held: indices of the symbols with a position, in order.
        steps: every change, from which the equity curve is computed afterwards.
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
        self.steps = Steps()
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
        self.steps.add(bar, NO_SYMBOL, 0.0, self.cash)

    def apply(self, deal: Deal) -> Outcome:
        """Book a fill."""
        symbol, side, quantity, price, commission = deal.symbol, deal.side, deal.quantity, deal.price, deal.commission
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
                    lot.quantity = rest
                    lots.appendleft(lot)
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
            lots.append(Lot(left, unit_commission, deal))
            position.cost += left * price
        after = before + side * quantity
        if not lots:  # what the sum of many fills is off by is no position
            after = position.cost = 0.0
        position.quantity = after
        position.direction = (after > 0.0) - (after < 0.0)
        if (before == 0.0) != (after == 0.0):
            self._hold(symbol, after)
        self.steps.add(deal.bar, symbol, after, self.cash)
        return Outcome(before, after, gross - commission, trades)

    def _hold(self, symbol: int, quantity: float) -> None:
        others = self.held
        if not others or others == (symbol,):
            self.held = (symbol,) if quantity else ()
        elif quantity:
            self.held = tuple(sorted((*others, symbol)))
        else:
            self.held = tuple([index for index in others if index != symbol])

    def _trade(self, number: int, deal: Deal, lot: Lot, quantity: float, profit: float, commission: float) -> Trade:
        invested = lot.price * quantity * self.instruments[deal.symbol].multiplier
        pnl = profit - commission
        values = (
            number,
            self._symbols[deal.symbol],
            "long" if deal.side < 0 else "short",
            quantity,
            lot.deal.time,
            lot.price,
            lot.deal.bar,
            deal.time,
            deal.price,
            deal.bar,
            commission,
            pnl,
            pnl / invested if invested else math.nan,
            lot.deal.reason,
            deal.reason,
            lot.deal.fill_id,
            deal.fill_id,
        )
        return tuple.__new__(Trade, values)  # as `Trade(...)` does, at a third of its cost
