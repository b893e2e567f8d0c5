"""Where two runs part, as text and JSON. Finds nothing by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import to_builtins

from admf_cli.traces.alignment import FieldDifference
from admf_cli.traces.archive import Gone
from admf_cli.traces.diff import Parting, PhaseDiff, TraceDiff
from admf_cli.traces.event import TracedEvent
from admf_cli.traces.render.screen import Column, Screen
from admf_cli.traces.render.text import decimal, moment, number, printable
from admf_cli.traces.render.words import headline

_FIELDS = (Column("field", style="cyan", wraps=True), Column("A", wraps=True), Column("B", wraps=True))
_TYPES = (
    Column("container", style="cyan", wraps=True),
    Column("type"),
    Column("changed", right=True),
    Column("only A", right=True),
    Column("only B", right=True),
)
_KEYS = (
    Column("container", style="cyan", wraps=True),
    Column("type"),
    Column("key", wraps=True),
    Column("only in"),
)
_METRICS = (
    Column("portfolio", style="cyan", wraps=True),
    Column("figure"),
    Column("A", right=True),
    Column("B", right=True),
    Column("B - A", right=True),
)
_COLOURS = {"A": "magenta", "B": "blue"}


def show_diff(answer: TraceDiff, screen: Screen) -> None:
    """Print, phase by phase, where the runs part and how far, then the verdict."""
    screen.line(f"A  {answer.a}")
    screen.line(f"B  {answer.b}")
    screen.line()
    for phase in answer.phases:
        _show_phase(phase, screen)
    for side, names in (("A", answer.only_a), ("B", answer.only_b)):
        for name in names:
            screen.line(f"phase {name} is only in {side}", "red")
    if answer.same:
        screen.line("the same happened in both", "green")
    else:
        screen.line("they differ", "bold red")


def diff_document(answer: TraceDiff) -> dict[str, Any]:
    """Return a comparison as plain mappings, the parting events with their words."""
    document: dict[str, Any] = to_builtins(answer)
    for phase, plain in zip(answer.phases, document["phases"], strict=True):
        plain["same"] = phase.same
        if phase.parting is not None:
            pair = phase.parting.pair
            plain["parting"]["words"] = [None if one is None else printable(headline(one)) for one in (pair.a, pair.b)]
    return {"same": answer.same, **document}


def _show_phase(phase: PhaseDiff, screen: Screen) -> None:
    title = phase.a if phase.a == phase.b else f"{phase.a}  |  {phase.b}"
    screen.heading(title)
    if phase.headers:
        screen.table(_FIELDS, _field_rows(phase.headers), title="headers that differ")
    for container, fields in phase.settings.items():
        screen.table(_FIELDS, _field_rows(fields), title=f"configuration of {container}")
    keys = [
        (container, key.event_type, key.path, key.only) for container, one in phase.recording.items() for key in one
    ]
    if keys:
        screen.table(_KEYS, keys, title="keys that only one version writes (not counted as differences)")
    for note in phase.notes:
        screen.line(f"note: {note}", "dim")
    if phase.ids_only:
        what = "ids, numbers and such keys" if phase.recording else "ids and numbers"
        screen.line(f"{phase.ids_only:,} events differ in {what} only", "dim")
    if phase.parting is None:
        screen.line(f"the same happened in {', '.join(phase.compared)}", "green")
        screen.line()
        return
    _show_parting(phase.parting, screen)
    rows = [
        (one.container, one.event_type, f"{one.changed:,}", f"{one.only_a:,}", f"{one.only_b:,}") for one in phase.types
    ]
    screen.table(_TYPES, rows, title="events that differ")
    if phase.metrics:
        metrics = [
            (
                one.portfolio,
                one.name,
                number(one.a),
                number(one.b),
                decimal(one.b - one.a) if one.a is not None and one.b is not None else "",
            )
            for one in phase.metrics
        ]
        screen.table(_METRICS, metrics, title="results that differ")


def _show_parting(parting: Parting, screen: Screen) -> None:
    screen.line()
    screen.heading(f"they part in {parting.container}")
    pair = parting.pair
    for side, event, causes in (("A", pair.a, parting.causes_a), ("B", pair.b, parting.causes_b)):
        _show_side(side, event, causes, screen)
    if pair.fields:
        screen.line()
        screen.table(_FIELDS, _field_rows(pair.fields), title="what differs")


def _show_side(side: str, event: TracedEvent | None, causes: Sequence[TracedEvent | Gone], screen: Screen) -> None:
    if event is None:
        screen.line(f"{side}  has no such event", _COLOURS[side])
        return
    screen.line(f"{side}  {_told(event)}", _COLOURS[side])
    for depth, cause in enumerate(causes):
        text = f"{cause.event_id}: {cause.why}" if isinstance(cause, Gone) else _told(cause)
        screen.line(f"   {'  ' * depth}because of  {text}", "dim")


def _told(event: TracedEvent) -> str:
    symbol = f" {event.symbol}" if event.symbol else ""
    return f"{moment(event.timestamp)}{symbol}  {headline(event)}  ({event.event_id})"


def _field_rows(fields: Sequence[FieldDifference]) -> list[tuple[str, str, str]]:
    return [(one.path, _value(one.a), _value(one.b)) for one in fields]


def _value(value: Any) -> str:
    return repr(value) if isinstance(value, float) else number(value)
