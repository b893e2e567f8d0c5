"""Conditions on columns, bar by bar and symbol by symbol. Refuses to know what is done when one holds.

An undefined value (nan) makes every comparison false. "Previous" is always the symbol's own previous bar.
"""

from __future__ import annotations

import numpy as np

from admf_cli.market.bars import Bars, BoolArray, FloatArray, IntArray


def previous(values: FloatArray, bars: Bars, lag: int = 1) -> FloatArray:
    """Return each symbol's value `lag` of its own bars ago, nan where there is none."""
    if lag == 0:
        return values
    earlier = np.full(values.shape, np.nan, order="F")
    if bars.present is None:
        earlier[lag:] = values[:-lag]
        return earlier
    for symbol in range(bars.n_symbols):
        rows = np.flatnonzero(bars.present[:, symbol])
        earlier[rows[lag:], symbol] = values[rows[:-lag], symbol]
    return earlier


def values_at(values: FloatArray, bars: Bars, rows: IntArray, symbols: IntArray, lag: int = 0) -> FloatArray:
    """Return the values at (row, symbol) pairs, or those `lag` of the symbol's own bars before."""
    if lag == 0:
        here: FloatArray = values[rows, symbols]
        return here
    if bars.present is None:
        earlier = rows - lag
        return np.where(earlier >= 0, values[np.maximum(earlier, 0), symbols], np.nan)
    found: FloatArray = np.full(len(rows), np.nan)
    for symbol in np.unique(symbols).tolist():
        own = np.flatnonzero(bars.present[:, symbol])
        mine = symbols == symbol
        place = np.searchsorted(own, rows[mine]) - lag
        found[mine] = np.where(place >= 0, values[own[np.maximum(place, 0)], symbol], np.nan)
    return found


def crosses_above(fast: FloatArray, slow: FloatArray | float, bars: Bars) -> BoolArray:
    """Return where `fast[t-1] <= slow[t-1]` and `fast[t] > slow[t]`, all four defined."""
    return (fast > slow) & _shifted(fast <= slow, bars)


def crosses_below(fast: FloatArray, slow: FloatArray | float, bars: Bars) -> BoolArray:
    """Return where `fast[t-1] >= slow[t-1]` and `fast[t] < slow[t]`, all four defined."""
    return (fast < slow) & _shifted(fast >= slow, bars)


def _shifted(condition: BoolArray, bars: Bars) -> BoolArray:
    earlier = np.zeros(condition.shape, dtype=bool, order="F")
    if bars.present is None:
        earlier[1:] = condition[:-1]
        return earlier
    for symbol in range(bars.n_symbols):
        rows = np.flatnonzero(bars.present[:, symbol])
        earlier[rows[1:], symbol] = condition[rows[:-1], symbol]
    return earlier
