"""A run as one JSON document, for programs. Computes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from admf_cli import __version__
from admf_cli.reports.gates import GateOutcome
from admf_cli.results import PhaseResult, PortfolioResult, RunResult
from admf_cli.tracefile.format import timestamp_text

SCHEMA_VERSION = 1


def document(result: RunResult, gates: Sequence[GateOutcome] = ()) -> dict[str, Any]:
    """Return the document that `admf run --json` prints and summary.json holds; undefined numbers are null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "admf_version": __version__,
        "workflow_id": result.workflow_id,
        "status": "complete",
        "config": {"name": result.config_name, "sha256": result.config_sha256},
        "phases": [_phase(phase) for phase in result.phases],
        "trace_dir": result.trace_dir,
        "results_dir": result.results_dir,
        "warnings": list(result.warnings),
        "gates": [
            {
                "expression": outcome.gate.expression,
                "passed": outcome.passed,
                "values": {place: _number(value) for place, value in outcome.values.items()},
            }
            for outcome in gates
        ],
    }


def funnel(bars: int, portfolios: Sequence[PortfolioResult]) -> dict[str, Any]:
    """Return how bars became trades over some portfolios, with rejects by reason, the commonest first."""
    rejects: dict[str, int] = {}
    for portfolio in portfolios:
        for reason, count in portfolio.rejects.items():
            rejects[reason] = rejects.get(reason, 0) + count
    counts = {
        key: sum(portfolio.counts[key] for portfolio in portfolios)
        for key in ("signals", "orders", "fills", "trades", "cancelled", "expired", "rejected")
    }
    return {"bars": bars, **counts, "rejects": dict(sorted(rejects.items(), key=lambda item: (-item[1], item[0])))}


def _phase(phase: PhaseResult) -> dict[str, Any]:
    return {
        "name": phase.name,
        "start": timestamp_text(phase.start),
        "end": timestamp_text(phase.end),
        "bars": phase.bars,
        "warmup_bars": phase.warmup_bars,
        "symbols": list(phase.symbols),
        "timeframe": phase.timeframe,
        "periods_per_year": phase.periods_per_year,
        "periods_basis": phase.periods_basis,
        "data_sha256": phase.data_sha256,
        "warnings": list(phase.warnings),
        "funnel": funnel(phase.bars, phase.portfolios),
        "portfolios": [_portfolio(phase.bars, portfolio) for portfolio in phase.portfolios],
        "traces": [{key: value for key, value in asdict(trace).items() if key != "events"} for trace in phase.traces],
    }


def _portfolio(bars: int, portfolio: PortfolioResult) -> dict[str, Any]:
    return {
        "id": portfolio.portfolio_id,
        "strategy": portfolio.strategy,
        "risk_profile": portfolio.risk_profile,
        "initial_capital": portfolio.initial_capital,
        "cash": _number(portfolio.final_cash),
        "equity": _number(portfolio.final_equity),
        "positions": [_finite(asdict(holding)) for holding in portfolio.holdings],
        "metrics": _finite(portfolio.metrics),
        "funnel": funnel(bars, [portfolio]),
        "warnings": list(portfolio.warnings),
    }


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _number(value) if isinstance(value, float) else value for key, value in values.items()}


def _number(value: float | int | None) -> float | int | None:
    return value if value is not None and math.isfinite(value) else None
