"""An explanation as an indented tree of sentences, or as JSON. Finds nothing by itself."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from admf_cli.traces.archive import Gone
from admf_cli.traces.event import TracedEvent
from admf_cli.traces.explain import Explanation, Node
from admf_cli.traces.render.screen import Screen
from admf_cli.traces.render.text import moment, printable
from admf_cli.traces.render.words import details, headline, style_of, values

_TITLES = {
    "asked": "What was asked about",
    "entry": "How the position was opened",
    "exit": "How the position was closed",
}


def show_explanation(answer: Explanation, screen: Screen) -> None:
    """Print each causal tree, causes above their effects."""
    screen.heading(f"{answer.phase}: {', '.join(answer.asked[:5])}")
    if answer.note:
        screen.line(answer.note, "dim")
    for flow in answer.flows:
        screen.line()
        screen.heading(_TITLES.get(flow.title, flow.title))
        _show(flow.root, 0, answer, screen)
    screen.line()
    if not answer.complete:
        screen.line("incomplete: some causes are not on disk (see above)", "yellow")
    for note in answer.notes:
        screen.line(f"note: {note}", "yellow")
    if answer.cut:
        screen.line("there is more than is shown here", "yellow")


def explanation_document(answer: Explanation) -> dict[str, Any]:
    """Return an explanation as plain mappings, each event with its words."""
    return {
        "phase": answer.phase,
        "asked": answer.asked,
        "note": answer.note,
        "complete": answer.complete,
        "cut": answer.cut,
        "rules": answer.rules,
        "limits": answer.limits,
        "notes": answer.notes,
        "flows": [{"title": flow.title, "root": _node_document(flow.root)} for flow in answer.flows],
    }


def _show(node: Node, depth: int, answer: Explanation, screen: Screen) -> None:
    indent, event = "  " * depth, node.event
    if isinstance(event, Gone):
        screen.line(f"{indent}{event.event_id}: {event.why}", "yellow")
    else:
        mark = "  <== asked" if node.asked else ""
        symbol = f" {event.symbol}" if event.symbol else ""
        line = f"{indent}{moment(event.timestamp)}{symbol}  {headline(event)}  ({event.event_id}){mark}"
        screen.line(line, style_of(event) + (" bold" if node.asked else ""))
        for text in _more(node, event, answer):
            screen.line(f"{indent}    {text}", "dim")
    for effect in node.effects:
        _show(effect, depth + 1, answer, screen)


def _more(node: Node, event: TracedEvent, answer: Explanation) -> list[str]:
    lines = [f"features: {values(node.features)}"] if node.features else []
    rule = event.text("rule") if event.event_type == "SIGNAL" else None
    expression = answer.rules.get(event.container_id, {}).get(rule or "")
    if expression is not None:
        lines.append(f"rule: {expression}")
    if node.met is not None:
        lines.append(f"met {headline(node.met)} ({node.met.event_id})")
    lines += details(event, _answers(node))
    limits = answer.limits.get(event.container_id) if event.event_type == "ORDER" and event.mapping("sizing") else None
    if limits:
        lines.append(f"risk limits that let it pass: {values(limits)}")
    return lines


def _answers(node: Node) -> list[TracedEvent]:
    return [effect.event for effect in node.effects if isinstance(effect.event, TracedEvent)]


def _node_document(root: Node) -> dict[str, Any]:
    event = root.event
    if isinstance(event, Gone):
        document: dict[str, Any] = {"event_id": event.event_id, "gone": event.why}
    else:
        words = [printable(line) for line in (headline(event), *details(event, _answers(root)))]
        document = {"asked": root.asked, "words": words, "event": to_builtins(event)}
        if root.features:
            document["features"] = root.features
        if root.met is not None:
            document["met"] = to_builtins(root.met)
    document["effects"] = [_node_document(effect) for effect in root.effects]
    return document
