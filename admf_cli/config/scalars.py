"""What an unquoted word of YAML means: YAML 1.2's core rules, the readings that surprise turned into faults.

Only `true` and `false` are booleans (`NO`, `on`, `yes` stay text), `1e-3` is a number, `1:30` and dates stay text, and
what could be read in two ways (`010`) or not at all (`1e400`) is refused. Refuses to know places and the schema.
"""

from __future__ import annotations

import math
import re

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_MOST_DIGITS = 100
LARGEST_INTEGER = 2**63 - 1


class ScalarError(ValueError):
    """An unquoted word that has no safe meaning; `remedy` says what to write."""

    def __init__(self, rule: str, remedy: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.remedy = remedy


def resolve(text: str) -> str | int | float | bool | None:
    """Return what an unquoted word means.

    Raises:
        ScalarError: it is a number in two readings, or too large, too small or not finite.
    """
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    first = text[0]
    if not (first in "+-." or first.isdigit()):
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _BASED.fullmatch(text):
        return _checked_size(int(text, 0), text) if len(text) <= _MOST_DIGITS else _refuse_large()
    if _FLOAT.fullmatch(text):
        return _float(text)
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError("numbers must be finite", f"write a number, null, or '{text}' in quotes if it is text")
    return text


def _integer(text: str) -> int:
    if _LEADING_ZERO.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            _refuse_large()
        decimal = text.lstrip("+-").lstrip("0") or "0"
        octal = f" or 0o{decimal} (octal)" if set(text) <= set("+-01234567") and decimal != "0" else ""
        raise ScalarError(
            "a number must not begin with 0: YAML 1.1 reads it as octal, YAML 1.2 as decimal",
            f'write {decimal}{octal}, or "{text}" in quotes if it is text such as a symbol',
        )
    if len(text) > _MOST_DIGITS:
        _refuse_large()
    return _checked_size(int(text), text)


def _checked_size(number: int, text: str) -> int:
    if abs(number) > LARGEST_INTEGER:
        _refuse_large()
    return number


def _refuse_large() -> int:
    raise ScalarError("the number is too large", "write a smaller number, or put it in quotes if it is text")


def _float(text: str) -> float:
    mantissa = re.split("[eE]", text)[0]
    if re.fullmatch(r"[-+]?0[0-9]+(?:\..*)?", mantissa):
        plain = text.lstrip("+-").lstrip("0")
        raise ScalarError(
            "a number must not begin with 0 unless a point follows",
            f'write {plain if plain[:1].isdigit() else "0" + plain}, or "{text}" in quotes if it is text',
        )
    number = float(text)
    if math.isinf(number):
        _refuse_large()
    if number == 0.0 and any(digit in "123456789" for digit in mantissa):
        raise ScalarError("the number is too small to tell from 0", "write 0 or a larger number")
    return number
