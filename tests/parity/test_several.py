"""Built-in strategies over several symbols fill as their likes written for backtrader, on the files of data/."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from admf_cli import run_backtest
from tests.parity import several_backtrader
from tests.parity.fills import Fill, merged

EVERYTHING = int(os.environ.get("ADMF_PARITY_MARKETS", "4")) >= 100
DATA = Path(__file__).parents[2] / "data"
SYMBOLS = ("amzn", "meta", "nflx")
STRATEGIES: dict[str, dict[str, Any]] = {
    "target_weights": {"weights": {"amzn": 0.4, "meta": 0.3, "nflx": 0.2}},
    "momentum": {"mode": "cross_section", "lookback": 60, "gross": several_backtrader.GROSS},
    "zscore_pairs": {"first": "amzn", "second": "nflx", "gross": several_backtrader.GROSS},
}


def ours(kind: str) -> dict[str, list[Fill]]:
    result = run_backtest(
        {
            "data": {"path": str(DATA / "{symbol}_daily.csv"), "symbols": list(SYMBOLS)},
            "strategies": [{"name": "s", "type": kind, "params": STRATEGIES[kind]}],
            "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
            "portfolio": {"initial_capital": several_backtrader.CAPITAL},
            "execution": {"trace_settings": {"max_events": None, "persist_to_disk": False}},
            "results": {"write": False},
        }
    )
    (trace,) = (trace for trace in result.phases[0].traces if trace.container_id == "execution")
    fills: dict[str, list[Fill]] = {symbol: [] for symbol in SYMBOLS}
    for event in trace.events:
        if event["event_type"] == "FILL":
            payload = event["payload"]
            side = 1 if payload["side"] == "buy" else -1
            fills[event["symbol"]].append(
                Fill(event["sequence"] >> 20, side, payload["quantity"], payload["price"], 0.0)
            )
    return {symbol: merged(found) for symbol, found in fills.items()}


@pytest.mark.parametrize("kind", STRATEGIES)
def test_a_built_in_strategy_fills_as_its_like(kind: str) -> None:
    if not EVERYTHING and kind != "zscore_pairs":
        pytest.skip("make parity runs all of them")
    frames = {
        name: pd.read_csv(DATA / f"{name}_daily.csv", parse_dates=["timestamp"], index_col="timestamp")
        for name in SYMBOLS
    }
    theirs, mine = several_backtrader.run(kind, frames), ours(kind)
    assert sum(map(len, mine.values())) > 60
    assert mine == theirs
