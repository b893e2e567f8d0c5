"""The schema for editors and for people: JSON Schema, and the page docs/config.md. Refuses to know values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from admf_cli import CONFIG_SCHEMA_VERSION

_SECTION_ORDER = (
    "workflow",
    "data",
    "instruments",
    "features",
    "strategies",
    "risk_profiles",
    "portfolio",
    "execution",
    "results",
)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of configurations, draft 2020-12."""
    from admf_cli.config.schema.root import Config

    document = Config.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"ADMF configuration, schema {CONFIG_SCHEMA_VERSION}",
        **{key: value for key, value in document.items() if key != "title"},
    }


def markdown_page() -> str:
    """Return the reference of every key: type, default, meaning, example."""
    schema = json_schema()
    lines = [
        "# Configuration reference",
        "",
        f"Schema {CONFIG_SCHEMA_VERSION}. Made by `admf config schema --markdown`; do not edit. Every example under "
        "[configs/](../configs) runs.",
        "",
        "Unknown keys, duplicate keys and wrong types are errors with file, line and column; all faults are shown at "
        "once. Only `true` and `false` are booleans; `NO`, `on` and `1:30` stay text. `--set PATH=VALUE` overrides any "
        "key, lists by number: `--set strategies[0].params.fast=5`.",
        "",
    ]
    for key, section in schema["properties"].items():
        if key not in _SECTION_ORDER:
            lines += [f"- `{key}`: {section.get('description', '')}", ""]
    for key in _SECTION_ORDER:
        lines += [f"## {key}", "", schema["properties"][key].get("description", ""), ""]
        rows = list(_rows(schema, schema["properties"][key], key))
        lines += ["| key | type | default | meaning |", "|---|---|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[str]:
    for model, where in _models(schema, node, path):
        for key, child in model.get("properties", {}).items():
            if key == "type" and "const" in child:
                yield f"| `{where}.type: {child['const']}` | | | {model.get('description', '').splitlines()[0]} |"
                continue
            required = key in model.get("required", ())
            default = "required" if required else f"`{_text(child.get('default'))}`" if "default" in child else ""
            meaning = child.get("description", "")
            if child.get("examples"):
                meaning += f" Example: `{_text(child['examples'][0])}`."
            yield f"| `{where}.{key}` | {_type(schema, child)} | {default} | {meaning.replace('|', chr(92) + '|')} |"
            yield from _rows(schema, child, f"{where}.{key}")


def _models(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the object schemas that a node may be, below lists and mappings too, with the path of their keys."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    if "properties" in node:
        yield node, path
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _models(schema, choice, path)
    if isinstance(node.get("items"), dict):
        yield from _models(schema, node["items"], f"{path}[]")
    if isinstance(node.get("additionalProperties"), dict):
        yield from _models(schema, node["additionalProperties"], f"{path}.NAME")


def _type(schema: dict[str, Any], node: dict[str, Any]) -> str:
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    if "enum" in node:
        words = [str(word) for word in node["enum"]]
        return ", ".join(words) if len(words) <= 8 else "one of the event types"
    choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    if choices:
        return " or ".join(dict.fromkeys(_type(schema, choice) for choice in choices))
    kinds = {"array": "list", "object": "mapping", "string": "text", "number": "number", "integer": "whole number"}
    kinds |= {"boolean": "true, false", "null": "null"}
    return kinds.get(str(node.get("type")), str(node.get("const", "any")))


def _text(value: Any) -> str:
    return orjson.dumps(value).decode().replace("|", "\\|")
