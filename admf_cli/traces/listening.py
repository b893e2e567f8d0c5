"""Which portfolio takes the signals of which strategy. Refuses to read files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def listens_to(portfolio_id: str, settings: Mapping[str, Any], strategy_id: str) -> bool:
    """Return whether a portfolio takes a strategy's signals: as its settings say, else as the names do.

    Args:
        settings: of the portfolio's PHASE_START, empty if that is not on disk.
    """
    name = strategy_id.removeprefix("strategy_")
    own = portfolio_id.removeprefix("portfolio_")
    if own == name:
        return True  # a strategy that sees its portfolio's position has a container for each
    listens, several = settings.get("strategy"), settings.get("strategies")
    if listens is None and several is None:
        return own.startswith(f"{name}_")
    return listens == name or (isinstance(several, list) and name in several)
