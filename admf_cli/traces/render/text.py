"""Text of unknown origin made harmless for terminals and spreadsheets. Refuses to know where it came from."""

from __future__ import annotations

import re
from typing import Any

import orjson

# Control characters (escape sequences, carriage returns, bells), and those that reorder or hide text.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def printable(text: str, limit: int | None = None) -> str:
    """Return text with every character that a terminal would act on written out, such as `\\x1b`.

    Args:
        limit: the longest text to return; what is beyond it becomes an ellipsis.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def json_line(line: bytes) -> str:
    """Return a line that was found to be JSON as text of the same meaning that no terminal acts on."""
    text = line.decode("utf-8", "replace")
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", orjson.dumps(orjson.loads(line)).decode())


def csv_safe(text: str) -> str:
    """Return text that a spreadsheet shows instead of calculating: a formula gets an apostrophe before it."""
    if text.startswith(_FORMULA_STARTS) and not _is_number(text):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def number(value: Any) -> str:
    """Return a value from a payload as people read it: rounded numbers, text as it is, the rest as JSON."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return decimal(value)
    return printable(value, 200) if isinstance(value, str) else printable(json_text(value), 200)


def decimal(value: float) -> str:
    """Return a float with enough digits to compare by eye; whole numbers without a fraction."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    size = abs(value)
    if size and size < 1e-4:
        return f"{value:.4g}"
    if value.is_integer() and size < 1e15:
        return f"{int(value):,}"
    places = 2 if size >= 10_000 else 4 if size >= 1 else 6
    text = f"{value:,.{places}f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(2, "0") if places > 2 else fraction
    return f"{whole}.{fraction}"


def moment(timestamp: str) -> str:
    """Return a timestamp as people read it: the date alone at midnight, no T and no Z."""
    date, _, clock = timestamp.removesuffix("Z").partition("T")
    return date if clock in ("", "00:00:00") else f"{date} {clock}"


def json_text(value: Any) -> str:
    """Return a value as compact JSON; what orjson can't write (too deep) is said so."""
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):
        return '"(nested too deeply to print)"'
