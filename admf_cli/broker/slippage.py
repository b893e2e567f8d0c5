"""How much worse than the reference price a market or stop order fills. Pure functions of plain values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from admf_cli.broker.installed import installed_slippage


class Tape(NamedTuple):
    """What a slippage model may look at.

    Attributes:
        price: the reference price.
        quantity: units filled.
        high, low, volume: of the bar that is met.
        tick: smallest price step, or 0.0.
    """

    price: float
    quantity: float
    high: float
    low: float
    volume: float
    tick: float


Slippage = Callable[[Tape], float]
"""Tape -> adverse distance from the reference price, a unit, not negative."""


def slippage_model(config: Mapping[str, Any], half_spread_bps: float = 0.0) -> Slippage | None:
    """Return the model that a `slippage` section describes, half the spread added to it; None if nothing slips."""
    kind = config.get("type", "none")
    base = _MODELS[kind](config)
    if not half_spread_bps:
        return None if kind == "none" else base
    share = half_spread_bps / 10_000
    return lambda tape: base(tape) + tape.price * share


def bps(points: float) -> Slippage:
    """Return `points` hundredths of a percent of the price."""
    share = points / 10_000
    return lambda tape: tape.price * share


def fixed(amount: float) -> Slippage:
    """Return a fixed amount a unit."""
    return lambda tape: amount


def ticks(count: float) -> Slippage:
    """Return a number of the instrument's ticks."""
    return lambda tape: count * tape.tick


def volume_share(impact: float) -> Slippage:
    """Return impact x price x sqrt(quantity / volume); a bar without volume counts as filled whole.

    Source: the square-root law of market impact, Almgren, Thum, Hauptmann and Li (2005), Risk 18(7).
    """
    return lambda tape: impact * tape.price * math.sqrt(tape.quantity / tape.volume if tape.volume > 0.0 else 1.0)


def range_share(share: float) -> Slippage:
    """Return a share of the bar's range from low to high."""
    return lambda tape: share * (tape.high - tape.low)


_MODELS: Mapping[str, Callable[[Mapping[str, Any]], Slippage]] = {
    "none": lambda config: fixed(0.0),
    "bps": lambda config: bps(config["bps"]),
    "fixed": lambda config: fixed(config["amount"]),
    "ticks": lambda config: ticks(config["ticks"]),
    "volume_share": lambda config: volume_share(config["impact"]),
    "installed": installed_slippage,
    "range_share": lambda config: range_share(config["share"]),
}
