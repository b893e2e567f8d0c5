"""Points and spans of simulated time as users write them. Refuses to know any calendar but UTC's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from admf_cli.errors import ConfigError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Span(Struct, frozen=True):
    """From `first` up to but not including `stop`, as timestamps without their Z, which order as text."""

    first: str
    stop: str


def parse_span(text: str) -> Span:
    """Return the span a user means: a year, a month, a day, a minute for hours and minutes, else the moment itself.

    Raises:
        ConfigError: it isn't a time.
    """
    cleaned = text.strip()
    whole = _YEAR_OR_MONTH.fullmatch(cleaned)
    if whole:
        return _calendar_span(text, int(whole["year"]), None if whole["month"] is None else int(whole["month"]))
    try:
        moment = datetime.fromisoformat(cleaned)
    except ValueError as error:
        raise ConfigError(f"{text!r} is not a time; write 2008-03-03 or 2008-03-03T14:30 (UTC)") from error
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    has_clock = "T" in cleaned or " " in cleaned
    clock = cleaned.replace("T", " ").partition(" ")[2]
    length = timedelta(days=1) if not has_clock else timedelta(minutes=1) if _is_minute(clock) else _INSTANT
    try:
        return Span(key_of(moment), key_of(moment + length))
    except OverflowError as error:
        raise ConfigError(f"{text!r} is beyond the calendar") from error


def _calendar_span(text: str, year: int, month: int | None) -> Span:
    following = (year + 1, 1) if month in (None, 12) else (year, (month or 0) + 1)
    try:
        return Span(key_of(datetime(year, 1 if month is None else month, 1)), key_of(datetime(*following, 1)))
    except ValueError as error:
        raise ConfigError(f"{text!r} is beyond the calendar") from error


_YEAR_OR_MONTH = re.compile(r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2}))?")
_INSTANT = timedelta(microseconds=1)


def _is_minute(clock: str) -> bool:
    digits = clock.partition("+")[0].partition("-")[0].rstrip("Zz")
    return digits.count(":") <= 1


def key_of(moment: datetime) -> str:
    """Return a UTC time in the form in which trace timestamps order as text."""
    return moment.replace(tzinfo=None).isoformat()


def time_key(timestamp: str) -> str:
    """Return a trace timestamp in the form in which it orders as text: without its Z."""
    return timestamp.removesuffix("Z")


def microseconds(timestamp: str) -> int | None:
    """Return a trace timestamp as microseconds since 1970 UTC, None if it is not one."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1)
