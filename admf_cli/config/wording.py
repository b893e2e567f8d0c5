"""What pydantic reports, in words a researcher can act on. Refuses to know places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic_core import ErrorDetails

from admf_cli.config.hints import near
from admf_cli.config.node import ListNode, MappingNode, Node, Step, printable

REQUIRED = "is required"
_RULES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "list_type": "must be a list",
    "model_attributes_type": "must be a mapping",
    "model_type": "must be a mapping",
    "string_type": "must be text",
    "finite_number": "must be a finite number",
}
_MOMENTS = ("start", "end", "until")
# What a bare number or word most likely stands for, where a mapping with a type is wanted.
_SHORT_FORMS = {
    "sizing": "{{type: fixed, quantity: {0}}}",
    "commission": "{{type: percent, rate: {0}}}",
    "slippage": "{{type: bps, bps: {0}}}",
}
_TRUE = frozenset(("yes", "on", "y", "1", "true"))
_FALSE = frozenset(("no", "off", "n", "0", "false"))


def word(
    error: ErrorDetails,
    path: Sequence[Step],
    node: Node | None,
    *,
    examples: Sequence[Any] | None,
    required: bool,
    tags: Sequence[str],
) -> tuple[str, str | None]:
    """Return rule and remedy of an error.

    Args:
        node: what the user wrote there; None if nothing.
        examples: of the key, from the schema.
        required: whether the key has no default.
        tags: the types to choose from, where the value is of one of several kinds.
    """
    kind, context = error["type"], error.get("ctx") or {}
    key = path[-1] if path and isinstance(path[-1], str) else ""
    if kind == "admf":
        return context["rule"], context.get("remedy")
    if kind == "missing":
        return REQUIRED, f"write {key}: {flow(examples[0])}" if examples else None
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return _of_several_kinds(kind, key, node, tags, examples)
    if kind == "literal_error":
        expected = re.findall(r"'([^']*)'", str(context["expected"]))
        rule = f"must be one of {', '.join(expected)}" if len(expected) > 1 else f"must be {expected[0]}"
        return rule, near(str(node.value), expected) if node is not None else None
    if kind == "string_pattern_mismatch":
        return "a name is 1 to 64 letters, digits and _, and begins with no digit", None
    if kind in _RULES:
        return _wrong_type(kind, key, node, examples, required)
    return _bound(error, node)


def flow(value: Any) -> str:
    """Return a value as one line of YAML."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_./{}-]+", value) and not value.startswith("{"):
        return value
    return orjson.dumps(value).decode()


def _of_several_kinds(
    kind: str, key: str, node: Node | None, tags: Sequence[str], examples: Sequence[Any] | None
) -> tuple[str, str | None]:
    choices = ", ".join(tags)
    if kind == "union_tag_invalid":
        return f"must be one of {choices}", near(str(node.value), tags) if node is not None else None
    if isinstance(node, MappingNode):
        wrong = "type" in node.items
        return ("type must be text" if wrong else "needs a type"), f"write type: and one of {choices}"
    rule = f"must be a mapping with a type: {choices}"
    if node is not None and isinstance(node.value, str) and node.value in tags:
        return rule, f"write {key}: {{type: {node.value}}} with its settings"
    if node is not None and isinstance(node.value, int | float) and key in _SHORT_FORMS:
        return rule, f"write {key}: {_SHORT_FORMS[key].format(printable(node.text))}"
    return rule, f"write {key}: {flow(examples[0])}" if examples else None


def _wrong_type(
    kind: str, key: str, node: Node | None, examples: Sequence[Any] | None, required: bool
) -> tuple[str, str | None]:
    rule = _RULES[kind]
    if node is None:
        return rule, None
    example = f"write {key}: {flow(examples[0])}" if examples and key else None
    if kind in ("float_type", "int_type", "int_from_float"):
        guess = meant_number(node.value, whole=kind != "float_type")
        return rule, f"write {guess}" if guess else example
    if kind == "bool_type":
        meant = str(node.value).lower()
        return rule, "write true" if meant in _TRUE else "write false" if meant in _FALSE else "write true or false"
    if isinstance(node, MappingNode):
        if kind == "list_type":
            if key == "phases":
                return rule, f"write a list: [{{name: {next(iter(node.items), 'training')}, …}}]"
            return rule, "put `- ` before it: it is a list, even of one"
        return rule, example
    if isinstance(node, ListNode):
        return rule, example
    if node.value is None:
        if not key:
            return rule, "write a value, or remove it from the list"
        return rule, example if required else "remove the key to have its default"
    if kind == "list_type":
        return rule, f"write [{printable(node.text)}]"
    if kind == "string_type":
        if key in _MOMENTS:
            return "must be a date or a UTC time", _moment(str(node.value))
        return rule, f'write "{printable(node.text)}" in quotes'
    return rule, example


def _moment(text: str) -> str:
    compact = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text, re.ASCII)
    if compact:
        return f"write {'-'.join(compact.groups())}"
    return f"write {text}-01-01" if re.fullmatch(r"[12]\d{3}", text, re.ASCII) else "write YYYY-MM-DD"


def meant_number(value: Any, *, whole: bool) -> str | None:
    """Return the number that a text or a float was probably meant to be: 5%, "100,000", 100_000, 1e4."""
    if isinstance(value, float):
        return str(int(value)) if whole and value.is_integer() else None
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = value.strip()
    percent = re.fullmatch(r"([-+]?[0-9]+(?:\.[0-9]+)?) ?%", text)
    if percent and not whole:
        return f"{float(percent[1]) / 100:.10g}"
    bare = re.sub(r"(?<=[0-9])[_ ,'](?=[0-9]{3}(?![0-9]))", "", text).lstrip("$€£ ")
    if re.fullmatch(r"[-+]?[0-9]{1,18}", bare) or (not whole and re.fullmatch(r"[-+]?[0-9]{0,18}\.[0-9]{1,18}", bare)):
        return bare
    return None


def _bound(error: ErrorDetails, node: Node | None) -> tuple[str, str | None]:
    kind, context = error["type"], error.get("ctx") or {}
    value = node.value if node is not None else None
    words = {
        "greater_than": "must be greater than {gt}",
        "greater_than_equal": "must be at least {ge}",
        "less_than": "must be less than {lt}",
        "less_than_equal": "must be at most {le}",
        "too_short": "must have at least {min_length} {field_items}",
        "too_long": "must have at most {max_length} {field_items}",
        "string_too_short": "must have at least {min_length} character(s)",
        "string_too_long": "must have at most {max_length} character(s)",
    }
    if kind not in words:
        return _sentence(error["msg"]), None
    bounds = {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in context.items()}
    rule = words[kind].format(**bounds, field_items="items" if max(_lengths(context), default=1) != 1 else "item")
    limit = context.get("lt", context.get("le"))
    if limit in (0.5, 1.0) and isinstance(value, int | float) and limit <= value <= 100:
        return rule, f"it is a fraction: write {value / 100:g} for {value:g} %"
    return rule, None


def instead(examples: Sequence[Any] | None, *, required: bool, key: str) -> str | None:
    """Return what can stand in place of a value that its rule alone refuses."""
    if not required:
        return "remove the key to have its default"
    return f"write {key}: {flow(examples[0])}" if examples else None


def _lengths(context: Mapping[str, Any]) -> list[int]:
    return [context[name] for name in ("min_length", "max_length") if isinstance(context.get(name), int)]


def _sentence(message: str) -> str:
    text = message.replace("Input should be", "must be").replace("String should", "must")
    return text[:1].lower() + text[1:]
