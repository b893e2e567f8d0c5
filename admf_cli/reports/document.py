"""A run as one JSON document, for programs. Computes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from admf_cli import __version__
from admf_cli.reports.funnel import funnel
from admf_cli.results import PhaseResult, PortfolioResult, RunResult, TraceSummary
from admf_cli.tracefile.format import timestamp_text

if TYPE_CHECKING:
    from admf_cli.reports.gates import GateOutcome

SCHEMA_VERSION = 1


def document(result: RunResult, gates: Sequence[GateOutcome] = ()) -> dict[str, Any]:
    """Return the document that `admf run --json` prints; undefined numbers are null."""
    return {
        **_head(result),
        "phases": [{**_phase(phase), "traces": [_trace(trace) for trace in phase.traces]} for phase in result.phases],
        "trace_dir": result.trace_dir,
        "results_dir": result.results_dir,
        "warnings": list(result.warnings),
        "gates": [_gate(outcome) for outcome in gates],
    }


def summary(result: RunResult) -> dict[str, Any]:
    """Return what summary.json holds: the document without what does not belong to the result.

    Traces, directories and gates are left out, so that a run traced, untraced or gated leaves the same bytes.
    """
    return {
        **_head(result),
        "phases": [_phase(phase) for phase in result.phases],
        "warnings": list(result.warnings),
    }


def _head(result: RunResult) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "admf_version": __version__,
        "workflow_id": result.workflow_id,
        # Whoever holds a RunResult holds a run that came to its end: any other raises instead.
        "status": "complete",
        "config": {"name": result.config_name, "sha256": result.config_sha256},
    }


def _phase(phase: PhaseResult) -> dict[str, Any]:
    return {
        "name": phase.name,
        "start": timestamp_text(phase.start),
        "end": timestamp_text(phase.end),
        "bars": phase.bars,
        "warmup_bars": phase.warmup_bars,
        "symbols": list(phase.symbols),
        "timeframe": phase.timeframe,
        "periods_per_year": _number(phase.periods_per_year),
        "periods_basis": phase.periods_basis,
        "data_sha256": phase.data_sha256,
        "warnings": list(phase.warnings),
        "funnel": funnel(phase.bars, phase.portfolios),
        "portfolios": [_portfolio(phase.bars, portfolio) for portfolio in phase.portfolios],
    }


def _portfolio(bars: int, portfolio: PortfolioResult) -> dict[str, Any]:
    return {
        "id": portfolio.portfolio_id,
        "strategy": portfolio.strategy,
        "risk_profile": portfolio.risk_profile,
        "initial_capital": _number(portfolio.initial_capital),
        "cash": _number(portfolio.final_cash),
        "equity": _number(portfolio.final_equity),
        "positions": [_finite(asdict(holding)) for holding in portfolio.holdings],
        "metrics": _finite(portfolio.metrics),
        "funnel": funnel(bars, [portfolio]),
        "warnings": list(portfolio.warnings),
    }


def _trace(trace: TraceSummary) -> dict[str, Any]:
    return {
        "container_id": trace.container_id,
        "container_type": trace.container_type,
        "path": trace.path,
        "status": trace.status,
        "published": trace.published,
        "written": trace.written,
        "filtered": trace.filtered,
        "dropped": trace.dropped,
        "bytes": trace.bytes,
    }


def _gate(outcome: GateOutcome) -> dict[str, Any]:
    return {
        "expression": outcome.gate.expression,
        "passed": outcome.passed,
        "message": outcome.message,
        "values": _finite(outcome.values),
    }


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _number(value) if isinstance(value, float) else value for key, value in values.items()}


def _number(value: float | int | None) -> float | int | None:
    return value if value is not None and math.isfinite(value) else None
