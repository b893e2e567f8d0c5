"""Rules that reach across sections: names that collide, ranges that cross, what registries know. Knows no pydantic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from admf_cli.config.node import Node, Step, fault_at
from admf_cli.config.schema.base import parse_moment
from admf_cli.errors import Fault

FaultAt = Callable[..., Fault]


def cross_faults(root: Node, values: Mapping[str, Any]) -> list[Fault]:
    """Return every fault between sections of a configuration; parts that are unsound in themselves are passed over.

    Args:
        values: the file's plain data, or the resolved values.
    """

    def at(*path: Step, rule: str, remedy: str | None = None, value: bool = True) -> Fault:
        return fault_at(root, path, rule, remedy=remedy, value=value)

    return [
        *_data(values, at),
        *_names(values, at),
        *_periods(values, at),
        *_features_and_strategies(values, at),
        *_ticks(values, at),
    ]


def _section(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = values.get(key)
    return section if isinstance(section, Mapping) else {}


def _items(values: Mapping[str, Any], key: str) -> list[tuple[int, Mapping[str, Any]]]:
    items = values.get(key)
    if not isinstance(items, Sequence) or isinstance(items, str):
        return []
    return [(index, item) for index, item in enumerate(items) if isinstance(item, Mapping)]


def _data(values: Mapping[str, Any], at: FaultAt) -> Iterator[Fault]:
    data = _section(values, "data")
    source = data.get("source", "csv")
    if values.get("data") is not None and source in ("csv", "parquet") and data.get("path") is None:
        yield at("data", rule=f"path is required with source: {source}", remedy="write path: FILE", value=False)
    symbols = data.get("symbols")
    if isinstance(symbols, Sequence) and not isinstance(symbols, str):
        for index, symbol in enumerate(symbols):
            if symbol in symbols[:index]:
                yield at("data", "symbols", index, rule="the symbol is named twice")
        known = [*symbols, "default"]
        for index, strategy in _items(values, "strategies"):
            for place, symbol in enumerate(strategy.get("symbols") or ()):
                if symbol not in symbols:
                    yield at(
                        "strategies",
                        index,
                        "symbols",
                        place,
                        rule=f"must be one of data.symbols: {', '.join(map(str, symbols))}",
                    )
        for symbol in _section(values, "instruments"):
            if symbol not in known:
                yield at("instruments", symbol, rule="is neither default nor one of data.symbols", value=False)


def _names(values: Mapping[str, Any], at: FaultAt) -> Iterator[Fault]:
    """Names become names of files, so they must differ even where a file system ignores case."""
    for key in ("strategies", "risk_profiles"):
        yield from _doubles(_items(values, key), at, key)
    phases = [(index, phase) for index, phase in _items(_section(values, "workflow"), "phases")]
    yield from _doubles(phases, at, "workflow", "phases")
    taken: dict[str, tuple[str, str]] = {}
    for index, strategy in _items(values, "strategies"):
        for _, profile in _items(values, "risk_profiles"):
            pair = (str(strategy.get("name")), str(profile.get("name")))
            container = f"portfolio_{pair[0]}_{pair[1]}".lower()
            if taken.setdefault(container, pair) != pair and {p.lower() for p in taken[container]} != {
                p.lower() for p in pair
            }:
                rule = f"strategy and risk profile make the container id {container}, which others make too"
                yield at("strategies", index, "name", rule=rule, remedy="choose names without shared parts around _")


def _doubles(items: Sequence[tuple[int, Mapping[str, Any]]], at: FaultAt, *path: Step) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for index, item in items:
        name = item.get("name")
        if not isinstance(name, str):
            continue
        if name.lower() in seen:
            first = seen[name.lower()]
            rule = "the name is used twice" if first == name else f"the name differs from {first} only by case"
            yield at(*path, index, "name", rule=rule, remedy="choose another")
        seen.setdefault(name.lower(), name)


def _periods(values: Mapping[str, Any], at: FaultAt) -> Iterator[Fault]:
    spans: list[tuple[tuple[Step, ...], Mapping[str, Any]]] = [(("data",), _section(values, "data"))]
    spans += [(("workflow", "phases", index), phase) for index, phase in _items(_section(values, "workflow"), "phases")]
    for path, span in spans:
        start, end = span.get("start"), span.get("end")
        try:
            crossed = start is not None and end is not None and parse_moment(str(start)) > parse_moment(str(end))
        except (ValueError, OverflowError):
            continue
        if crossed:
            yield at(*path, "end", rule=f"end must not be before start ({start})")


def _features_and_strategies(values: Mapping[str, Any], at: FaultAt) -> Iterator[Fault]:
    from admf_cli.features import ParameterError, faults_in_config, spec_from_config
    from admf_cli.strategies.registry import describe, faults_in_params

    sections = _section(values, "features")
    specs = {}
    sound = True
    for name, section in sections.items():
        if not isinstance(section, Mapping) or not isinstance(section.get("type"), str):
            sound = False
            continue
        faults = faults_in_config(section)
        sound = sound and not faults
        for parameter, rule in faults:
            yield at("features", name, *((parameter,) if parameter else ()), rule=rule, value=False)
        if not faults:
            specs[name] = spec_from_config(name, section)
    for index, strategy in _items(values, "strategies"):
        kind, params = strategy.get("type"), strategy.get("params") or {}
        if not isinstance(kind, str) or not isinstance(params, Mapping):
            continue
        try:
            describe(kind)
        except ParameterError as error:
            yield at("strategies", index, "type", rule=error.message, value=False)
            continue
        for parameter, rule in faults_in_params(kind, params, specs if sound else None):
            steps: tuple[Step, ...] = ("params", parameter) if parameter in params else ("params",) if params else ()
            text = rule if parameter in params or not parameter else f"{parameter} {rule}"
            yield at("strategies", index, *steps, rule=text, value=False)


def _ticks(values: Mapping[str, Any], at: FaultAt) -> Iterator[Fault]:
    slippage = _section(_section(values, "execution"), "slippage")
    if slippage.get("type") != "ticks":
        return
    units = _section(values, "instruments")
    if not any(isinstance(unit, Mapping) and unit.get("tick_size") for unit in units.values()):
        remedy = "write instruments: {default: {tick_size: 0.01}}"
        yield at("execution", "slippage", rule="slippage in ticks needs a tick_size", remedy=remedy, value=False)
