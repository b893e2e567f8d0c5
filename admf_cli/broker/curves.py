"""Equity at every bar's close, computed afterwards from the steps of an account. Refuses to know why it traded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from admf_cli.broker.account import NO_SYMBOL, Steps
from admf_cli.broker.instrument import Instrument
from admf_cli.market.bars import Bars, FloatArray, IntArray


class Curves(Struct, frozen=True):
    """Shape (n_bars,) each, at each bar's close, account currency; `exposure` is the gross value of positions."""

    equity: FloatArray
    cash: FloatArray
    exposure: FloatArray


def last_known(bars: Bars) -> FloatArray:
    """Return each symbol's last close at every bar, shape (n_bars, n_symbols); nan before its first."""
    if bars.present is None:
        return bars.close
    rows = np.where(bars.present, np.arange(bars.n_bars)[:, None], 0)
    np.maximum.accumulate(rows, axis=0, out=rows)
    return np.asfortranarray(np.take_along_axis(bars.close, rows, axis=0))


def curves(initial_capital: float, steps: Steps, marks: FloatArray, instruments: Sequence[Instrument]) -> Curves:
    """Return cash, exposure and equity over all bars.

    Args:
        marks: shape (n_bars, n_symbols), last known closes.
    """
    n_bars = len(marks)
    if not steps.rows:
        cash = np.full(n_bars, float(initial_capital))
        return Curves(cash.copy(), cash, np.zeros(n_bars))
    columns = np.array(steps.rows).reshape(-1, 4).T
    bars, symbols = columns[:2].astype(np.int64)
    quantities, cash = columns[2], _stairs(bars, columns[3], initial_capital, n_bars)
    # As few arrays of all bars as can be: memory that is touched for the first time costs more than the arithmetic.
    equity = exposure = None
    for symbol in sorted(set(symbols.tolist()) - {NO_SYMBOL}):
        own = symbols == symbol
        value = _stairs(bars[own], quantities[own], 0.0, n_bars)
        unheld = value == 0.0 if np.isnan(marks[0, symbol]) else None  # before a symbol's first bar its mark is nan
        value *= marks[:, symbol]
        if unheld is not None:
            value[unheld] = 0.0
        if instruments[symbol].multiplier != 1.0:
            value *= instruments[symbol].multiplier
        equity = np.add(cash if equity is None else equity, value, out=equity)
        np.abs(value, out=value)
        exposure = value if exposure is None else np.add(exposure, value, out=exposure)
    if equity is None or exposure is None:
        return Curves(cash.copy(), cash, np.zeros(n_bars))
    return Curves(equity, cash, exposure)


def _stairs(bars: IntArray, values: FloatArray, start: float, n_bars: int) -> FloatArray:
    """Return `start`, and from each of `bars` on its value, shape (n_bars,)."""
    return np.repeat(np.concatenate(([start], values)), np.diff(bars, prepend=0, append=n_bars))
