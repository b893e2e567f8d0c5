"""Momentum: holds what has risen, by itself (time series) or beside the other symbols (cross section)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from admf_cli.features import FeatureSpec, feature
from admf_cli.features.parameters import Fault, Parameter
from admf_cli.strategies.description import (
    DIRECTION,
    REBALANCE,
    TIMEZONE,
    Features,
    Params,
    StrategyInfo,
    positive,
    rebalancing,
    written,
)
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.rule_based import Rule, two_sided

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray
    from admf_cli.strategies.interface import Decisions

_WINNER, _LOSER, _NEITHER = "among the winners", "among the losers", "neither"


class CrossSection(Struct, frozen=True):
    """Holds equal weights of the symbols that rank first, and shorts those that rank last.

    Attributes:
        features: `momentum`, and its `rank` (1 is the greatest) and `rank_from_least`.
        winner, loser, neither: expressions; None where a side is not taken.
        long_weight, short_weight: of each symbol held, a fraction of equity.
    """

    features: Mapping[str, FeatureSpec]
    winner: str | None
    loser: str | None
    neither: str
    long_weight: float
    short_weight: float
    timezone: str

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return the momentum and its ranks."""
        return self.features

    def rules(self) -> Mapping[str, str]:
        """Return the conditions of being held, of being sold short, and of neither."""
        rules = {_WINNER: self.winner, _LOSER: self.loser, _NEITHER: self.neither}
        return {name: expression for name, expression in rules.items() if expression is not None}

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return a weight for each symbol held, at each moment of rebalancing, and zero where it is let go."""
        import numpy as np

        from admf_cli.strategies.evaluation import Evaluator
        from admf_cli.strategies.expression import parse_condition
        from admf_cli.strategies.positions import decide_weights
        from admf_cli.strategies.rule_based import evidence_of

        evaluator = Evaluator(bars, features, first, self.timezone)
        rules = self.rules()
        trees = {name: parse_condition(text) for name, text in rules.items()}
        moments, which = np.zeros(bars.close.shape, dtype=bool), np.zeros(bars.close.shape, dtype=np.int64)
        weights = np.zeros(bars.close.shape)
        for index, (name, tree) in enumerate(trees.items()):
            holds = evaluator.holds(tree)
            moments |= holds
            which[holds] = index
            weights[holds] = {_WINNER: self.long_weight, _LOSER: -self.short_weight, _NEITHER: 0.0}[name]
        evidence = {"momentum": features["momentum"], **evidence_of(trees.values(), evaluator)}
        names = tuple(rules)
        return decide_weights(moments, weights, lambda bar, symbol: names[which[bar, symbol]], bars, first, evidence)


def _build(params: Params, features: Features) -> Strategy:
    skip, lookback, direction = params["skip"], params["lookback"], params["direction"]
    price: FeatureSpec | str = feature("LAG", timeperiod=skip) if skip else "close"
    momentum = feature("RETURN", price, timeperiod=lookback - skip)
    when = rebalancing(params["rebalance"])
    if params["mode"] == "time_series":
        up, down = Rule("momentum is positive", f"{when} and momentum > 0"), Rule(
            "momentum is not positive", f"{when} and momentum <= 0"
        )  # fmt: skip
        fall = Rule("momentum is negative", f"{when} and momentum < 0")
        rise = Rule("momentum is not negative", f"{when} and momentum >= 0")
        return two_sided(
            direction,
            {"momentum": momentum},
            enter_long=up,
            exit_long=down,
            enter_short=fall,
            exit_short=rise,
            timezone=params["timezone"],
        )
    takes_long, takes_short = direction != "short_flat", direction != "long_flat"
    top, bottom = params["top"], params["bottom"] or params["top"]
    roles = {"momentum": momentum}
    least = "" if params["minimum"] is None else f" and momentum > {written(params['minimum'])}"
    most = "" if params["minimum"] is None else f" and momentum < {written(-params['minimum'])}"
    wins, loses = f"rank <= {top}{least}", f"rank_from_least <= {bottom}{most}"
    if takes_long:
        roles["rank"] = feature("RANK", momentum)
    if takes_short:
        roles["rank_from_least"] = feature("RANK", momentum, ascending=True)
    # With few symbols one can rank among both; then it is a winner.
    loser = f"{when} and {loses}" + (f" and not ({wins})" if takes_long else "")
    held = " or ".join(rule for rule, taken in ((wins, takes_long), (loses, takes_short)) if taken)
    sides = takes_long + takes_short
    return CrossSection(
        roles,
        f"{when} and {wins}" if takes_long else None,
        loser if takes_short else None,
        f"{when} and not ({held})",
        params["gross"] / sides / top,
        params["gross"] / sides / bottom,
        params["timezone"],
    )


def _check(params: Params) -> Sequence[Fault]:
    if params["skip"] >= params["lookback"]:
        rule = f"must be less than lookback (got skip: {params['skip']}, lookback: {params['lookback']})"
        return [Fault("skip", rule)]
    return ()


def _count(name: str, default: int | None, doc: str) -> Parameter:
    return Parameter(name, "int", default, minimum=1, maximum=10_000, doc=doc)


INFO = StrategyInfo(
    name="momentum",
    summary="Hold what has risen over a long span, each symbol by itself or the best of them all",
    source="time_series: Moskowitz, Ooi and Pedersen (2012), Time Series Momentum, Journal of Financial Economics "
    "104(2); cross_section: Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers, Journal of "
    "Finance 48(1)",
    parameters=(
        Parameter(
            "mode",
            "str",
            "time_series",
            choices=("time_series", "cross_section"),
            doc="each symbol by the sign of its own return, or the symbols of greatest return",
        ),
        Parameter("lookback", "int", 252, minimum=1, maximum=100_000, doc="bars over which the return is taken"),
        Parameter("skip", "int", 0, minimum=0, maximum=100_000, doc="newest bars of these that are left out"),
        REBALANCE,
        _count("top", 1, "cross_section: how many of the greatest are held"),
        _count("bottom", None, "cross_section: how many of the least are sold short; null: as many as top"),
        Parameter(
            "minimum",
            "float",
            None,
            minimum=-1,
            maximum=100,
            doc="cross_section: return that a winner must exceed (a loser must fall below its negative); null: none",
        ),
        positive("gross", 1.0, "cross_section: sum of all weights without their signs, as a fraction of equity"),
        DIRECTION,
        TIMEZONE,
    ),
    rules=(
        "Momentum is close[t-skip] / close[t-lookback] - 1, over a symbol's own bars.",
        "Decisions fall on a symbol's first bar of trading and its first bar of each day, week or month.",
        "time_series: long when momentum > 0, short (or flat) when it is less; sized by the risk profile.",
        "cross_section: the `top` greatest are held at equal weights and, with long_short, the `bottom` least "
        "sold short, half of gross each. The weights replace the sizing of the risk profile.",
        "Ranks are among all symbols of the data that have a bar; equal values share their mean rank.",
    ),
    example="""\
strategies:
  - name: winners
    type: momentum
    params: {mode: cross_section, lookback: 252, skip: 21, top: 1, rebalance: monthly}
""",
    build=_build,
    check=_check,
)
