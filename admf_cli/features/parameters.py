"""What a feature or a strategy may be told: its parameters with defaults and ranges, and the check of given values.

Refuses to know what the values are used for, or where in a file they stood.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct


class Fault(NamedTuple):
    """One value that cannot be taken.

    Attributes:
        parameter: "" where none is to blame.
        message: what is required of it, with the offending value.
        within: keys and positions that lead from the given values to the mapping (or list) that holds the parameter,
            where one is nested in another.
        column: 1-based place in the value, where the value is an expression.
    """

    parameter: str
    message: str
    within: tuple[str | int, ...] = ()
    column: int | None = None

    def __str__(self) -> str:
        steps = (*self.within, self.parameter) if self.parameter else self.within
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
        place = "" if self.column is None else f"at column {self.column}: "
        return f"{path}: {place}{self.message}"


class ParameterError(ValueError):
    """Values were given that the feature or strategy cannot take; `faults` holds every one found.

    Attributes:
        faults: at least one.
        parameter, message: of the first fault.
    """

    def __init__(self, subject: str, faults: Sequence[Fault]) -> None:
        self.subject = subject
        self.faults = tuple(faults)
        self.parameter, self.message = self.faults[0].parameter, self.faults[0].message
        super().__init__("; ".join(f"{subject}{fault}" for fault in self.faults))


class Parameter(Struct, frozen=True):
    """One value that can be set.

    Attributes:
        type: "int", "float", "bool", "str"; "period" is a number of bars or the name of a configured feature;
            "expression" is text in the rules language; "timezone" an IANA name, "time" a time of day as HH:MM;
            "symbol" a symbol of the data; "weights" a mapping of symbols to numbers; "mapping" and "list" are checked
            by their owner; "strategy" is a strategy's block or name, "strategies" a
            list of them.
        default: what holds if it is not given; None means not set.
        required: True if it has to be given.
        minimum, maximum: inclusive bounds of numbers; None is unbounded.
        above: exclusive lower bound of numbers.
        choices: the only values allowed, if any.
        doc: one line for people.
    """

    name: str
    type: str
    default: Any = None
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    doc: str = ""

    def range_text(self) -> str:
        """Return the allowed values in words, such as "1 to 100000" or "a | b"; empty if anything goes."""
        if self.choices:
            return " | ".join(self.choices)
        low = "" if self.minimum is None else f"{self.minimum:g}"
        high = "" if self.maximum is None else f"{self.maximum:g}"
        if self.above is not None:
            return f"above {self.above:g}" + (f", at most {high}" if high else "")
        if low and high:
            return f"{low} to {high}"
        if low:
            return f"at least {low}"
        return f"at most {high}" if high else ""

    def fault(self, value: Any) -> str | None:
        """Return what is wrong with `value`, or None."""
        if value is None:
            return None if not self.required and self.default is None else f"must be {self._kind()}, not null"
        wrong_type = f"must be {self._kind()} (got {value!r})"
        if self.type == "bool":
            return None if isinstance(value, bool) else wrong_type
        if self.type in ("str", "expression", "symbol"):
            if not isinstance(value, str) or not value.strip():
                return wrong_type
            return self._choice_fault(value)
        if self.type in ("timezone", "time"):
            fits = _is_timezone if self.type == "timezone" else _is_time
            return None if isinstance(value, str) and fits(value) else wrong_type
        if self.type == "strategy":
            return None if isinstance(value, (str, Mapping)) else wrong_type
        if self.type in ("mapping", "weights"):
            return None if isinstance(value, Mapping) else wrong_type
        if self.type in ("list", "strategies"):
            return None if isinstance(value, Sequence) and not isinstance(value, str) else wrong_type
        if self.type == "period" and isinstance(value, str):
            return None if value.strip() else wrong_type
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return wrong_type
        if not math.isfinite(value):
            return f"must be a finite number (got {value!r})"
        if self.type != "float" and value != int(value):
            return wrong_type
        if (
            (self.minimum is not None and value < self.minimum)
            or (self.maximum is not None and value > self.maximum)
            or (self.above is not None and value <= self.above)
        ):
            return f"must be {self.range_text()} (got {value!r})"
        return None

    def _choice_fault(self, value: str) -> str | None:
        if not self.choices or value in self.choices:
            return None
        return f"must be one of {', '.join(self.choices)} (got {value!r}){did_you_mean(value, self.choices)}"

    def _kind(self) -> str:
        return {
            "int": "a whole number",
            "float": "a number",
            "bool": "true or false",
            "str": "text",
            "period": "a number of bars or the name of a feature",
            "expression": "an expression as text",
            "mapping": "a mapping",
            "symbol": "a symbol as text",
            "weights": "a mapping of symbols to weights, such as {SPX: 0.6}",
            "list": "a list",
            "timezone": "an IANA time zone, such as America/New_York",
            "time": 'a time of day in quotes, such as "09:30"',
            "strategy": "a strategy: the name of one, or a block with type and params",
            "strategies": "a list of strategies",
        }[self.type]

    def coerce(self, value: Any) -> Any:
        """Return a checked value in its canonical type: 10.0 for an int parameter becomes 10."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        if self.type in ("int", "period"):
            return int(value)
        return float(value) if self.type == "float" else value


def _is_timezone(name: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_time(text: str) -> bool:
    hours, colon, minutes = text.partition(":")
    digits = hours.isdecimal() and minutes.isdecimal() and text.isascii() and len(text) == len("00:00")
    return digits and colon == ":" and int(hours) < 24 and int(minutes) < 60


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return '; did you mean "x"?' if a known word is near, else an empty text."""
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return f'; did you mean "{lower[near[0]]}"?' if near else ""


def check_values(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Fill in defaults and check every value.

    Returns:
        The complete values in the order of `parameters` (sound ones only), and every fault found.
    """
    known = {parameter.name: parameter for parameter in parameters}
    faults: list[Fault] = [
        Fault(
            str(name),
            f"is not a parameter (known: {', '.join(known) or 'none'}){did_you_mean(str(name), list(known))}",
        )
        for name in values
        if name not in known
    ]
    complete: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name not in values:
            if parameter.required:
                faults.append(Fault(parameter.name, f"is required and must be {parameter._kind()}"))
            else:
                complete[parameter.name] = parameter.default
            continue
        value = values[parameter.name]
        fault = parameter.fault(value)
        if fault is None:
            complete[parameter.name] = parameter.coerce(value)
        else:
            faults.append(Fault(parameter.name, fault))
    return complete, faults
