"""Statistics over sliding windows: deviation and extremes. Refuses to know of bars, gaps or undefined values."""

from __future__ import annotations

import numpy as np

from admf_cli.features.sums import two_product, two_sum, window_sums
from admf_cli.market.bars import FloatArray

_FLAT = 2.0**-98  # a variance below this share of the squared mean is rounding: a deviation of less than 8 ulps


def window_variances(values: FloatArray, length: int, *, ddof: int = 0) -> FloatArray:
    """Return the variance of each window of `length` values, divided by length - ddof.

    Computed as (n * sum of squares - square of the sum) / (n * (n - ddof)) with sums and squares carried to twice the
    precision of a float, so that nothing is lost to cancellation and nothing depends on where the series began.

    Args:
        values: shape (n,), finite, magnitudes between 1e-100 and 1e100 or zero.
        length: greater than ddof.

    Returns:
        shape (n - length + 1,), exactly 0 where all values of a window are equal.
    """
    squares, errors = two_product(values, values)
    square_sum, square_rest = window_sums(squares, length)
    error_sum, _ = window_sums(errors, length)
    total, total_rest = window_sums(values, length)
    left, left_rest = two_product(square_sum, float(length))
    left_rest += length * (square_rest + error_sum)
    right, right_rest = two_product(total, total)
    right_rest += 2.0 * total * total_rest
    difference, rest = two_sum(left, -right)
    difference += rest + (left_rest - right_rest)
    difference[difference < _FLAT * left] = 0.0
    variances: FloatArray = difference / (length * (length - ddof))
    return variances


def window_maxima(values: FloatArray, length: int) -> FloatArray:
    """Return the greatest of each window of `length` values, shape (n - length + 1,)."""
    return _extremes(values, length, np.maximum)


def window_minima(values: FloatArray, length: int) -> FloatArray:
    """Return the least of each window of `length` values, shape (n - length + 1,)."""
    return _extremes(values, length, np.minimum)


def _extremes(values: FloatArray, length: int, choose: np.ufunc) -> FloatArray:
    """Combine windows of 1, 2, 4, ... values; two of the last width, overlapping, make a window of `length`."""
    if len(values) < length:
        return np.empty(0)
    chosen, width = values, 1
    while 2 * width <= length:
        chosen = choose(chosen[:-width], chosen[width:])
        width *= 2
    rest = length - width
    return choose(chosen[:-rest], chosen[rest:]) if rest else chosen + 0.0
