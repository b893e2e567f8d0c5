"""Unsigned decimal numbers in a buffer of text to float64, a column at a time. Refuses to know of rows and files.

Each number is taken as up to two 64-bit words that end where it ends; its point is taken out, and its digits are
summed within the words (the method of "SIMD within a register"; Lemire, "Quickly parsing eight digits", 2018). A number
is `digits / 10**k` with both sides exact in a float64, so that one IEEE division rounds it correctly (Clinger, "How to
read floating point numbers accurately", PLDI 1990). Whatever does not fit that is left to Python's own parser, cell by
cell.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from admf_cli.market.bars import FloatArray, IntArray

WordArray: TypeAlias = NDArray[np.uint64]

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
_TEN, _ALL_OF_A_BYTE = np.uint64(10), np.uint64(0xFF)
_PAIRS = np.uint64(0x000000FF000000FF)
_MILLIONS = np.uint64(100 + (1_000_000 << 32))
_TEN_THOUSANDS = np.uint64(1 + (10_000 << 32))
# The last k bytes of a word are its k highest ones, the words being little-endian.
_KEEP = np.array([0] + [(0xFFFFFFFFFFFFFFFF << (8 * (8 - k))) & 0xFFFFFFFFFFFFFFFF for k in range(1, 9)], np.uint64)
# By the number of bits below the point's, which are 7, 15, .. 63, or 64 without a point: the digits after it, and what
# a word of eight digits before this one is worth (a word that holds the point holds seven).
_DIGITS_AFTER = np.zeros(65, np.int64)
_DIGITS_AFTER[7:64:8] = np.arange(7, -1, -1)
_WORTH_BEFORE = np.full(65, 10**7, np.uint64)
_WORTH_BEFORE[64] = 10**8
_NO_POINT = 64
_NONE = np.empty(0, np.int64)
_FLOAT_POWERS = np.array([float(10**k) for k in range(LONGEST + 1)])


def words_of(text: bytes) -> WordArray:
    """Return every 8 bytes of the text, overlapping, as little-endian integers without copying; len(text) >= 8."""
    return np.ndarray(shape=(len(text) - 7,), dtype="<u8", buffer=text, strides=(1,))


def parse_decimals(words: WordArray, starts: IntArray, ends: IntArray) -> tuple[FloatArray, IntArray]:
    """Parse the numbers in `text[starts:ends]`, each of them at least 16 bytes into the text; there is at least one.

    Returns:
        The values, shape (n,), and the rows of those that stand for nothing, because the text is no plain decimal of at
        most 16 characters and 15 digits.
    """
    length = ends - starts
    shortest, longest = int(length.min()), int(length.max())
    value, point, bad = _digits(words, ends - 8, length)
    places = _DIGITS_AFTER.take(point)
    if longest > 8:
        high, high_point, high_bad = _digits(words, ends - 16, length - 8)
        value += high * _WORTH_BEFORE.take(point)
        none = point == _NO_POINT
        bad |= high_bad
        bad |= ~none & (high_point != _NO_POINT)
        places += np.where(none & (high_point != _NO_POINT), _DIGITS_AFTER.take(high_point) + 8, 0)
        point = np.minimum(point, high_point)
    if shortest < 2:
        bad |= length <= (point != _NO_POINT)
    if longest >= LONGEST:
        bad |= (length > LONGEST) | (value >= np.uint64(2**53))
    values = value.view(np.int64).astype(np.float64)
    values /= _FLOAT_POWERS.take(places)
    return values, np.flatnonzero(bad) if bad.any() else _NONE


def _digits(words: WordArray, at: IntArray, keep: IntArray) -> tuple[WordArray, NDArray[np.uint8], WordArray]:
    """Return the value of each word's last `keep` bytes, how many bits are below the point's, bits of what is wrong.

    Everything is done in place: an array more costs as much as what is done with it.
    """
    digits = words[at]
    digits ^= _ZEROS
    digits &= _KEEP.take(keep, mode="clip")
    off_point = digits ^ _POINTS
    point = off_point & _LOW_BITS
    point += _LOW_BITS
    point |= off_point
    point |= _LOW_BITS
    np.invert(point, out=point)  # the highest bit of the point's byte
    lowest = point >> _SEVEN
    digits ^= lowest * _POINT
    np.maximum(lowest, _ONE, out=lowest)
    lowest -= _ONE  # all bits below the point's byte
    lowest &= digits
    lowest *= _ALL_OF_A_BYTE
    digits += lowest  # x + 255 x: what stands before the point has moved up by the byte in which that stood
    below = point - _ONE
    bad = digits + _ABOVE_NINE
    bad |= digits
    bad &= _HIGH_BITS
    bad |= point & below  # a second point
    pairs = digits >> _EIGHT
    digits *= _TEN
    digits += pairs
    high = digits >> _SIXTEEN
    high &= _PAIRS
    high *= _TEN_THOUSANDS
    digits &= _PAIRS
    digits *= _MILLIONS
    digits += high
    digits >>= _THIRTY_TWO
    return digits, np.bitwise_count(below), bad
