"""Days and times of day of bars in a time zone. Refuses to know of prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from admf_cli.market.bars import IntArray

DAY_US = 86_400_000_000
MINUTE_US = 60_000_000


def local_times(times: IntArray, zone: str) -> IntArray:
    """Return microseconds since 1970 on the wall clock of `zone`, an IANA name, from UTC ones."""
    if zone == "UTC" or not len(times):
        return times
    where = ZoneInfo(zone)
    days, day_of = np.unique(times // DAY_US, return_inverse=True)
    offsets = np.array([_offset(day * DAY_US, where) for day in days.tolist()])
    at_end = np.array([_offset((day + 1) * DAY_US, where) for day in days.tolist()])
    local: IntArray = times + offsets[day_of]
    for row in np.flatnonzero((offsets != at_end)[day_of]).tolist():  # the clocks change on that day
        local[row] = times[row] + _offset(int(times[row]), where)
    return local


def session_spans(days: IntArray) -> Iterator[tuple[int, int]]:
    """Yield the half-open range of indices of each run of equal days; none if there are no bars."""
    edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    return pairwise(edges) if len(days) else iter(())


def _offset(microseconds: int, zone: ZoneInfo) -> int:
    seconds = microseconds // 1_000_000
    moment = datetime.fromtimestamp(seconds, UTC)
    offset = moment.astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * 1_000_000
