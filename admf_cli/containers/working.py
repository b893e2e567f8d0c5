"""What a portfolio remembers of an order until it ends. Refuses to know how orders are filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIGNAL_PURPOSES = frozenset({"entry", "exit", "reversal", "rebalance"})
STOP_PURPOSES = frozenset({"stop_loss", "trailing_stop"})


@dataclass(slots=True)
class Working:
    """An order of ours that has not ended: what a later decision must know of it.

    Attributes:
        flow: the SIGNAL that began it.
        parts: the ORDER's own.
        remaining: units still open.
        stays: it outlives the position that it was sent beside.
    """

    order_id: str
    symbol: int
    purpose: str
    flow: str | None
    signal_price: float
    parts: Mapping[str, Any]
    remaining: float
    stays: bool
