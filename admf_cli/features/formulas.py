"""How our own features are computed. Refuses to know of gaps, undefined values and configurations.

Each formula takes the inputs of one symbol, shape (n,), all finite, and returns its outputs, shape (n,), nan until
defined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from admf_cli.features.sums import window_sums
from admf_cli.market.bars import FloatArray, IntArray


class Formula(NamedTuple):
    """A feature of one symbol at a time.

    Attributes:
        run: (inputs, params, times) -> outputs.
        lookback: params -> bars before the first value.
    """

    run: Callable[[Sequence[FloatArray], Mapping[str, Any], IntArray], tuple[FloatArray, ...]]
    lookback: Callable[[Mapping[str, Any]], int]


def after(lookback: int, values: FloatArray, n: int) -> FloatArray:
    """Return shape (n,): nan `lookback` times, then `values`."""
    column = np.empty(n)
    column[:lookback] = np.nan
    column[lookback:] = values
    return column


def rolling_mean(values: FloatArray, length: int) -> FloatArray:
    """Return the mean of the last `length` values, the exact sum rounded once and then divided."""
    means = window_sums(values, length)
    means /= length
    return after(min(length - 1, len(values)), means, len(values))


def _sma(inputs: Sequence[FloatArray], params: Mapping[str, Any], times: IntArray) -> tuple[FloatArray, ...]:
    return (rolling_mean(inputs[0], params["timeperiod"]),)


FORMULAS: dict[str, Formula] = {
    "SMA": Formula(_sma, lambda params: params["timeperiod"] - 1),
}
