"""Whether an account can pay for a fill. Pure functions. Refuses to know what happens if it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TOLERANCE: Final = 1e-9
"""Relative: what is missing by less than this of the needed amount is rounding."""


class Shortfall:
    """What a fill needs and what there is, in account currency."""

    __slots__ = ("available", "needed")

    def __init__(self, needed: float, available: float) -> None:
        self.needed = needed
        self.available = available


def cash_shortfall(cash: float, side: int, value: float, commission: float) -> Shortfall | None:
    """Return what is missing to pay for a fill in cash, or None if nothing is.

    A buy needs its value and its commission; a sale needs its commission, which its proceeds may pay.

    Args:
        side: +1 to buy, -1 to sell.
        value: quantity x price x multiplier, positive.
    """
    needed = value + commission if side > 0 else commission
    available = cash if side > 0 else cash + value
    return None if available >= needed - TOLERANCE * abs(needed) else Shortfall(needed, available)


def initial_rate(margin: Mapping[str, Any]) -> float:
    """Return the share of gross exposure that equity must cover: `initial`, or one over `leverage`."""
    initial = margin.get("initial")
    return float(initial) if initial is not None else 1.0 / float(margin["leverage"])


def margin_shortfall(
    equity: float, gross_exposure_after: float, commission: float, initial_rate: float
) -> Shortfall | None:
    """Return what is missing of the initial margin once a fill is done, or None if nothing is.

    Args:
        equity: cash + marked positions, before the fill's commission.
        gross_exposure_after: sum of |quantity| x price x multiplier after the fill.
        initial_rate: share of the exposure that equity must cover; 0.5 allows a leverage of 2.

    Source: initial margin as in Regulation T (12 CFR 220.12).
    """
    needed = gross_exposure_after * initial_rate
    available = equity - commission
    return None if available >= needed - TOLERANCE * abs(needed) else Shortfall(needed, available)
