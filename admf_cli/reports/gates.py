"""`--fail-if`: a metric compared with a number, over every portfolio of a run. Refuses to know how it is shown."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from msgspec import Struct

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
_FORM = re.compile(
    r"\s*([A-Za-z0-9_.-]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(%?)\s*", re.ASCII
)
_LONGEST = 200  # characters of an expression
_MOST_PLACES = 3  # named in the one line of a failed gate; `values` has them all


class Gate(Struct, frozen=True):
    """One expression: the run fails where it is true, or where its metric is undefined.

    Attributes:
        scope: phase and portfolio that it is limited to, as `phase`, `portfolio` or `phase.portfolio`; empty for all.
        limit: a percentage (`20%`) stands here as its fraction.
    """

    expression: str
    scope: str
    metric: str
    relation: str
    limit: float


class GateOutcome(Struct, frozen=True):
    """What became of a gate.

    Attributes:
        message: one line that says which gate failed, where, and the value; empty where it passed.
        values: `phase.portfolio` -> the metric there, None where undefined.
    """

    gate: Gate
    passed: bool
    message: str
    values: dict[str, float | int | None]


def parse_gate(expression: str) -> Gate:
    """Return the gate that a text such as `sharpe_ratio < 1` or `testing.max_drawdown > 20%` asks for.

    Raises:
        ConfigError: it is not of this form, or there is no such metric.
    """
    found = _FORM.fullmatch(expression[:_LONGEST])
    if found is None or len(expression) > _LONGEST:
        raise ConfigError(
            f"--fail-if {expression[:_LONGEST]!r}: must be METRIC < NUMBER (or <=, >, >=, ==, !=), "
            "such as 'sharpe_ratio < 1'"
        )
    scope, _, metric = found[1].rpartition(".")
    if metric not in METRICS:
        near = get_close_matches(metric.lower(), list(METRICS), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(METRICS)}"
        raise ConfigError(f"--fail-if {expression!r}: no such metric: {metric}; {hint}")
    limit = float(found[3]) / (100.0 if found[4] else 1.0)
    if not math.isfinite(limit):
        raise ConfigError(f"--fail-if {expression!r}: the number is too large")
    return Gate(expression.strip(), scope, metric, found[2], limit)


def evaluate(gate: Gate, result: RunResult) -> GateOutcome:
    """Return whether a run passes a gate: it does where the expression is false for every portfolio in its scope.

    A gate that can't be judged does not pass: its metric is undefined, or nothing is in its scope.
    """
    values = dict(_values(gate, result))
    if not values:
        return GateOutcome(gate, False, f"gate failed: {gate.expression}: {_nothing(gate, result)}", values)
    holds = _OPERATORS[gate.relation]
    failed = [
        f"{place} has {gate.metric} {'undefined' if value is None else _shortest(value, gate.limit)}"
        for place, value in values.items()
        if value is None or holds(value, gate.limit)
    ]
    if not failed:
        return GateOutcome(gate, True, "", values)
    more = f"; and {len(failed) - _MOST_PLACES} more" if len(failed) > _MOST_PLACES else ""
    message = f"gate failed: {gate.expression}: {'; '.join(failed[:_MOST_PLACES])}{more}"
    return GateOutcome(gate, False, message, values)


def _values(gate: Gate, result: RunResult) -> Iterator[tuple[str, float | int | None]]:
    for phase in result.phases:
        for portfolio in phase.portfolios:
            place = f"{phase.name}.{portfolio.portfolio_id}"
            if gate.scope in ("", phase.name, portfolio.portfolio_id, place):
                yield place, portfolio.metrics[gate.metric]


def _nothing(gate: Gate, result: RunResult) -> str:
    """Return why no portfolio is in a gate's scope."""
    portfolios = [(phase.name, portfolio.portfolio_id) for phase in result.phases for portfolio in phase.portfolios]
    if not portfolios:
        return "the run has no portfolio to judge"
    names = dict.fromkeys([phase for phase, _ in portfolios] + [portfolio for _, portfolio in portfolios])
    near = get_close_matches(gate.scope, [*names, *map(".".join, portfolios)], n=1)
    shown = [*names][: 2 * _MOST_PLACES]
    hint = (
        f"did you mean {near[0]}?" if near else f"there are {', '.join(shown)}{' …' if len(names) > len(shown) else ''}"
    )
    return f"no phase or portfolio is named {gate.scope}; {hint}"


def _shortest(value: float, limit: float) -> str:
    """Return a value in six digits, or in all of them where six would hide its difference from the limit."""
    return text if float(text := f"{value:g}") != limit or value == limit else repr(value)
