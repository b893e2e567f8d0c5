"""What a portfolio remembers of an order until it ends. Refuses to know how orders are filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SIGNAL_PURPOSES: Final = frozenset({"entry", "exit", "reversal", "rebalance"})
STOP_PURPOSES: Final = frozenset({"stop_loss", "trailing_stop"})


class Working:
    """An order of ours that has not ended: what a later decision must know of it.

    Attributes:
        flow: the SIGNAL that began it.
        parts: the ORDER's own.
        remaining: units still open.
        stays: it outlives the position that it was sent beside.
    """

    __slots__ = ("flow", "order_id", "parts", "purpose", "remaining", "signal_price", "stays", "symbol")

    def __init__(
        self,
        order_id: str,
        symbol: int,
        flow: str | None,
        signal_price: float,
        parts: Mapping[str, Any],
        *,
        stays: bool,
    ) -> None:
        self.order_id = order_id
        self.symbol = symbol
        self.purpose: str = parts["purpose"]
        self.flow = flow
        self.signal_price = signal_price
        self.parts = parts
        self.remaining: float = parts["quantity"]
        self.stays = stays
