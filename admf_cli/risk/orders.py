"""The order that carries a decision out: its side, type, prices and lifetime. Pure functions of plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_MARKET_ORDER: Final[dict[str, Any]] = {
    "side": "",
    "quantity": 0.0,
    "order_type": "market",
    "time_in_force": "GTC",
    "purpose": "",
}
"""Copied for each order: that costs a third of putting its parts together."""


def signal_order(change: float, purpose: str, style: Mapping[str, Any], price: float) -> dict[str, Any]:
    """Return the order parts that change a position.

    Args:
        change: signed units to buy or sell.
        style: an `orders` section; empty for a market order.
        price: the signal's close; offsets are fractions of it, in the trade's direction.
    """
    side = 1 if change > 0.0 else -1
    order = _MARKET_ORDER.copy()
    order["side"] = "buy" if side > 0 else "sell"
    order["quantity"] = abs(change)
    order["purpose"] = purpose
    if not style:
        return order
    kind = order["order_type"] = style.get("type", "market")
    order["time_in_force"] = style.get("time_in_force", "GTC")
    if kind in ("limit", "stop_limit"):
        order["limit_price"] = price * (1.0 + side * style["limit_offset"])
    if kind in ("stop", "stop_limit"):
        order["stop_price"] = price * (1.0 + side * style["stop_offset"])
    if kind == "trailing_stop":
        amount = style.get("trail_amount")
        order["trail"] = {"amount": amount} if amount is not None else {"percent": style["trail_percent"]}
        order["stop_price"] = price + side * (amount if amount is not None else price * style["trail_percent"])
    if style.get("good_till"):
        order["good_till"] = style["good_till"]
    return order


def closing_order(quantity: float, purpose: str, order_type: str = "market") -> dict[str, Any]:
    """Return the order parts that close a position of this signed quantity, and never open one."""
    return {
        "side": "sell" if quantity > 0.0 else "buy",
        "quantity": abs(quantity),
        "order_type": order_type,
        "time_in_force": "GTC",
        "purpose": purpose,
        "reduce_only": True,
    }
