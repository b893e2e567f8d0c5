"""Ensembles: several strategies decide together, by votes, by weights, or by order of rank."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from admf_cli.features import FeatureSpec
from admf_cli.features.parameters import Fault, Parameter, did_you_mean
from admf_cli.strategies.composition import (
    held,
    member_decisions,
    member_features,
    member_rules,
    member_timezones,
    rules_decided,
)
from admf_cli.strategies.description import Features, Params, StrategyInfo
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.nesting import Member

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray
    from admf_cli.strategies.interface import Decisions


class Ensemble(Struct, frozen=True):
    """Wants what its members want together.

    Attributes:
        weights: of the members, in their order; they sum up to 1.
        quorum: votes needed.
        threshold: score needed, of 1.
        by_weight: True to hold the score as a weight, False to hold its side.
    """

    members: Sequence[Member]
    method: str
    weights: Sequence[float]
    quorum: int
    threshold: float
    by_weight: bool

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return those of the members, as `member.role`."""
        return member_features(self.members)

    def rules(self) -> Mapping[str, str]:
        """Return those of the members."""
        return member_rules(self.members)

    def timezones(self) -> Mapping[str, str]:
        """Return the zones of the members' rules."""
        return member_timezones(self.members)

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return a decision at each bar at which a member's decision changes what is wanted together."""
        import numpy as np

        from admf_cli.strategies.positions import decide_weights, with_evidence

        decided = [member_decisions(member, bars, features, first) for member in self.members]
        wanted = [held(decisions, bars) for decisions in decided]
        together, evidence = self._combined(wanted)
        votes = {member.name: column for member, column in zip(self.members, wanted, strict=True)}
        rules = rules_decided(self.members, decided)
        if self.by_weight:
            moments = np.zeros(bars.close.shape, dtype=bool)
            for decisions in decided:
                moments[decisions.bar, decisions.symbol] = True
            return decide_weights(
                moments, together, lambda bar, symbol: rules[bar, symbol], bars, first, votes | evidence
            )
        before = np.zeros(together.shape)
        before[1:] = together[:-1]
        bar, symbol = np.nonzero(together != before)
        names = tuple(rules[place] for place in zip(bar.tolist(), symbol.tolist(), strict=True))
        return with_evidence(bars, bar, symbol, together[bar, symbol], names, votes | evidence)

    def _combined(self, wanted: Sequence[FloatArray]) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Return what is wanted together, and the figures it follows from."""
        import numpy as np

        if self.method == "first":
            together = np.zeros(wanted[0].shape)
            for column in reversed(wanted):
                together = np.where(column != 0.0, np.sign(column), together)
            return together, {}
        if self.method == "vote":
            longs = np.sum([column > 0.0 for column in wanted], axis=0)
            shorts = np.sum([column < 0.0 for column in wanted], axis=0)
            bought, sold = (longs >= self.quorum) & (longs > shorts), (shorts >= self.quorum) & (shorts > longs)
            return bought * 1.0 - sold, {"votes_long": longs * 1.0, "votes_short": shorts * 1.0}
        score: FloatArray = np.zeros(wanted[0].shape)
        for weight, column in zip(self.weights, wanted, strict=True):
            score += weight * column
        if self.by_weight:
            return score, {"score": score}
        enough = np.abs(score) >= self.threshold * (1.0 - 1e-12)  # 0.1 + 0.2 reaches 0.3
        return np.where(enough, np.sign(score), 0.0), {"score": score}


def _build(params: Params, features: Features) -> Strategy:
    members: Sequence[Member] = params["members"]
    weights = [float((params["weights"] or {}).get(member.name, 1.0)) for member in members]
    total = math.fsum(weights)
    quorum = params["quorum"]
    return Ensemble(
        tuple(members),
        params["method"],
        [weight / total for weight in weights],
        len(members) // 2 + 1 if quorum is None else quorum,
        params["threshold"],
        params["method"] == "weighted" and params["output"] == "weight",
    )


def _check(params: Params) -> Sequence[Fault]:
    members, faults = params["members"], []
    names = [member if isinstance(member, str) else member["name"] for member in members]
    if not members:
        faults.append(Fault("members", "needs at least one strategy"))
    if params["quorum"] is not None and params["quorum"] > len(members):
        faults.append(Fault("quorum", f"must be at most the number of members (got {params['quorum']})"))
    for name, weight in (params["weights"] or {}).items():
        if name not in names:
            hint = did_you_mean(str(name), names)
            faults.append(Fault(str(name), f"is not a parameter (known: {', '.join(names)}){hint}", ("weights",)))
        elif isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < math.inf:
            faults.append(Fault(str(name), f"must be a number above 0 (got {weight!r})", ("weights",)))
    return faults


INFO = StrategyInfo(
    name="ensemble",
    summary="Let several strategies decide together: by votes, by weights, or by order of rank",
    source="majority and weighted voting: Kuncheva (2004), Combining Pattern Classifiers, chapter 4",
    parameters=(
        Parameter(
            "members", "strategies", required=True, doc="blocks with name, type and params, or names of strategies"
        ),
        Parameter(
            "method",
            "str",
            "vote",
            choices=("vote", "weighted", "first"),
            doc="what most want; what the weighted sum says; or what the first member that is not flat wants",
        ),
        Parameter("quorum", "int", None, minimum=1, maximum=1000, doc="vote: votes needed; null: more than half"),
        Parameter("weights", "mapping", None, doc="weighted: member: weight; 1 where none is given"),
        Parameter(
            "threshold", "float", 0.5, above=0, maximum=1, doc="weighted: share of all weights needed for a side"
        ),
        Parameter(
            "output",
            "str",
            "direction",
            choices=("direction", "weight"),
            doc="weighted: hold the side, sized by the risk profile; or the weighted sum, as a fraction of equity",
        ),
    ),
    rules=(
        "A member wants what it decided last, and nothing before its first decision; of weights, vote and first read "
        "the side only.",
        "vote: long when at least `quorum` members are long and more are long than short; short mirrors; else flat.",
        "weighted: the sum of weight x wanted over all members, divided by the sum of the weights; long from threshold "
        "on, short from -threshold on, flat between.",
        "first: the side of the first member, in the order written, that is not flat.",
    ),
    example="""\
strategies:
  - name: committee
    type: ensemble
    params:
      method: vote
      members:
        - {name: trend, type: sma_crossover, params: {fast: 10, slow: 50}}
        - {name: breakout, type: donchian_breakout}
        - {name: momentum, type: momentum, params: {lookback: 120}}
""",
    build=_build,
    check=_check,
)
