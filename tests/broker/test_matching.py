"""Where one bar meets one order, at the edges: a touch fills, a gap costs the open. The bar: 100, 105, 95, 101."""

from __future__ import annotations

import numpy as np
import pytest

from admf_cli.broker.matching import AT_CLOSE, AT_OPEN, IN_RANGE, TRIGGERS, meet
from admf_cli.broker.order import Order
from admf_cli.broker.quotes import Quotes
from admf_cli.market.bars import Bars

BUY, SELL = 1, -1
BAR = (100.0, 105.0, 95.0, 101.0)


def order_of(
    kind: str, side: int, *, limit: float | None = None, stop: float | None = None, triggered: bool = False
) -> Order:
    order = Order("o#1", "p", 0, side, 1.0, kind, "GTC", "entry", None, 0, 9, 1)
    order.limit, order.stop = limit, stop
    order.triggered = triggered
    return order


def met_by(
    order: Order, open_: float, high: float, low: float, close: float, *, after_open: bool = False
) -> tuple[float, int, bool] | None:
    quotes = Quotes(
        Bars(("X",), np.zeros(1, np.int64), *(np.array([[price]]) for price in (open_, high, low, close, 1.0)))
    )
    match = meet(order, quotes, 0, after_open=after_open)
    return None if match is None else (match.price, match.moment, match.slips)


@pytest.mark.parametrize(
    ("side", "limit", "met", "met_after_open"),
    [
        (BUY, 101.0, (100.0, AT_OPEN, False), (101.0, IN_RANGE, False)),  # the open is better
        (BUY, 100.0, (100.0, AT_OPEN, False), (100.0, IN_RANGE, False)),  # the open is just it
        (BUY, 99.0, (99.0, IN_RANGE, False), (99.0, IN_RANGE, False)),
        (BUY, 95.0, (95.0, IN_RANGE, False), (95.0, IN_RANGE, False)),  # a touch of the low
        (BUY, 94.0, None, None),
        (SELL, 99.0, (100.0, AT_OPEN, False), (99.0, IN_RANGE, False)),
        (SELL, 100.0, (100.0, AT_OPEN, False), (100.0, IN_RANGE, False)),
        (SELL, 101.0, (101.0, IN_RANGE, False), (101.0, IN_RANGE, False)),
        (SELL, 105.0, (105.0, IN_RANGE, False), (105.0, IN_RANGE, False)),  # a touch of the high
        (SELL, 106.0, None, None),
    ],
)
def test_a_limit_order_fills_at_its_limit_or_better(
    side: int, limit: float, met: tuple[object, ...] | None, met_after_open: tuple[object, ...] | None
) -> None:
    assert met_by(order_of("limit", side, limit=limit), *BAR) == met
    assert met_by(order_of("limit", side, limit=limit), *BAR, after_open=True) == met_after_open
    # A stop-limit whose stop was met is a limit order, wherever its stop lies.
    assert met_by(order_of("stop_limit", side, limit=limit, stop=500.0, triggered=True), *BAR) == met


@pytest.mark.parametrize("kind", ["stop", "trailing_stop"])
@pytest.mark.parametrize(
    ("side", "stop", "met", "met_after_open"),
    [
        (BUY, 99.0, (100.0, AT_OPEN, True), (99.0, IN_RANGE, True)),  # a gap over it
        (BUY, 100.0, (100.0, AT_OPEN, True), (100.0, IN_RANGE, True)),
        (BUY, 101.0, (101.0, IN_RANGE, True), (101.0, IN_RANGE, True)),
        (BUY, 105.0, (105.0, IN_RANGE, True), (105.0, IN_RANGE, True)),  # a touch of the high
        (BUY, 106.0, None, None),
        (SELL, 101.0, (100.0, AT_OPEN, True), (101.0, IN_RANGE, True)),
        (SELL, 100.0, (100.0, AT_OPEN, True), (100.0, IN_RANGE, True)),
        (SELL, 99.0, (99.0, IN_RANGE, True), (99.0, IN_RANGE, True)),
        (SELL, 95.0, (95.0, IN_RANGE, True), (95.0, IN_RANGE, True)),  # a touch of the low
        (SELL, 94.0, None, None),
    ],
)
def test_a_stop_order_fills_at_its_stop_or_worse_and_slips(
    kind: str, side: int, stop: float, met: tuple[object, ...] | None, met_after_open: tuple[object, ...] | None
) -> None:
    assert met_by(order_of(kind, side, stop=stop), *BAR) == met
    assert met_by(order_of(kind, side, stop=stop), *BAR, after_open=True) == met_after_open


