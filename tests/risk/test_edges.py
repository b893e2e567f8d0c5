"""Sizes, limits, protection and holding at their edges: what is just allowed, what is not defined, what is told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from admf_cli.broker.instrument import Instrument
from admf_cli.market.timeframe import DAY_US
from admf_cli.risk.allocation import Targets, whole
from admf_cli.risk.holding import END_OF_DAY, checks, closes_today, has_end, next_day_check, overdue
from admf_cli.risk.limits import Breach, Exposure, allowed_value
from admf_cli.risk.protection import distance, protective_orders, stop_distance
from admf_cli.risk.sizing import Situation, Size, size
from tests.risk.test_sizing import situation, trade

# ------------------------------------------------------------ sizes


def bars(count: int) -> Any:
    """Return `recent` over so many bars: closes 100, 101, 102, ..., highs 2 above and lows 1 below them."""
    close = 100.0 + np.arange(count)
    return lambda wanted: (close[-wanted:] + 2, close[-wanted:] - 1, close[-wanted:])


@pytest.mark.parametrize(
    ("config", "parts", "expected"),
    [
        (
            {"type": "fixed_value", "value": 3_000},
            {},
            Size(30.0, {"wanted": 3_000}),
        ),
        ({"type": "percent_equity", "percent": 0.5}, {}, Size(50.0, {"percent": 0.5})),
        ({"type": "target_weights"}, {}, Size(30.0, {"weight": 0.3})),
        (
            {"type": "risk_per_trade", "percent": 0.01},
            {},
            Size(20.0, {"percent": 0.01, "at_risk": 100.0, "stop_distance": 2.5}),
        ),
        # the mean true range of bars that rise by 1: from the lower of low and last close (1 below) to the high: 3
        (
            {"type": "risk_per_trade", "percent": 0.03, "atr_period": 4},
            {"recent": bars(5)},
            Size(50.0, {"percent": 0.03, "at_risk": 300.0, "stop_distance": 3.0}),
        ),
        (
            {"type": "risk_per_trade", "percent": 0.01, "atr_period": 5},
            {"recent": bars(5)},
            Size(0.0, {"bars_needed": 6.0, "bars_available": 5.0}, "warm_up"),
        ),
        ({"type": "risk_per_trade", "percent": 0.01}, {"stop_distance": None}, Size(0.0, {}, "no_stop_distance")),
        ({"type": "risk_per_trade", "percent": 0.01}, {"stop_distance": 0.0}, Size(0.0, {}, "no_stop_distance")),
        ({"type": "risk_per_trade", "percent": 0.01}, {"stop_distance": -1.0}, Size(0.0, {}, "no_stop_distance")),
        # half a unit of price is a distance like any other: 100 / (0.5 x 2)
        (
            {"type": "risk_per_trade", "percent": 0.01},
            {"stop_distance": 0.5},
            Size(100.0, {"percent": 0.01, "at_risk": 100.0, "stop_distance": 0.5}),
        ),
        (
            {"type": "volatility_target", "target": 0.1},
            {"recent": bars(20)},
            Size(0.0, {"bars_needed": 21.0, "bars_available": 20.0}, "warm_up"),
        ),
        (
            {"type": "volatility_target", "target": 0.1, "period": 2},
            {"recent": lambda count: (np.full(count, 50.0),) * 3},
            Size(0.0, {"volatility": 0.0}, "size_undefined"),
        ),
        # a mean true range of 3 at a price of 50, one bar a year: 6 %; 10,000 x 0.03 / 0.06 / 100
        (
            {"type": "volatility_target", "target": 0.03, "period": 3, "method": "atr"},
            {"recent": bars(4), "periods_per_year": 1.0},
            Size(50.0, {"target": 0.03, "volatility": 0.06}),
        ),
        ({"type": "fixed_value", "value": 3_000}, {"price": 0.0}, Size(0.0, {"wanted": 3_000}, "size_undefined")),
        ({"type": "fixed", "quantity": math.inf}, {}, Size(0.0, {}, "size_undefined")),
    ],
)
def test_a_size_tells_the_numbers_it_came_from(config: dict[str, Any], parts: dict[str, Any], expected: Size) -> None:
    found = size(config, situation(**parts))
    assert found.problem == expected.problem
    assert found.quantity == pytest.approx(expected.quantity, rel=1e-12)
    assert dict(found.numbers) == pytest.approx(dict(expected.numbers), rel=1e-12)


def wild_before(count: int) -> Any:
    """Return `recent` over the last `count` of the bars above, and a wild one before them."""
    close = np.array([1.0, *(100.0 + np.arange(count))])
    return lambda wanted: (close[-wanted:] + 2, close[-wanted:] - 1, close[-wanted:])


@pytest.mark.parametrize(
    ("config", "volatility"),
    [
        ({"type": "volatility_target", "target": 0.1, "period": 2}, np.std([1 / 100, 1 / 101], ddof=1)),
        ({"type": "volatility_target", "target": 0.1, "period": 2, "method": "atr"}, 3 / 50),
        ({"type": "risk_per_trade", "percent": 0.01, "atr_period": 2}, 3.0),
    ],
)
def test_a_range_of_two_bars_needs_the_close_before_them_and_no_more(config: dict[str, Any], volatility: float) -> None:
    numbers = size(config, situation(recent=wild_before(3), periods_per_year=1.0)).numbers
    assert numbers.get("volatility", numbers.get("stop_distance")) == pytest.approx(volatility)


def test_a_mere_direction_has_the_weight_of_all_equity() -> None:
    mere = Situation(10_000.0, 50.0, 2.0, None, [], bars(3), 252.0)
    found = size({"type": "target_weights"}, mere)
    assert (found.quantity, found.numbers, found.problem) == (100.0, {"weight": 1.0}, None)


def test_twenty_bars_are_the_period_of_a_volatility_and_the_trades_before_a_kelly_bet() -> None:
    config = {"type": "volatility_target", "target": 0.1}
    assert size(config, situation(recent=bars(21))).problem is None
    wins = [trade(0.02)] * 19
    kelly = {"type": "kelly", "fraction": 0.5, "cap": 0.4}
    assert size(kelly, situation(trades=wins)).numbers == {"weight": 0.2}  # 0.4 x 0.5, whatever they were
    assert size(kelly, situation(trades=[*wins, trade(0.01)])).numbers == {"weight": 0.4}  # all won: 1 x 0.5, capped


@pytest.mark.parametrize(
    ("returns", "weight"),
    [
        ([0.02, 0.01], 0.5),  # nothing lost: bet 1, half of it
        ([-0.02, -0.01], 0.0),  # nothing won
        ([0.0, 0.0], 0.0),  # nor here
        ([0.03, 0.01, -0.01, 0.0], 0.125),  # W 2/4 of all, R 2: 0.5 - 0.5 / 2 = 0.25, half of it
        ([0.04, 0.04, -0.01, -0.03], 0.125),  # W 1/2, R 0.04 / 0.02: 0.25, half of it
        ([2.0, -1.0], 0.125),  # W 1/2, R 2: 0.25, half of it
        ([1.0, -2.0], 0.0),  # 0.5 - 0.5 x 2 < 0
    ],
)
def test_a_kelly_bet_by_hand(returns: list[float], weight: float) -> None:
    config = {"type": "kelly", "fraction": 0.5, "cap": 0.9, "minimum_trades": 2}
    found = size(config, situation(trades=[trade(part) for part in returns]))
    assert found.numbers["weight"] == pytest.approx(weight)
    assert found.quantity == pytest.approx(10_000 * weight / 100)


# ------------------------------------------------------------ limits


@pytest.mark.parametrize(
    ("profile", "exposure", "value", "direction", "expected"),
    [
        # just within: 5,000 of 10,000; 4,000 + 6,000; 1,000 + 6,000; the third of three positions
        ({"max_position_size": 0.5}, (10_000.0, 4_000.0, 1_000.0, 2), 5_000.0, 1, (5_000.0, [])),
        ({"max_portfolio_heat": 1.0}, (10_000.0, 4_000.0, 1_000.0, 2), 6_000.0, 1, (6_000.0, [])),
        ({"max_net_exposure": 0.7}, (10_000.0, 4_000.0, 1_000.0, 2), 6_000.0, 1, (6_000.0, [])),
        ({"max_open_positions": 3}, (10_000.0, 4_000.0, 1_000.0, 2), 6_000.0, 1, (6_000.0, [])),
        # no room at all: what is held elsewhere is too much already
        (
            {"max_portfolio_heat": 0.3},
            (10_000.0, 4_000.0, 1_000.0, 2),
            6_000.0,
            1,
            (0.0, [Breach("max_portfolio_heat", 0.3, 1.0)]),
        ),
        # no equity, no entry; before any share of it
        ({"max_position_size": 0.5}, (0.0, 0.0, 0.0, 0), 5_000.0, 1, (0.0, [Breach("equity", 0.0, 0.0)])),
        ({}, (-5.0, 0.0, 0.0, 0), 5_000.0, 1, (0.0, [Breach("equity", 0.0, -5.0)])),
        ({}, (0.5, 0.0, 0.0, 0), 5_000.0, 1, (5_000.0, [])),
        # several limits, one after the other, each of what the one before has left
        (
            {"max_position_size": 0.5, "max_portfolio_heat": 0.8, "max_net_exposure": 0.4},
            (10_000.0, 4_000.0, 1_000.0, 2),
            6_000.0,
            1,
            (
                3_000.0,
                [
                    Breach("max_position_size", 0.5, 0.6),
                    Breach("max_portfolio_heat", 0.8, 0.9),  # 4,000 + 5,000
                    Breach("max_net_exposure", 0.4, 0.5),  # 1,000 + 4,000
                ],
            ),
        ),
        # short 6,000 beside a net of -1,000
        (
            {"max_net_exposure": 0.4},
            (10_000.0, 1_000.0, -1_000.0, 1),
            6_000.0,
            -1,
            (3_000.0, [Breach("max_net_exposure", 0.4, 0.7)]),
        ),
    ],
)
def test_a_limit_allows_what_just_reaches_it(
    profile: dict[str, Any],
    exposure: tuple[float, float, float, int],
    value: float,
    direction: int,
    expected: tuple[float, list[Breach]],
) -> None:
    assert allowed_value(profile, Exposure(*exposure), value, direction) == expected


# ------------------------------------------------------------ protection


def test_a_distance_is_a_share_of_the_price_or_an_amount() -> None:
    assert (distance(0.05, 80.0), distance({"percent": 0.05}, 80.0), distance({"amount": 3}, 80.0)) == (4.0, 4.0, 3.0)
    assert stop_distance({"take_profit": 0.1}, 100.0) is None
    assert stop_distance({"stop_loss": 0.05, "trailing_stop": {"percent": 0.08}}, 100.0) == 5.0


def test_protective_orders_whole() -> None:
    profile = {"stop_loss": {"percent": 0.1, "from": "close"}, "take_profit": {"amount": 7, "from": "fill"}}
    assert protective_orders(profile, direction=1, fill_price=100.0, signal_price=90.0) == [
        {"purpose": "stop_loss", "order_type": "stop", "stop_price": 81.0},  # 90 - 9
        {"purpose": "take_profit", "order_type": "limit", "limit_price": 107.0},
    ]
    assert protective_orders({"trailing_stop": 0.02}, direction=-1, fill_price=100.0, signal_price=90.0) == [
        {
            "purpose": "trailing_stop",
            "order_type": "trailing_stop",
            "stop_price": 102.0,
            "trail": {"percent": 0.02},
        }
    ]
    (order,) = protective_orders(
        {"trailing_stop": {"percent": 0.02, "amount": None}}, direction=1, fill_price=100.0, signal_price=90.0
    )
    assert (order["trail"], order["stop_price"]) == ({"percent": 0.02}, 98.0)
    (order,) = protective_orders({"trailing_stop": {"amount": 3.0}}, direction=1, fill_price=100.0, signal_price=90.0)
    assert (order["trail"], order["stop_price"]) == ({"amount": 3.0}, 97.0)
    assert protective_orders({}, direction=1, fill_price=100.0, signal_price=90.0) == []


# ------------------------------------------------------------ holding

HOUR_US = DAY_US // 24
# bars 0, 1, 2 on the first day, 3 and 4 on the second, 5 on the third
TIMES = np.array([21, 22, 23, 45, 46, 70], dtype=np.int64) * HOUR_US
DAILY = {"end_of_day": True}


def test_a_profile_ends_positions_by_bars_or_by_the_day() -> None:
    assert has_end({"max_holding_period": 0})
    assert has_end(DAILY)
    assert not has_end({"max_holding_period": None, "end_of_day": False})
    assert not has_end({})


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        (0, [1]),  # decided one bar before the day's last
        (1, [1]),
        (2, [3]),  # on the last bar: the next day's
        (3, [3]),
        (4, [4]),  # the third day has a single bar: decided at the close of the last one before it
        (5, []),  # no bar is left
    ],
)
def test_the_end_of_a_day_is_asked_about_a_bar_before_its_last(opened: int, expected: list[int]) -> None:
    assert checks(DAILY, opened, TIMES, at_close=False) == expected


def test_both_ends_are_asked_about() -> None:
    both = {"max_holding_period": 2, "end_of_day": True}
    assert checks(both, 0, TIMES, at_close=False) == [1, 1]
    assert checks(both, 0, TIMES, at_close=True) == [2, 1]
    assert checks({}, 0, TIMES, at_close=True) == []


@pytest.mark.parametrize(("bar", "expected"), [(0, 1), (1, 3), (2, 3), (3, 4), (4, None), (5, None)])
def test_the_next_day_is_asked_about_a_bar_before_its_last(bar: int, expected: int | None) -> None:
    assert next_day_check(DAILY, bar, TIMES) == expected
    assert next_day_check({}, bar, TIMES) is None


@pytest.mark.parametrize(("bar", "ends"), [(0, False), (1, True), (2, False), (3, True), (4, True), (5, False)])
def test_a_position_is_closed_at_the_close_of_the_day_s_last_bar(bar: int, ends: bool) -> None:
    # decided at the close of `bar`, if the bar after it is its day's last
    assert overdue(DAILY, 0, bar, TIMES, at_close=False) == (END_OF_DAY if ends else None)
    assert (Breach("end_of_day", 0.0, 1.0), "market_on_close") == END_OF_DAY
    assert overdue({}, 0, bar, TIMES, at_close=False) is None


def test_a_holding_period_tells_how_long_it_was() -> None:
    two = {"max_holding_period": 2}
    assert overdue(two, 1, 1, TIMES, at_close=False) is None
    assert overdue(two, 1, 2, TIMES, at_close=False) == (Breach("max_holding_period", 2.0, 2.0), "market")
    assert overdue(two, 1, 2, TIMES, at_close=True) is None
    assert overdue(two, 1, 3, TIMES, at_close=True) == (Breach("max_holding_period", 2.0, 3.0), "market")


@pytest.mark.parametrize(("bar", "closes"), [(0, False), (1, False), (2, True), (3, False), (4, True), (5, True)])
def test_what_is_opened_on_the_day_s_last_bar_is_closed_with_it(bar: int, closes: bool) -> None:
    assert closes_today(DAILY, bar, TIMES) is closes
    assert closes_today({}, bar, TIMES) is False


# ------------------------------------------------------------ several strategies


def test_the_targets_of_several_strategies() -> None:
    targets = Targets({"a": 0.5, "b": 0.5})
    assert (targets.of("a", 0), targets.others("a", 0)) == (0.0, 0.0)
    targets.set("a", 0, 10.0)
    targets.set("b", 0, -4.0)
    targets.set("b", 1, 7.0)
    assert (targets.of("a", 0), targets.of("b", 0), targets.of("a", 1)) == (10.0, -4.0, 0.0)
    assert (targets.others("a", 0), targets.others("b", 0), targets.others("a", 1)) == (-4.0, 10.0, 7.0)
    targets.scale(0, 0.5)
    targets.scale(2, 0.5)
    assert (targets.of("a", 0), targets.of("b", 0), targets.of("b", 1)) == (5.0, -2.0, 7.0)


@pytest.mark.parametrize(("units", "expected"), [(2.9, 2.0), (-2.9, -2.0), (0.0, 0.0), (0.5, 0.0), (-3.0, -3.0)])
def test_whole_lots_are_rounded_towards_zero(units: float, expected: float) -> None:
    assert whole(units, Instrument()) == expected
    assert math.copysign(1.0, whole(0.0, Instrument())) == 1.0
