"""Two moving averages: with the trend as long as the fast one stands above the slow one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from admf_cli.features import FeatureSpec
from admf_cli.strategies.crossing import decide_crossing
from admf_cli.strategies.description import (
    DIRECTION,
    REPEAT,
    Features,
    Params,
    StrategyInfo,
    ascending,
    period,
    period_feature,
)

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray
    from admf_cli.strategies.interface import Decisions, Strategy


@dataclass(frozen=True, slots=True)
class AverageCrossover:
    """Follows the crossings of two averages, of whatever kind."""

    fast: FeatureSpec
    slow: FeatureSpec
    direction: str
    repeat: bool

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return the two averages."""
        return {"fast": self.fast, "slow": self.slow}

    def rules(self) -> Mapping[str, str]:
        """Return the two crossings."""
        return {
            "fast crosses above slow": "crosses_above(fast, slow)",
            "fast crosses below slow": "crosses_below(fast, slow)",
        }

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return a decision at each crossing that changes the wanted position."""
        return decide_crossing(
            ("fast", features["fast"]), ("slow", features["slow"]), bars, first, self.direction, self.repeat
        )


def _build(params: Params, features: Features) -> Strategy:
    return AverageCrossover(
        fast=period_feature(params, "fast", features, "SMA"),
        slow=period_feature(params, "slow", features, "SMA"),
        direction=params["direction"],
        repeat=params["repeat"],
    )


SMA_CROSSOVER = StrategyInfo(
    name="sma_crossover",
    summary="Follow the trend while the fast simple moving average stands above the slow one",
    source="Brock, Lakonishok and LeBaron (1992), Simple Technical Trading Rules, Journal of Finance 47(5); as "
    "`crossover` in backtesting.py and CrossOver in backtrader",
    parameters=(
        period("fast", 10, "bars of the fast average, or a feature's name"),
        period("slow", 30, "bars of the slow average, or a feature's name; more than fast"),
        DIRECTION,
        REPEAT,
    ),
    rules=(
        "A crossing upwards is fast[t-1] <= slow[t-1] and fast[t] > slow[t]; downwards is its mirror image.",
        "long_flat: a crossing upwards goes long, a crossing downwards goes flat.",
        "long_short: a crossing upwards goes long, a crossing downwards goes short.",
        "short_flat: a crossing downwards goes short, a crossing upwards goes flat.",
    ),
    example="""\
strategies:
  - name: trend
    type: sma_crossover
    params: {fast: 10, slow: 30, direction: long_flat}
""",
    build=_build,
    check=ascending("fast", "slow"),
)
