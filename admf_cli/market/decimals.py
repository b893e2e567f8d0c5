"""Unsigned decimal numbers in a buffer of text to float64, a column at a time. Refuses to know of rows and files.

Each number is taken as up to two 64-bit words that end where it ends, and its digits are summed within the words
(the method of "SIMD within a register"; Lemire, "Quickly parsing eight digits", 2018). A number is `digits / 10**k`
with both sides exact in a float64, so that one IEEE division rounds it correctly (Clinger, "How to read floating point
numbers accurately", PLDI 1990). Whatever does not fit that is left to Python's own parser, cell by cell.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from admf_cli.market.bars import BoolArray, FloatArray, IntArray

WordArray = NDArray[np.uint64]

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
"""What a number is: no spaces, no underscores, no thousands separators, no nan or inf."""

LONGEST = 16


def _every_byte(value: int) -> np.uint64:
    return np.uint64(value * 0x0101010101010101)


_ZEROS = _every_byte(0x30)
_POINTS = _every_byte(0x2E ^ 0x30)
_POINT = np.uint64(0x2E ^ 0x30)
_LOW_BITS = _every_byte(0x7F)
_HIGH_BITS = _every_byte(0x80)
_ABOVE_NINE = _every_byte(0x80 - 10)
_ONE, _SEVEN, _EIGHT, _SIXTEEN, _THIRTY_TWO = (np.uint64(n) for n in (1, 7, 8, 16, 32))
_TEN, _NINE, _HUNDRED_MILLION = np.uint64(10), np.uint64(9), np.uint64(10**8)
_PAIRS = np.uint64(0x000000FF000000FF)
_MILLIONS = np.uint64(100 + (1_000_000 << 32))
_TEN_THOUSANDS = np.uint64(1 + (10_000 << 32))
# The last k bytes of a word are its k highest ones, the words being little-endian.
_KEEP = np.array([0] + [(0xFFFFFFFFFFFFFFFF << (8 * (8 - k))) & 0xFFFFFFFFFFFFFFFF for k in range(1, 9)], np.uint64)
# Digits after the point, by the number of bits below the point's: 7, 15, .. 63; 64 if there is no point.
_DIGITS_AFTER = np.full(65, -1, np.int64)
_DIGITS_AFTER[7:64:8] = np.arange(7, -1, -1)
_POWERS = np.array([10**k for k in range(20)], np.uint64)
_FLOAT_POWERS = np.array([float(10**k) for k in range(20)])


def words_of(text: bytes) -> WordArray:
    """Return every 8 bytes of the text, overlapping, as little-endian integers without copying; len(text) >= 8."""
    return np.ndarray(shape=(len(text) - 7,), dtype="<u8", buffer=text, strides=(1,))


def parse_decimals(words: WordArray, starts: IntArray, ends: IntArray) -> tuple[FloatArray, BoolArray]:
    """Parse the numbers in `text[starts:ends]`, each of them at least 16 bytes into the text.

    Returns:
        The values, shape (n,), and where they stand for nothing because the text is no plain decimal of at most
        16 characters and 15 digits: there `left_over` is True.
    """
    length = ends - starts
    value, point, bad = _digits(words, ends - 8, np.clip(length, 0, 8))
    after = _DIGITS_AFTER[np.bitwise_count(point - _ONE)]
    left_over: BoolArray = (bad != 0) | (length < 1) | (length > LONGEST)
    if int(length.max()) > 8:
        high, high_point, bad = _digits(words, ends - 16, np.clip(length - 8, 0, 8))
        value += high * _HUNDRED_MILLION
        high_after = _DIGITS_AFTER[np.bitwise_count(high_point - _ONE)]
        left_over |= (bad != 0) | ((point != 0) & (high_point != 0))
        left_over |= (high_point & (high_point - _ONE)) != 0
        after = np.where(high_after >= 0, high_after + 8, after)
    left_over |= (point & (point - _ONE)) != 0
    # With the point read as a digit 0, value = A * 10**(k + 1) + B; the digits alone are A * 10**k + B.
    has_point = after >= 0
    left_over |= length - has_point < 1
    k = int(after[0])
    if (after == k).all():
        if k >= 0:
            value -= value // _POWERS[k + 1] * (_NINE * _POWERS[k])
        left_over |= value >= np.uint64(2**53)
        return (value.astype(np.float64) / _FLOAT_POWERS[k] if k > 0 else value.astype(np.float64)), left_over
    places = np.where(has_point, after, 0)
    whole = np.where(has_point, value // _POWERS[places + 1], np.uint64(0))
    value -= whole * (_NINE * _POWERS[places])
    left_over |= value >= np.uint64(2**53)
    return value.astype(np.float64) / _FLOAT_POWERS[places], left_over


def _digits(words: WordArray, at: IntArray, keep: IntArray) -> tuple[WordArray, WordArray, WordArray]:
    """Return the value of each word's last `keep` bytes, a bit where the point stands, bits where no digit does."""
    digits = (words[at] ^ _ZEROS) & _KEEP[keep]
    off_point = digits ^ _POINTS
    point = ~(((off_point & _LOW_BITS) + _LOW_BITS) | off_point | _LOW_BITS)
    digits ^= (point >> _SEVEN) * _POINT
    bad = ((digits + _ABOVE_NINE) | digits) & _HIGH_BITS
    digits = digits * _TEN + (digits >> _EIGHT)
    low, high = digits & _PAIRS, (digits >> _SIXTEEN) & _PAIRS
    return (low * _MILLIONS + high * _TEN_THOUSANDS) >> _THIRTY_TWO, point, bad
