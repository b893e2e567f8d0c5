"""Nodes against the schema: every fault with its place, rule, value and remedy. Refuses to know files and flags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from admf_cli.config.node import Node, Step, dotted, fault_at
from admf_cli.config.schema.root import Config
from admf_cli.errors import ConfigError, Fault

_TRACING_HOME = "tracing is switched by execution.enable_event_tracing and set by execution.trace_settings"
_HOMES = {
    "cash": "portfolio.initial_capital",
    "capital": "portfolio.initial_capital",
    "initial_cash": "portfolio.initial_capital",
    "initial_capital": "portfolio.initial_capital",
    "commission": "execution.commission",
    "commissions": "execution.commission",
    "fees": "execution.commission",
    "slippage": "execution.slippage",
    "timeframe": "data.timeframe",
    "interval": "data.timeframe",
    "symbol": "data.symbols",
    "symbols": "data.symbols",
    "start": "data.start",
    "start_date": "data.start",
    "end": "data.end",
    "end_date": "data.end",
    "strategy": "strategies",
    "sizing": "risk_profiles[].sizing",
    "stop_loss": "risk_profiles[].stop_loss",
    "take_profit": "risk_profiles[].take_profit",
    "margin": "execution.margin",
    "phases": "workflow.phases",
    "mode": "workflow.mode",
    "indicators": "features",
    "risk": "risk_profiles",
}
_RULES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "model_attributes_type": "must be a mapping",
    "model_type": "must be a mapping",
    "string_type": "must be text",
    "finite_number": "must be a finite number",
}


def validate(root: Node) -> tuple[dict[str, Any] | None, list[Fault]]:
    """Return the resolved values, or None, and every fault of the single sections."""
    try:
        config = Config.model_validate(root.plain())
    except ValidationError as error:
        return None, _distinct(_faults(root, error.errors(include_url=False)))
    values = config.model_dump(by_alias=True)
    # What one level of container settings leaves out comes from the next, so its defaults must not stand in the way.
    levels = config.execution.trace_settings.container_settings
    values["execution"]["trace_settings"]["container_settings"] = {
        name: level.model_dump(by_alias=True, exclude_unset=True) for name, level in levels.items()
    }
    return values, []


def _distinct(faults: Iterator[Fault]) -> list[Fault]:
    return list(dict.fromkeys(faults))


def _faults(root: Node, errors: Sequence[ErrorDetails]) -> Iterator[Fault]:
    for error in errors:
        path = tuple(step for step in error["loc"] if not (isinstance(step, str) and step.startswith("<")))
        yield _fault(root, path, error)


def _fault(root: Node, path: tuple[Step, ...], error: ErrorDetails) -> Fault:
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "extra_forbidden":
        return _unknown_key(root, path)
    if kind == "missing":
        remedy = _missing_remedy(str(path[-1]))
        return fault_at(root, path, "is required", remedy=remedy, value=False)
    if kind == "admf":
        return fault_at(root, path, context["rule"], remedy=context.get("remedy"))
    if kind == "union_tag_not_found":
        known = _tags(context.get("expected_tags", "")) or "its kind"
        return fault_at(root, path, "needs a type", remedy=f"write type: one of {known}")
    if kind == "union_tag_invalid":
        known = _tags(context["expected_tags"])
        rule = f"type must be one of {known}"
        return fault_at(root, (*path, "type"), rule, remedy=_near(str(context["tag"]).strip("<>"), known.split(", ")))
    if kind == "literal_error":
        expected = [word.strip(" '\"") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
        return fault_at(
            root, path, f"must be one of {', '.join(expected)}", remedy=_near(str(error["input"]), expected)
        )
    if kind in ("string_pattern_mismatch",) and path and path[-1] == "[key]":
        return fault_at(root, path[:-1], "the name must be letters, digits and _", value=True, at_key=True)
    return fault_at(root, path, _RULES.get(kind) or _sentence(error["msg"]))


def _unknown_key(root: Node, path: tuple[Step, ...]) -> Fault:
    key = str(path[-1])
    words = [str(step).lower() for step in path]
    if _speaks_of_tracing(words):
        return fault_at(
            root, path, "tracing settings do not belong here: orchestration knows nothing of tracing",
            remedy=_TRACING_HOME, at_key=True, value=False,
        )  # fmt: skip
    known = known_keys(path[:-1])
    remedy = _near(key, known)
    if remedy is None and len(path) == 1 and key.lower() in _HOMES:
        remedy = f"it belongs under {_HOMES[key.lower()]}"
    if remedy is None and known:
        remedy = f"known here: {', '.join(known)}"
    return fault_at(root, path, "unknown key", remedy=remedy, at_key=True, value=False)


def _speaks_of_tracing(words: Sequence[str]) -> bool:
    if words[0] == "execution":
        return False
    speaks = any("trac" in word or "enable_event" in word for word in words)
    return speaks or words[0] in ("orchestration", "sequencer", "coordinator")


def known_keys(path: Sequence[Step]) -> list[str]:
    """Return the keys that the schema knows at a path; none where any key goes."""
    from pydantic import BaseModel

    models: list[Any] = [Config]
    for step in path:
        found: list[Any] = []
        for model in models:
            if isinstance(step, int) or not (isinstance(model, type) and issubclass(model, BaseModel)):
                found.append(model)
                continue
            fields = model.model_fields
            by_name = {field.alias or name: field for name, field in fields.items()}
            if step in by_name:
                found.extend(_models_in(by_name[step].annotation))
        models = found
    keys = [
        field.alias or name
        for model in models
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name, field in model.model_fields.items()
    ]
    return list(dict.fromkeys(keys))


def _models_in(annotation: Any) -> list[Any]:
    from typing import get_args

    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _missing_remedy(key: str) -> str | None:
    return {
        "data": "write data: {source: csv, path: FILE}, or data: {source: synthetic}",
        "strategies": "write strategies: [{name: trend, type: sma_crossover, params: {fast: 10, slow: 30}}]",
        "risk_profiles": "write risk_profiles: [{name: base, sizing: {type: percent_equity, percent: 0.95}}]",
        "sizing": "write sizing: {type: percent_equity, percent: 0.95}",
    }.get(key)


def _tags(expected: str) -> str:
    return ", ".join(word.strip(" '<>") for word in expected.split(","))


def _near(word: str, known: Sequence[str]) -> str | None:
    lowered = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return f"did you mean {lowered[close[0]]}?" if close else None


def _sentence(message: str) -> str:
    text = message.replace("Input should be", "must be").replace("String should", "must")
    return text[:1].lower() + text[1:]


def raise_all(faults: Sequence[Fault]) -> None:
    """Raise ConfigError with the faults in the order of the file, if there are any."""
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0)))


__all__ = ["dotted", "known_keys", "raise_all", "validate"]
