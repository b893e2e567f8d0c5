"""At what price, and when within it, a bar fills an order. Refuses to know quantities, costs and cash."""

from __future__ import annotations

from typing import Final

from admf_cli.broker.order import Order
from admf_cli.broker.quotes import Quotes

AT_OPEN: Final = 0
IN_RANGE: Final = 1
AT_CLOSE: Final = 2
TRIGGERS: Final = ("open", "range", "close")


class Match:
    """Where a bar meets an order.

    Attributes:
        price: before slippage.
        moment: AT_OPEN, IN_RANGE or AT_CLOSE.
        slips: market and stop fills slip, limit fills do not.
    """

    __slots__ = ("moment", "price", "slips")

    def __init__(self, price: float, moment: int, slips: bool) -> None:
        self.price = price
        self.moment = moment
        self.slips = slips


def meet(order: Order, quotes: Quotes, bar: int, *, after_open: bool = False) -> Match | None:
    """Return how this bar fills the order, or None if it does not. A stop-limit that is only triggered is marked so.

    Args:
        bar: at which the order's symbol has one.
        after_open: the order came to life inside the bar, so the open is not to be had any more.

    Source: docs/market-rules.md; a gap costs the open, a touch fills.
    """
    kind, symbol = order.order_type, order.symbol
    open_ = quotes.open[symbol][bar]
    if kind == "market":
        return Match(open_, AT_OPEN, True)
    high, low, close = quotes.high[symbol][bar], quotes.low[symbol][bar], quotes.close[symbol][bar]
    if kind == "limit" or order.triggered:
        assert order.limit is not None
        return _meet_limit(order.side, order.limit, open_, high, low, after_open=after_open)
    if kind == "market_on_close":
        return Match(close, AT_CLOSE, True)
    assert order.stop is not None
    if kind == "stop_limit":
        return _meet_stop_limit(order, open_, high, low, close, after_open=after_open)
    return _meet_stop(order.side, order.stop, open_, high, low, after_open=after_open)


def _meet_limit(side: int, limit: float, open_: float, high: float, low: float, *, after_open: bool) -> Match | None:
    if not after_open and (open_ <= limit if side > 0 else open_ >= limit):
        return Match(open_, AT_OPEN, False)
    if low <= limit if side > 0 else high >= limit:
        return Match(limit, IN_RANGE, False)
    return None


def _meet_stop(side: int, stop: float, open_: float, high: float, low: float, *, after_open: bool) -> Match | None:
    if not after_open and (open_ >= stop if side > 0 else open_ <= stop):
        return Match(open_, AT_OPEN, True)
    if high >= stop if side > 0 else low <= stop:
        return Match(stop, IN_RANGE, True)
    return None


def _meet_stop_limit(
    order: Order, open_: float, high: float, low: float, close: float, *, after_open: bool
) -> Match | None:
    side, stop, limit = order.side, order.stop, order.limit
    assert stop is not None
    assert limit is not None
    trigger = _meet_stop(side, stop, open_, high, low, after_open=after_open)
    if trigger is None:
        return None
    order.triggered = True
    if trigger.moment == AT_OPEN:
        return _meet_limit(side, limit, open_, high, low, after_open=False)
    if stop <= limit if side > 0 else stop >= limit:
        return Match(stop, IN_RANGE, False)
    # The trigger lies beyond the limit. Only the close proves that the price came back to it after the trigger.
    if close <= limit if side > 0 else close >= limit:
        return Match(limit, IN_RANGE, False)
    return None
