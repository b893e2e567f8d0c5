"""Evaluates expressions over whole columns. Refuses to know what they decide.

A condition on undefined values neither holds nor fails, as in Kleene's logic: `not (rsi > 30)` does not hold during
the warm-up of rsi. So each part is asked either where it holds or where it fails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce

import numpy as np

from admf_cli.features.sessions import DAY_US, MINUTE_US, local_times
from admf_cli.market.bars import Bars, BoolArray, FloatArray, IntArray
from admf_cli.strategies.conditions import first_bars, lagged, lagged_condition
from admf_cli.strategies.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Logic,
    Name,
    Negative,
    Node,
    Not,
    Number,
    Truth,
    lag_of,
    minutes_of,
    time_arguments,
)

Values = FloatArray | float
_CONTRARY = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


class Columns:
    """The bars, features and calendar that expressions are evaluated over.

    Args:
        features: name -> shape (n_bars, n_symbols).
        first: the first bar of trading.
        timezone: IANA name of the zone of times of day and dates.
    """

    def __init__(self, bars: Bars, features: Mapping[str, FloatArray], first: int, timezone: str) -> None:
        self.bars = bars
        self.shape = (bars.n_bars, bars.n_symbols)
        self._features = features
        self._first = first
        self._timezone = timezone
        self._local: IntArray | None = None

    def where(self, condition: Node) -> BoolArray:
        """Return where a condition holds and the symbol has a bar."""
        holds = self._holds(condition)
        return holds if self.bars.present is None else holds & self.bars.present

    def number(self, node: Node) -> Values:
        """Return the values of a number, nan where undefined."""
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Name):
            return self._named(node.name)
        if isinstance(node, Negative):
            return -self.number(node.operand)
        if isinstance(node, Arithmetic):
            value = self.number(node.operands[0])
            for operator, operand in zip(node.operators, node.operands[1:], strict=True):
                value = _defined(_calculate(operator, value, self.number(operand)))
            return value
        assert isinstance(node, Call)
        if node.function == "lag":
            return self._lag(self.number(node.arguments[0]), lag_of(node))
        values = [self.number(argument) for argument in node.arguments]
        if node.function in ("min", "max"):
            return reduce(np.minimum if node.function == "min" else np.maximum, values)
        if node.function == "abs":
            return abs(values[0])
        if node.function == "sqrt":
            with np.errstate(invalid="ignore"):
                return np.sqrt(values[0])
        return _logarithm(values[0])

    def _holds(self, node: Node) -> BoolArray:
        if isinstance(node, Comparison):
            return reduce(np.logical_and, self._pairs(node, contrary=False))
        if isinstance(node, Logic):
            join = np.logical_and if node.operator == "and" else np.logical_or
            return reduce(join, (self._holds(part) for part in node.operands))
        if isinstance(node, Not):
            return self._fails(node.operand)
        if isinstance(node, Call) and node.function in ("crosses_above", "crosses_below"):
            a, b = self._crossing(node)
            return self._full(a > b) & lagged_condition(self._full(a <= b), self.bars)
        if isinstance(node, Call) and node.function == "lag":
            return lagged_condition(self._holds(node.arguments[0]), self.bars, lag_of(node))
        return self._known(node)

    def _fails(self, node: Node) -> BoolArray:
        if isinstance(node, Comparison):
            return reduce(np.logical_or, self._pairs(node, contrary=True))
        if isinstance(node, Logic):
            join = np.logical_or if node.operator == "and" else np.logical_and
            return reduce(join, (self._fails(part) for part in node.operands))
        if isinstance(node, Not):
            return self._holds(node.operand)
        if isinstance(node, Call) and node.function in ("crosses_above", "crosses_below"):
            a, b = self._crossing(node)
            return self._full(a <= b) | lagged_condition(self._full(a > b), self.bars)
        if isinstance(node, Call) and node.function == "lag":
            return lagged_condition(self._fails(node.arguments[0]), self.bars, lag_of(node))
        return ~self._known(node)

    def _known(self, node: Node) -> BoolArray:
        """Return the conditions that are always either true or false."""
        if isinstance(node, Truth):
            return self._full(np.bool_(node.value))
        if isinstance(node, Name):
            return self._calendar_condition(node.name)
        assert isinstance(node, Call)
        if node.function == "defined":
            return self._full(np.isfinite(self.number(node.arguments[0])))
        start, end = (minutes_of(text) * MINUTE_US for text in time_arguments(node))
        moment = self._wall_clock() % DAY_US
        inside = (start <= moment) & (moment < end) if start < end else (start <= moment) | (moment < end)
        return self._full(inside[:, np.newaxis])

    def _pairs(self, node: Comparison, *, contrary: bool) -> list[BoolArray]:
        values = [self.number(operand) for operand in node.operands]
        return [
            self._full(_compare(_CONTRARY[operator] if contrary else operator, left, right))
            for operator, left, right in zip(node.operators, values, values[1:], strict=False)
        ]

    def _crossing(self, node: Call) -> tuple[Values, Values]:
        """Return the two values such that the first crosses above the second."""
        a, b = (self.number(argument) for argument in node.arguments)
        return (a, b) if node.function == "crosses_above" else (-a, -b)

    def _full(self, condition: BoolArray | np.bool_) -> BoolArray:
        return np.broadcast_to(condition, self.shape)

    def _lag(self, values: Values, lag: int) -> Values:
        if isinstance(values, float):
            return values
        return lagged(values, self.bars, lag)

    def _named(self, name: str) -> FloatArray:
        if name in ("open", "high", "low", "close", "volume"):
            column: FloatArray = getattr(self.bars, name)
            return column
        if name in self._features:
            return self._features[name]
        return np.broadcast_to(self._calendar_number(name)[:, np.newaxis], self.shape)

    def _wall_clock(self) -> IntArray:
        if self._local is None:
            self._local = local_times(self.bars.times, self._timezone)
        return self._local

    def _calendar_number(self, name: str) -> FloatArray:
        local = self._wall_clock()
        if name == "hour":
            number = local % DAY_US // (60 * MINUTE_US)
        elif name == "minute":
            number = local // MINUTE_US % 60
        elif name == "weekday":
            number = (local // DAY_US + 3) % 7  # 1970 began on a Thursday
        else:
            date = local.astype("datetime64[us]")
            month = date.astype("datetime64[M]")
            if name == "day":
                number = (date.astype("datetime64[D]") - month).astype(np.int64) + 1
            else:
                number = month.astype(np.int64) % 12 + 1 if name == "month" else month.astype(np.int64) // 12 + 1970
        return number.astype(np.float64)

    def _calendar_condition(self, name: str) -> BoolArray:
        if name == "first_bar":
            return first_bars(self.bars, self._first)
        local = self._wall_clock()
        if name == "new_month":
            number = local.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
        else:
            number = local // DAY_US if name == "new_day" else (local // DAY_US + 3) // 7
        period = np.broadcast_to(number.astype(np.float64)[:, np.newaxis], self.shape)
        return period != lagged(period, self.bars)


def _calculate(operator: str, left: Values, right: Values) -> Values:
    with np.errstate(all="ignore"):
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        return left * right if operator == "*" else np.divide(left, right)


def _defined(values: Values) -> Values:
    """Turn what is beyond numbers (a division by zero, an overflow) into nan."""
    if isinstance(values, float):
        return float(values) if math.isfinite(values) else math.nan
    values[~np.isfinite(values)] = np.nan
    return values


def _compare(operator: str, left: Values, right: Values) -> BoolArray:
    """Compare; false where a value is undefined, also for !=."""
    if operator == "<":
        return np.less(left, right)
    if operator == "<=":
        return np.less_equal(left, right)
    if operator == ">":
        return np.greater(left, right)
    if operator == ">=":
        return np.greater_equal(left, right)
    if operator == "==":
        return np.equal(left, right)
    return np.less(left, right) | np.greater(left, right)


def _logarithm(values: Values) -> Values:
    """Take math.log of each: numpy's differs from it, and between processors, in the last bit."""
    if isinstance(values, float):
        return math.log(values) if values > 0 else math.nan
    flat = [math.log(value) if value > 0 else math.nan for value in values.ravel(order="F").tolist()]
    return np.array(flat).reshape(values.shape, order="F")
