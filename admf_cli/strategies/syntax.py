"""The words and the parts of trading rules: what can be said. Refuses to read text and to evaluate."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

CALENDAR_NUMBERS = {
    "hour": "hour of the bar's time, 0 to 23",
    "minute": "minute of the bar's time, 0 to 59",
    "weekday": "day of the week, Monday 0 to Sunday 6",
    "day": "day of the month, 1 to 31",
    "month": "month, 1 to 12",
    "year": "year",
}
CALENDAR_CONDITIONS = {
    "first_bar": "the symbol's first bar of trading",
    "new_day": "the symbol's first bar of a day",
    "new_week": "the symbol's first bar of a week, which begins on Monday",
    "new_month": "the symbol's first bar of a month",
}
FUNCTIONS = {
    "crosses_above": "crosses_above(a, b): a[t-1] <= b[t-1] and a[t] > b[t]",
    "crosses_below": "crosses_below(a, b): a[t-1] >= b[t-1] and a[t] < b[t]",
    "lag": "lag(x, n): x as it was n of the symbol's own bars ago; x is a number or a condition",
    "abs": "abs(x): x without its sign",
    "min": "min(a, b, ...): the least",
    "max": "max(a, b, ...): the greatest",
    "sqrt": "sqrt(x): square root",
    "log": "log(x): natural logarithm",
    "defined": "defined(x): x has a value",
    "time_between": 'time_between("09:30", "16:00"): from the first time of day, up to but not at the second; over '
    "midnight if the second is the earlier one",
}
_CONDITION_FUNCTIONS = ("crosses_above", "crosses_below", "defined", "time_between")


class Node(Struct, frozen=True):
    """A part of an expression; `start` and `end` are its place in the text."""

    start: int
    end: int


class Number(Node, frozen=True):
    """A number as written."""

    value: float


class Text(Node, frozen=True):
    """A quoted text: a time of day."""

    value: str


class Truth(Node, frozen=True):
    """The words true and false."""

    value: bool


class Name(Node, frozen=True):
    """A bar column, a feature, or a name of the calendar."""

    name: str


class Call(Node, frozen=True):
    """A function of the list."""

    function: str
    arguments: tuple[Node, ...]


class Arithmetic(Node, frozen=True):
    """Operands with the operators between them, taken from left to right; all of them + and -, or all * and /."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]


class Negative(Node, frozen=True):
    """Minus a number."""

    operand: Node


class Comparison(Node, frozen=True):
    """Operands compared with their neighbours: a < b <= c holds if both comparisons do."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]


class Logic(Node, frozen=True):
    """Conditions joined by `and` or by `or`."""

    operator: str
    operands: tuple[Node, ...]


class Not(Node, frozen=True):
    """The contrary of a condition."""

    operand: Node


def is_condition(node: Node) -> bool:
    """Return True for what is true or false, False for what is a number."""
    if isinstance(node, Call):
        return node.function in _CONDITION_FUNCTIONS or (node.function == "lag" and is_condition(node.arguments[0]))
    if isinstance(node, Name):
        return node.name in CALENDAR_CONDITIONS
    return isinstance(node, (Comparison, Logic, Not, Truth))


def lag_of(call: Call) -> int:
    """Return the n of lag(x, n)."""
    count = call.arguments[1]
    assert isinstance(count, Number)  # the parser accepts nothing else
    return int(count.value)


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts of a node."""
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, (Arithmetic, Comparison, Logic)):
        return node.operands
    return (node.operand,) if isinstance(node, (Negative, Not)) else ()


def values_read(node: Node, lag: int = 0) -> Iterator[tuple[str, int]]:
    """Yield (name, lag) of every bar column and feature that a node reads, in order, repetitions included."""
    if isinstance(node, Name):
        if node.name not in CALENDAR_NUMBERS and node.name not in CALENDAR_CONDITIONS:
            yield node.name, lag
    elif isinstance(node, Call) and node.function == "lag":
        yield from values_read(node.arguments[0], lag + lag_of(node))
    else:
        for part in children(node):
            yield from values_read(part, lag)
        if isinstance(node, Call) and node.function in ("crosses_above", "crosses_below"):
            for part in node.arguments:
                yield from values_read(part, lag + 1)


def lagged_name(name: str, lag: int) -> str:
    """Return how a value is called in evidence: fast, fast_previous, fast_lag_5."""
    return name if lag == 0 else f"{name}_previous" if lag == 1 else f"{name}_lag_{lag}"


def minutes_of(time_of_day: str) -> int:
    """Return the minutes since midnight of HH:MM."""
    return int(time_of_day[:2]) * 60 + int(time_of_day[3:])


def time_arguments(call: Call) -> tuple[str, str]:
    """Return the two times of day of time_between."""
    start, end = call.arguments
    assert isinstance(start, Text)  # the parser accepts nothing else
    assert isinstance(end, Text)
    return start.value, end.value
