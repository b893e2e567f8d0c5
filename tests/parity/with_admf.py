"""A strategy called bar by bar, carried out by ADMF. Refuses to know the other packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from admf_cli import run_backtest
from tests.parity.fills import Fill, Outcome, merged


def run_class(
    folder: Path, source: str, name: str, data: Path, params: dict[str, Any], capital: float, **execution: Any
) -> Outcome:
    """Return the fills, commissions left out, and the final equity of the class `name` that `source` defines."""
    (folder / "my.py").write_text(source)
    strategy = {"name": "s", "type": "python", "path": f"{folder / 'my.py'}:{name}", "params": params}
    result = run_backtest(
        {
            "data": {"path": str(data), "symbols": ["X"], "timeframe": "1d"},
            "strategies": [strategy],
            "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
            "portfolio": {"initial_capital": capital},
            "execution": {"trace_settings": {"max_events": None, "persist_to_disk": False}, **execution},
            "results": {"write": False},
        }
    )
    (phase,) = result.phases
    events = [event for trace in phase.traces if trace.container_id == "execution" for event in trace.events]
    fills = []
    for event in events:
        if event["event_type"] == "FILL":
            payload = event["payload"]
            side = 1 if payload["side"] == "buy" else -1
            fills.append(Fill(event["sequence"] >> 20, side, payload["quantity"], payload["price"], 0.0))
    return Outcome(without_last_digits(fills), phase.portfolios[0].final_equity)


def without_last_digits(fills: list[Fill]) -> list[Fill]:
    """Return fills of one bar, side and price as one; the price of a stop is computed differently in its last digit."""
    return merged(fill._replace(price=round(fill.price, 9)) for fill in fills)
