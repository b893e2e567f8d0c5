"""Pairs: the spread of two symbols is bought when it is low and sold when it is high."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from admf_cli.features import FeatureSpec, feature
from admf_cli.features.parameters import Fault, Parameter
from admf_cli.strategies.description import Features, Params, StrategyInfo, positive, written
from admf_cli.strategies.interface import Strategy

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray
    from admf_cli.strategies.interface import Decisions

_LOW, _RISEN, _HIGH, _FALLEN = "spread is low", "low spread is back", "spread is high", "high spread is back"


class Pairs(Struct, frozen=True):
    """Holds the spread of two symbols, one long and the other short.

    Attributes:
        features: `z`, the standard score of the spread.
        expressions: the rules by name.
        hedge_ratio: units of the second for one of the first; of logarithmic prices with `log`.
        gross: sum of both weights without their signs.
    """

    features: Mapping[str, FeatureSpec]
    expressions: Mapping[str, str]
    first: str
    second: str
    hedge_ratio: float
    log: bool
    gross: float

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return the score."""
        return self.features

    def rules(self) -> Mapping[str, str]:
        """Return the entries and exits of both sides."""
        return self.expressions

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return two decisions, one a leg, at each bar on which the wanted spread changes."""
        import numpy as np

        from admf_cli.strategies.evaluation import Evaluator
        from admf_cli.strategies.expression import parse_condition
        from admf_cli.strategies.positions import changes_of, with_evidence

        one, other = bars.symbols.index(self.first), bars.symbols.index(self.second)
        evaluator = Evaluator(bars, features, first)
        moves = [evaluator.holds(parse_condition(text))[first:, one] for text in self.expressions.values()]
        row, side, rule = changes_of(*moves)
        row += first
        first_price, second_price = bars.close[row, one], self.hedge_ratio * bars.close[row, other]
        if self.log:
            first_price, second_price = np.ones(len(row)), np.full(len(row), self.hedge_ratio)
        total = first_price + np.abs(second_price)
        bar = np.repeat(row, 2)
        weights = np.stack((side * first_price / total, -side * second_price / total), axis=1) * self.gross
        legs = np.tile(np.array([one, other]), len(row))
        order = np.lexsort((legs, bar))
        names = tuple(self.expressions)
        return with_evidence(
            bars,
            bar,
            legs[order],
            weights.reshape(-1)[order] + 0.0,  # no negative zero
            tuple(names[index] for index in np.repeat(rule, 2).tolist()),
            {"z": features["z"], "close": bars.close},
            "weight",
        )


def _build(params: Params, features: Features) -> Strategy:
    legs = {name: params[name] for name in ("first", "second", "hedge_ratio", "log")}
    spread = feature("SPREAD", **legs)
    entry, leave = written(params["entry"]), written(params["exit"])
    low, high, risen, fallen = f"z < -{entry}", f"z > {entry}", f"z >= -{leave}", f"z <= {leave}"
    if params["stop"] is not None:
        stop = written(params["stop"])
        low, high = f"{low} and z > -{stop}", f"{high} and z < {stop}"
        risen, fallen = f"{risen} or z <= -{stop}", f"{fallen} or z >= {stop}"
    return Pairs(
        {"z": feature("ZSCORE", spread, timeperiod=params["lookback"])},
        {_LOW: low, _RISEN: risen, _HIGH: high, _FALLEN: fallen},
        params["first"],
        params["second"],
        params["hedge_ratio"],
        params["log"],
        params["gross"],
    )


def _check(params: Params) -> Sequence[Fault]:
    faults = []
    entry, leave, stop = params["entry"], params["exit"], params["stop"]
    if params["first"] == params["second"]:
        faults.append(Fault("second", f"must be another symbol than first (got {params['second']!r})"))
    if leave >= entry:
        faults.append(Fault("exit", f"must be less than entry (got exit: {written(leave)}, entry: {written(entry)})"))
    if stop is not None and stop <= entry:
        faults.append(Fault("stop", f"must be more than entry (got stop: {written(stop)}, entry: {written(entry)})"))
    return faults


INFO = StrategyInfo(
    name="zscore_pairs",
    summary="Buy the spread of two symbols when it is unusually low, sell it when it is unusually high",
    source="Gatev, Goetzmann and Rouwenhorst (2006), Pairs Trading: Performance of a Relative-Value Arbitrage Rule, "
    "Review of Financial Studies 19(3): entry at two deviations; the score with the population deviation",
    parameters=(
        Parameter("first", "symbol", required=True, doc="symbol of the first leg"),
        Parameter("second", "symbol", required=True, doc="symbol of the second leg"),
        Parameter(
            "lookback", "int", 60, minimum=2, maximum=100_000, doc="bars of the mean and the deviation of the spread"
        ),
        positive("entry", 2.0, "deviations from the mean beyond which the spread is entered"),
        Parameter("exit", "float", 0.5, minimum=0, doc="deviations from the mean within which it is left"),
        Parameter("stop", "float", None, above=0, doc="deviations beyond which it is given up; null: never"),
        positive("hedge_ratio", 1.0, "units of the second for one of the first"),
        Parameter("log", "bool", True, doc="true: spread of the logarithms of both prices; false: of the prices"),
        positive("gross", 1.0, "sum of both weights without their signs, as a fraction of equity"),
    ),
    rules=(
        "The spread is first - hedge_ratio x second (of logarithms with log: true); z is its distance from the mean of "
        "its last `lookback` values, in deviations. It exists where both symbols have a bar.",
        "Long the spread (first long, second short) when z < -entry, until z >= -exit.",
        "Short the spread when z > entry, until z <= exit. With stop, also left beyond it, and not entered there.",
        "The legs' weights stand as 1 : hedge_ratio (of value with log: true, else of units) and sum up to gross; they "
        "replace the sizing of the risk profile.",
    ),
    example="""\
strategies:
  - name: pair
    type: zscore_pairs
    params: {first: AAA, second: BBB, lookback: 60, entry: 2, exit: 0.5, log: true}
""",
    build=_build,
    check=_check,
)
