"""Moments as text and as microseconds. Refuses to know bars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from admf_cli.errors import MarketDataError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970 UTC; a moment without a zone is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def instant(text: str, *, end: bool = False) -> int:
    """Return an ISO date or time, UTC unless it says otherwise, as microseconds since 1970.

    Args:
        end: a mere date means the last microsecond of that day.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MarketDataError(
            f"{text!r} is not an ISO date or time such as 2018-12-31 or 2018-12-31T16:00:00"
        ) from None
    whole_day = len(text.strip()) == 10
    return microseconds(moment) + (86_400_000_000 - 1 if end and whole_day else 0)
