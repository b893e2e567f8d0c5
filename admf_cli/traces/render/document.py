"""Answers as one JSON document, whatever text is in them. Refuses to know what they mean."""

from __future__ import annotations

from typing import Any

import orjson
from msgspec import Struct
from msgspec.structs import asdict

REPORT_SCHEMA_VERSION = 1


def document(answer: Any, **more: Any) -> str:
    """Return a struct (and further keys before it) as indented JSON with its `schema_version`; nan becomes null."""
    content = {"schema_version": REPORT_SCHEMA_VERSION, **more, **_plain(answer)}
    try:
        return orjson.dumps(content, _mapping, orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        # Nesting beyond orjson's limit, or half a surrogate pair out of a file name: neither is ours.
        return orjson.dumps(_shallow(content, 100), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()


def _plain(answer: Any) -> dict[str, Any]:
    return asdict(answer) if isinstance(answer, Struct) else dict(answer)


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, Struct):
        return asdict(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _shallow(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if depth == 0:
        return "(nested too deeply)"
    if isinstance(value, Struct):
        value = asdict(value)
    if isinstance(value, dict):
        return {_shallow(key, depth - 1): _shallow(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shallow(item, depth - 1) for item in value]
    return value
