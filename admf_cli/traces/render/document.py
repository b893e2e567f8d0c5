"""Answers as one JSON document, whatever text is in them. Refuses to know what they mean."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson

REPORT_SCHEMA_VERSION = 1


def document(answer: Any, **more: Any) -> str:
    """Return a dataclass (and further keys before it) as indented JSON with its `schema_version`; nan becomes null."""
    content = {"schema_version": REPORT_SCHEMA_VERSION, **more, **_plain(answer)}
    try:
        return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        # Nesting beyond orjson's limit, or half a surrogate pair out of a file name: neither is ours.
        return orjson.dumps(_shallow(content, 100), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()


def _plain(answer: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(answer):
        return {field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)}
    return dict(answer)


def _shallow(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if depth == 0:
        return "(nested too deeply)"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _shallow(getattr(value, field.name), depth - 1) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {_shallow(key, depth - 1): _shallow(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shallow(item, depth - 1) for item in value]
    return value
