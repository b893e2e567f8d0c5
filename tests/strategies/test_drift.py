"""Weights that may drift: the portfolio restores what is off by the limit or more, and says so of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from admf_cli.errors import AdmfError


def events_of(params: dict[str, Any]) -> list[dict[str, Any]]:
    result = run_backtest(
        {
            "data": {
                "source": "synthetic",
                "symbols": ["A", "B"],
                "start": "2020-01-01",
                "timeframe": "1d",
                "synthetic": {"bars": 400, "seed": 3, "volatility": 0.5},
            },
            "strategies": [{"name": "mix", "type": "target_weights", "params": params}],
            "risk_profiles": [{"name": "r", "sizing": {"type": "target_weights"}}],
            "execution": {"trace_settings": {"max_events": None, "persist_to_disk": False}},
            "results": {"write": False},
        }
    )
    lines = [event for trace in result.phases[0].traces for event in trace.events]
    return sorted(lines, key=lambda event: event["sequence"])


def test_only_what_has_drifted_is_traded() -> None:
    weights = {"A": 0.5, "B": 0.3}
    cash, held, close = 100_000.0, {"A": 0.0, "B": 0.0}, {"A": 0.0, "B": 0.0}
    signals: dict[str, dict[str, Any]] = {}
    traded = left = 0
    for event in events_of({"weights": weights, "rebalance": "daily", "drift": 0.05}):
        payload = event["payload"]
        if event["event_type"] == "BAR":
            close[event["symbol"]] = payload["close"]
        elif event["event_type"] == "FILL":
            change = payload["quantity"] * (1 if payload["side"] == "buy" else -1)
            held[event["symbol"]] += change
            cash -= change * payload["price"] + payload["commission"]
        elif event["event_type"] == "SIGNAL":
            signals[event["event_id"]] = event
        elif event["event_type"] in ("ORDER", "REJECT") and event["causation_id"] in signals:
            symbol = event["symbol"]
            equity = cash + sum(held[name] * close[name] for name in held)
            weight = held[symbol] * close[symbol] / equity
            off = abs(weight - weights[symbol])
            if event["event_type"] == "ORDER":
                traded += 1
                assert off >= 0.05 or held[symbol] == 0.0
            else:
                left += 1
                assert off < 0.05
                assert payload["reason"] == "within_drift"
                assert payload["value"] == pytest.approx(weight, rel=1e-12)
    assert traded >= 10
    assert left == len(signals) - traded
    assert len(signals) == 800


def test_without_drift_every_moment_is_traded() -> None:
    events = events_of({"weights": {"A": 0.5}, "rebalance": "weekly"})
    assert "drift" not in next(event for event in events if event["event_type"] == "SIGNAL")["payload"]
    assert [event for event in events if event["payload"].get("reason") == "within_drift"] == []


def test_a_weight_of_a_symbol_that_the_file_turns_out_to_lack_is_told_with_those_that_it_has(tmp_path: Path) -> None:
    head = "symbol,timestamp,open,high,low,close,volume\n"
    (tmp_path / "b.csv").write_text(head + "AAPL,2020-01-02,1,1,1,1,5\nMSFT,2020-01-02,1,1,1,1,5\n")
    config = {
        "data": {"path": str(tmp_path / "b.csv")},
        "strategies": [{"name": "w", "type": "target_weights", "params": {"weights": {"AAPL": 0.5, "MSTF": 0.5}}}],
        "risk_profiles": [{"name": "r", "sizing": {"type": "target_weights"}}],
        "execution": {"enable_event_tracing": False},
        "results": {"write": False},
    }
    with pytest.raises(AdmfError, match=r"weights.*must be one of the symbols AAPL, MSFT \(got 'MSTF'\).*MSFT"):
        run_backtest(config)
