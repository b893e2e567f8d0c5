"""What is traded in which steps. Refuses to know prices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

DUST: Final = 1e-3
"""Of a lot: every quantity is whole lots, so what is less than this is left by sums of binary fractions."""

ROUNDING: Final = 1e-9
"""What misses a whole lot or tick by less is a whole one."""

_LOTS_ROUNDING: Final = 1e-14
"""And by less than this share of all lots: where there are many, a float's own steps are wider (a bitcoin is 1e8)."""


class Instrument:
    """One symbol's trading units.

    Attributes:
        lot_size: smallest quantity step, in units.
        tick_size: smallest price step, or None to keep full precision.
        multiplier: account currency a unit a point of price.
        dust: quantities below this are nothing but rounding.
    """

    __slots__ = ("dust", "lot_size", "multiplier", "tick_size")

    def __init__(self, lot_size: float = 1.0, tick_size: float | None = None, multiplier: float = 1.0) -> None:
        self.lot_size = lot_size
        self.tick_size = tick_size
        self.multiplier = multiplier
        self.dust = DUST * lot_size

    def whole_lots(self, quantity: float) -> float:
        """Return `quantity` (not negative) rounded down to whole lots."""
        lots = quantity / self.lot_size
        return _in_units(math.floor(lots + (ROUNDING + lots * _LOTS_ROUNDING)) * self.lot_size)

    def lots_for(self, quantity: float) -> float:
        """Return `quantity` (not negative) rounded up to whole lots."""
        lots = quantity / self.lot_size
        return _in_units(math.ceil(lots - (ROUNDING + lots * _LOTS_ROUNDING)) * self.lot_size)

    def is_dust(self, quantity: float) -> bool:
        """Return whether a quantity is nothing but rounding."""
        return abs(quantity) < self.dust

    def adverse_tick(self, price: float, side: int) -> float:
        """Return the price on the tick grid that is no better for `side` (+1 buys: up) than `price`."""
        if self.tick_size is None:
            return price
        steps = price / self.tick_size
        nearest = round(steps)
        if abs(steps - nearest) > ROUNDING * max(1.0, abs(steps)):
            nearest = math.ceil(steps) if side > 0 else math.floor(steps)
        return round(nearest * self.tick_size, 10)

    def on_grid(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Return an order's parts with prices on the tick grid: a limit no worse than asked for, a stop no better."""
        side = 1 if order["side"] == "buy" else -1
        signs = {"limit_price": -side, "stop_price": side}
        return {
            **order,
            **{name: self.adverse_tick(order[name], sign) for name, sign in signs.items() if name in order},
        }


def _in_units(lots: float) -> float:
    """Return a multiple of lots as markets quote it, to 8 decimals: 0.29 is no whole multiple of 0.01 in binary."""
    return lots if math.floor(lots) == lots else round(lots, 8)


def instruments(config: Mapping[str, Mapping[str, Any]], symbols: Sequence[str]) -> tuple[Instrument, ...]:
    """Return each symbol's instrument: its own settings over those of `default`."""
    default = config.get("default") or {}
    return tuple(Instrument(**{**default, **(config.get(symbol) or {})}) for symbol in symbols)
