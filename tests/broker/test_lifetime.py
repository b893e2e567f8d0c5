"""Until which bar an order lives, by hand on seven bars of three days, with and without gaps in its symbol."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from admf_cli.broker.lifetime import dead_bar
from admf_cli.market.bars import Bars
from admf_cli.market.timeframe import DAY_US

HOUR_US = DAY_US // 24
# bars 0 and 1 on the first of January 1970, 2, 3 and 4 on the second (2 at midnight), 5 and 6 on the fourth
TIMES = np.array([22, 23, 24, 30, 47, 72, 73], dtype=np.int64) * HOUR_US
GAPS = [True, False, True, False, True, False, False]


def bars_of(present: list[bool] | None = None) -> Bars:
    prices = np.ones((len(TIMES), 2))
    there = None if present is None else np.array([[True, here] for here in present])
    return Bars(("A", "B"), TIMES, *(prices,) * 5, present=there)


@pytest.mark.parametrize("time_in_force", ["GTC", "IOC", "FOK"])
def test_an_order_without_an_end_outlives_the_data(time_in_force: str) -> None:
    assert dead_bar(bars_of(), 0, 1, time_in_force, None) == 7


@pytest.mark.parametrize(
    ("first_bar", "expected", "with_gaps"),
    [
        (0, 2, 2),  # the day ends before the bar at midnight
        (1, 2, 5),  # the symbol has no bar 1, so its day is that of bar 2
        (2, 5, 5),
        (4, 5, 5),
        (5, 7, 7),  # with gaps there is no bar left
        (7, 7, 7),
    ],
)
def test_a_day_order_lives_through_the_utc_day_of_its_first_bar(first_bar: int, expected: int, with_gaps: int) -> None:
    assert dead_bar(bars_of(), 1, first_bar, "DAY", None) == expected
    assert dead_bar(bars_of(GAPS), 1, first_bar, "DAY", None) == with_gaps


@pytest.mark.parametrize(
    ("first_bar", "lives", "expected", "with_gaps"),
    [
        (0, 1, 1, 2),  # bars of the symbol: 0, 2 and 4
        (0, 2, 2, 4),
        (0, 3, 3, 7),
        (1, 1, 2, 4),
        (2, 3, 5, 7),
        (5, 1, 6, 7),
        (5, 2, 7, 7),
        (5, 9, 7, 7),
    ],
)
def test_an_order_may_live_for_a_number_of_its_symbol_s_bars(
    first_bar: int, lives: int, expected: int, with_gaps: int
) -> None:
    good_till = {"bars": lives, "until": None}
    assert dead_bar(bars_of(), 1, first_bar, "GTD", good_till) == expected
    assert dead_bar(bars_of(GAPS), 1, first_bar, "GTD", good_till) == with_gaps


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("1970-01-02T00:00:00Z", 3),  # the bar at that time included
        ("1970-01-01T23:59:59.999999Z", 2),
        ("1970-01-02T02:00:00+02:00", 3),
        ("1970-01-02T00:00:00.000001+00:00", 3),
        ("1970-01-04T01:00:00Z", 7),
    ],
)
def test_an_order_may_live_until_a_time_the_bar_at_which_is_included(until: str, expected: int) -> None:
    good_till: dict[str, Any] = {"until": until}
    assert dead_bar(bars_of(), 0, 0, "GTD", good_till) == expected


@pytest.mark.parametrize("until", ["1970-01-01T22:00:00Z", "1970-01-04T01:00:00Z", "1970-02-01T00:00:00Z"])
def test_an_order_that_comes_after_the_last_bar_meets_none_whose_end_could_be_asked_for(until: str) -> None:
    assert dead_bar(bars_of(), 0, 7, "GTD", {"until": until}) == 7
