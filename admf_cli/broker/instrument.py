"""What is traded in which steps. Refuses to know prices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DUST = 1e-3
"""Of a lot: every quantity is whole lots, so what is less than this is left by sums of binary fractions."""

ROUNDING = 1e-9
"""What misses a whole lot or tick by less is a whole one."""

_LOTS_ROUNDING = 1e-14
"""And by less than this share of all lots: where there are many, a float's own steps are wider (a bitcoin is 1e8)."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol's trading units.

    Attributes:
        lot_size: smallest quantity step, in units.
        tick_size: smallest price step, or None to keep full precision.
        multiplier: account currency a unit a point of price.
        dust: quantities below this are nothing but rounding.
    """

    lot_size: float = 1.0
    tick_size: float | None = None
    multiplier: float = 1.0
    dust: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dust", DUST * self.lot_size)

    def whole_lots(self, quantity: float) -> float:
        """Return `quantity` (not negative) rounded down to whole lots."""
        lots = quantity / self.lot_size
        whole = math.floor(lots + (ROUNDING + lots * _LOTS_ROUNDING))
        # Quantities such as 0.29 are not whole multiples of 0.01 in binary; 8 decimals are what markets quote.
        return round(whole * self.lot_size, 8)

    def lots_for(self, quantity: float) -> float:
        """Return `quantity` (not negative) rounded up to whole lots."""
        lots = quantity / self.lot_size
        return round(math.ceil(lots - (ROUNDING + lots * _LOTS_ROUNDING)) * self.lot_size, 8)

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


def instruments(config: Mapping[str, Mapping[str, Any]], symbols: Sequence[str]) -> tuple[Instrument, ...]:
    """Return each symbol's instrument: its own settings over those of `default`."""
    default = config.get("default") or {}
    return tuple(Instrument(**{**default, **(config.get(symbol) or {})}) for symbol in symbols)
