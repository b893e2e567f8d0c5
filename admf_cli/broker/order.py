"""A working order. Refuses to know how it is filled."""

from __future__ import annotations

ORDER_TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop", "market_on_close")
TIMES_IN_FORCE = ("GTC", "DAY", "IOC", "FOK", "GTD")


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

    __slots__ = (
        "after_open",
        "commission_paid",
        "dead_bar",
        "filled",
        "first_bar",
        "flow",
        "limit",
        "number",
        "oco",
        "order_id",
        "order_type",
        "portfolio",
        "purpose",
        "quantity",
        "reduce_only",
        "remaining",
        "side",
        "stop",
        "symbol",
        "time_in_force",
        "trail_amount",
        "trail_percent",
        "trailed_from",
        "triggered",
        "value_filled",
        "working",
    )

    def __init__(
        self,
        order_id: str,
        portfolio: str,
        symbol: int,
        side: int,
        quantity: float,
        order_type: str,
        time_in_force: str,
        purpose: str,
        flow: str | None,
        first_bar: int,
        dead_bar: int,
        number: int,
    ) -> None:
        self.order_id = order_id
        self.portfolio = portfolio
        self.symbol = symbol
        self.side = side
        self.quantity = quantity
        self.order_type = order_type
        self.time_in_force = time_in_force
        self.purpose = purpose
        self.flow = flow
        self.first_bar = first_bar
        self.dead_bar = dead_bar
        self.number = number
        self.remaining = quantity
        self.limit: float | None = None
        self.stop: float | None = None
        self.trail_amount: float | None = None
        self.trail_percent: float | None = None
        self.trailed_from: tuple[int, float] | None = None
        self.triggered = False
        self.after_open = False
        self.oco: str | None = None
        self.reduce_only = False
        self.working = True
        self.filled = 0.0
        self.commission_paid = 0.0
        self.value_filled = 0.0
