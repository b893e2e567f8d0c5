"""What strategies made of strategies share: names that keep members apart, and positions as columns.

Refuses to know how members are combined.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from admf_cli.features import FeatureSpec
from admf_cli.strategies.nesting import Member

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray, IntArray
    from admf_cli.strategies.interface import Decisions, Strategy
    from admf_cli.strategies.syntax import Node


def member_features(members: Sequence[Member]) -> dict[str, FeatureSpec]:
    """Return what all members need: `trend.fast` is what the member `trend` calls fast."""
    return {
        f"{member.name}.{role}": spec
        for member in members
        for role, spec in member.strategy.required_features().items()
    }


def member_rules(members: Sequence[Member]) -> dict[str, str]:
    """Return the rules of all members, `trend: fast crosses above slow`, with their features' names as above."""
    return {
        f"{member.name}: {rule}": prefixed(expression, tuple(member.strategy.required_features()), member.name)
        for member in members
        for rule, expression in member.strategy.rules().items()
    }


def member_decisions(member: Member, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
    """Return a member's decisions."""
    roles = {role: features[f"{member.name}.{role}"] for role in member.strategy.required_features()}
    return member.strategy.decide(bars, roles, first)


def rule_timezones(strategy: Strategy) -> dict[str, str]:
    """Return the IANA zone in which each rule of a strategy reads the clock, under the rule's name."""
    composed = getattr(strategy, "timezones", None)
    if composed is not None:
        zones: dict[str, str] = composed()
        return zones
    return dict.fromkeys(strategy.rules(), getattr(strategy, "timezone", "UTC"))


def member_timezones(members: Sequence[Member]) -> dict[str, str]:
    """Return the zones of the rules of all members, under the names that `member_rules` gives them."""
    return {
        f"{member.name}: {rule}": zone for member in members for rule, zone in rule_timezones(member.strategy).items()
    }


def prefixed(expression: str, names: Collection[str], prefix: str) -> str:
    """Return an expression in which each of `names` is written as `prefix.name`."""
    from admf_cli.strategies.expression import parse_condition

    places = sorted(set(_places(parse_condition(expression), names)), reverse=True)
    for place in places:
        expression = f"{expression[:place]}{prefix}.{expression[place:]}"
    return expression


def _places(node: Node, names: Collection[str]) -> Iterator[int]:
    from admf_cli.strategies.syntax import Name, children

    if isinstance(node, Name) and node.name in names:
        yield node.start
    for part in children(node):
        yield from _places(part, names)


def held(decisions: Decisions, bars: Bars) -> FloatArray:
    """Return what is wanted at each bar, shape (n_bars, n_symbols): the target decided last, 0 before the first."""
    import numpy as np

    wanted = np.zeros(bars.close.shape, order="F")
    for symbol in range(bars.n_symbols):
        rows, targets = of_symbol(decisions, symbol)
        if len(rows):
            lengths = np.diff(np.append(rows, bars.n_bars))
            wanted[rows[0] :, symbol] = np.repeat(targets, lengths)
    return wanted


def of_symbol(decisions: Decisions, symbol: int) -> tuple[IntArray, FloatArray]:
    """Return bars and targets of one symbol's decisions."""
    mine = decisions.symbol == symbol
    return decisions.bar[mine], decisions.target[mine]


def rules_decided(members: Sequence[Member], decided: Sequence[Decisions]) -> dict[tuple[int, int], str]:
    """Return (bar, symbol) -> the rule by which the first member that decided there did so, or its name."""
    found: dict[tuple[int, int], str] = {}
    for member, decisions in zip(members, decided, strict=True):
        places = zip(decisions.bar.tolist(), decisions.symbol.tolist(), strict=True)
        for place, rule in zip(places, decisions.rule or ("",) * len(decisions), strict=True):
            found.setdefault(place, f"{member.name}: {rule}" if rule else member.name)
    return found
