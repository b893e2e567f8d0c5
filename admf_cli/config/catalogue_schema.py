"""What the catalogues of features and strategies know, as JSON Schema: editors complete and check their parameters.

Refuses to check anything itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from admf_cli.features.parameters import Parameter

_MEMBER = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Member"}]}
_TYPES: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "period": {"type": ["integer", "string"]},
    "mapping": {"type": "object"},
    "list": {"type": "array"},
    "weights": {"type": "object", "additionalProperties": {"type": "number"}},
    "time": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "strategy": _MEMBER,
    "strategies": {"type": "array", "items": _MEMBER},
}


def add_catalogues(definitions: dict[str, Any]) -> None:
    """Add to the schema's definitions which types there are, and which parameters each strategy takes."""
    from admf_cli.features import feature_types
    from admf_cli.strategies.registry import describe, strategy_types

    _complete(definitions["Feature"]["properties"]["type"], feature_types())
    strategy = definitions["Strategy"]
    _complete(strategy["properties"]["type"], strategy_types())
    cases = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {"properties": {"params": _params(describe(name).parameters)}},
        }
        for name in strategy_types()
        if not describe(name).open
    ]
    strategy["allOf"] = cases
    definitions["Member"] = {
        "type": "object",
        "description": "A strategy inside another.",
        "properties": {key: strategy["properties"][key] for key in ("name", "type", "params")},
        "required": ["type"],
        "additionalProperties": False,
        "allOf": cases,
    }


def _complete(schema: dict[str, Any], names: tuple[str, ...]) -> None:
    """Let editors offer the names, and leave others open: packages may bring their own, in any case of letters."""
    schema["examples"] = list(dict.fromkeys((*schema.get("examples", ()), *names)))


def _params(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    required = [parameter.name for parameter in parameters if parameter.required]
    return {
        "type": "object",
        "properties": {parameter.name: _schema(parameter) for parameter in parameters},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _schema(parameter: Parameter) -> dict[str, Any]:
    value: dict[str, Any] = dict(_TYPES.get(parameter.type, {"type": "string"}))
    if parameter.choices:
        value["enum"] = list(parameter.choices)
    bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum, "exclusiveMinimum": parameter.above}
    value.update({name: bound for name, bound in bounds.items() if bound is not None})
    if not parameter.required and parameter.default is None:
        value = {"anyOf": [value, {"type": "null"}]}
    return {
        **value,
        "description": parameter.doc,
        **({} if parameter.required else {"default": parameter.default}),
    }