@pytest.mark.parametrize(
    ("side", "stop", "limit", "met", "triggered"),
    [
        (BUY, 106.0, 107.0, None, False),  # never triggered
        (BUY, 102.0, 104.0, (102.0, IN_RANGE, False), True),  # the limit lies beyond the stop: filled as it triggers
        (BUY, 102.0, 102.0, (102.0, IN_RANGE, False), True),  # both the same
        (BUY, 103.0, 102.0, (102.0, IN_RANGE, False), True),  # only the close, 101, proves that it came back
        (BUY, 103.0, 101.0, (101.0, IN_RANGE, False), True),  # the close is just it
        (BUY, 103.0, 100.5, None, True),  # the low was below it, but perhaps before the trigger
        (BUY, 99.0, 100.0, (100.0, AT_OPEN, False), True),  # triggered at the open, a limit from then on
        (BUY, 100.0, 97.0, (97.0, IN_RANGE, False), True),
        (BUY, 99.0, 94.0, None, True),
        (SELL, 94.0, 93.0, None, False),
        (SELL, 98.0, 96.0, (98.0, IN_RANGE, False), True),
        (SELL, 98.0, 98.0, (98.0, IN_RANGE, False), True),
        (SELL, 97.0, 99.0, (99.0, IN_RANGE, False), True),
        (SELL, 97.0, 101.0, (101.0, IN_RANGE, False), True),
        (SELL, 97.0, 101.5, None, True),
        (SELL, 101.0, 100.0, (100.0, AT_OPEN, False), True),
        (SELL, 100.0, 103.0, (103.0, IN_RANGE, False), True),
        (SELL, 101.0, 106.0, None, True),
    ],
)
def test_a_stop_limit_fills_where_the_bar_proves_it(
    side: int, stop: float, limit: float, met: tuple[object, ...] | None, triggered: bool
) -> None:
    order = order_of("stop_limit", side, limit=limit, stop=stop)
    assert met_by(order, *BAR) == met
    assert order.triggered is triggered


@pytest.mark.parametrize(("side", "close"), [(BUY, 103.0), (SELL, 97.0)])
def test_a_stop_limit_with_one_price_for_both_fills_as_it_triggers_wherever_the_bar_closes(
    side: int, close: float
) -> None:
    order = order_of("stop_limit", side, limit=100.0 + 2 * side, stop=100.0 + 2 * side)
    assert met_by(order, 100.0, 105.0, 95.0, close) == (100.0 + 2 * side, IN_RANGE, False)


def test_a_stop_limit_that_came_to_life_inside_the_bar_does_not_get_its_open() -> None:
    assert met_by(order_of("stop_limit", BUY, limit=101.0, stop=99.0), *BAR, after_open=True) == (99.0, IN_RANGE, False)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_market_orders_fill_at_the_open_or_the_close_and_slip(side: int) -> None:
    assert met_by(order_of("market", side), *BAR) == (100.0, AT_OPEN, True)
    assert met_by(order_of("market_on_close", side), *BAR) == (101.0, AT_CLOSE, True)


def test_a_fill_says_by_name_where_in_the_bar_it_was_met() -> None:
    assert [TRIGGERS[moment] for moment in (AT_OPEN, IN_RANGE, AT_CLOSE)] == ["open", "range", "close"]
