"""A portfolio's life made anew from the fills and bars of a trace: lots, trades, cash, equity at every close.

Shares no bookkeeping with what ran the backtest, so that the two can be held against each other. Refuses to read files.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from msgspec import Struct, field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray: TypeAlias = NDArray[np.float64]
    IntArray: TypeAlias = NDArray[np.int64]

_DUST = 1e-12  # of the larger of two quantities: what two ways of adding up may differ by


class TracedFill(NamedTuple):
    """One FILL as booking needs it.

    Attributes:
        sign: +1 bought, -1 sold.
        slippage: a unit, adverse positive.
        value: price x quantity x multiplier.
    """

    event_id: str
    sequence: int
    bar: int
    symbol: str
    sign: int
    quantity: float
    price: float
    slippage: float
    commission: float
    value: float


class RebuiltTrade(NamedTuple):
    """One lot opened and closed, first in, first out."""

    number: int
    symbol: str
    direction: str
    quantity: float
    entry_bar: int
    exit_bar: int
    entry_price: float
    exit_price: float
    entry_fill: str
    pnl: float
    return_fraction: float


class _Lot(NamedTuple):
    quantity: float
    price: float
    unit_commission: float
    bar: int
    fill_id: str


class _Held(Struct):
    quantity: float = 0.0
    lots: deque[_Lot] = field(default_factory=deque)
    multiplier: float = 1.0


class Ledger:
    """Cash, lots and closed trades of one portfolio, out of its fills and what financing changed.

    Attributes:
        steps: (bar, cash after) and, by symbol, (bar, quantity after), in order.
        traded_value, commission, slippage: sums over all fills, account currency.
    """

    def __init__(self, initial_capital: float) -> None:
        self.initial_capital = initial_capital
        self.cash = initial_capital
        self.trades: list[RebuiltTrade] = []
        self.traded_value = self.commission = self.slippage = 0.0
        self.cash_steps: list[tuple[int, float]] = []
        self.quantity_steps: dict[str, list[tuple[int, float]]] = {}
        self._held: dict[str, _Held] = {}

    def book(self, fill: TracedFill) -> list[RebuiltTrade]:
        """Book one fill; return the trades that it closed."""
        held = self._held.setdefault(fill.symbol, _Held())
        held.multiplier = _multiplier(fill)
        self.cash -= fill.sign * fill.value + fill.commission
        self.traded_value += fill.value
        self.commission += fill.commission
        self.slippage += fill.slippage * fill.quantity * held.multiplier
        closed = self._close_lots(held, fill)
        before = held.quantity
        held.quantity = before + fill.sign * fill.quantity
        if not held.lots or abs(held.quantity) <= _DUST * max(abs(before), fill.quantity):
            held.quantity = 0.0
            held.lots.clear()
        self.trades += closed
        self.cash_steps.append((fill.bar, self.cash))
        self.quantity_steps.setdefault(fill.symbol, []).append((fill.bar, held.quantity))
        return closed

    def finance(self, bar: int, change: float) -> None:
        """Book interest and fees."""
        self.cash += change
        self.cash_steps.append((bar, self.cash))

    def positions(self) -> dict[str, tuple[float, float]]:
        """Return symbol -> signed quantity and average price of what is open."""
        return {
            symbol: (held.quantity, _average_price(held.lots))
            for symbol, held in self._held.items()
            if held.quantity != 0.0
        }

    def multiplier(self, symbol: str) -> float:
        """Return account currency a unit a point of price, as the symbol's fills say."""
        held = self._held.get(symbol)
        return held.multiplier if held else 1.0

    def _close_lots(self, held: _Held, fill: TracedFill) -> list[RebuiltTrade]:
        left, closed = fill.quantity, list[RebuiltTrade]()
        unit_commission = fill.commission / fill.quantity
        while held.lots and held.quantity * fill.sign < 0.0 and left > _DUST * fill.quantity:
            lot = held.lots.popleft()
            quantity = min(lot.quantity, left)
            left -= quantity
            rest = lot.quantity - quantity
            if rest > _DUST * lot.quantity:
                held.lots.appendleft(lot._replace(quantity=rest))
            gross = (fill.price - lot.price) * -fill.sign * quantity * held.multiplier
            pnl = gross - (lot.unit_commission + unit_commission) * quantity
            invested = lot.price * quantity * held.multiplier
            closed.append(
                RebuiltTrade(
                    number=len(self.trades) + len(closed) + 1,
                    symbol=fill.symbol,
                    direction="short" if fill.sign > 0 else "long",
                    quantity=quantity,
                    entry_bar=lot.bar,
                    exit_bar=fill.bar,
                    entry_price=lot.price,
                    exit_price=fill.price,
                    entry_fill=lot.fill_id,
                    pnl=pnl,
                    return_fraction=pnl / invested if invested else 0.0,
                )
            )
        if left > _DUST * fill.quantity:
            held.lots.append(_Lot(left, fill.price, unit_commission, fill.bar, fill.event_id))
        return closed


