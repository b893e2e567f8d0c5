"""What a bar-by-bar strategy asked for, as a change of position and the order that makes it. Pure functions.

Refuses to know limits and cash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from admf_cli.broker.instrument import Instrument
from admf_cli.risk.entry import Refusal

_PRICES = ("limit_price", "stop_price")


class Aim(Struct, frozen=True):
    """What a request is after.

    Attributes:
        direction: +1 to buy, -1 to sell; of a target: of the position wanted, 0 flat.
        position: signed units wanted; None where a sizing has to say.
        weight: the signed fraction of equity wanted, or None.
    """

    direction: int
    position: float | None = None
    weight: float | None = None


def aim_of(asked: Mapping[str, Any], held: float) -> Aim:
    """Return what a request is after, given the signed units held."""
    if asked.get("close"):
        return Aim(0, 0.0)
    if (units := asked.get("target_quantity")) is not None:
        return Aim(_sign(units), units)
    if (weight := asked.get("target_weight")) is not None:
        return Aim(_sign(weight), 0.0 if weight == 0.0 else None, weight)
    side = 1 if asked["side"] == "buy" else -1
    quantity = asked.get("quantity")
    return Aim(side, None if quantity is None else held + side * quantity)


def opens(held: float, wanted: float) -> bool:
    """Return whether going from one position to another adds to it, or turns it round."""
    return abs(wanted) > abs(held) or held * wanted < 0.0


def purpose_of(held: float, wanted: float) -> str:
    """Return what an order from one position to another is for, as seen when it is sent."""
    if held == 0.0 or (held * wanted > 0.0 and abs(wanted) > abs(held)):
        return "entry"
    return "reversal" if held * wanted < 0.0 else "exit"


def in_lots(held: float, wanted: float, instrument: Instrument) -> float | Refusal:
    """Return the signed units to trade, rounded down to whole lots unless they close all that is held."""
    change = wanted - held
    quantity = abs(change)
    if wanted != 0.0 or held == 0.0:
        quantity = instrument.whole_lots(quantity)
    if instrument.is_dust(change):
        return Refusal("no_change", {"position": held, "target": wanted})
    if quantity == 0.0:
        return Refusal("lot_too_small", {"needed": instrument.lot_size, "available": abs(change)})
    return quantity if change > 0.0 else -quantity


def asked_order(
    asked: Mapping[str, Any], change: float, purpose: str, price: float, instrument: Instrument, group: str
) -> dict[str, Any]:
    """Return the order parts that change a position as it was asked for.

    Prices of its bracket go to the tick grid: a limit no worse than asked for, a stop no better.

    Args:
        change: signed units to buy or sell.
        price: the close it was decided at, from which a trailing stop begins.
        group: put before the name of a one-cancels-other group, which is the strategy's own.
    """
    side = 1 if change > 0.0 else -1
    order: dict[str, Any] = {
        "side": "buy" if side > 0 else "sell",
        "quantity": abs(change),
        "order_type": asked["order_type"],
        "time_in_force": asked["time_in_force"],
        "purpose": purpose,
    }
    order.update({name: asked[name] for name in _PRICES if asked.get(name) is not None})
    if (trail := asked.get("trail")) is not None:
        amount = trail.get("amount")
        order["trail"] = dict(trail)
        order["stop_price"] = price + side * (amount if amount is not None else price * trail["percent"])
    if "good_till" in asked:
        order["good_till"] = asked["good_till"]
    if "oco" in asked:
        order["oco"] = f"{group}/{asked['oco']}"
    if asked.get("reduce_only") or asked.get("close"):
        order["reduce_only"] = True
    if "bracket" in asked:
        signs = {"stop_loss": -side, "take_profit": side}  # as a stop and a limit of the other side
        order["bracket"] = {
            name: instrument.adverse_tick(value, signs[name]) for name, value in asked["bracket"].items()
        }
    return order


def replaced_prices(asked: Mapping[str, Any], parts: Mapping[str, Any]) -> dict[str, float] | None:
    """Return the new prices of an order, or None if it has no such price.

    Args:
        asked: `limit_price`, `stop_price`, or both.
        parts: of the order that is to be replaced.
    """
    prices = {name: asked[name] for name in _PRICES if name in asked}
    fits = parts["order_type"] != "trailing_stop" and all(name in parts for name in prices)
    return prices if fits else None


def bracket_orders(bracket: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the order parts (purpose, order_type, price) that protect an entry as its order asked for."""
    kinds = {"stop_loss": ("stop", "stop_price"), "take_profit": ("limit", "limit_price")}
    return [{"purpose": name, "order_type": kinds[name][0], kinds[name][1]: price} for name, price in bracket.items()]


def _sign(value: float) -> int:
    return (value > 0.0) - (value < 0.0)
