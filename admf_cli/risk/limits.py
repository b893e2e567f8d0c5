"""What a risk profile allows of an entry. Pure functions. Refuses to know how an entry was sized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Breach(Struct, frozen=True):
    """A limit that would have been crossed: its name, what it allows, and what was asked for, as shares of equity."""

    rule: str
    limit: float
    value: float


class Exposure(Struct, frozen=True):
    """Where a portfolio stands before an entry.

    Attributes:
        equity: account currency, at the close of the deciding bar.
        gross, net: market value of the positions in other symbols, absolute and signed.
        open_positions: number of other symbols held.
    """

    equity: float
    gross: float
    net: float
    open_positions: int


def allowed_value(
    profile: Mapping[str, Any], exposure: Exposure, value: float, direction: int
) -> tuple[float, list[Breach]]:
    """Return how much of an entry's market value is within the limits, and every limit that cut it.

    Args:
        value: wanted market value of the symbol's position, positive.
        direction: +1 long, -1 short.
    """
    breaches: list[Breach] = []
    allowed = value
    equity = exposure.equity

    def cut(rule: str, limit: float, room: float, reached: float) -> None:
        nonlocal allowed
        if allowed > room:
            breaches.append(Breach(rule, limit, reached))
            allowed = max(0.0, room)

    if (limit := profile.get("max_open_positions")) is not None and exposure.open_positions >= limit:
        breaches.append(Breach("max_open_positions", float(limit), float(exposure.open_positions + 1)))
        return 0.0, breaches
    if equity <= 0.0:
        return 0.0, [Breach("equity", 0.0, equity)]
    if (limit := profile.get("max_position_size")) is not None:
        cut("max_position_size", limit, limit * equity, allowed / equity)
    if (limit := profile.get("max_portfolio_heat")) is not None:
        cut("max_portfolio_heat", limit, limit * equity - exposure.gross, (exposure.gross + allowed) / equity)
    if (limit := profile.get("max_net_exposure")) is not None:
        reached = abs(exposure.net + direction * allowed) / equity
        cut("max_net_exposure", limit, limit * equity - direction * exposure.net, reached)
    return allowed, breaches
