"""Times that are all written alike to microseconds, by the column of digits. Refuses to know of zones and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from admf_cli.market.bars import IntArray

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_DATE = "0000-00-00"
_DASHES = [place for place, mark in enumerate(_DATE) if mark == "-"]
_DIGITS = [place for place, mark in enumerate(_DATE) if mark != "-"]
_MONTH_STARTS = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], dtype=np.int64)
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int32)
_EPOCH_ORDINAL = 719_163  # of 1970-01-01 in the proleptic Gregorian calendar, 0001-01-01 being 1


def _word(values: Sequence[int]) -> np.uint64:
    """Return eight bytes as one integer, the first being the lowest."""
    return np.uint64(int.from_bytes(bytes(values), "little"))


# The eight characters of a time of day as one word; `_ABOVE_...` lifts a byte that is too large to its highest bit.
_MIDNIGHT = _word(b"00:00:00")
_ABOVE_DIGITS = _word([0x7F - largest for largest in (9, 9, 0, 9, 9, 0, 9, 9)])
_ABOVE_FIELDS = _word([0x7F - largest for largest in (23, 0, 0, 59, 0, 0, 59, 0)])
_HIGH_BITS = _word([0x80] * 8)
_TENS_AND_ONES, _EIGHT = np.uint64(1 + (10 << 8)), np.uint64(8)
_FIELDS, _FIRST = _word([0xFF, 0, 0, 0xFF, 0, 0, 0xFF, 0]), np.uint64(0xFF)
_HOUR = np.uint64(3600)
_MINUTES, _LAST = np.uint64(1 + (60 << 24)), np.uint64(48)  # 60 minutes + seconds come to stand where the seconds do


def parse_alike(texts: NDArray[np.uint8]) -> IntArray | None:
    """Return times of the form `2018-12-31`, `2018-12-31 16:00:00` or, with `Z` after it, a third; else None.

    Args:
        texts: shape (n, width), n >= 1, the bytes of each ASCII time; a "T" may stand for the space, in all or in none.
    """
    width = texts.shape[1]
    if width not in (len(_DATE), len(_DATE) + 9, len(_DATE) + 10):
        return None
    texts = np.ascontiguousarray(texts)
    # Bars of one day follow each other, so a date is read once a day instead of once a bar.
    early, late = _words(texts, 0, "<u8"), _words(texts, min(width, len(_DATE) + 1) - 4, "<u4")
    new = np.flatnonzero((early[1:] != early[:-1]) | (late[1:] != late[:-1])) + 1
    firsts = np.concatenate(([0], new))
    days = _days_since_1970(texts[firsts, : len(_DATE) + 1])
    if days is None:
        return None
    times: IntArray = (days * _DAY).repeat(np.diff(firsts, append=len(texts)))
    if width > len(_DATE):
        clock = _microseconds(_words(texts, len(_DATE) + 1, "<u8"))
        if clock is None or (width == len(_DATE) + 10 and (texts[:, -1] != ord("Z")).any()):
            return None
        times += clock
    return times


def _words(texts: NDArray[np.uint8], place: int, kind: str) -> NDArray[Any]:
    """Return the bytes from one place on of every text as an integer, without copying."""
    return np.ndarray(len(texts), kind, texts.data, place, texts.strides[:1])


def _microseconds(clocks: NDArray[np.uint64]) -> IntArray | None:
    """Return the microseconds of texts like `16:00:00`, None if one is no time of day."""
    fields = clocks - _MIDNIGHT
    if int(np.bitwise_or.reduce(fields + _ABOVE_DIGITS) | np.bitwise_or.reduce(fields)) & int(_HIGH_BITS):
        return None
    fields *= _TENS_AND_ONES
    fields >>= _EIGHT  # each two digits are joined where the first of them stood
    fields &= _FIELDS
    if int(np.bitwise_or.reduce(fields + _ABOVE_FIELDS)) & int(_HIGH_BITS):
        return None
    seconds = (fields & _FIRST) * _HOUR
    seconds += (fields * _MINUTES) >> _LAST
    seconds *= np.uint64(_SECOND)
    return seconds.view(np.int64)


def _days_since_1970(texts: NDArray[np.uint8]) -> IntArray | None:
    """Return days of the proleptic Gregorian calendar, None if a text is no date of it.

    Args:
        texts: shape (n, 10), or with one mark that is the same after each date, (n, 11).
    """
    columns = np.ascontiguousarray(texts.T)
    mark = columns[len(_DATE) :]
    if mark.size and (int(mark[0, 0]) not in b" T" or (mark != mark[0, 0]).any()):
        return None
    if any((columns[place] != ord("-")).any() for place in _DASHES):
        return None
    columns -= np.uint8(ord("0"))
    if int(columns[_DIGITS].max()) > 9:
        return None
    year, month, day = (_number(columns[place]) for place in (slice(0, 4), slice(5, 7), slice(8, 10)))
    if int(year.min()) < 1 or int(month.min()) < 1 or int(month.max()) > 12 or int(day.min()) < 1:
        return None
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    if (day > _MONTH_DAYS[month] + (leap & (month == 2))).any():
        return None
    before = (year - 1).astype(np.int64)
    days: IntArray = before * 365 + before // 4 - before // 100 + before // 400
    days += _MONTH_STARTS[month] + (leap & (month > 2)) + day - _EPOCH_ORDINAL
    return days


def _number(digits: NDArray[np.uint8]) -> NDArray[np.int32]:
    total: NDArray[np.int32] = digits[0].astype(np.int32)
    for digit in digits[1:]:
        total *= 10
        total += digit
    return total