class Market:
    """The closes of a phase by symbol, as its BARs say; added in order of time.

    Attributes:
        symbols: in the order in which the data container names them, else in which they came.
    """

    def __init__(self) -> None:
        self.symbols: list[str] = []
        self.count = 0
        self._parts: dict[str, tuple[list[IntArray], list[FloatArray]]] = {}
        self._times: list[tuple[IntArray, IntArray]] = []

    def add(self, bars: IntArray, times: IntArray, symbols: list[str], closes: FloatArray) -> None:
        """Add some BARs, shape (n,) each."""
        self.count += len(bars)
        self._times.append((bars, times))
        names = set(symbols)
        for name in names:
            if name not in self._parts:
                self._parts[name] = ([], [])
                if name not in self.symbols:
                    self.symbols.append(name)
            chosen: Any = slice(None) if len(names) == 1 else np.array([one == name for one in symbols])
            self._parts[name][0].append(bars[chosen])
            self._parts[name][1].append(closes[chosen])

    def times(self) -> IntArray:
        """Return each bar's time, shape (n_bars,), microseconds since 1970 UTC; bars without a BAR are not counted."""
        if not self._times:
            return np.empty(0, dtype=np.int64)
        bars = np.concatenate([bars for bars, _ in self._times])
        times = np.concatenate([times for _, times in self._times])
        return times[np.unique(bars, return_index=True)[1]]

    def bars(self) -> IntArray:
        """Return the indices of all bars that have a BAR, sorted."""
        if not self._times:
            return np.empty(0, dtype=np.int64)
        return np.unique(np.concatenate([bars for bars, _ in self._times]))

    def marks(self, symbol: str, n_bars: int) -> FloatArray:
        """Return a symbol's last known close at every bar, shape (n_bars,); nan before its first."""
        if symbol not in self._parts:
            return np.full(n_bars, np.nan)
        bars = np.concatenate(self._parts[symbol][0])
        closes = np.concatenate(self._parts[symbol][1])
        return np.repeat(np.concatenate([[np.nan], closes]), np.diff(bars, prepend=0, append=n_bars))


class Curve(Struct, frozen=True):
    """Equity, cash and gross exposure at every close, shape (n_bars,) each."""

    equity: FloatArray
    cash: FloatArray
    exposure: FloatArray


def draw(ledger: Ledger, market: Market, n_bars: int) -> Curve:
    """Return a portfolio's curves over a phase of `n_bars` bars."""
    cash = _stairs(ledger.cash_steps, ledger.initial_capital, n_bars)
    equity, exposure = cash.copy(), np.zeros(n_bars)
    for symbol in market.symbols:
        steps = ledger.quantity_steps.get(symbol)
        if steps:
            held = _stairs(steps, 0.0, n_bars)
            value = held * market.marks(symbol, n_bars) * ledger.multiplier(symbol)
            value[held == 0.0] = 0.0
            equity += value
            exposure += np.abs(value)
    return Curve(equity, cash, exposure)


def _stairs(steps: list[tuple[int, float]], start: float, n_bars: int) -> FloatArray:
    bars = np.array([bar for bar, _ in steps], dtype=np.int64)
    values = np.array([start, *(value for _, value in steps)])
    return np.repeat(values, np.diff(bars, prepend=0, append=n_bars))


def _multiplier(fill: TracedFill) -> float:
    """Return value over price x quantity; what is within rounding of a short number is that number."""
    product = fill.price * fill.quantity
    return float(f"{fill.value / product:.12g}") if product else 1.0


def _average_price(lots: deque[_Lot]) -> float:
    units = sum(lot.quantity for lot in lots)
    if len(lots) == 1:
        return lots[0].price
    return sum(lot.quantity * lot.price for lot in lots) / units if units else 0.0
