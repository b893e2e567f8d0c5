"""Target weights: fixed shares of equity by symbol, brought back to them now and then."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from admf_cli.features import FeatureSpec, ParameterError
from admf_cli.features.parameters import Fault, Parameter, did_you_mean
from admf_cli.strategies.description import (
    REBALANCE,
    TIMEZONE,
    Features,
    Params,
    StrategyInfo,
    rebalancing,
)
from admf_cli.strategies.interface import Strategy

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray
    from admf_cli.strategies.interface import Decisions


class TargetWeights(Struct, frozen=True):
    """Asks for the same weights again and again.

    Attributes:
        weights: symbol -> signed fraction of equity.
        when: the expression that names the moments.
        drift: how far a weight may be off without being restored.
    """

    weights: Mapping[str, float]
    when: str
    timezone: str
    drift: float | None = None

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return none."""
        return {}

    def rules(self) -> Mapping[str, str]:
        """Return the one rule."""
        return {"rebalance": self.when}

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return a decision a symbol at each moment of rebalancing.

        Raises:
            ParameterError: a weight is given to a symbol without bars.
        """
        import numpy as np

        from admf_cli.strategies.evaluation import Evaluator
        from admf_cli.strategies.expression import parse_condition
        from admf_cli.strategies.positions import decide_weights

        for symbol in self.weights:
            if symbol not in bars.symbols:
                hint = did_you_mean(symbol, bars.symbols)
                rule = f"must be one of the symbols {', '.join(bars.symbols)} (got {symbol!r}){hint}"
                raise ParameterError("target_weights", [Fault("weights", rule)])
        moments = Evaluator(bars, features, first, self.timezone).holds(parse_condition(self.when))
        weights = np.array([self.weights.get(symbol, 0.0) for symbol in bars.symbols])
        decisions = decide_weights(
            moments,
            np.broadcast_to(weights, bars.close.shape),
            lambda bar, symbol: "rebalance",
            bars,
            first,
            {"close": bars.close},
        )
        return replace(decisions, drift=self.drift)


def _build(params: Params, features: Features) -> Strategy:
    weights = {symbol: float(weight) for symbol, weight in params["weights"].items()}
    return TargetWeights(weights, rebalancing(params["rebalance"]), params["timezone"], params["drift"])


def _check(params: Params) -> Sequence[Fault]:
    faults = []
    if not params["weights"]:
        faults.append(Fault("weights", "needs at least one symbol: write weights: {SPX: 0.6}"))
    for symbol, weight in params["weights"].items():
        if not isinstance(weight, (int, float)) or isinstance(weight, bool) or not math.isfinite(weight):
            rule = f"must be a fraction of equity, such as 0.6 (got {weight!r})"
            faults.append(Fault(str(symbol), rule, within=("weights",)))
    return faults


INFO = StrategyInfo(
    name="target_weights",
    summary="Hold fixed shares of equity in each symbol, and restore them daily, weekly or monthly",
    source="constant-mix rebalancing: Perold and Sharpe (1988), Dynamic Strategies for Asset Allocation, Financial "
    "Analysts Journal 44(1)",
    parameters=(
        Parameter(
            "weights",
            "weights",
            required=True,
            doc="symbol: signed fraction of equity; what is left over stays in cash",
        ),
        REBALANCE,
        Parameter(
            "drift",
            "float",
            None,
            above=0,
            maximum=1,
            doc="fraction of equity by which a weight must be off to be restored; null: always restored",
        ),
        TIMEZONE,
    ),
    rules=(
        "At a symbol's first bar of trading, and at its first bar of each day, week or month: hold the weight, counted "
        "from equity and close at that bar.",
        "The weight replaces the sizing of the risk profile; its limits stay in force.",
        "With drift, the portfolio trades at these moments only what is off by that much or more: drift: 0.05 with "
        "rebalance: daily looks each day.",
        "rebalance: never sets the weights once and lets them drift.",
    ),
    example="""\
strategies:
  - name: mix
    type: target_weights
    params:
      weights: {AAA: 0.6, BBB: 0.4}
      rebalance: monthly
""",
    build=_build,
    check=_check,
)
