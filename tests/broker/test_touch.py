"""The first bar that touches an order: by hand on six bars, and beside a plain walk over two hundred."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from admf_cli.broker import touch
from admf_cli.broker.order import Order
from admf_cli.broker.touch import Touches
from admf_cli.market.bars import Bars

NAN = float("nan")
# highs and lows of the second symbol; its bars 1 and 4 are missing
HIGH = [105.0, NAN, 108.0, 106.0, NAN, 110.0]
LOW = [95.0, NAN, 97.0, 94.0, NAN, 99.0]
CLOSE = [100.0, NAN, 102.0, 98.0, NAN, 104.0]


def bars_of(high: list[float], low: list[float], close: list[float]) -> Bars:
    def column(values: list[float]) -> np.ndarray:
        return np.column_stack((np.full(len(values), 1.0), np.array(values)))

    prices = column(close)
    present = np.isfinite(prices)
    there = None if present.all() else present
    return Bars(("A", "B"), np.arange(len(close)), prices, column(high), column(low), prices, prices, present=there)


GAPPY = bars_of(HIGH, LOW, CLOSE)


def order_of(kind: str, side: int, *, time_in_force: str = "GTC", **parts: float | None) -> Order:
    limit, stop = parts.pop("limit", None), parts.pop("stop", None)
    order = Order("o#1", "p", 1, side, 1.0, kind, time_in_force, "entry", None, 0, 99, 1)
    order.limit, order.stop = limit, stop
    order.trail_amount, order.trail_percent = parts.pop("amount", None), parts.pop("percent", None)
    assert not parts
    return order


@pytest.mark.parametrize("kind", ["market", "market_on_close"])
@pytest.mark.parametrize(("start", "expected"), [(0, 0), (1, 2), (2, 2), (4, 5), (6, 6), (9, 6)])
def test_what_fills_at_any_price_is_due_at_its_symbol_s_next_bar(kind: str, start: int, expected: int) -> None:
    assert Touches(GAPPY).first(order_of(kind, 1), start) == expected


@pytest.mark.parametrize("time_in_force", ["IOC", "FOK"])
def test_what_lives_for_one_bar_is_due_at_the_next_one_touched_or_not(time_in_force: str) -> None:
    order = order_of("limit", 1, time_in_force=time_in_force, limit=1.0)
    assert [Touches(GAPPY).first(order, start) for start in range(7)] == [0, 2, 2, 3, 5, 5, 6]


def test_after_a_symbol_s_last_bar_nothing_is_due() -> None:
    ended = bars_of([105.0, NAN, NAN], [95.0, NAN, NAN], [100.0, NAN, NAN])
    assert [Touches(ended).first(order_of("market", 1), start) for start in range(3)] == [0, 3, 3]
    whole = bars_of([105.0] * 3, [95.0] * 3, [100.0] * 3)
    assert [Touches(whole).first(order_of("market", 1), start) for start in range(4)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "side", "level", "start", "expected"),
    [
        ("limit", 1, 97.0, 0, 0),
        ("limit", 1, 97.0, 1, 2),  # touched exactly
        ("limit", 1, 96.9, 1, 3),
        ("limit", 1, 93.0, 0, 6),
        ("limit", -1, 108.0, 0, 2),
        ("limit", -1, 108.1, 0, 5),
        ("limit", -1, 111.0, 0, 6),
        ("stop", 1, 108.0, 0, 2),
        ("stop", -1, 94.0, 0, 3),
        ("stop_limit", 1, 106.0, 3, 3),
        ("stop_limit", -1, 94.0, 4, 6),
    ],
)
def test_a_limit_waits_on_its_own_side_and_a_stop_on_the_other(
    kind: str, side: int, level: float, start: int, expected: int
) -> None:
    far = 1.0 if kind == "stop_limit" else None
    prices = {"limit": level} if kind == "limit" else {"stop": level, "limit": far}
    touches = Touches(GAPPY)
    assert touches.first(order_of(kind, side, **prices), start) == expected
    assert touches.first(order_of(kind, side, **prices), start) == expected


def test_a_stop_limit_that_was_triggered_waits_as_a_limit() -> None:
    order = order_of("stop_limit", 1, stop=109.0, limit=94.0)
    assert Touches(GAPPY).first(order, 0) == 5
    order.triggered = True
    assert Touches(GAPPY).first(order, 0) == 3


@pytest.mark.parametrize(
    ("side", "distance", "stop", "start", "expected", "level"),
    [
        # a sell stop from 90, 5 below the best close: 90, 95, 95, 97 (at 3: low 94)
        (-1, {"amount": 5.0}, 90.0, 0, 3, 97.0),
        # from 96: the low of 95 is below it at once
        (-1, {"amount": 5.0}, 96.0, 0, 0, 96.0),
        # touched exactly: the low of 95 at once, and 97 at 2 after the close of 100 has left 90, 97, 97
        (-1, {"amount": 5.0}, 95.0, 0, 0, 95.0),
        (-1, {"amount": 3.0}, 90.0, 0, 2, 97.0),
        # 2 % below: 90, 98, 98 (at 2: low 97)
        (-1, {"percent": 0.02}, 90.0, 0, 2, 98.0),
        # never: 90, 90.1, ..., 92 at the end
        (-1, {"amount": 12.0}, 80.0, 0, 6, 92.0),
        # a buy stop from 120, 7 above the best close: 120, 107, 107 (at 2: high 108)
        (1, {"amount": 7.0}, 120.0, 0, 2, 107.0),
        (1, {"amount": 7.0}, 120.0, 3, 5, 105.0),
        # touched exactly: the high of 105 at once, and 108 at 2 after the close of 100 has left 120, 108, 108
        (1, {"amount": 5.0}, 105.0, 0, 0, 105.0),
        (1, {"amount": 8.0}, 120.0, 0, 2, 108.0),
        (1, {"percent": 0.5}, 300.0, 0, 6, 147.0),
    ],
)
def test_a_trailing_stop_is_met_at_the_level_that_the_closes_before_have_left(
    side: int, distance: dict[str, float], stop: float, start: int, expected: int, level: float
) -> None:
    order = order_of("trailing_stop", side, stop=stop, **distance)
    touches = Touches(GAPPY)
    assert touches.trail_level(order, start) == stop
    assert touches.first(order, start) == expected
    assert order.stop == pytest.approx(level)
    assert order.trailed_from == (start, stop)
    assert touches.trail_level(order, start) == stop


def test_the_level_of_a_working_trailing_stop_is_that_of_the_closes_up_to_the_bar_asked_for() -> None:
    order = order_of("trailing_stop", -1, stop=80.0, amount=12.0)
    touches = Touches(GAPPY)
    touches.first(order, 1)
    assert [touches.trail_level(order, bar) for bar in range(7)] == [80.0, 80.0, 80.0, 90.0, 90.0, 90.0, 92.0]


def test_only_a_trailing_stop_moves_at_a_close() -> None:
    trailing = order_of("trailing_stop", -1, stop=80.0, amount=12.0)
    fixed = order_of("stop", -1, stop=80.0)
    touches = Touches(GAPPY)
    for bar, level in enumerate((88.0, 88.0, 90.0, 90.0, 90.0, 92.0)):
        touches.move_trail(trailing, bar)
        touches.move_trail(fixed, bar)
        assert trailing.stop == level
    assert fixed.stop == 80.0


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("distance", [30.0, 8.0, 3.0])
def test_a_trailing_stop_over_two_hundred_bars_is_met_where_a_plain_walk_meets_it(side: int, distance: float) -> None:
    pick = random.Random(5)
    close = [100.0]
    for _ in range(299):
        close.append(close[-1] + pick.uniform(-1.0, 1.0))
    high, low = [value + 0.5 for value in close], [value - 0.5 for value in close]
    touches = Touches(bars_of(high, low, close))
    for start in (0, 1, 60, 130, 299):
        level = first = close[start] + side * distance
        expected = len(close)
        for bar in range(start, len(close)):
            if low[bar] <= level if side < 0 else high[bar] >= level:
                expected = bar
                break
            level = max(level, close[bar] - distance) if side < 0 else min(level, close[bar] + distance)
        order = order_of("trailing_stop", side, stop=first, amount=distance)
        assert touches.first(order, start) == expected
        assert order.stop == pytest.approx(level, rel=1e-12)


@pytest.mark.parametrize(
    ("touched", "looked_at"),
    [
        (0, [64]),
        (63, [64]),
        (64, [64, 128]),
        (191, [64, 128]),
        (192, [64, 128, 108]),  # 300 bars in all
        (300, [64, 128, 108]),
    ],
)
def test_a_trailing_stop_that_is_met_soon_costs_no_look_at_the_bars_far_behind(
    touched: int, looked_at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Closes of 100 and 10 below them leave the level at 90, which only one low reaches. Each look takes twice as many
    # bars as the last, so whatever bar it is, no more than 64 and twice those before it are looked at.
    low = [99.0] * 300
    if touched < 300:
        low[touched] = 90.0
    looks: list[int] = []
    levels = touch.trailing_levels

    def counted(closes: np.ndarray, *rest: Any, **named: Any) -> np.ndarray:
        looks.append(len(closes))
        return levels(closes, *rest, **named)

    monkeypatch.setattr(touch, "trailing_levels", counted)
    order = order_of("trailing_stop", -1, stop=90.0, amount=10.0)
    assert Touches(bars_of([101.0] * 300, low, [100.0] * 300)).first(order, 0) == touched
    assert looks == looked_at
