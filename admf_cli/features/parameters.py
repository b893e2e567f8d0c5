"""What a feature or a strategy may be told: its parameters with defaults and ranges, and the check of given values.

Refuses to know what the values are used for, or where in a file they stood.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Fault = tuple[str, str]
"""(parameter, what is required of it, with the offending value)."""


class ParameterError(ValueError):
    """Values were given that the feature or strategy cannot take; `faults` holds every one found.

    Attributes:
        faults: (parameter, message) pairs; the parameter is "" where none is to blame.
        parameter, message: of the first fault.
    """

    def __init__(self, subject: str, faults: Sequence[Fault]) -> None:
        self.subject = subject
        self.faults = tuple(faults)
        self.parameter, self.message = self.faults[0]
        super().__init__("; ".join(f"{subject}{'.' if name else ''}{name}: {message}" for name, message in self.faults))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that can be set.

    Attributes:
        type: "int", "float", "bool", "str"; "period" is a number of bars or the name of a configured feature;
            "expression" is text in the rules language; "mapping" and "list" are checked by their owner.
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
        if self.type in ("str", "expression"):
            if not isinstance(value, str) or not value.strip():
                return wrong_type
            return self._choice_fault(value)
        if self.type == "mapping":
            return None if isinstance(value, Mapping) else wrong_type
        if self.type == "list":
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
            "list": "a list",
        }[self.type]

    def coerce(self, value: Any) -> Any:
        """Return a checked value in its canonical type: 10.0 for an int parameter becomes 10."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        if self.type in ("int", "period"):
            return int(value)
        return float(value) if self.type == "float" else value


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
        (str(name), f"is not a parameter (known: {', '.join(known) or 'none'}){did_you_mean(str(name), list(known))}")
        for name in values
        if name not in known
    ]
    complete: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name not in values:
            if parameter.required:
                faults.append((parameter.name, f"is required and must be {parameter._kind()}"))
            else:
                complete[parameter.name] = parameter.default
            continue
        value = values[parameter.name]
        fault = parameter.fault(value)
        if fault is None:
            complete[parameter.name] = parameter.coerce(value)
        else:
            faults.append((parameter.name, fault))
    return complete, faults
