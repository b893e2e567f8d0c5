"""Cash, positions and lots of one portfolio, changed by fills alone. Refuses to know why it traded."""

from __future__ import annotations

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
    """

    quantity: float = 0.0
    direction: int = 0
    lots: deque[Lot] = field(default_factory=deque)

    @property
    def average_price(self) -> float:
        """Mean price of the open lots by quantity; 0.0 when flat."""
        if len(self.lots) == 1:
            return self.lots[0].price
        units = sum(lot.quantity for lot in self.lots)
        return sum(lot.quantity * lot.price for lot in self.lots) / units if units else 0.0


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


class Step(NamedTuple):
    """The account after a change: positions and cash are step functions, and this is one step."""

    bar: int
    symbol: int
    quantity: float
    cash: float


class Account:
    """One portfolio's money, first in first out.

    Attributes:
        cash: account currency; a short sale's proceeds are in it.
        positions: by symbol index.
        steps: every change, in order, from which the equity curve is computed afterwards.
        trades: closed lots, in order of closing.
    """

    def __init__(self, initial_capital: float, instruments: tuple[Instrument, ...], symbols: tuple[str, ...]) -> None:
        self.initial_capital = initial_capital
        self.cash = initial_capital
        self.instruments = instruments
        self.positions = [Position() for _ in symbols]
        self.steps: list[Step] = []
        self.trades: list[Trade] = []
        self.commission_paid = 0.0
        self.traded_value = 0.0
        self._symbols = symbols

    def value_of(self, symbol: int, quantity: float, price: float) -> float:
        """Return quantity x price x multiplier."""
        return quantity * price * self.instruments[symbol].multiplier

    def open_symbols(self) -> list[int]:
        """Return the symbols with a position, in order."""
        return [symbol for symbol, position in enumerate(self.positions) if position.direction]

    def apply(self, deal: Deal) -> Outcome:
        """Book a fill."""
        position = self.positions[deal.symbol]
        instrument = self.instruments[deal.symbol]
        multiplier = instrument.multiplier
        before = position.quantity
        value = deal.quantity * deal.price * multiplier
        self.cash -= deal.side * value + deal.commission
        self.commission_paid += deal.commission
        self.traded_value += value
        unit_commission = deal.commission / deal.quantity
        left = deal.quantity
        gross = 0.0
        trades: list[Trade] = []
        while position.lots and position.direction != deal.side and not instrument.is_dust(left):
            lot = position.lots.popleft()
            closed = min(lot.quantity, left)
            left -= closed
            rest = lot.quantity - closed
            if not instrument.is_dust(rest):
                position.lots.appendleft(lot._replace(quantity=rest))
            profit = (deal.price - lot.price) * position.direction * closed * multiplier
            gross += profit
            number = len(self.trades) + len(trades) + 1
            commission = (lot.commission + unit_commission) * closed
            trades.append(self._trade(number, deal, lot, closed, profit, commission))
        if not instrument.is_dust(left) and (position.direction in (0, deal.side) or not position.lots):
            position.lots.append(Lot(left, deal.price, unit_commission, deal.bar, deal.time, deal.fill_id, deal.reason))
        after = before + deal.side * deal.quantity
        if instrument.is_dust(after) or not position.lots:
            after = 0.0
            position.lots.clear()
        position.quantity = after
        position.direction = (after > 0.0) - (after < 0.0)
        self.trades.extend(trades)
        self.steps.append(Step(deal.bar, deal.symbol, after, self.cash))
        return Outcome(before, after, gross - deal.commission, trades)

    def _trade(self, number: int, deal: Deal, lot: Lot, quantity: float, profit: float, commission: float) -> Trade:
        invested = lot.price * quantity * self.instruments[deal.symbol].multiplier
        pnl = profit - commission
        return Trade(
            number=number,
            symbol=self._symbols[deal.symbol],
            direction="long" if deal.side < 0 else "short",
            quantity=quantity,
            entry_time=lot.time,
            entry_price=lot.price,
            entry_bar=lot.bar,
            exit_time=deal.time,
            exit_price=deal.price,
            exit_bar=deal.bar,
            commission=commission,
            pnl=pnl,
            return_fraction=pnl / invested,
            entry_reason=lot.reason,
            exit_reason=deal.reason,
            entry_fill=lot.fill_id,
            exit_fill=deal.fill_id,
        )
