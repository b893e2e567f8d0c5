"""Times that are all written alike to microseconds, by the column of digits. Refuses to know of zones and files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from admf_cli.market.bars import IntArray

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_FORMS = {10: b"0000-00-00", 19: b"0000-00-00 00:00:00", 20: b"0000-00-00 00:00:00Z"}
_MONTH_STARTS = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], dtype=np.int64)
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int32)
_EPOCH_ORDINAL = 719_163  # of 1970-01-01 in the proleptic Gregorian calendar, 0001-01-01 being 1


def parse_alike(texts: NDArray[np.uint8]) -> IntArray | None:
    """Return times of the form `2018-12-31`, `2018-12-31 16:00:00` or, with `Z` after it, a third; else None.

    Args:
        texts: shape (n, width), n >= 1, the bytes of each time; a "T" may stand for the space, in all or in none.
    """
    form = _FORMS.get(texts.shape[1])
    if form is None:
        return None
    columns = np.ascontiguousarray(texts.T)
    for place, mark in enumerate(form):
        if mark == ord("0"):
            continue
        wanted = int(columns[place, 0]) if mark == ord(" ") else mark
        if (mark == ord(" ") and wanted not in (ord(" "), ord("T"))) or not (columns[place] == wanted).all():
            return None
    columns -= np.uint8(ord("0"))
    if int(columns[[place for place, mark in enumerate(form) if mark == ord("0")]].max()) > 9:
        return None

    def number(start: int, stop: int) -> NDArray[np.int32]:
        total: NDArray[np.int32] = columns[start].astype(np.int32)
        for digit in columns[start + 1 : stop]:
            total *= 10
            total += digit
        return total

    days = _days_since_1970(number(0, 4), number(5, 7), number(8, 10))
    if days is None or len(form) == 10:
        return None if days is None else days * _DAY
    hours, minutes, seconds = number(11, 13), number(14, 16), number(17, 19)
    if int(hours.max()) > 23 or int(minutes.max()) > 59 or int(seconds.max()) > 59:
        return None
    return days * _DAY + ((hours * 60 + minutes) * 60 + seconds).astype(np.int64) * _SECOND


def _days_since_1970(year: NDArray[np.int32], month: NDArray[np.int32], day: NDArray[np.int32]) -> IntArray | None:
    """Return days of the proleptic Gregorian calendar, None if one is not in it."""
    if int(year.min()) < 1 or int(month.min()) < 1 or int(month.max()) > 12 or int(day.min()) < 1:
        return None
    # Bars of one day follow each other, so the calendar is worked out once a day instead of once a bar.
    key = (year * 16 + month) * 32 + day
    new_day = np.concatenate(([True], key[1:] != key[:-1]))
    year, month, day = year[new_day], month[new_day], day[new_day]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    if (day > _MONTH_DAYS[month] + (leap & (month == 2))).any():
        return None
    before = (year - 1).astype(np.int64)
    days = before * 365 + before // 4 - before // 100 + before // 400
    days += _MONTH_STARTS[month] + (leap & (month > 2)) + day - _EPOCH_ORDINAL
    found: IntArray = days[np.cumsum(new_day) - 1]
    return found
