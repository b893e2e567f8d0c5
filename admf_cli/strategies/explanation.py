"""Says of one bar why an expression holds or does not, part by part. Refuses to know where values come from."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from admf_cli.strategies.expression import parse_condition
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
    lagged_name,
    minutes_of,
    time_arguments,
    values_read,
)

Lookup = Callable[[str, int], float | None]
"""(name, lag) -> the value that many of the symbol's own bars before the bar in question, None if unknown."""


class Condition(Struct, frozen=True):
    """One condition of an expression at one bar.

    Attributes:
        text: as written.
        holds: None if a value it needs is undefined or unknown.
        values: what it read, such as {"fast": 10.2, "fast_previous": 9.9}.
        depth: 0 for the whole expression, 1 for its parts, and so on.
    """

    text: str
    holds: bool | None
    values: dict[str, float | None]
    depth: int = 0


def explain(expression: str, lookup: Lookup, timezone: str = "UTC") -> list[Condition]:
    """Return the whole expression and then each condition in it, in the order written.

    Args:
        lookup: asked for bar columns and features by name; for "time", the bar's microseconds since 1970 UTC, when
            the expression speaks of the calendar; and for "first_bar", 1.0 or 0.0.
        timezone: IANA name of the zone of times of day and dates.

    Raises:
        ExpressionError: the expression cannot be read.
    """
    bar = _Bar(lookup, ZoneInfo(timezone))
    found: list[Condition] = []
    _collect(parse_condition(expression), expression, bar, 0, 0, found)
    return found


def _collect(node: Node, text: str, bar: _Bar, lag: int, depth: int, found: list[Condition]) -> None:
    names = dict.fromkeys(values_read(node, lag))
    values = {lagged_name(name, ago): bar.value_of(name, ago) for name, ago in names}
    found.append(Condition(text[node.start : node.end], bar.truth(node, lag), values, depth))
    if isinstance(node, (Logic, Not)):
        for part in node.operands if isinstance(node, Logic) else (node.operand,):
            _collect(part, text, bar, lag, depth + 1, found)


class _Bar:
    """Evaluates with plain floats at one bar and the symbol's bars before it, by Kleene's logic."""

    def __init__(self, lookup: Lookup, zone: ZoneInfo) -> None:
        self._lookup = lookup
        self._zone = zone

    def value_of(self, name: str, lag: int) -> float | None:
        value = self._lookup(name, lag)
        return None if value is None or not math.isfinite(value) else float(value)

    def truth(self, node: Node, lag: int) -> bool | None:
        if isinstance(node, Comparison):
            values = [self.number(operand, lag) for operand in node.operands]
            pairs = zip(node.operators, values, values[1:], strict=False)
            return _all([_compare(operator, left, right) for operator, left, right in pairs])
        if isinstance(node, Logic):
            parts = [self.truth(part, lag) for part in node.operands]
            return _all(parts) if node.operator == "and" else _any(parts)
        if isinstance(node, Not):
            return _not(self.truth(node.operand, lag))
        if isinstance(node, Truth):
            return node.value
        if isinstance(node, Name):
            return self._calendar_condition(node.name, lag)
        assert isinstance(node, Call)
        if node.function == "lag":
            return self.truth(node.arguments[0], lag + lag_of(node))
        if node.function == "defined":
            return self.number(node.arguments[0], lag) is not None
        if node.function == "time_between":
            return self._time_between(node, lag)
        before, now = ("<=", ">") if node.function == "crosses_above" else (">=", "<")
        a, b = node.arguments
        return _all(
            [
                _compare(before, self.number(a, lag + 1), self.number(b, lag + 1)),
                _compare(now, self.number(a, lag), self.number(b, lag)),
            ]
        )

    def number(self, node: Node, lag: int) -> float | None:
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Name):
            return (
                self._calendar_number(node.name, lag)
                if node.name in CALENDAR_NUMBERS
                else self.value_of(node.name, lag)
            )
        if isinstance(node, Negative):
            value = self.number(node.operand, lag)
            return None if value is None else -value
        if isinstance(node, Call) and node.function == "lag":
            return self.number(node.arguments[0], lag + lag_of(node))
        parts = node.operands if isinstance(node, Arithmetic) else node.arguments if isinstance(node, Call) else ()
        values = [self.number(part, lag) for part in parts]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        if isinstance(node, Arithmetic):
            return _calculate(node.operators, known)
        assert isinstance(node, Call)
        if node.function in ("min", "max"):
            return min(known) if node.function == "min" else max(known)
        if node.function == "abs":
            return abs(known[0])
        if node.function == "sqrt":
            return math.sqrt(known[0]) if known[0] >= 0 else None
        return math.log(known[0]) if known[0] > 0 else None

    def _wall_clock(self, lag: int) -> datetime | None:
        time_us = self._lookup("time", lag)
        if time_us is None:
            return None
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(time_us))
        return moment.astimezone(self._zone)

    def _calendar_number(self, name: str, lag: int) -> float | None:
        moment = self._wall_clock(lag)
        if moment is None:
            return None
        return float(moment.weekday() if name == "weekday" else getattr(moment, name))

    def _calendar_condition(self, name: str, lag: int) -> bool | None:
        assert name in CALENDAR_CONDITIONS
        if name == "first_bar":
            first = self._lookup("first_bar", lag)
            return None if first is None else bool(first)
        moment, before = self._wall_clock(lag), self._wall_clock(lag + 1)
        if moment is None:
            return None
        return before is None or _period(name, moment) != _period(name, before)

    def _time_between(self, node: Call, lag: int) -> bool | None:
        moment = self._wall_clock(lag)
        if moment is None:
            return None
        start, end = (minutes_of(text) for text in time_arguments(node))
        minute = moment.hour * 60 + moment.minute  # seconds cannot change a comparison with whole minutes
        return start <= minute < end if start < end else minute >= start or minute < end


def _period(name: str, moment: datetime) -> tuple[int, ...]:
    if name == "new_week":
        return tuple(moment.isocalendar())[:2]
    return (moment.year, moment.month) if name == "new_month" else (moment.year, moment.month, moment.day)


def _calculate(operators: tuple[str, ...], values: list[float]) -> float | None:
    result = values[0]
    for operator, value in zip(operators, values[1:], strict=True):
        if operator == "/" and value == 0.0:
            return None
        if operator in "+-":
            result = result + value if operator == "+" else result - value
        else:
            result = result * value if operator == "*" else result / value
        if not math.isfinite(result):
            return None
    return result


def _compare(operator: str, left: float | None, right: float | None) -> bool | None:
    if left is None or right is None:
        return None
    if operator in ("<", "<="):
        return left < right or (operator == "<=" and left == right)
    if operator in (">", ">="):
        return left > right or (operator == ">=" and left == right)
    return (left == right) == (operator == "==")


def _all(parts: list[bool | None]) -> bool | None:
    if False in parts:
        return False
    return None if None in parts else True


def _any(parts: list[bool | None]) -> bool | None:
    if True in parts:
        return True
    return None if None in parts else False


def _not(part: bool | None) -> bool | None:
    return None if part is None else not part
