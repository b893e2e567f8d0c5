"""Nodes against the schema: every fault with its place, rule, value and remedy. Refuses to know files and flags."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, get_args, get_origin

from admf_cli.config.node import MappingNode, Node, Step, fault_at, find
from admf_cli.errors import ConfigError, Fault
from admf_cli.late import put_off_plugins

_MOST_FAULTS = 100


@contextlib.contextmanager
def _without_plugins() -> Iterator[None]:
    """Keep pydantic from searching all installed packages for plugins: a tenth of a second of nothing."""
    put_off_plugins()
    before = os.environ.get("PYDANTIC_DISABLE_PLUGINS")
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYDANTIC_DISABLE_PLUGINS"]
        else:
            os.environ["PYDANTIC_DISABLE_PLUGINS"] = before


with _without_plugins():
    from pydantic import BaseModel, ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from admf_cli.config.schema.root import Config

    Config.model_rebuild()

from admf_cli.config.hints import UNKNOWN_KEY, unknown_key, way_out  # noqa: E402
from admf_cli.config.wording import REQUIRED, instead, word  # noqa: E402

Model = type[BaseModel]


def validate(root: Node) -> tuple[dict[str, Any] | None, list[Fault]]:
    """Return the resolved values, or None, and every fault of the single sections."""
    try:
        config = Config.model_validate(root.plain())
    except ValidationError as error:
        # One more than is shown, so that whoever shows them knows that there are more.
        errors = error.errors(include_url=False, include_input=False)[: _MOST_FAULTS + 1]
        return None, _without_echoes(dict.fromkeys(_fault(root, found) for found in errors))
    values = config.model_dump(by_alias=True)
    # What one level of container settings leaves out comes from the next, so its defaults must not stand in the way.
    levels = config.execution.trace_settings.container_settings
    values["execution"]["trace_settings"]["container_settings"] = {
        name: level.model_dump(by_alias=True, exclude_unset=True) for name, level in levels.items()
    }
    return values, []


def raise_all(faults: Sequence[Fault]) -> None:
    """Raise ConfigError with the faults in the order of the file, if there are any; past a hundred it says so."""
    helped = (fault if fault.remedy else fault._replace(remedy=way_out(fault.path)) for fault in faults)
    ordered = sorted(helped, key=lambda fault: (fault.line or 0, fault.column or 0))
    if len(ordered) > _MOST_FAULTS:
        more = Fault(ordered[0].source, f"more than {_MOST_FAULTS} faults", remedy="mend these first")
        ordered = [*ordered[:_MOST_FAULTS], more]
    if ordered:
        raise ConfigError(ordered)


def _without_echoes(faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults without those of required keys that stand there misspelt, which is a fault of its own."""
    kept = list(faults)
    meant = set()
    for fault in kept:
        misspelt = re.fullmatch(r"did you mean (\S+)\?", fault.remedy or "")
        if misspelt and fault.rule == UNKNOWN_KEY:
            around, point, _ = fault.path.rpartition(".")
            meant.add(f"{around}{point}{misspelt[1]}")
    return [fault for fault in kept if fault.rule != REQUIRED or fault.path not in meant]


def _fault(root: Node, error: ErrorDetails) -> Fault:
    path, holders, inner = _located(root, error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        rule, remedy = unknown_key(path, _keys(holders), _homes().get(str(path[-1]), ()))
        return fault_at(root, path, rule, remedy=remedy, at_key=True, value=False)
    field = next((found for model in holders for name, found in fields_of(model) if path and name == path[-1]), None)
    if kind == "union_tag_invalid":
        path = (*path, "type")
    tags = [tag.strip("<>") for model in inner if (tag := _tag(model))]
    rule, remedy = word(
        error,
        path,
        find(root, path),
        examples=field.examples if field is not None else None,
        required=field is not None and field.is_required(),
        tags=tags,
    )
    if remedy is None and field is not None:
        remedy = instead(field.examples, required=field.is_required(), key=str(path[-1]))
    return fault_at(root, path, rule, remedy=remedy, at_key=error["loc"][-1:] == ("[key]",), value=kind != "missing")


def _located(root: Node, loc: Sequence[Step]) -> tuple[tuple[Step, ...], list[Model], list[Model]]:
    """Return an error's path without the tags of unions, the models that hold its last key, and those of its value."""
    path: list[Step] = []
    holders: list[Model] = []
    inner: list[Model] = [Config]
    node: Node | None = root
    names_follow = False
    for step in loc:
        written = isinstance(node, MappingNode) and step in node.items
        if step == "[key]" and not written:
            continue
        if isinstance(step, str) and step.startswith("<") and not written:
            inner = [model for model in inner if _tag(model) == step] or inner
            continue
        path.append(step)
        node = find(node, (step,)) if node is not None else None
        if isinstance(step, int) or names_follow:
            names_follow = False
            continue
        fields = [field for model in inner for name, field in fields_of(model) if name == step]
        holders, inner = inner, [model for field in fields for model in models_in(field.annotation)]
        names_follow = any(_has(field.annotation, dict) for field in fields)
    return tuple(path), holders, inner


def fields_of(model: Model) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the keys of a model as users write them, with their fields."""
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _has(annotation: Any, kind: type) -> bool:
    return get_origin(annotation) is kind or any(_has(part, kind) for part in get_args(annotation))


def _tag(model: Model) -> str | None:
    field = model.model_fields.get("type")
    values = get_args(field.annotation) if field is not None else ()
    return f"<{values[0]}>" if len(values) == 1 else None


def _keys(models: Sequence[Model]) -> list[str]:
    return list(dict.fromkeys(name for model in models for name, _ in fields_of(model)))


def models_in(annotation: Any) -> list[Model]:
    """Return the models that a field's annotation names, below unions, lists and mappings too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


@cache
def _homes() -> dict[str, tuple[str, ...]]:
    """Return every key of the schema -> the dotted paths at which it may stand."""
    homes: dict[str, list[str]] = {}

    def walk(model: Model, path: str) -> None:
        for key, field in fields_of(model):
            where = f"{path}.{key}" if path else key
            homes.setdefault(key, []).append(where)
            listed, named = _has(field.annotation, list), _has(field.annotation, dict)
            inside = f"{where}[]" if listed else f"{where}.NAME" if named else where
            for child in models_in(field.annotation):
                walk(child, inside)

    walk(Config, "")
    return {key: tuple(dict.fromkeys(paths)) for key, paths in homes.items()}
