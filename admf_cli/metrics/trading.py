"""Figures of what was traded: closed trades, time in the market, turnover. Refuses to know of risk and return.

A figure that is not defined is nan. Sums over trades are exact (`math.fsum`), so their order changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from admf_cli.market.bars import FloatArray
from admf_cli.metrics.parts import total


class ClosedTrade(Protocol):
    """What the figures need of a trade; `admf_cli.results.Trade` is one."""

    @property
    def entry_bar(self) -> int:
        """Index of the bar of the entry."""
        ...

    @property
    def exit_bar(self) -> int:
        """Index of the bar of the exit."""
        ...

    @property
    def pnl(self) -> float:
        """Profit net of commissions, in account currency."""
        ...


def win_rate(pnls: Sequence[float]) -> float:
    """Return the share of trades with a profit above zero, as a fraction; a trade at exactly zero is no win.

    Returns:
        nan without trades.

    Source: Pardo (2008), The Evaluation and Optimization of Trading Strategies, 2nd ed., ch. 12.
    """
    return len([pnl for pnl in pnls if pnl > 0]) / len(pnls) if pnls else math.nan


def profit_factor(pnls: Sequence[float]) -> float:
    """Return gross profit over gross loss, a pure number.

    Returns:
        nan without a losing trade.

    Source: Pardo (2008), ch. 12.
    """
    loss = math.fsum([pnl for pnl in pnls if pnl < 0])
    return math.fsum([pnl for pnl in pnls if pnl > 0]) / -loss if loss < 0 else math.nan


def expectancy(pnls: Sequence[float]) -> float:
    """Return the mean profit a trade, net of commissions, in account currency.

    Returns:
        nan without trades.

    Source: Tharp (1999), Trade Your Way to Financial Freedom, ch. 7 (there in units of the initial risk).
    """
    return _mean(pnls)


def average_win(pnls: Sequence[float]) -> float:
    """Return the mean profit of the trades above zero, in account currency; nan if there is none."""
    return _mean([pnl for pnl in pnls if pnl > 0])


def average_loss(pnls: Sequence[float]) -> float:
    """Return the mean profit of the trades below zero, a negative amount; nan if there is none."""
    return _mean([pnl for pnl in pnls if pnl < 0])


def average_holding(trades: Sequence[ClosedTrade]) -> float:
    """Return the mean number of bars from entry to exit; 0 for a trade that closes on the bar of its entry.

    Returns:
        nan without trades.
    """
    return _mean([trade.exit_bar - trade.entry_bar for trade in trades])


def exposure_time(exposure: FloatArray) -> float:
    """Return the share of bars at whose close a position is open, as a fraction.

    Args:
        exposure: shape (n_bars,), gross market value of the positions at each close, in account currency.

    Returns:
        nan without a bar.

    Source: backtesting.py's "Exposure Time", which also counts the bar of an exit.
    """
    return int(np.count_nonzero(exposure > 0)) / len(exposure) if len(exposure) else math.nan


def average_exposure(exposure: FloatArray, equity: FloatArray) -> float:
    """Return the mean over all bars of gross exposure over equity (1 is fully invested, above 1 leveraged).

    Returns:
        nan without a bar, or once the equity is zero or below.

    Source: gross leverage, as pyfolio's `gross_lev`.
    """
    if not len(equity) or not np.minimum.reduce(equity) > 0:
        return math.nan
    return total(len(equity), lambda start, stop: exposure[start:stop] / equity[start:stop]) / len(equity)


def turnover(traded_value: float, equity: FloatArray, *, periods_per_year: float) -> float:
    """Return the value traded a year over the mean equity.

    `traded_value / mean(equity) / (n_bars / periods_per_year)`

    Args:
        traded_value: sum of price x quantity x multiplier over all fills, in account currency. Buys and sells both
            count, so replacing the whole portfolio once a year gives 2.

    Returns:
        A number a year; nan without a bar or if the mean equity is not above zero.

    Source: as pyfolio's `get_turnover` with both sides counted; SEC Form N-1A counts the smaller side only.
    """
    bars = len(equity)
    mean = float(np.add.reduce(equity)) / bars if bars else math.nan
    if not mean > 0 or not periods_per_year > 0:
        return math.nan
    return traded_value / mean * periods_per_year / bars


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan
