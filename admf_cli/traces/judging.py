"""What each rule of a strategy came to at a bar without a signal, and what that says. Refuses to put it into words.

The rules stand in the strategy's PHASE_START, the values in BAR and FEATURE lines, so nothing is computed that the run
did not use.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from admf_cli.traces.archive import Archive
from admf_cli.traces.event import TracedEvent
from admf_cli.traces.history import History
from admf_cli.traces.members import LOOK_BACK_BARS, Gate, gates_of, is_of_gate, passes


class ConditionCase(Struct, frozen=True):
    """One condition at one bar; `holds` is None where a value is undefined or not on disk."""

    text: str
    holds: bool | None
    values: dict[str, float | None]
    depth: int


class RuleCase(Struct, frozen=True):
    """One rule, its parts and what they came to; `problem` says why it could not be judged."""

    name: str
    expression: str
    conditions: tuple[ConditionCase, ...]
    problem: str | None = None

    @property
    def holds(self) -> bool | None:
        """True if the whole expression held."""
        return self.conditions[0].holds if self.conditions else None


class Judgement(Struct, frozen=True):
    """What the rules came to.

    Attributes:
        verdict: "wanted already" (a rule held, but the strategy already wanted it), "outvoted" (a member's rule held,
            but not enough of them), "gate closed" (a rule behind a closed gate held), "gate unknown" (behind one that
            bars not looked at decided), "warming up" (a rule needs a value that is still undefined), "not met",
            "not its symbol", "no rules" (its code decides), "not recorded" (it replays a recording), or "rules unknown"
            (they or their values are not on disk).
        notes: what is not on disk that the answer would need.
    """

    verdict: str
    rules: tuple[RuleCase, ...] = ()
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()


def judge(archive: Archive, strategy: str, bar: TracedEvent) -> Judgement:
    """Return what a strategy's rules came to at a bar."""
    start = archive.start(strategy)
    if start is None:
        why = archive.why_gone(strategy, 1)
        return Judgement("rules unknown", notes=(f"its rules stood in {strategy}#1: {why}",))
    settings = start.mapping("settings")
    only = settings.get("symbols")
    if isinstance(only, list) and only and bar.symbol not in only:
        return Judgement("not its symbol")
    expressions = settings.get("rules")
    if not isinstance(expressions, dict) or not expressions:
        return Judgement("not recorded" if settings.get("type") == "recorded" else "no rules")
    roles = settings.get("features")
    history = History(archive, bar, roles if isinstance(roles, dict) else {})
    zones = settings.get("timezones")  # of rules that don't share one
    zones = zones if isinstance(zones, dict) else {}
    common = settings.get("timezone", "UTC")

    def judged(name: str, expression: str, lag: int) -> RuleCase:
        return _rule(name, expression, lambda read, ago: history.value(read, ago + lag), str(zones.get(name, common)))

    rules = tuple(judged(name, text, 0) for name, text in expressions.items() if isinstance(text, str))
    undefined, notes = bool(history.undefined), history.notes()
    gates = gates_of(
        expressions,
        lambda name, text, lag: judged(name, text, lag).holds,
        lambda: history.begins_within(LOOK_BACK_BARS),
    )
    held = [rule for rule in rules if rule.holds and not is_of_gate(rule.name)]
    passing = {passes(rule.name, gates) for rule in held}
    if passing == {False}:
        verdict = "gate closed"
    elif held and True not in passing:
        verdict = "gate unknown"
    elif held:
        verdict = "outvoted" if settings.get("type") == "ensemble" else "wanted already"
    elif undefined:
        verdict = "warming up"
    else:
        verdict = "not met" if any(rule.holds is False for rule in rules) else "rules unknown"
    return Judgement(verdict, rules, gates, notes)


def _rule(name: str, expression: str, lookup: Callable[[str, int], float | None], timezone: str) -> RuleCase:
    # Imported here: the language of rules is needed only where there was no signal.
    from zoneinfo import ZoneInfoNotFoundError

    from admf_cli.strategies.explanation import explain
    from admf_cli.strategies.expression import ExpressionError

    try:
        parts = explain(expression, lookup, timezone)
    except (ExpressionError, ZoneInfoNotFoundError, ValueError, OverflowError) as error:
        return RuleCase(name, expression, (), f"can't be read: {error}")
    conditions = tuple(ConditionCase(part.text, part.holds, part.values, part.depth) for part in parts)
    return RuleCase(name, expression, conditions)
