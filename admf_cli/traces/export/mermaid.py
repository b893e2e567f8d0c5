"""A causal graph as a Mermaid flowchart, which GitHub, GitLab and most wikis draw. Refuses to find causes itself."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from admf_cli.traces.archive import Gone
from admf_cli.traces.explain import Explanation, Node, explain_in
from admf_cli.traces.export.interface import STANDARD_OUTPUT, Exported, Request
from admf_cli.traces.export.output import write_export
from admf_cli.traces.render.text import moment, printable
from admf_cli.traces.render.words import details, headline

_MAX_TEXT = 45_000  # renderers refuse more than 50,000 characters
_LABEL_LETTERS = 300
_ESCAPED = {'"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "&": "#amp;", "`": "#96;", "\\": "#92;"}
_COLOURS = {
    "BAR": "fill:#eceff1,stroke:#90a4ae,color:#000",
    "SIGNAL": "fill:#e0f7fa,stroke:#00838f,color:#000",
    "ORDER": "fill:#fff8e1,stroke:#ff8f00,color:#000",
    "FILL": "fill:#e8f5e9,stroke:#2e7d32,color:#000",
    "REJECT": "fill:#ffebee,stroke:#c62828,color:#000",
    "CANCEL": "fill:#f3e5f5,stroke:#6a1b9a,color:#000",
    "EXPIRE": "fill:#f3e5f5,stroke:#6a1b9a,color:#000",
    "RISK_BREACH": "fill:#ffebee,stroke:#c62828,color:#000",
}


def export_mermaid(request: Request) -> Exported:
    """Write the graph of one event: `request.event`, else the last fill."""
    answer = explain_in(request.phases, request.event or "last-fill")
    graph = _Graph(answer)
    text = "".join(f"{line}\n" for line in graph.lines())
    if request.output == STANDARD_OUTPUT:
        sys.stdout.write(text)
    else:
        write_export(request.output, [text.encode()])
    notes = [] if request.event else ["the graph is of the last fill; name another event with --event"]
    if graph.left_out or answer.cut:
        notes.append("there is more than fits into one graph")
    return Exported((request.output,), {"events": graph.nodes}, tuple(notes))


class _Graph:
    def __init__(self, answer: Explanation) -> None:
        self.nodes = self.left_out = 0
        self._answer = answer
        self._names: dict[str, str] = {}
        self._length = 0

    def lines(self) -> Iterator[str]:
        yield "flowchart TD"
        for flow in self._answer.flows:
            yield from self._below(flow.root, None)
        for event_type, colours in _COLOURS.items():
            yield f"    classDef {event_type} {colours}"
        yield "    classDef gone stroke-dasharray:4"
        yield "    classDef asked stroke-width:4px"

    def _below(self, root: Node, cause: str | None) -> Iterator[str]:
        pending = [(root, cause)]
        while pending:
            node, above = pending.pop()
            name = self._names.get(node.event_id)
            if name is None:
                if self._length > _MAX_TEXT:
                    self.left_out += 1
                    continue
                name = self._names[node.event_id] = f"n{len(self._names) + 1}"
                self.nodes += 1
                yield self._kept(f'    {name}["{_label(node)}"]{_classes(node)}')
                if node.asked:
                    yield f"    class {name} asked"
            if above is not None:
                yield self._kept(f"    {above} --> {name}")
            pending.extend((effect, name) for effect in reversed(node.effects))

    def _kept(self, line: str) -> str:
        self._length += len(line) + 1
        return line


def _label(node: Node) -> str:
    event = node.event
    if isinstance(event, Gone):
        return f"{_text(event.event_id)}<br/>{_text(event.why)}"
    lines = [f"{moment(event.timestamp)} {event.symbol or ''}", headline(event), *details(event)[:2], event.event_id]
    return "<br/>".join(_text(line) for line in lines)


def _classes(node: Node) -> str:
    if isinstance(node.event, Gone):
        return ":::gone"
    return f":::{node.event.event_type}" if node.event.event_type in _COLOURS else ""


def _text(text: str) -> str:
    """Return text that a renderer shows as it is, whatever is in it."""
    return re.sub(r'["<>#&`\\]', lambda match: _ESCAPED[match.group()], printable(text, _LABEL_LETTERS)).strip()
