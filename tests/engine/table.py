"""What hand-computed cases share: one symbol or several, bought and held, on bars given one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from admf_cli import run_backtest

Bar = tuple[float, float, float, float]  # open, high, low, close
FLAT: Bar = (100.0, 100.0, 100.0, 100.0)


def run(folder: Path, bars: list[Bar], *, capital: float = 10_000.0, **parts: Any) -> list[dict[str, Any]]:
    """Buy and hold 10 units from the first close on; return all events but BARs, in order.

    `parts`: `orders` of the strategy, or another `strategy`; `profile`, `portfolio`, `instrument` additions; `times` of
    the bars instead of days from 2020-01-01 on; `symbols` that all have these bars; the rest goes into `execution`.
    """
    times = parts.pop("times", None) or [f"2020-01-{day:02d}" for day in range(1, len(bars) + 1)]
    symbols = parts.pop("symbols", ["X"])
    rows = "".join(f"{time},{o},{h},{lo},{c},1000\n" for time, (o, h, lo, c) in zip(times, bars, strict=True))
    (folder / "bars.csv").write_text("timestamp,open,high,low,close,volume\n" + rows)
    profile = {"name": "r", "sizing": {"type": "fixed", "quantity": 10}, **parts.pop("profile", {})}
    strategy = {"name": "s", "type": "buy_and_hold", "orders": parts.pop("orders", None), **parts.pop("strategy", {})}
    result = run_backtest(
        {
            "data": {"path": {symbol: str(folder / "bars.csv") for symbol in symbols}},
            "instruments": {"default": parts.pop("instrument", {})},
            "strategies": [strategy],
            "risk_profiles": [profile],
            "portfolio": {"initial_capital": capital, **parts.pop("portfolio", {})},
            "execution": {"trace_settings": {"max_events": None, "persist_to_disk": False}, **parts},
            "results": {"write": False},
        }
    )
    events = sorted((e for trace in result.phases[0].traces for e in trace.events), key=lambda e: e["sequence"])
    return [event for event in events if event["event_type"] != "BAR"]


def fills(events: list[dict[str, Any]]) -> list[tuple[int, str, float]]:
    """Return (bar, purpose, price) of every fill."""
    return [
        (event["sequence"] >> 20, event["payload"]["purpose"], event["payload"]["price"])
        for event in events
        if event["event_type"] == "FILL"
    ]


def ends(events: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    """Return (bar, type, reason) of every order that ended without a fill."""
    return [
        (event["sequence"] >> 20, event["event_type"], event["payload"]["reason"])
        for event in events
        if event["event_type"] in ("CANCEL", "EXPIRE", "REJECT")
    ]


def of_type(events: list[dict[str, Any]], event_type: str) -> list[dict[str, Any]]:
    """Return the payloads of the events of one type."""
    return [event["payload"] for event in events if event["event_type"] == event_type]


def entry(**style: Any) -> dict[str, Any]:
    return {"entry": style}


def limit(**lifetime: Any) -> dict[str, Any]:
    """Return the limit entry at 98 with a time in force."""
    return {"entry": {**LIMIT["entry"], **lifetime}}


LIMIT = entry(type="limit", limit_offset=-0.02)  # buys at 98
STOP = entry(type="stop", stop_offset=0.02)  # buys at 102
