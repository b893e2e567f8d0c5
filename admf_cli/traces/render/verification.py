"""A verification as text. Computes nothing."""

from __future__ import annotations

from admf_cli.traces.render.screen import Column, Screen
from admf_cli.traces.verify import MAX_FAULTS, Verification

_COLUMNS = (
    Column("phase", style="cyan", wraps=True),
    Column("status", wraps=True),
    Column("containers", right=True),
    Column("events", right=True),
    Column("dropped", right=True),
    Column("filtered", right=True),
    Column("bytes", right=True),
)


def show_verification(answer: Verification, screen: Screen) -> None:
    """Print what was read, then every fault, then the verdict."""
    rows = [
        (
            f"{one.workflow_id}/{one.phase_name}",
            one.status,
            f"{one.containers:,}",
            f"{one.events:,}",
            f"{one.dropped:,}",
            f"{one.filtered:,}",
            f"{one.bytes:,}",
        )
        for one in answer.phases
    ]
    screen.table(_COLUMNS, rows)
    for note in answer.notes:
        screen.line(f"note: {note}", "dim")
    for fault in answer.faults:
        screen.line(str(fault), "red")
    if answer.verified:
        screen.line("verified: seals, lines, numbers, causes, times, orders, positions and cash are right", "green")
        return
    if any(count > MAX_FAULTS for count in answer.fault_counts.values()):
        screen.line(f"of each kind the first {MAX_FAULTS:,} are listed", "dim")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in answer.fault_counts.items())
    screen.line(f"not verified: {kinds}", "bold red")
