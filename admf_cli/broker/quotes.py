"""Bars and marks one number at a time. Refuses to know what is done with them.

NumPy hands out a single element slowly, boxed in a type of its own; a memory view hands out a plain float in a
quarter of the time, and copies nothing.
"""

from __future__ import annotations

import numpy as np

from admf_cli.market.bars import Bars, FloatArray


def by_symbol(columns: FloatArray) -> list[memoryview[float]]:
    """Return each symbol's column as a view: `views[symbol][bar]` is a plain float.

    Args:
        columns: shape (n_bars, n_symbols).
    """
    return [np.ascontiguousarray(columns[:, symbol]).data.cast("B").cast("d") for symbol in range(columns.shape[1])]


class Quotes:
    """The columns of bars by symbol, then bar."""

    __slots__ = ("close", "high", "low", "open", "volume")

    def __init__(self, bars: Bars) -> None:
        self.open = by_symbol(bars.open)
        self.high = by_symbol(bars.high)
        self.low = by_symbol(bars.low)
        self.close = by_symbol(bars.close)
        self.volume = by_symbol(bars.volume)
