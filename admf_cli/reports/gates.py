"""`--fail-if`: a metric compared with a number, over every portfolio of a run. Refuses to know how it is shown."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from admf_cli.errors import ConfigError
from admf_cli.metrics import METRICS
from admf_cli.results import RunResult

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_FORM = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Gate:
    """One expression: the run fails where it is true, or where its metric is undefined.

    Attributes:
        scope: phase and portfolio that it is limited to, as `phase`, `portfolio` or `phase.portfolio`; empty for all.
    """

    expression: str
    scope: str
    metric: str
    relation: str
    limit: float


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """What became of a gate: `message` says in a line which portfolio failed it, with the value."""

    gate: Gate
    passed: bool
    message: str
    values: dict[str, float | int | None]


def parse_gate(expression: str) -> Gate:
    """Return the gate that a text such as `sharpe_ratio < 1` or `testing.max_drawdown > 20%` asks for.

    Raises:
        ConfigError: it is not of this form, or there is no such metric.
    """
    found = _FORM.fullmatch(expression)
    if found is None:
        raise ConfigError(
            f"--fail-if {expression!r}: must be METRIC < NUMBER (or <=, >, >=, ==, !=), such as 'sharpe_ratio < 1'"
        )
    scope, _, metric = found[1].rpartition(".")
    if metric not in METRICS:
        near = get_close_matches(metric, list(METRICS), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(METRICS)}"
        raise ConfigError(f"--fail-if {expression!r}: no such metric: {metric}; {hint}")
    limit = float(found[3]) / (100.0 if found[4] else 1.0)
    if not math.isfinite(limit):
        raise ConfigError(f"--fail-if {expression!r}: the number is too large")
    return Gate(expression.strip(), scope, metric, found[2], limit)


def evaluate(gate: Gate, result: RunResult) -> GateOutcome:
    """Return whether a run passes a gate.

    Raises:
        ConfigError: the gate's scope names no phase or portfolio of the run.
    """
    values = dict(_values(gate, result))
    if not values:
        names = sorted({name for phase in result.phases for name in (phase.name, *_portfolios(phase.portfolios))})
        raise ConfigError(f"--fail-if {gate.expression!r}: no phase or portfolio {gate.scope!r}; there are {names}")
    holds = _OPERATORS[gate.relation]
    failed = [
        f"{place} has {gate.metric} {'undefined' if value is None else f'{value:g}'}"
        for place, value in values.items()
        if value is None or holds(value, gate.limit)
    ]
    message = f"gate failed: {gate.expression}: {'; '.join(failed)}" if failed else ""
    return GateOutcome(gate, not failed, message, values)


def _values(gate: Gate, result: RunResult) -> Iterator[tuple[str, float | int | None]]:
    for phase in result.phases:
        for portfolio in phase.portfolios:
            place = f"{phase.name}.{portfolio.portfolio_id}"
            if gate.scope in ("", phase.name, portfolio.portfolio_id, place):
                yield place, portfolio.metrics[gate.metric]


def _portfolios(portfolios: tuple[object, ...]) -> Iterator[str]:
    for portfolio in portfolios:
        yield str(getattr(portfolio, "portfolio_id", ""))
