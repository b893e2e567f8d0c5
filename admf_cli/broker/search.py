"""The first bar at which a price level is touched. Refuses to know what for.

A column is searched in two steps, over the extremes of blocks and then inside one block, so that an order which
waits a million bars costs a few thousand comparisons.
"""

from __future__ import annotations

import numpy as np

from admf_cli.market.bars import FloatArray

_BLOCK = 512
_FIRST_WINDOW = 64


class Lows:
    """First bar at which a column is at or below a level. nan never touches.

    Args:
        column: shape (n_bars,).
    """

    def __init__(self, column: FloatArray) -> None:
        self._column = column
        self._blocks: FloatArray | None = None

    def first_touch(self, level: float, start: int) -> int:
        """Return the first index >= `start` with `column <= level`, or n_bars."""
        column = self._column
        n_bars = len(column)
        near = column[start : start + _FIRST_WINDOW] <= level
        if len(near) and near[place := int(near.argmax())]:
            return start + place
        start += _FIRST_WINDOW
        if start >= n_bars:
            return n_bars
        blocks = self._block_extremes()
        first_block = start // _BLOCK
        found = self._inside(start, min((first_block + 1) * _BLOCK, n_bars), level)
        if found is not None:
            return found
        far = blocks[first_block + 1 :] <= level
        if not len(far) or not far[place := int(far.argmax())]:
            return n_bars
        block = first_block + 1 + place
        found = self._inside(block * _BLOCK, min((block + 1) * _BLOCK, n_bars), level)
        assert found is not None
        return found

    def _inside(self, start: int, stop: int, level: float) -> int | None:
        touched = self._column[start:stop] <= level
        if len(touched) and touched[place := int(touched.argmax())]:
            return start + place
        return None

    def _block_extremes(self) -> FloatArray:
        if self._blocks is None:
            starts = np.arange(0, len(self._column), _BLOCK)
            self._blocks = np.fmin.reduceat(self._column, starts)
        return self._blocks


class Highs:
    """First bar at which a column is at or above a level."""

    def __init__(self, column: FloatArray) -> None:
        self._negated = Lows(-column)

    def first_touch(self, level: float, start: int) -> int:
        """Return the first index >= `start` with `column >= level`, or n_bars."""
        return self._negated.first_touch(-level, start)


def trailing_levels(
    closes: FloatArray, level: float, side: int, *, amount: float | None, percent: float | None
) -> FloatArray:
    """Return a trailing stop's level for the bar after each close, shape of `closes`.

    The level moves at a close, only towards the market: for a sell stop up, to the close less the distance.

    Args:
        closes: shape (k,), from the first bar on which the stop is live; nan closes move nothing.
        level: the level on that first bar.
        side: -1 for a sell stop, +1 for a buy stop.
    """
    distance = amount if amount is not None else 0.0
    factor = percent if percent is not None else 0.0
    if side < 0:
        wanted = closes * (1.0 - factor) - distance
        return np.fmax.accumulate(np.concatenate(([level], wanted)))[1:]
    wanted = closes * (1.0 + factor) + distance
    return np.fmin.accumulate(np.concatenate(([level], wanted)))[1:]
