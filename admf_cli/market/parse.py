"""Text columns to numbers and times, strictly. Refuses to know which file they came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from admf_cli.errors import MarketDataError
from admf_cli.market.bars import BoolArray, FloatArray, IntArray
from admf_cli.market.faults import Faults, shown
from admf_cli.market.times import microseconds

_NUMBER_CHARACTERS = frozenset("0123456789+-.eE")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2}|\d{8}|\d{4}/\d{2}/\d{2})"
    r"(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,](\d{1,9}))?)?) ?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_EPOCH_UNITS = {range(9, 12): 1_000_000, range(12, 15): 1_000, range(15, 18): 1}
_EARLIEST, _LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999
_FEW_DIGITS = re.compile(r"-?\d{1,8}", re.ASCII)
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}", re.ASCII)
_DAY_FIRST = re.compile(r"\d{1,2}[/.-](?:\d{1,2}|[A-Za-z]{3})[/.-]\d{2,4}", re.ASCII)
_UNIX = re.compile(r"-?\d{9,19}", re.ASCII)
Fail = Callable[[int, str, str], None]


def numbers(texts: Sequence[str], column: str, faults: Faults) -> FloatArray:
    """Return plain decimal numbers as floats, correctly rounded; anything else is a fault and becomes nan.

    Python's own `float` would also take `1_000`, ` 1 `, `nan`, `inf` and digits of other scripts.
    """
    if set().union(*texts) <= _NUMBER_CHARACTERS:
        try:
            return np.array([float(text) for text in texts], dtype=np.float64)
        except ValueError:
            pass
    values = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if _NUMBER.fullmatch(text):
            values[row] = float(text)
        else:
            faults.add_row(row, column, text or "nothing", _number_rule(text))
    return values


def times(texts: Sequence[str], zone: str, faults: Faults, *, like: str | None = None) -> IntArray:
    """Return times as microseconds since 1970 UTC; faults are noted and become 0.

    Args:
        texts: all of one form: ISO dates, ISO times with or without offset, or whole seconds, milliseconds,
            microseconds or nanoseconds since 1970.
        zone: IANA name of the zone of times without an offset.
        like: a text whose form all must have; None is the first of them that is a time.
    """
    quick = _quick(texts if like is None else [like, *texts]) if zone == "UTC" else None
    if quick is not None:
        return quick if like is None else quick[1:]
    local = None if zone == "UTC" else time_zone(zone)
    model = like if like is not None else texts[0]
    parsed = _moment(model, local)
    form = None if isinstance(parsed, str) else parsed[1]
    values = np.zeros(len(texts), dtype=np.int64)
    for row, text in enumerate(texts):
        parsed = _moment(text, local)
        if isinstance(parsed, str):
            faults.add_row(row, "timestamp", text or "nothing", parsed)
            continue
        value, its_form = parsed
        form = form or its_form
        if its_form != form:
            faults.add_row(row, "timestamp", text, f"is of another form than the first, {shown(model)!r}")
            continue
        values[row] = value
    return values


def off_the_calendar(ticks: IntArray, unit: str) -> BoolArray:
    """Return where whole d, ms, us or ns since 1970 are not of the years 1 to 9999.

    Args:
        ticks: shape (n,).
    """
    each = {"d": 86_400_000_000, "ms": 1_000, "us": 1}.get(unit)
    if each is None:  # nanoseconds reach from 1677 to 2262 only
        return np.zeros(len(ticks), dtype=np.bool_)
    return (ticks < -(-_EARLIEST // each)) | (ticks > _LATEST // each)


def time_zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MarketDataError(
            f"data.timezone: {shown(name)!r} is no time zone that is known here; use an IANA name such as "
            "America/New_York (where the system has none, install the package tzdata)"
        ) from None


def _quick(texts: Sequence[str]) -> IntArray | None:
    """Return times of the two commonest forms, `2018-12-31` and `2018-12-31 16:00:00`, or None if there is any other.

    NumPy's own parser is strict about the digits; length and punctuation are checked here.
    """
    lengths = set(map(len, texts))
    if lengths == {10}:
        pattern = "----"
    elif lengths == {19}:
        pattern = "-- ::"
    else:
        return None
    stacked = np.array(texts, dtype="U").view(np.uint32).reshape(len(texts), -1)
    digits = [0, 1, 2, 3, 5, 6, 8, 9] + ([] if pattern == "----" else [11, 12, 14, 15, 17, 18])
    body = stacked[:, digits]
    if ((body < 48) | (body > 57)).any() or (stacked[:, [4, 7]] != 45).any():
        return None
    if pattern != "----":
        separator = stacked[0, 10]
        if separator not in (32, 84) or (stacked[:, 10] != separator).any() or (stacked[:, [13, 16]] != 58).any():
            return None
    if (stacked[:, :4] == 48).all(axis=1).any():
        return None  # there is no year 0
    try:
        return np.array(texts, dtype="datetime64[us]").astype(np.int64)
    except ValueError:
        return None


def _moment(text: str, local: ZoneInfo | None) -> tuple[int, tuple[object, ...]] | str:
    """Return microseconds and the form of one text, or what is wrong with it."""
    if _UNIX.fullmatch(text):
        return _unix(text)
    found = _TIME.fullmatch(text)
    if found is None:
        return _time_rule(text)
    day, clock, fraction, offset = found.groups()
    if fraction and len(fraction.rstrip("0")) > 6:
        return "is finer than a microsecond"
    iso = day.replace("/", "-") if clock is None else f"{day.replace('/', '-')}T{clock.replace(',', '.')}"
    if fraction and len(fraction) > 6:
        iso = iso[: 6 - len(fraction)]
    zone = "" if offset is None else "+00:00" if offset in ("Z", "UTC") else offset
    try:
        moment = datetime.fromisoformat(iso + zone)
    except ValueError:
        return "is no date of the calendar"
    if moment.tzinfo is None and local is not None:
        problem = _local_problem(moment, local)
        if problem:
            return problem
        moment = moment.replace(tzinfo=local)
    try:
        value = microseconds(moment)
        if not _EARLIEST <= value <= _LATEST:
            return "is out of the years 1 to 9999 in UTC"
        return value, (len(day), day[4], clock is not None, offset is not None)
    except OverflowError:
        return "is out of the years 1 to 9999"


def _local_problem(moment: datetime, zone: ZoneInfo) -> str | None:
    early, late = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return None
    back = microseconds(early) / 1e6
    exists = datetime.fromtimestamp(back, zone).replace(tzinfo=None)
    if abs(exists - moment) > timedelta(seconds=1):
        return f"does not exist in {zone.key}: the clock was put forward; write an offset or UTC"
    return f"stands for two moments in {zone.key}: the clock was put back; write an offset or UTC"


def _unix(text: str) -> tuple[int, tuple[object, ...]] | str:
    digits = len(text.lstrip("-"))
    for lengths, unit in _EPOCH_UNITS.items():
        if digits in lengths:
            return int(text) * unit, ("unix", unit)
    whole, rest = divmod(int(text), 1_000)
    return "is finer than a microsecond" if rest else (whole, ("unix", "ns"))


def _time_rule(text: str) -> str:
    if _FEW_DIGITS.fullmatch(text):
        return "has too few digits for whole seconds since 1970; write an ISO date or time"
    if _TIME_OF_DAY.match(text):
        return "is a time of day without its date; write both in one column"
    if _DAY_FIRST.match(text):
        return "does not begin with its year; write dates as 2018-12-31"
    return "must be an ISO date or time, or whole seconds, ms, us or ns since 1970"


def _number_rule(text: str) -> str:
    if "," in text:
        return "must be a plain number, without thousands separators or decimal commas"
    if text != text.strip():
        return "must be a plain number without spaces"
    return "must be a plain decimal number"
