"""Correctly rounded sums over sliding windows. Refuses to know of bars, gaps or undefined values.

A running sum (add the newest, subtract the oldest) leaves residues of 1e-13, so that a mean over equal prices
differs from the price and depends on where the series began. Here every window's sum is the exact sum, rounded once:
values are written as two whole numbers `high * 2**a + low * 2**b`, whole numbers are added up without error (modulo
2**64, in which the differences of the running totals are exact again), and the two exact parts are added as floats.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from admf_cli.market.bars import FloatArray

_EXPONENT_LIMIT = 900  # beyond 2**±900 the powers of two used for scaling would overflow or lose bits
_BLOCK = 32_768  # values worked on at a time: temporaries stay in the cache, and the range of a block is narrower


def window_sums(values: FloatArray, length: int) -> FloatArray:
    """Return the sum of each window of `length` values, equal to `math.fsum` of the window bit for bit.

    Args:
        values: shape (n,), finite.
        length: at least 1.

    Returns:
        shape (n - length + 1,), one per full window, empty if there is none; nan where the sum overflows.

    Source: fixed-point superaccumulator in two limbs, after Kulisch (2013), Computer Arithmetic and Validity, ch. 8.
    """
    windows = len(values) - length + 1
    if windows <= 0:
        return np.empty(0)
    if length == 1:
        return values + 0.0
    sums = np.empty(windows)
    block = max(_BLOCK, 8 * length)
    for start in range(0, windows, block):
        stop = min(start + block, windows)
        _block_sums(values[start : stop + length - 1], length, sums[start:stop])
    return sums


def _block_sums(values: FloatArray, length: int, sums: FloatArray) -> None:
    largest = max(float(values.max()), -float(values.min()))
    if largest == 0.0:
        sums[:] = 0.0
        return
    exponent = math.frexp(largest)[1]
    limb_bits = 52 - (length - 1).bit_length()  # the window's sum of limbs stays below 2**52: exact as a float
    if limb_bits < 20 or abs(exponent) > _EXPONENT_LIMIT:
        _exact_one_by_one(values, sums, range(len(sums)), length)
        return
    high_unit = math.ldexp(1.0, exponent - limb_bits)
    low_unit = math.ldexp(high_unit, -limb_bits)
    scaled = values * (1.0 / high_unit)
    high = np.rint(scaled)
    scaled -= high
    scaled *= math.ldexp(1.0, limb_bits)
    low = np.rint(scaled)
    inexact = low != scaled
    if high_unit > 1.0:  # scaling down may have underflowed
        inexact |= high * high_unit + low * low_unit != values
    np.multiply(_differences(high, length), high_unit, out=sums)
    sums += _differences(low, length) * low_unit
    if inexact.any():
        touched = np.concatenate(([0], np.cumsum(inexact)))
        _exact_one_by_one(values, sums, np.flatnonzero(touched[length:] > touched[:-length]).tolist(), length)


def _differences(limbs: FloatArray, length: int) -> FloatArray:
    running = np.empty(len(limbs) + 1, dtype=np.int64)
    running[0] = 0
    np.cumsum(limbs.astype(np.int64), out=running[1:])
    return (running[length:] - running[:-length]).astype(np.float64)


def _exact_one_by_one(values: FloatArray, sums: FloatArray, windows: Iterable[int], length: int) -> None:
    """Fill in the windows whose values span more bits than two limbs hold."""
    items = values.tolist()
    for start in windows:
        try:
            sums[start] = math.fsum(items[start : start + length])
        except OverflowError:
            sums[start] = math.nan
