"""A working order. Refuses to know how it is filled."""

from __future__ import annotations

from dataclasses import dataclass

ORDER_TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop", "market_on_close")
TIMES_IN_FORCE = ("GTC", "DAY", "IOC", "FOK", "GTD")


@dataclass(slots=True)
class Order:
    """An order as the execution holds it, from submission to its one terminal event.

    Attributes:
        order_id: id of the ORDER event.
        portfolio: id of the portfolio that owns it.
        symbol: index of the symbol.
        side: +1 to buy, -1 to sell.
        quantity: units asked for, positive; `remaining` of them still open.
        stop: trigger price of stop and stop-limit orders; the moving level of a trailing stop.
        trail_amount, trail_percent: distance of a trailing stop from the best close, one of the two.
        trailed_from: bar and level from which a trailing stop was searched last.
        triggered: a stop-limit whose stop was met: a limit order from then on.
        first_bar: the first bar it may meet.
        dead_bar: the first bar that it may no longer meet.
        after_open: on `first_bar`, the open has passed already (a child of an order that filled inside the bar).
        oco: orders of one group: when one fills, the others are cancelled.
        reduce_only: closes at most what is there; never opens.
        commission_paid: on its fills so far, so that a minimum is charged once an order.
        reference: price the order was decided at.
    """

    order_id: str
    portfolio: str
    symbol: int
    side: int
    quantity: float
    order_type: str
    time_in_force: str
    purpose: str
    flow: str | None
    first_bar: int
    dead_bar: int
    number: int
    remaining: float
    limit: float | None = None
    stop: float | None = None
    trail_amount: float | None = None
    trail_percent: float | None = None
    trailed_from: tuple[int, float] | None = None
    triggered: bool = False
    after_open: bool = False
    oco: str | None = None
    reduce_only: bool = False
    working: bool = True
    filled: float = 0.0
    commission_paid: float = 0.0
    value_filled: float = 0.0
