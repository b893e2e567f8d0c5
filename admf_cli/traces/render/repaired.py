"""What a repair kept and lost, as tables and lines. Computes nothing."""

from __future__ import annotations

from admf_cli.traces.render.screen import Column, Screen
from admf_cli.traces.repair import Repair

_COLUMNS = (
    Column("container", style="cyan", wraps=True),
    Column("status"),
    Column("kept", right=True),
    Column("lost", right=True),
    Column("why", wraps=True),
)
_SHOWN = 20


def show_repair(answer: Repair, screen: Screen) -> None:
    """Print each container's copy, then what was lost of it."""
    for phase in answer.phases:
        rows = [
            (one.container_id, one.status, f"{one.kept:,}", f"{one.lost:,}", one.reason or "")
            for one in phase.containers
        ]
        screen.table(_COLUMNS, rows, title=f"{phase.phase}  to  {phase.path}")
        for one in phase.containers:
            for text in one.ranges[:_SHOWN]:
                screen.line(f"lost: {text}", "yellow")
            for lost in one.lines[:_SHOWN]:
                screen.line(f"left out: {one.container_id}.jsonl:{lost.line}: {lost.reason}", "yellow")
            more = max(len(one.ranges), len(one.lines)) - _SHOWN
            if more > 0:
                screen.line(f"and more of {one.container_id}; --json lists up to a thousand", "dim")
    screen.line(f"check the copy with: admf traces verify {answer.to}")
