"""What the members of a strategy made of strategies wanted, and whether the gates between them stood open.

A composite's SIGNAL holds what each member wanted, and its rules stand under its members' names; nothing else is used.
Refuses to put it into words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from admf_cli.traces.event import TracedEvent, amount

_OPENS, _CLOSES = "gate opens", "gate closes"
LOOK_BACK_BARS = 500


class Gate(Struct, frozen=True):
    """A filter's gate at a bar.

    Attributes:
        name: of the member that it guards, with those around it; "" for a filter that is no member.
        is_open: None if no bar looked at decides it.
        bars_ago: how many of the symbol's own bars ago it was decided, None if it is closed since the run began.
    """

    name: str
    is_open: bool | None
    bars_ago: int | None


class Members(Struct, frozen=True):
    """The members of an ensemble.

    Attributes:
        method: vote, weighted or first; `needed`: votes, or the score of the weighted sum, that decide.
        before, after: what each wanted (1 long, -1 short, 0 flat, or a weight) at the signals on either side.
    """

    names: tuple[str, ...]
    method: str
    needed: float | None
    before: dict[str, float]
    after: dict[str, float]


def gates_of(
    expressions: Mapping[str, Any],
    holds: Callable[[str, str, int], bool | None],
    begins: Callable[[], bool] = lambda: False,
) -> tuple[Gate, ...]:
    """Return the gates among a strategy's rules.

    Args:
        holds: (rule's name, expression, lag) -> whether it held that many bars ago.
        begins: whether the bars looked at reach back to the run's first, at which a gate is closed.
    """
    gates = []
    for name, opens in expressions.items():
        prefix = name.removesuffix(_OPENS)
        closes = expressions.get(prefix + _CLOSES)
        if prefix != name and isinstance(opens, str) and isinstance(closes, str):
            gate = _gate(prefix, opens, closes, holds)
            gates.append(Gate(gate.name, False, None) if gate.is_open is None and begins() else gate)
    return tuple(gates)


def is_of_gate(rule: str) -> bool:
    """Return whether a rule moves a gate instead of asking for a position."""
    return rule.endswith((_OPENS, _CLOSES))


def passes(rule: str, gates: Sequence[Gate]) -> bool | None:
    """Return whether all gates before a rule are open; None if those of which that is known are."""
    states = {gate.is_open for gate in gates if rule.startswith(gate.name and f"{gate.name}: ")}
    return False if False in states else None if None in states else True


def members_of(settings: Mapping[str, Any], before: TracedEvent | None, after: TracedEvent | None) -> Members | None:
    """Return an ensemble's members, None for any other strategy.

    Args:
        settings: of the strategy's PHASE_START.
        before, after: its nearest signals.
    """
    params = settings.get("params")
    listed = params.get("members") if isinstance(params, dict) else None
    if not isinstance(listed, list) or not isinstance(params, dict):
        return None
    named = (one.get("name") if isinstance(one, dict) else one for one in listed)
    names = tuple(name for name in named if isinstance(name, str))
    method = params.get("method")
    needed = amount(params, "quorum") or len(names) // 2 + 1
    return Members(
        names,
        method if isinstance(method, str) else "?",
        needed if method == "vote" else amount(params, "threshold") if method == "weighted" else None,
        _wants(names, before),
        _wants(names, after),
    )


def _wants(names: Sequence[str], signal: TracedEvent | None) -> dict[str, float]:
    read = signal.mapping("features") if signal else {}
    return {name: value for name in names if (value := amount(read, name)) is not None}


def _gate(prefix: str, opens: str, closes: str, holds: Callable[[str, str, int], bool | None]) -> Gate:
    name = prefix.removesuffix(": ")
    for lag in range(LOOK_BACK_BARS):
        if holds(prefix + _CLOSES, closes, lag):
            return Gate(name, False, lag)
        if holds(prefix + _OPENS, opens, lag):
            return Gate(name, True, lag)
    return Gate(name, None, None)
