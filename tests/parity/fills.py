"""What every backtester is reduced to: its fills, and its equity at the end. Refuses to know how they came about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Fill(NamedTuple):
    """One fill; `side` +1 bought, -1 sold; commission in account currency."""

    bar: int
    side: int
    quantity: float
    price: float
    commission: float


class Outcome(NamedTuple):
    """A run: fills in order of time, equity after the last bar."""

    fills: list[Fill]
    final_equity: float


def merged(fills: Iterable[Fill]) -> list[Fill]:
    """Return fills of one bar, side and price as one: some report a reversal as a closing and an opening part."""
    totals: dict[tuple[int, int, float], list[float]] = {}
    for fill in fills:
        total = totals.setdefault((fill.bar, fill.side, fill.price), [0.0, 0.0])
        total[0] += fill.quantity
        total[1] += fill.commission
    rows = [Fill(bar, side, quantity, price, paid) for (bar, side, price), (quantity, paid) in totals.items()]
    return sorted(rows)


def of_events(events: Iterable[tuple[Any, ...]]) -> list[Fill]:
    """Return the fills among the events of the reference, or of ADMF written as the reference does."""
    return merged(Fill(row[1], *row[5:9]) for row in events if row[0] == "FILL")
