"""Columns and conditions seen from the symbol's own bars. Refuses to know what is done when a condition holds.

"Previous" and "ago" always count the symbol's own bars: moments at which it has none do not exist for it.
"""

from __future__ import annotations

import numpy as np

from admf_cli.market.bars import Bars, BoolArray, FloatArray, IntArray


def lagged(values: FloatArray, bars: Bars, lag: int = 1) -> FloatArray:
    """Return each symbol's value `lag` of its own bars ago, nan where there is none."""
    earlier = np.full(values.shape, np.nan, order="F")
    _shift(values, earlier, bars, lag)
    return earlier


def lagged_condition(condition: BoolArray, bars: Bars, lag: int = 1) -> BoolArray:
    """Return where the condition held `lag` of the symbol's own bars ago."""
    earlier = np.zeros(condition.shape, dtype=bool, order="F")
    _shift(condition, earlier, bars, lag)
    return earlier


def _shift(values: FloatArray | BoolArray, earlier: FloatArray | BoolArray, bars: Bars, lag: int) -> None:
    kept = max(0, bars.n_bars - lag)
    if bars.present is None:
        earlier[lag:] = values[:kept]
        return
    for symbol in range(bars.n_symbols):
        rows = np.flatnonzero(bars.present[:, symbol])
        earlier[rows[lag:], symbol] = values[rows[: max(0, len(rows) - lag)], symbol]


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


def first_bars(bars: Bars, first: int) -> BoolArray:
    """Return where each symbol has its first own bar at or after `first`."""
    where = np.zeros((bars.n_bars, bars.n_symbols), dtype=bool, order="F")
    if first >= bars.n_bars:
        return where
    if bars.present is None:
        where[first] = True
        return where
    trading = bars.present[first:]
    exists = np.flatnonzero(trading.any(axis=0))
    where[first + trading.argmax(axis=0)[exists], exists] = True
    return where
