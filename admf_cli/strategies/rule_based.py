"""A strategy made of rules as text: what most built-in strategies are, and `type: rules`. Refuses to read YAML.

What it decides by is what it shows: the expressions in its PHASE_START are the ones that are evaluated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from admf_cli.features import FeatureSpec

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, BoolArray, FloatArray
    from admf_cli.strategies.evaluation import Evaluator
    from admf_cli.strategies.interface import Decisions
    from admf_cli.strategies.positions import Evidence
    from admf_cli.strategies.syntax import Node


class Rule(NamedTuple):
    """A condition and what it is called in SIGNALs."""

    name: str
    expression: str


class RuleBased(Struct, frozen=True):
    """Enters and leaves by conditions on bars and features.

    Attributes:
        features: role -> feature; expressions name the roles.
        enter_long, exit_long, enter_short, exit_short: None where that move is never made.
        timezone: IANA name of the zone of times of day and dates in the rules.
        repeat: decide again on every bar on which the condition holds.
    """

    features: Mapping[str, FeatureSpec] = field(default_factory=dict)
    enter_long: Rule | None = None
    exit_long: Rule | None = None
    enter_short: Rule | None = None
    exit_short: Rule | None = None
    timezone: str = "UTC"
    repeat: bool = False

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return the features by role."""
        return self.features

    def rules(self) -> Mapping[str, str]:
        """Return the rules of all moves, each name once."""
        return {rule.name: rule.expression for rule in self._moves() if rule is not None}

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return a decision at each bar on which the rules change the wanted position."""
        from admf_cli.strategies.evaluation import Evaluator
        from admf_cli.strategies.expression import parse_condition
        from admf_cli.strategies.positions import Conditions, RuleNames, decide_positions

        evaluator = Evaluator(bars, features, first, self.timezone)
        trees = {text: parse_condition(text) for text in self.rules().values()}
        masks = {text: evaluator.holds(tree) for text, tree in trees.items()}
        moves: list[BoolArray | None] = [None if rule is None else masks[rule.expression] for rule in self._moves()]
        names = [rule.name if rule is not None else "" for rule in self._moves()]
        # A side left without a rule of its own is only ever left for the other side.
        return decide_positions(
            Conditions(*moves),
            RuleNames(names[0], names[1] or names[2], names[2], names[3] or names[0]),
            bars,
            first,
            evidence_of(trees.values(), evaluator),
            repeat=self.repeat,
        )

    def _moves(self) -> tuple[Rule | None, Rule | None, Rule | None, Rule | None]:
        return self.enter_long, self.exit_long, self.enter_short, self.exit_short


def two_sided(
    direction: str,
    features: Mapping[str, FeatureSpec],
    *,
    enter_long: Rule,
    exit_long: Rule,
    enter_short: Rule,
    exit_short: Rule,
    timezone: str = "UTC",
    repeat: bool = False,
) -> RuleBased:
    """Return a strategy without the side that `direction` (long_flat, long_short, short_flat) excludes."""
    takes_long, takes_short = direction != "short_flat", direction != "long_flat"
    return RuleBased(
        features,
        enter_long if takes_long else None,
        exit_long if takes_long else None,
        enter_short if takes_short else None,
        exit_short if takes_short else None,
        timezone,
        repeat,
    )


def evidence_of(trees: Collection[Node], evaluator: Evaluator) -> Evidence:
    """Return what the conditions read, by the names under which explanations show it."""
    from admf_cli.strategies.syntax import lagged_name, values_read

    evidence: dict[str, FloatArray | tuple[FloatArray, int]] = {}
    for tree in trees:
        for name, lag in values_read(tree):
            evidence.setdefault(lagged_name(name, lag), (evaluator.column(name), lag))
    return evidence
