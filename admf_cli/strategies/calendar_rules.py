"""Bars found by their place in time: the first of trading, of a day, week or month. Refuses to know of prices."""

from __future__ import annotations

import numpy as np

from admf_cli.market.bars import Bars, BoolArray, IntArray


def first_bars(bars: Bars, first: int) -> tuple[IntArray, IntArray]:
    """Return (bar, symbol) of each symbol's first own bar at or after `first`, sorted by bar, then symbol."""
    if bars.present is None:
        present: BoolArray = np.ones((int(first < bars.n_bars), bars.n_symbols), dtype=bool)
    else:
        present = bars.present[first:]
    if not len(present):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    exists = present.any(axis=0)
    found = first + present.argmax(axis=0)
    symbol = np.flatnonzero(exists)
    order = np.argsort(found[symbol], kind="stable")
    return found[symbol][order], symbol[order]
