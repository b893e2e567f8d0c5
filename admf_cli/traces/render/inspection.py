"""An inspection as tables. Computes nothing."""

from __future__ import annotations

from admf_cli.traces.inspect import ContainerInspection, Inspection, PhaseInspection
from admf_cli.traces.render.screen import Column, Screen
from admf_cli.traces.render.text import moment, printable

_COLUMNS = (
    Column("container", style="cyan", wraps=True),
    Column("status", wraps=True),
    Column("written", right=True),
    Column("filtered", right=True),
    Column("dropped", right=True),
    Column("faults", wraps=True),
)
_TYPE_COLUMNS = (
    Column("container", style="cyan", wraps=True),
    Column("first"),
    Column("last"),
    Column("events by type", wraps=True),
)


def show_inspection(answer: Inspection, screen: Screen) -> None:
    """Print the containers of every phase, then what is wrong."""
    for phase in answer.phases:
        rows = [_row(one) for one in phase.containers]
        screen.table(_COLUMNS, rows, title=_title(phase))
        screen.table(_TYPE_COLUMNS, [_type_row(one) for one in phase.containers])
    for note in answer.notes:
        screen.line(f"note: {note}", "dim")
    if answer.sound:
        screen.line(f"sound: {_amount(answer)}", "green")
        return
    for fault in answer.faults:
        screen.line(str(fault), "red")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in answer.fault_counts.items())
    screen.line(f"not sound: {kinds}", "bold red")


def _title(phase: PhaseInspection) -> str:
    config = f" ({phase.config_name})" if phase.config_name else ""
    return f"{phase.workflow_id}/{phase.phase_name}{config}"


def _amount(answer: Inspection) -> str:
    containers = [one for phase in answer.phases for one in phase.containers]
    events = sum(one.written for one in containers)
    phases = _plural(len(answer.phases), "phase")
    return f"{phases}, {_plural(len(containers), 'container')}, {_plural(events, 'event')} on disk"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _row(one: ContainerInspection) -> tuple[str, ...]:
    troubles = (
        ("torn", one.torn_lines),
        ("bad", one.bad_lines),
        ("duplicate", one.duplicate),
        ("missing", one.missing),
        ("orphans", one.orphans),
    )
    wrong = ", ".join(f"{count:,} {name}" for name, count in troubles if count)
    if one.causes_dropped:
        wrong += (", " if wrong else "") + f"{one.causes_dropped:,} causes not kept"
    return (
        one.container_id,
        one.status if one.reason is None else f"{one.status}: {one.reason}",
        f"{one.written:,}",
        _count(one.filtered),
        _count(one.dropped),
        wrong or "none",
    )


def _type_row(one: ContainerInspection) -> tuple[str, ...]:
    types = ", ".join(f"{count:,} {printable(name, 40)}" for name, count in one.events.items()) or "none"
    return one.container_id, moment(one.first_timestamp or "-"), moment(one.last_timestamp or "-"), types


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"
