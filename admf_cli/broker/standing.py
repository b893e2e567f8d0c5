"""Where an account stands: marked at a close, and over a whole phase. Refuses to know why it traded."""

from __future__ import annotations

from collections.abc import Sequence

from admf_cli.broker.account import Account
from admf_cli.broker.curves import Curves, curves
from admf_cli.broker.instrument import Instrument
from admf_cli.broker.quotes import by_symbol
from admf_cli.market.bars import Bars, FloatArray
from admf_cli.metrics import portfolio_metrics
from admf_cli.results import Holding


class Standing:
    """Reads one account against the last known closes; books nothing.

    Args:
        bars: the phase.
        marks: shape (n_bars, n_symbols), last known closes.
    """

    def __init__(self, account: Account, bars: Bars, marks: FloatArray, instruments: Sequence[Instrument]) -> None:
        self._account = account
        self._bars = bars
        self._marks = marks
        self._mark = by_symbol(marks)
        self._instruments = instruments
        self._drawn: Curves | None = None

    def mark(self, bar: int, symbol: int) -> float:
        """Return the symbol's last known close."""
        return self._mark[symbol][bar]

    def equity(self, bar: int) -> float:
        """Return cash and positions at this bar's close; the same sum, in the same order, as the equity curve's."""
        account, mark = self._account, self._mark
        total = account.cash
        for symbol in account.held:
            total += account.positions[symbol].quantity * mark[symbol][bar] * account.instruments[symbol].multiplier
        return total

    def exposure(self, bar: int) -> float:
        """Return the gross market value of the positions at this bar's close."""
        account, mark, gross = self._account, self._mark, 0.0
        for symbol in account.held:
            gross += abs(account.value_of(symbol, account.positions[symbol].quantity, mark[symbol][bar]))
        return gross

    def values(self, bar: int) -> list[float]:
        """Return the signed market value of each open position, in order of symbols."""
        account = self._account
        return [
            account.value_of(symbol, account.positions[symbol].quantity, self.mark(bar, symbol))
            for symbol in account.held
        ]

    def quantities(self) -> dict[str, float]:
        """Return the signed quantity of each open position by symbol."""
        account, names = self._account, self._bars.symbols
        return {names[symbol]: account.positions[symbol].quantity for symbol in account.held}

    def holdings(self, bar: int) -> tuple[Holding, ...]:
        """Return the open positions, marked at this bar's close."""
        return tuple(self._holding(symbol, bar) for symbol in self._account.held)

    def curves(self) -> Curves:
        """Return equity, cash and exposure over the phase; to be asked for once the last bar has closed."""
        if self._drawn is None:
            account = self._account
            self._drawn = curves(account.initial_capital, account.steps, self._marks, self._instruments)
        return self._drawn

    def metrics(self, *, slippage_paid: float, periods_per_year: float) -> dict[str, float | int | None]:
        """Return every figure of the phase; to be asked for once the last bar has closed."""
        account, drawn = self._account, self.curves()
        return portfolio_metrics(
            initial_capital=account.initial_capital,
            equity=drawn.equity,
            exposure=drawn.exposure,
            times=self._bars.times,
            trades=account.trades,
            traded_value=account.traded_value,
            commission=account.commission_paid,
            slippage=slippage_paid,
            periods_per_year=periods_per_year,
        )

    def _holding(self, symbol: int, bar: int) -> Holding:
        position, account = self._account.positions[symbol], self._account
        last = self.mark(bar, symbol)
        return Holding(
            symbol=self._bars.symbols[symbol],
            quantity=position.quantity,
            average_price=position.average_price,
            last_price=last,
            market_value=account.value_of(symbol, position.quantity, last),
            unrealized_pnl=account.value_of(symbol, position.quantity, last - position.average_price),
        )
