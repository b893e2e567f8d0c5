"""Local time and days of bars, against the standard library's time zones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admf_cli.features.sessions import local_times, session_spans

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31))


@pytest.mark.parametrize("zone", ZONES)
@given(moments=st.lists(MOMENTS, max_size=30, unique=True))
def test_local_times_are_what_the_clocks_of_the_zone_show(zone: str, moments: list[datetime]) -> None:
    aware = sorted(moment.replace(microsecond=0, tzinfo=UTC) for moment in moments)
    times = np.array([int(moment.timestamp()) * 1_000_000 for moment in aware], dtype=np.int64)
    shown = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC) for moment in aware]
    assert local_times(times, zone).tolist() == [int(moment.timestamp()) * 1_000_000 for moment in shown]


def test_every_hour_of_the_days_on_which_clocks_change_is_right() -> None:
    zone = ZoneInfo("America/New_York")
    for day in (datetime(2021, 3, 14, tzinfo=UTC), datetime(2021, 11, 7, tzinfo=UTC)):
        seconds = [int(day.timestamp()) + 900 * quarter for quarter in range(96)]
        expected = [
            second + int(datetime.fromtimestamp(second, zone).utcoffset().total_seconds())  # type: ignore[union-attr]
            for second in seconds
        ]
        found = local_times(np.array(seconds, dtype=np.int64) * 1_000_000, "America/New_York")
        assert (found // 1_000_000).tolist() == expected


def test_spans_are_the_runs_of_equal_days() -> None:
    assert list(session_spans(np.array([3, 3, 4, 7, 7]))) == [(0, 2), (2, 3), (3, 5)]
    assert list(session_spans(np.array([3]))) == [(0, 1)]
    assert list(session_spans(np.array([], dtype=np.int64))) == []
