"""What several strategies want of one portfolio: a target each, one order for the sum. Knows no orders."""

from __future__ import annotations

from collections.abc import Mapping

from admf_cli.broker.instrument import Instrument

COMBINED = "combined"
"""Stands for the strategy's name in the ids of portfolios that several feed."""


class Targets:
    """Each strategy's target of each symbol, in signed units.

    Args:
        shares: strategy -> the share of equity it is sized by.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self.shares = shares
        self._units: dict[int, dict[str, float]] = {}

    def of(self, strategy: str, symbol: int) -> float:
        """Return one strategy's target."""
        return self._units.get(symbol, {}).get(strategy, 0.0)

    def others(self, strategy: str, symbol: int) -> float:
        """Return the sum of the other strategies' targets."""
        return sum(units for name, units in self._units.get(symbol, {}).items() if name != strategy)

    def set(self, strategy: str, symbol: int, units: float) -> None:
        """Set one strategy's target."""
        self._units.setdefault(symbol, {})[strategy] = units

    def scale(self, symbol: int, factor: float) -> None:
        """Multiply all targets of a symbol: something else than a signal has changed the position."""
        for name, units in self._units.get(symbol, {}).items():
            self._units[symbol][name] = units * factor


def whole(units: float, instrument: Instrument) -> float:
    """Return signed units in whole lots, rounded towards zero."""
    lots = instrument.whole_lots(abs(units))
    return lots if units >= 0.0 else -lots
