"""What a fill costs in commission. Every model is a pure function of an order's fill so far and now.

A model maps (quantity, price, multiplier, maker) of everything that an order has filled to the total commission; what
a single fill is charged is the difference it makes, so minimum and maximum hold per order, however it fills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from admf_cli.broker.installed import installed_commission

Commission = Callable[[float, float, bool], float]
"""(quantity, value, maker) -> commission. value = quantity x price x multiplier, all positive, account currency."""


def commission_model(config: Mapping[str, Any]) -> Commission:
    """Return the model that a `commission` section describes, bounded by its `minimum` and `maximum` per order."""
    kind = config.get("type", "none")
    base = _MODELS[kind](config)
    minimum = config.get("minimum") or 0.0
    maximum = config.get("maximum")
    if not minimum and maximum is None:
        return base

    def bounded(quantity: float, value: float, maker: bool) -> float:
        charged = max(base(quantity, value, maker), minimum)
        return charged if maximum is None else min(charged, maximum)

    return bounded


def percent(rate: float) -> Commission:
    """Return `rate` (0.001 = 0.1 %) of the value traded, after slippage."""
    return lambda quantity, value, maker: value * rate


def per_share(rate: float) -> Commission:
    """Return `rate` in account currency for every unit. Source: the per-share schedules of US brokers."""
    return lambda quantity, value, maker: quantity * rate


def per_trade(amount: float) -> Commission:
    """Return a fixed `amount` for every order that fills at all."""
    return lambda quantity, value, maker: amount


def maker_taker(maker_rate: float, taker_rate: float) -> Commission:
    """Return the maker's rate on limit fills, the taker's on all others. Source: the schedules of crypto exchanges."""
    return lambda quantity, value, maker: value * (maker_rate if maker else taker_rate)


def tiered(tiers: Sequence[Mapping[str, Any]]) -> Commission:
    """Return the sum over the tiers of rate x the part of the order's value inside the tier.

    Args:
        tiers: rising `up_to` values in account currency, the last without one, each with its `rate`.
    """

    def charge(quantity: float, value: float, maker: bool) -> float:
        total, floor = 0.0, 0.0
        for tier in tiers:
            ceiling = tier.get("up_to")
            inside = (value if ceiling is None else min(value, ceiling)) - floor
            if inside <= 0.0:
                break
            total += inside * tier["rate"]
            floor = value if ceiling is None else ceiling
        return total

    return charge


_MODELS: Mapping[str, Callable[[Mapping[str, Any]], Commission]] = {
    "none": lambda config: percent(0.0),
    "percent": lambda config: percent(config["rate"]),
    "per_share": lambda config: per_share(config["rate"]),
    "per_trade": lambda config: per_trade(config["amount"]),
    "maker_taker": lambda config: maker_taker(config["maker"], config["taker"]),
    "installed": installed_commission,
    "tiered": lambda config: tiered(config["tiers"]),
}
