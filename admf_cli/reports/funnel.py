"""How bars became trades: counts added up over portfolios, and in words why there are none. Computes nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from admf_cli.results import PortfolioResult

STEPS = ("signals", "orders", "fills", "trades")
_COUNTS = (*STEPS, "cancelled", "expired", "rejected")


def funnel(bars: int, portfolios: Sequence[PortfolioResult]) -> dict[str, Any]:
    """Return the counts of some portfolios, with rejects by reason, the commonest first.

    A signal counts once for each portfolio that hears it. `rejected` counts signals and orders alike, as `rejects`
    does by reason. Without a portfolio every count but the bars is None: nobody was there to count.
    """
    if not portfolios:
        return {"bars": bars, **dict.fromkeys(_COUNTS), "rejects": {}}
    rejects: dict[str, int] = {}
    for portfolio in portfolios:
        for reason, count in portfolio.rejects.items():
            rejects[reason] = rejects.get(reason, 0) + count
    counts = {key: sum(portfolio.counts[key] for portfolio in portfolios) for key in _COUNTS}
    return {"bars": bars, **counts, "rejects": dict(sorted(rejects.items(), key=lambda item: (-item[1], item[0])))}


def why_no_trade(counts: dict[str, Any]) -> str | None:
    """Return in words where a funnel ran dry; None where it did not, or where nobody counted."""
    if counts["trades"] is None or counts["trades"]:
        return None
    if not counts["bars"]:
        return "no trade: there is no bar in this phase"
    if not counts["signals"]:
        return "no trade: no signal; the strategy's rules were never met in these bars"
    if not counts["orders"]:
        return "no trade: no signal became an order"
    if not counts["fills"]:
        return "no trade: no order was filled"
    return "no closed trade: what was opened is still open"
