"""How many bars there are in a year, and where the number comes from. Refuses to know prices."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from admf_cli.errors import ConfigError, MarketDataError
from admf_cli.market.bars import IntArray
from admf_cli.market.timeframe import DAY_US, parse_timeframe

_WEEKDAY_SESSIONS = 252.0
_ALL_DAYS = 365.0
# Fixed years, so that the same data means the same on any day: the package's own default is twenty years before today.
_CALENDAR_STARTS = tuple(f"{year}-01-02" for year in (1970, 1980, 1992, 1998, 2004, 2010, 2016, 2020))


def periods_per_year(
    times: IntArray, timeframe: str, *, override: float | None = None, calendar: str | None = None
) -> tuple[float, str]:
    """Return bars a year and, in words, what that number is taken from.

    Weekly and monthly bars have 52 and 12. Daily bars have as many as the exchange's calendar has sessions a year, or
    else 252 where no bar falls on a weekend and 365 where some do. Shorter bars have that times the median number of
    bars a day, counted in the data.

    Args:
        times: shape (n_bars,), microseconds since 1970 UTC.
    """
    if override is not None:
        return float(override), "data.periods_per_year"
    frame = parse_timeframe(timeframe)
    if frame.unit == "mo":
        return 12.0 / frame.number, f"{timeframe} bars, 12 months a year"
    if frame.unit == "w":
        return 52.0 / frame.number, f"{timeframe} bars, 52 weeks a year"
    days, bars_a_day = _days(times)
    if calendar is not None:
        sessions = sessions_per_year(calendar, times)
        basis = f"calendar {calendar}: {sessions:g} sessions a year"
    else:
        weekdays = (days + 3) % 7  # 1970-01-01 was a Thursday: 0 is Monday
        weekend = bool((weekdays >= 5).any())
        sessions = _ALL_DAYS if weekend else _WEEKDAY_SESSIONS
        basis = "bars on weekends, 365 days a year" if weekend else "no bars on weekends, 252 sessions a year"
    if frame.unit == "d":
        return sessions / frame.number, f"{timeframe} bars, {basis}"
    a_day = float(np.median(bars_a_day))
    return sessions * a_day, f"{timeframe} bars, {a_day:g} a day (median), {basis}"


def _days(times: IntArray) -> tuple[IntArray, IntArray]:
    """Return the days since 1970 that have bars, and how many each has."""
    days = times // DAY_US
    first = np.flatnonzero(np.diff(days, prepend=days[0] - 1))  # times rise, so a day's bars stand together
    return days[first], np.diff(first, append=len(days))


def sessions_per_year(calendar: str, times: IntArray) -> float:
    """Return the mean number of sessions a year of an exchange, over the years that the bars touch."""
    exchange = open_calendar(calendar)
    years = np.array([times[0], times[-1]]).astype("datetime64[us]").astype("datetime64[Y]")
    first = max(str(years[0]) + "-01-01", str(exchange.first_session.date()))
    last = min(str(years[1]) + "-12-31", str(exchange.last_session.date()))
    span = (np.datetime64(last) - np.datetime64(first)).astype(int) + 1
    if span < 300:
        return _WEEKDAY_SESSIONS
    return float(round(len(exchange.sessions_in_range(first, last)) / span * 365.25))


def open_calendar(name: str) -> Any:
    """Return an exchange_calendars calendar that reaches back as far as the package knows."""
    try:
        import exchange_calendars
    except ImportError:
        raise ConfigError(
            "data.calendar needs the package exchange-calendars: install admf[calendars], or leave data.calendar out"
        ) from None
    for start in _CALENDAR_STARTS:
        try:
            with warnings.catch_warnings():
                # The package's use of pandas is of no concern to the user, and must not fail a run under -W error.
                warnings.simplefilter("ignore", DeprecationWarning)
                return exchange_calendars.get_calendar(name, start=start)
        except exchange_calendars.errors.InvalidCalendarName:
            raise MarketDataError(
                f"data.calendar: {name!r} is no exchange calendar; use a market identifier code such as XNYS or XLON"
            ) from None
        except (ValueError, NotImplementedError):
            continue  # its holidays are not known so far back
    raise MarketDataError(f"data.calendar: exchange-calendars cannot build {name!r}; use another, or leave it out")
