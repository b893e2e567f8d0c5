"""Correctly rounded sums and means over sliding windows. Refuses to know of bars, gaps or undefined values.

A running sum (add the newest, subtract the oldest) leaves residues of 1e-13, so that a mean over equal prices
differs from the price and depends on where the series began. Here every window's sum is the exact sum, rounded once:
values are written as two whole numbers `high * 2**a + low * 2**b`, whole numbers are added up without error (modulo
2**64, in which the differences of the running totals are exact again), and the two exact parts are added as floats.

Source: fixed-point accumulation in two limbs, after Kulisch (2013), Computer Arithmetic and Validity, chapter 8; error
terms of sums and products by Knuth (1969), The Art of Computer Programming 2, 4.2.2, and Dekker (1971).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from admf_cli.market.bars import FloatArray

_EXPONENT_LIMIT = 900  # beyond 2**±900 the powers of two used for scaling would overflow or lose bits
_BLOCK = 32_768  # values worked on at a time: temporaries stay in the cache, and the range of a block is narrower


def window_sums(values: FloatArray, length: int) -> tuple[FloatArray, FloatArray]:
    """Return the sum of each window of `length` values and what its rounding left over.

    Args:
        values: shape (n,), finite.
        length: at least 1.

    Returns:
        (sums, rests), each of shape (n - length + 1,), one per full window, empty if there is none. A sum equals
        `math.fsum` of its window bit for bit; sum + rest is the exact sum, the rest itself being rounded where the
        values span more than about 90 bits. nan where the sum overflows.
    """
    windows = max(0, len(values) - length + 1)
    sums, rests = np.empty(windows), np.zeros(windows)
    if length == 1:
        np.add(values, 0.0, out=sums)
        return sums, rests
    block = max(_BLOCK, 8 * length)
    for start in range(0, windows, block):
        stop = min(start + block, windows)
        _block_sums(values[start : stop + length - 1], length, sums[start:stop], rests[start:stop])
    return sums, rests


def window_means(values: FloatArray, length: int) -> FloatArray:
    """Return the mean of each window, `math.fsum(window) / length` bit for bit.

    Args:
        values: shape (n,), finite.

    Returns:
        shape (n - length + 1,); nan where the sum overflows.
    """
    means, _ = window_sums(values, length)
    means /= length
    return means


def two_sum(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the rounded sum and its error: a + b = sum + error exactly."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: FloatArray, b: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    """Return the rounded product and its error: a * b = product + error exactly, barring under- and overflow."""
    product = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _halves(a: FloatArray | float) -> tuple[FloatArray | float, FloatArray | float]:
    scaled = a * 134_217_729.0  # 2**27 + 1: splits 53 bits into 26 and 26 and a sign
    high = scaled - (scaled - a)
    return high, a - high


def _block_sums(values: FloatArray, length: int, sums: FloatArray, rests: FloatArray) -> None:
    largest = max(float(values.max()), -float(values.min()))
    if largest == 0.0:
        sums[:] = 0.0
        return
    exponent = math.frexp(largest)[1]
    limb_bits = 52 - (length - 1).bit_length()  # the window's sum of limbs stays below 2**52: exact as a float
    if limb_bits < 20 or abs(exponent) > _EXPONENT_LIMIT:
        _sum_one_by_one(values, sums, rests, range(len(sums)), length)
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
    highs, lows = _differences(high, length), _differences(low, length)
    highs *= high_unit
    lows *= low_unit
    sums[:], rests[:] = two_sum(highs, lows)
    if inexact.any():
        touched = np.concatenate(([0], np.cumsum(inexact)))
        which = np.flatnonzero(touched[length:] > touched[:-length]).tolist()
        _sum_one_by_one(values, sums, rests, which, length)


def _differences(limbs: FloatArray, length: int) -> FloatArray:
    running = np.empty(len(limbs) + 1, dtype=np.int64)
    running[0] = 0
    np.cumsum(limbs.astype(np.int64), out=running[1:])
    return (running[length:] - running[:-length]).astype(np.float64)


def _sum_one_by_one(
    values: FloatArray, sums: FloatArray, rests: FloatArray, windows: Iterable[int], length: int
) -> None:
    """Fill in the windows whose values span more bits than two limbs hold."""
    items = values.tolist()
    for start in windows:
        window = items[start : start + length]
        try:
            sums[start] = total = math.fsum(window)
        except OverflowError:
            sums[start] = rests[start] = math.nan
            continue
        try:
            rests[start] = math.fsum([-total, *window])
        except OverflowError:  # on the way to a small rest: so large values can be halved without loss
            rests[start] = 2.0 * math.fsum([-total / 2.0, *(item / 2.0 for item in window)])
