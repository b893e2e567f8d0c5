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

from admf_cli.market.bars import BoolArray, FloatArray, IntArray

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
_ONE, _SEVEN, _ALL_OF_A_BYTE = np.uint64(1), np.uint64(7), np.uint64(0xFF)
# The last k bytes of a word are its k highest ones, the words being little-endian.
_KEEP = np.array([0] + [(0xFFFFFFFFFFFFFFFF << (8 * (8 - k))) & 0xFFFFFFFFFFFFFFFF for k in range(1, 9)], np.uint64)
# Two digits, pairs of digits and fours of them are joined by one multiplication each; what is joined is then the upper
# half of the unit.
_JOINTS: tuple[tuple[type[np.unsignedinteger], int, int], ...] = (
    (np.uint16, 1 + (10 << 8), 8),
    (np.uint32, 1 + (100 << 16), 16),
    (np.uint64, 1 + (10_000 << 32), 32),
)
# By the number of bits below the point's, which are 7, 15, .. 63, or 64 without a point: the power of ten of the digits
# after it, and what a word of eight digits before this one is worth (a word that holds the point holds seven).
_NO_POINT = 64
_POWERS = np.ones(_NO_POINT + 1)
_POWERS[7:64:8] = [float(10**k) for k in range(7, -1, -1)]
_WORTH_BEFORE = np.full(_NO_POINT + 1, 10**7, np.uint64)
_WORTH_BEFORE[_NO_POINT] = 10**8
_NONE = np.empty(0, np.int64)


def words_of(text: bytes) -> WordArray:
    """Return every 8 bytes of the text, overlapping, as little-endian integers without copying; len(text) >= 8."""
    return np.ndarray(shape=(len(text) - 7,), dtype="<u8", buffer=text, strides=(1,))


def parse_decimals(words: WordArray, starts: IntArray, ends: IntArray, values: FloatArray) -> IntArray:
    """Parse the numbers in `text[starts:ends]`, each of them at least 16 bytes into the text; there is at least one.

    Args:
        words: of ASCII text.
        values: shape (n,), filled with the numbers.

    Returns:
        The rows of those that stand for nothing, because the text is no plain decimal of at most 16 characters and 15
        digits.
    """
    length = ends - starts
    shortest, longest = int(length.min()), int(length.max())
    digits, point, odd = _digits(words, ends - 8, length)
    powers = _POWERS.take(point)
    if longest > 8:
        high, high_point, high_odd = _digits(words, ends - 16, length - 8)
        high *= _WORTH_BEFORE.take(point)
        digits += high
        odd = odd | high_odd | ((point != _NO_POINT) & (high_point != _NO_POINT))
        powers *= np.where(high_point == _NO_POINT, 1.0, 1e8 * _POWERS.take(high_point))
        point = np.minimum(point, high_point)
    if shortest < 2:
        odd = odd | (length <= (point != _NO_POINT))
    if longest >= LONGEST:
        odd = odd | (length > LONGEST) | (digits >= np.uint64(2**53))
    np.divide(digits.view(np.int64).astype(np.float64), powers, out=values)
    return _NONE if odd is False else np.flatnonzero(odd)


def _digits(words: WordArray, at: IntArray, keep: IntArray) -> tuple[WordArray, NDArray[np.uint8], BoolArray | bool]:
    """Return the value of each word's last `keep` bytes, how many bits are below the point's, and which are no number.

    Everything is done in place: an array more costs as much as what is done with it.
    """
    digits = words[at]
    digits ^= _ZEROS
    digits &= _KEEP.take(keep, mode="clip")
    point = digits ^ _POINTS
    point += _LOW_BITS
    point &= _HIGH_BITS
    point ^= _HIGH_BITS  # the highest bit of the point's byte
    below = point - _ONE
    bits_below = np.bitwise_count(below)
    if int(bits_below.min()) < _NO_POINT:
        below &= point  # a second point
        point >>= _SEVEN
        digits ^= point * _POINT
        if int(bits_below.max()) == _NO_POINT:
            np.maximum(point, _ONE, out=point)
        point -= _ONE  # all bits below the point's byte
        point &= digits
        point *= _ALL_OF_A_BYTE
        digits += point  # x + 255 x: what stands before the point has moved up by the byte in which that stood
        below |= digits + _ABOVE_NINE
    else:
        below = digits + _ABOVE_NINE
    odd = False
    if int(np.bitwise_or.reduce(below)) & int(_HIGH_BITS):
        below &= _HIGH_BITS
        odd = below != 0
    for unit, factor, half in _JOINTS:
        joined = digits.view(unit)
        joined *= unit(factor)
        joined >>= unit(half)
    return digits, bits_below, odd
