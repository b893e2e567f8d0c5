"""Starts and ends: none crossed, no phase outside the data asked for. Knows no calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from admf_cli.config.node import Step
from admf_cli.config.rules.ground import Ground
from admf_cli.config.schema.base import parse_moment
from admf_cli.errors import Fault

_DATE_LENGTH = len("2000-01-01")


def period_faults(ground: Ground) -> Iterator[Fault]:
    """Yield the faults of `data` and of the phases."""
    yield from _crossed(ground, "data")
    first, last = _moment(ground, "data", "start"), _moment(ground, "data", "end")
    for index, _ in ground.items("workflow", "phases"):
        path: tuple[Step, ...] = ("workflow", "phases", index)
        yield from _crossed(ground, *path)
        start, end = _moment(ground, *path, "start"), _moment(ground, *path, "end")
        if first is not None and end is not None and end < first:
            rule = f"the phase must not end before data.start ({ground.text('data', 'start')})"
            yield ground.at(*path, "end", rule=rule, remedy="change data.start or the phase")
        if last is not None and start is not None and start > last:
            rule = f"the phase must not begin after data.end ({ground.text('data', 'end')})"
            yield ground.at(*path, "start", rule=rule, remedy="change data.end or the phase")


def _crossed(ground: Ground, *path: Step) -> Iterator[Fault]:
    start, end = _moment(ground, *path, "start"), _moment(ground, *path, "end")
    if start is not None and end is not None and start > end:
        rule = f"end must not be before start ({ground.text(*path, 'start')})"
        yield ground.at(*path, "end", rule=rule, remedy="exchange them")


def _moment(ground: Ground, *path: Step) -> datetime | None:
    """Return a moment, None if there is no sound one; an end that is a date is the last moment of that day."""
    text = ground.text(*path)
    if text is None:
        return None
    try:
        moment = parse_moment(text)
        whole_day = path[-1] == "end" and len(text) == _DATE_LENGTH
        return moment + timedelta(days=1, microseconds=-1) if whole_day else moment
    except (ValueError, OverflowError):
        return None
