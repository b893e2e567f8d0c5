"""The orders that hang on an entry: stop-loss, take-profit, trailing stop. Pure functions of plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def distance(rule: Any, price: float) -> float:
    """Return a rule's distance in price: a fraction of `price`, or {"percent": .} or {"amount": .}."""
    if isinstance(rule, Mapping):
        amount = rule.get("amount")
        return float(amount) if amount is not None else price * float(rule["percent"])
    return price * float(rule)


def stop_distance(profile: Mapping[str, Any], price: float) -> float | None:
    """Return the price distance of the nearest stop that the profile would set for an entry at `price`, or None."""
    distances = [
        distance(rule, price) for key in ("stop_loss", "trailing_stop") if (rule := profile.get(key)) is not None
    ]
    return min(distances) if distances else None


def protective_orders(
    profile: Mapping[str, Any], *, direction: int, fill_price: float, signal_price: float
) -> list[dict[str, Any]]:
    """Return the order parts (purpose, order_type, prices) that protect an entry.

    Args:
        direction: +1 for a long entry, -1 for a short one.
        fill_price: what percentages count from.
        signal_price: the close of the deciding bar, counted from instead where a rule says `from: close`.
    """
    orders: list[dict[str, Any]] = []
    for key, order_type, sign in (("stop_loss", "stop", -1), ("take_profit", "limit", 1)):
        rule = profile.get(key)
        if rule is None:
            continue
        base = signal_price if isinstance(rule, Mapping) and rule.get("from") == "close" else fill_price
        price = base + sign * direction * distance(rule, base)
        orders.append({"purpose": key, "order_type": order_type, "stop_price" if sign < 0 else "limit_price": price})
    rule = profile.get("trailing_stop")
    if rule is not None:
        trail = {"amount": rule["amount"]} if isinstance(rule, Mapping) and rule.get("amount") is not None else None
        trail = trail or {"percent": rule["percent"] if isinstance(rule, Mapping) else rule}
        price = fill_price - direction * distance(rule, fill_price)
        orders.append({"purpose": "trailing_stop", "order_type": "trailing_stop", "stop_price": price, "trail": trail})
    return orders
