"""The answer to `why-not` as sentences, or as JSON. Judges nothing by itself."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from admf_cli.traces.event import TracedEvent
from admf_cli.traces.judging import RuleCase
from admf_cli.traces.members import Gate
from admf_cli.traces.render.screen import Screen
from admf_cli.traces.render.text import decimal, moment, number, printable
from admf_cli.traces.render.words import details, headline, reason_in_words, values
from admf_cli.traces.why_not import Case, Outcome, WhyNot

_VERDICTS = {
    "wanted already": "no signal: a rule held, but it asks for what the strategy wanted already",
    "outvoted": "no signal: a member's rule held, but together the members want what they wanted already",
    "gate closed": "no signal: a rule held, but its gate was closed",
    "gate unknown": "no signal: a rule held; its gate may have been closed, as none of the bars looked at decides it",
    "warming up": "no signal: a feature is still warming up",
    "not met": "no signal: no rule held",
    "not its symbol": "no signal: the strategy does not trade this symbol",
    "no rules": "no signal; the strategy states no rules (code or a recording decides): what it lacked can't be told",
    "not recorded": "no signal: the recording that it replays holds none for this bar",
    "rules unknown": "no signal, and what it lacked can't be told: its rules or their values are not on disk",
    "not kept": "whether there was a signal can't be told: it would not be on disk",
}
_OUTCOMES = {
    "filled": "filled",
    "partly filled": "filled in part",
    "rejected": "rejected",
    "cancelled": "cancelled",
    "expired": "expired",
    "working": "the order was still working when the trace ended",
    "withdrawn": "the order was withdrawn, as asked",
    "not kept": "what became of it was dropped (see inspect)",
    "no answer": "no answer on disk",
}
_SIDES = {1.0: "long", -1.0: "short", 0.0: "flat"}
_SIGNS = {True: "yes", False: "no ", None: "?  "}


def show_why_not(answer: WhyNot, screen: Screen) -> None:
    """Print what happened to signals, or what each rule lacked."""
    if not answer.bars:
        screen.heading(f"{answer.phase}: no bar between {answer.start} and {answer.stop}")
        for word, bar in (("the bar before", answer.previous_bar), ("the next bar", answer.next_bar)):
            screen.line(f"{word}: {moment(bar.timestamp) if bar else 'none on disk'}")
        for note in answer.notes:
            screen.line(f"note: {note}", "yellow")
        return
    for case in answer.cases:
        _show_case(answer, case, screen)
    shown = len({case.bar.event_id for case in answer.cases})
    if shown < answer.bars:
        screen.line(f"{answer.bars - shown:,} more bars lie in that span; name a smaller one to see them", "dim")


def why_not_document(answer: WhyNot) -> dict[str, Any]:
    """Return the answer as plain mappings, verdicts with their words."""
    document: dict[str, Any] = to_builtins(answer)
    for case, plain in zip(answer.cases, document["cases"], strict=True):
        plain["words"] = [printable(line) for line in _said(case)]
    return document


def _show_case(answer: WhyNot, case: Case, screen: Screen) -> None:
    screen.heading(f"{answer.phase}  {moment(case.bar.timestamp)}  {case.symbol}  {case.strategy}")
    if case.bar.event_type == "BAR":
        screen.line(f"  {headline(case.bar)}  ({case.bar.event_id})", "dim")
    for line in _said(case):
        screen.line(f"  {line}")
    screen.line()


def _said(case: Case) -> list[str]:
    lines: list[str] = []
    for one in case.signals:
        lines.append(f"{headline(one.signal)}  ({one.signal.event_id})")
        lines += [f"    {text}" for text in details(one.signal)]
        for outcome in one.outcomes:
            lines += _outcome_lines(outcome)
    if not case.signals:
        lines.append(_VERDICTS.get(case.verdict, case.verdict))
        for rule in case.rules:
            lines += _rule_lines(rule)
        lines += [_gate(gate) for gate in case.gates]
        lines += _member_lines(case)
        if case.features:
            lines.append(f"features: {values(case.features)}")
        lines += [f"note: {note}" for note in case.notes]
        for word, signal in (("last signal before", case.before), ("next signal after", case.after)):
            lines.append(f"{word}: {_brief(signal)}")
    for standing in case.standing:
        since = moment(standing.since.timestamp)
        lines.append(f"{standing.portfolio} held {decimal(standing.quantity)} at the close, since {since}")
    return lines


def _outcome_lines(outcome: Outcome) -> list[str]:
    word = _OUTCOMES.get(outcome.verdict, outcome.verdict)
    why = f": {reason_in_words(outcome.reason)}" if outcome.reason else ""
    lines = [f"  {outcome.portfolio}: {word}{why}"]
    for event in (outcome.order, outcome.deciding):
        if event is not None:
            lines.append(f"    {moment(event.timestamp)}  {headline(event)}  ({event.event_id})")
            lines += [f"      {text}" for text in details(event, [outcome.deciding] if outcome.deciding else ())]
    return lines


def _gate(gate: Gate) -> str:
    name = f"the gate of {gate.name}" if gate.name else "the gate"
    if gate.is_open is None:
        return f"{name}: closed, unless bars long ago opened it"
    if gate.bars_ago is None:
        return f"{name}: closed (it begins so, and no bar has opened it yet)"
    moved = "at this bar" if not gate.bars_ago else f"{gate.bars_ago:,} bars ago"
    return f"{name}: {'open' if gate.is_open else 'closed'} (decided {moved})"


def _member_lines(case: Case) -> list[str]:
    members = case.members
    if members is None:
        return []
    how = {
        "vote": f"{number(members.needed)} of {len(members.names)} votes decide",
        "weighted": f"a weighted sum of {number(members.needed)} decides",
        "first": "the first that is not flat decides",
    }.get(members.method, f"together they decide by {members.method}")
    lines = [f"members: {', '.join(members.names)}; {how}"]
    for word, signal, wants in (
        ("at the last signal", case.before, members.before),
        ("at the next", case.after, members.after),
    ):
        if signal is not None and wants:
            said = ", ".join(f"{name} {_SIDES.get(value, number(value))}" for name, value in wants.items())
            lines.append(f"  {word}, {moment(signal.timestamp)}: {said}")
    return lines


def _rule_lines(rule: RuleCase) -> list[str]:
    sign = _SIGNS[rule.holds]
    lines = [f"  {sign} {rule.name}"]
    if rule.problem:
        lines.append(f"      {rule.expression}: {rule.problem}")
    for condition in rule.conditions:
        read = f"   [{values(condition.values)}]" if condition.values else ""
        lines.append(f"      {'  ' * condition.depth}{_SIGNS[condition.holds]} {condition.text}{read}")
    return lines


def _brief(signal: TracedEvent | None) -> str:
    if signal is None:
        return "none on disk"
    return f"{moment(signal.timestamp)} {(signal.text('action') or 'signal').replace('_', ' ')} ({signal.event_id})"
