"""Buys every symbol once and keeps it: what every other strategy has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from admf_cli.features import FeatureSpec
from admf_cli.strategies.description import Features, Params, StrategyInfo

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray
    from admf_cli.strategies.interface import Decisions, Strategy


class BuyAndHold(Struct, frozen=True):
    """Goes long at each symbol's first bar of trading."""

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return none."""
        return {}

    def rules(self) -> Mapping[str, str]:
        """Return the one rule."""
        return {"first bar": "first_bar"}

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return one decision a symbol."""
        from admf_cli.strategies.calendar_rules import first_bars
        from admf_cli.strategies.positions import with_evidence

        bar, symbol = first_bars(bars, first)
        return with_evidence(bars, bar, symbol, 1.0, ("first bar",) * len(bar), {"close": bars.close})


def _build(params: Params, features: Features) -> Strategy:
    return BuyAndHold()


INFO = StrategyInfo(
    name="buy_and_hold",
    summary="Buy at the first bar of trading and hold to the end",
    source="the usual benchmark; Malkiel (1973), A Random Walk Down Wall Street",
    parameters=(),
    rules=("At each symbol's first bar of trading: go long. No exit.",),
    example="""\
strategies:
  - name: hold
    type: buy_and_hold
""",
    build=_build,
)
