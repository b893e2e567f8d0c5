"""A plan of the reference as a configuration of ADMF, and ADMF's events as the reference writes them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from admf_cli import run_backtest
from admf_cli.results import PortfolioResult
from tests.engine.markets import write
from tests.engine.reference import Bar, Plan

PUBLISHED = frozenset({"SIGNAL", "ORDER", "FILL", "CANCEL", "EXPIRE", "REJECT", "RISK_BREACH", "FINANCING"})


def configuration(plan: Plan, path: str, symbols: Sequence[str]) -> dict[str, Any]:
    """Return the configuration that asks for what the plan asks for."""
    sizing: dict[str, Any] = {"type": "percent_equity", "percent": plan.percent}
    if plan.quantity is not None:
        sizing = {"type": "fixed", "quantity": plan.quantity}
    rules = ("stop_loss", "take_profit", "trailing_stop", "max_holding_period", "end_of_day", "cooldown")
    rules += ("max_drawdown", "daily_loss_limit")
    return {
        "data": {"path": path, "symbols": list(symbols)},
        "instruments": {"default": {"lot_size": plan.lot, "tick_size": plan.tick, "multiplier": plan.multiplier}},
        "strategies": [
            {
                "name": "s",
                "type": "sma_crossover",
                "params": {"fast": plan.fast, "slow": plan.slow, "direction": plan.direction},
                "orders": {"entry": plan.entry or None, "exit": plan.exit or None},
            }
        ],
        "risk_profiles": [{"name": "r", "sizing": sizing, **{rule: getattr(plan, rule) for rule in rules}}],
        "portfolio": {"initial_capital": plan.capital, "close_at_end": plan.close_at_end},
        "execution": {
            "fill_price": plan.fill_price,
            "commission": plan.commission or {"type": "none"},
            "slippage": {"type": "bps", "bps": plan.bps},
            "participation": plan.participation,
            "margin": plan.margin,
            "financing": plan.financing,
            "trace_settings": {"max_events": None, "persist_to_disk": False},
        },
        "results": {"write": False},
    }


def run(
    plan: Plan,
    bars: list[list[Bar | None]],
    per_day: int = 1,
    *,
    symbols: Sequence[str] | None = None,
) -> tuple[list[dict[str, Any]], PortfolioResult]:
    """Return ADMF's events in order and its one portfolio.

    Args:
        per_day: bars a day.
        symbols: in the order in which the configuration names them.
    """
    names = [f"S{place}" for place in range(len(bars))]
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), names, bars, per_day)
        result = run_backtest(configuration(plan, path, symbols or names))
    events = [event for trace in result.phases[0].traces for event in trace.events]
    return sorted(events, key=lambda event: event["sequence"]), result.phases[0].portfolios[0]


def as_reference(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the events of the kinds that the reference writes, orders numbered as they came."""
    numbers: dict[str, tuple[int, str]] = {}
    found: list[tuple[Any, ...]] = []
    for event in events:
        kind, bar, payload = event["event_type"], event["sequence"] >> 20, event["payload"]
        if kind not in PUBLISHED:
            continue
        if kind == "FINANCING":
            found.append((kind, bar, payload["interest"], payload["borrow_fee"]))
            continue
        symbol = None if event["symbol"] is None else int(event["symbol"][1:])
        if kind == "SIGNAL":
            found.append((kind, bar, symbol, payload["target"]))
            continue
        if kind == "RISK_BREACH":
            found.append((kind, bar, symbol, payload["rule"]))
            continue
        if kind == "ORDER":
            numbers[event["event_id"]] = (len(numbers) + 1, payload["purpose"])
        number, purpose = numbers.get(payload.get("order_id", ""), (None, None))
        side = {"buy": 1, "sell": -1}.get(payload.get("side", ""), 0)
        head = (kind, bar, symbol, number, purpose)
        if kind == "ORDER":
            found.append((*head, side, payload["quantity"], payload["order_type"]))
        elif kind == "FILL":
            found.append((*head, side, payload["quantity"], payload["price"], payload["commission"]))
        else:
            found.append((*head, payload["reason"]))
    return found
