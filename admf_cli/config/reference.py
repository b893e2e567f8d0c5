"""The schema for editors and other programs: JSON Schema. Refuses to know values."""

from __future__ import annotations

from typing import Any

from admf_cli import CONFIG_SCHEMA_VERSION
from admf_cli.config.catalogue_schema import add_catalogues
from admf_cli.config.schema.execution import ContainerSettings
from admf_cli.config.schema.root import Config
from admf_cli.config.validation import Model, fields_of, models_in


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of configurations, draft 2020-12, every key with its meaning and default."""
    document = Config.model_json_schema(by_alias=True)
    definitions = document["$defs"]
    for model in _models(Config, {}).values():
        schema = document if model is Config else definitions[model.__name__]
        for key, field in fields_of(model):
            entry = schema["properties"][key]
            # pydantic leaves out a description that equals the model's own, and every default that a function makes.
            if field.description:
                entry["description"] = field.description
            if field.examples:
                entry["examples"] = field.examples  # pydantic sorts their keys
            if model is ContainerSettings:
                entry.pop("default")  # left out, it is what the next level says
            elif field.default_factory is not None:
                entry["default"] = _plain(field.get_default(call_default_factory=True))
    document["properties"]["features"]["additionalProperties"] = False
    add_catalogues(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"ADMF configuration, schema {CONFIG_SCHEMA_VERSION}",
        **{key: value for key, value in document.items() if key != "title"},
    }


def _models(model: Model, seen: dict[str, Model]) -> dict[str, Model]:
    """Return all models below one, itself included, by name."""
    if model.__name__ not in seen:
        seen[model.__name__] = model
        for _, field in fields_of(model):
            for child in models_in(field.annotation):
                _models(child, seen)
    return seen


def _plain(value: Any) -> Any:
    """Return a default as users would write it: without what is default in turn."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    dump = getattr(value, "model_dump", None)
    return value if dump is None else dump(by_alias=True, exclude_defaults=True)
