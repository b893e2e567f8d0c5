"""Evaluates the language of trading rules over whole columns at once. Refuses to read text and to explain.

What it finds at a bar is what `explanation` says of that bar: an undefined value makes what is compared with it neither
true nor false, and lags count the symbol's own bars. A test compares the two on generated expressions and markets.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np

from admf_cli.features.sessions import DAY_US, MINUTE_US, local_times
from admf_cli.market.bars import Bars, BoolArray, FloatArray, IntArray
from admf_cli.strategies.calendar_rules import first_bars
from admf_cli.strategies.conditions import crosses_above, crosses_below, previous
from admf_cli.strategies.syntax import (
    CALENDAR_CONDITIONS,
    CALENDAR_NUMBERS,
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

Value = FloatArray | float
_CONTRARY = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_CROSSINGS = {"crosses_above": ("<=", ">"), "crosses_below": (">=", "<")}
_OPERATIONS = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "min": np.minimum, "max": np.maximum}
_FUNCTIONS = {"abs": np.abs, "sqrt": np.sqrt, "log": np.log}


class Evaluator:
    """Evaluates expressions over the same bars and features; what several of them read is prepared once.

    Args:
        features: name -> shape (n_bars, n_symbols), nan where undefined.
        first: index of the first bar of trading.
        timezone: IANA name of the zone of times of day and dates.
    """

    def __init__(self, bars: Bars, features: Mapping[str, FloatArray], first: int, timezone: str = "UTC") -> None:
        self._bars = bars
        self._features = features
        self._first = first
        self._timezone = timezone
        self._shape = (bars.n_bars, bars.n_symbols)
        self._columns: dict[tuple[str, int], FloatArray] = {}
        self._local: IntArray | None = None

    def holds(self, condition: Node) -> BoolArray:
        """Return where a condition is true, shape (n_bars, n_symbols); nowhere without a bar of the symbol."""
        found = self._truth(condition, 0, True)
        if self._bars.present is not None:
            return found & self._bars.present
        return found if found.shape == self._shape else np.broadcast_to(found, self._shape)

    def column(self, name: str, lag: int = 0) -> FloatArray:
        """Return a bar column, a feature, or a number of the calendar as it was some of the symbol's bars ago."""
        key = (name, lag)
        if key not in self._columns:
            if lag:
                now = np.broadcast_to(self.column(name), self._shape)
                self._columns[key] = previous(now, self._bars, lag)
            elif name in CALENDAR_NUMBERS or name in CALENDAR_CONDITIONS:
                self._columns[key] = self._calendar(name)
            elif name in self._features:
                self._columns[key] = self._features[name]
            else:
                self._columns[key] = getattr(self._bars, name)
        return self._columns[key]

    def _truth(self, node: Node, lag: int, wanted: bool) -> BoolArray:
        """Return where a condition is known to be `wanted`, `lag` own bars ago; may need broadcasting."""
        if isinstance(node, Comparison):
            values = [self._number(operand, lag) for operand in node.operands]
            pairs = zip(node.operators, values, values[1:], strict=False)
            return _joined([_compare(operator, left, right, wanted) for operator, left, right in pairs], wanted)
        if isinstance(node, Logic):
            parts = [self._truth(part, lag, wanted) for part in node.operands]
            return _joined(parts, wanted == (node.operator == "and"))
        if isinstance(node, Not):
            return self._truth(node.operand, lag, not wanted)
        if isinstance(node, Truth):
            return np.full((1, 1), node.value is wanted)
        if isinstance(node, Name):
            return self._calendar_condition(node.name, lag, wanted)
        assert isinstance(node, Call)
        if node.function == "lag":
            return self._truth(node.arguments[0], lag + lag_of(node), wanted)
        if node.function == "defined":
            value = np.atleast_2d(self._number(node.arguments[0], lag))
            found: BoolArray = np.isnan(value) != wanted
            return found
        if node.function == "time_between":
            return self._time_between(node, lag, wanted)
        return self._crossing(node, lag, wanted)

    def _crossing(self, call: Call, lag: int, wanted: bool) -> BoolArray:
        a, b = call.arguments
        now_a, now_b = self._number(a, lag), self._number(b, lag)
        if wanted and lag == 0 and isinstance(now_a, np.ndarray) and now_a.shape == self._shape:
            return (crosses_above if call.function == "crosses_above" else crosses_below)(now_a, now_b, self._bars)
        before, now = _CROSSINGS[call.function]
        earlier = _compare(before, self._number(a, lag + 1), self._number(b, lag + 1), wanted)
        return _joined([earlier, _compare(now, now_a, now_b, wanted)], wanted)

    def _number(self, node: Node, lag: int) -> Value:
        """Return a number as a column, or as one value where it is the same everywhere; nan where undefined."""
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Name):
            return self.column(node.name, lag)
        if isinstance(node, Negative):
            return -self._number(node.operand, lag)
        if isinstance(node, Call) and node.function == "lag":
            return self._number(node.arguments[0], lag + lag_of(node))
        with np.errstate(all="ignore"):
            if isinstance(node, Arithmetic):
                result = self._number(node.operands[0], lag)
                for operator, operand in zip(node.operators, node.operands[1:], strict=True):
                    result = _OPERATIONS[operator](result, self._number(operand, lag))
            else:
                assert isinstance(node, Call)
                values = [self._number(part, lag) for part in node.arguments]
                if node.function in _FUNCTIONS:
                    result = _FUNCTIONS[node.function](values[0])
                else:
                    return reduce(_OPERATIONS[node.function], values)
        return np.where(np.isfinite(result), result, np.nan)

    def _wall_clock(self) -> IntArray:
        if self._local is None:
            self._local = local_times(self._bars.times, self._timezone)
        return self._local

    def _calendar(self, name: str) -> FloatArray:
        """Return a number of the calendar, shape (n_bars, 1); of `new_day` and its kind, the number of the period."""
        if name == "first_bar":
            marks = np.zeros(self._shape)
            marks[first_bars(self._bars, self._first)] = 1.0
            return marks
        local = self._wall_clock()
        days = local // DAY_US
        if name in ("hour", "minute"):
            minutes = local % DAY_US // MINUTE_US
            found = minutes // 60 if name == "hour" else minutes % 60
        elif name in ("new_day", "weekday", "new_week"):  # 1970-01-01 was a Thursday
            found = days if name == "new_day" else (days + 3) % 7 if name == "weekday" else (days + 3) // 7
        else:
            dates = days.astype("datetime64[D]")
            months = dates.astype("datetime64[M]")
            if name == "day":
                found = (dates - months.astype("datetime64[D]")).astype(np.int64) + 1
            elif name == "month":
                found = months.astype(np.int64) % 12 + 1
            else:
                found = months.astype(np.int64) + (0 if name == "new_month" else 1970 * 12)
                found = found // 12 if name == "year" else found
        return found.astype(np.float64)[:, np.newaxis]

    def _calendar_condition(self, name: str, lag: int, wanted: bool) -> BoolArray:
        if name == "first_bar":
            first: BoolArray = self.column(name, lag) == float(wanted)
            return first
        now, before = self.column(name, lag), self.column(name, lag + 1)
        if wanted:  # without a bar before it, a bar is the first of its day
            begins: BoolArray = ~np.isnan(now) & (now != before)
            return begins
        same: BoolArray = now == before
        return same

    def _time_between(self, call: Call, lag: int, wanted: bool) -> BoolArray:
        start, end = (minutes_of(text) for text in time_arguments(call))
        minute = self.column("hour", lag) * 60.0 + self.column("minute", lag)
        after, before = minute >= start, minute < end
        inside: BoolArray = after & before if start < end else after | before
        return inside if wanted else ~inside & ~np.isnan(minute)


def _joined(parts: list[BoolArray], every: bool) -> BoolArray:
    return reduce(np.logical_and if every else np.logical_or, parts)


def _compare(operator: str, left: Value, right: Value, wanted: bool) -> BoolArray:
    """Return where a comparison is known to be `wanted`; nan makes it unknown."""
    if not wanted:
        operator = _CONTRARY[operator]
    if operator == "<":
        found = np.less(left, right)
    elif operator == "<=":
        found = np.less_equal(left, right)
    elif operator == ">":
        found = np.greater(left, right)
    elif operator == ">=":
        found = np.greater_equal(left, right)
    elif operator == "==":
        found = np.equal(left, right)
    else:
        found = np.not_equal(left, right) & ~np.isnan(left) & ~np.isnan(right)
    return np.atleast_2d(found)
