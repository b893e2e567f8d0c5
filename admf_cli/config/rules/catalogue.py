"""Features and strategies against what the catalogues know of them. Knows none of them itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from admf_cli.config.hints import near
from admf_cli.config.node import Step
from admf_cli.config.rules.ground import Ground
from admf_cli.errors import Fault

if TYPE_CHECKING:
    from admf_cli.features import FeatureSpec
    from admf_cli.features.parameters import Fault as ParameterFault
    from admf_cli.features.parameters import Parameter

# The catalogues speak for themselves: "must be 1 to 9 (got 0); did you mean "x"?".
_SENTENCE = re.compile(r'(?P<rule>.*?)(?: \(got (?P<value>[^()]*)\))?(?:; (?P<hint>did you mean ".*"\?))?', re.DOTALL)


def catalogue_faults(ground: Ground) -> Iterator[Fault]:
    """Yield the faults of `features` and of the strategies' parameters."""
    from admf_cli.features import ParameterError, faults_in_config, spec_from_config
    from admf_cli.features import describe as describe_feature
    from admf_cli.strategies.expression import RESERVED
    from admf_cli.strategies.nesting import Unseen
    from admf_cli.strategies.registry import describe, faults_in_params, is_class

    specs = {}
    sections = ground.mapping("features")
    for name, section in sections.items():
        if name in RESERVED:
            rule = "is a word of the language of rules, so it would not be clear what is meant by it"
            yield ground.at("features", name, rule=rule, remedy=f"write my_{name}", value=False, key=True)
        if not isinstance(section, dict) or not isinstance(section.get("type"), str):
            continue
        faults = faults_in_config(section)
        for fault in faults:
            yield _said(ground, fault, "features", name)
        if not faults:
            specs[name] = spec_from_config(name, section)
            yield from _strangers(ground, describe_feature(section["type"]).parameters, "features", name)
    unread = list(_unread(ground, specs))
    yield from unread
    all_sound = len(specs) == len(sections) and not unread
    named = {
        section["name"]: Unseen() if is_class(section.get("type")) else section
        for _, section in ground.items("strategies")
        if isinstance(section.get("name"), str)
    }
    for index, strategy in ground.items("strategies"):
        kind, params = strategy.get("type"), strategy.get("params", {})
        if not isinstance(kind, str) or not isinstance(params, dict):
            continue
        try:
            parameters = describe(kind).parameters
        except ParameterError as error:
            yield _said(ground, error.faults[0], "strategies", index)
            continue
        others = {name: section for name, section in named.items() if name != strategy.get("name")}
        for fault in faults_in_params(kind, params, specs if all_sound else None, others):
            yield _said(ground, fault, "strategies", index, "params")
        yield from _strangers(ground, parameters, "strategies", index, "params")


def _strangers(ground: Ground, parameters: Sequence[Parameter], *path: Step) -> Iterator[Fault]:
    """Yield the parameters that name a symbol of which there will be no bars."""
    symbols = ground.symbols()
    if not symbols:
        return
    for parameter in parameters:
        given: list[tuple[tuple[Step, ...], str]] = []
        if parameter.type == "symbol" and (name := ground.text(*path, parameter.name)):
            given = [((parameter.name,), name)]
        elif parameter.type == "weights":
            given = [((parameter.name, name), name) for name in ground.mapping(*path, parameter.name)]
        for steps, name in given:
            if name not in symbols:
                rule = f"must be one of data.symbols: {', '.join(symbols[:8])}{' …' if len(symbols) > 8 else ''}"
                is_key = len(steps) > 1
                remedy = near(name, symbols)
                yield ground.at(*path, *steps, rule=rule, remedy=remedy, value=not is_key, key=is_key)


def _unread(ground: Ground, specs: Mapping[str, FeatureSpec]) -> Iterator[Fault]:
    """Yield the features that read what is nowhere, or themselves."""
    from admf_cli.features import FeatureSpec, ParameterError, resolve

    sections = ground.mapping("features")
    # First one level deep, so that a feature is not blamed for what another one reads; then round trips.
    shallow = {name: FeatureSpec("") for name in sections}
    blamed = False
    for features in (shallow, specs):
        if blamed or len(features) < len(sections):
            return
        for name, spec in specs.items():
            try:
                resolve(spec, features, (name,))
            except ParameterError as error:
                blamed = True
                yield _said(ground, error.faults[0], "features", name)


def _said(ground: Ground, said: ParameterFault, *path: Step) -> Fault:
    """Return a catalogue's fault as one with its place: of a value, of a key that is unknown, or of a missing one."""
    match = _SENTENCE.fullmatch(said.message)
    assert match is not None
    rule, hint = match["rule"], (match["hint"] or "").replace('"', "") or None
    holder = (*path, *said.within)
    steps = (*holder, said.parameter) if said.parameter else holder
    if rule.startswith("is not a parameter"):
        known = rule.partition("(known: ")[2].rstrip(")")
        if ")" in said.parameter:
            hint = "in { } a comma ends a text: put the expression in quotes"
        return ground.at(*steps, rule="unknown parameter", remedy=hint or f"known: {known}", value=False, key=True)
    larger = re.match(r"must be less than ([a-z_]+)$", rule)
    if larger:
        hint = f"lower {said.parameter} or raise {larger[1]}"
    value, _, known = (match["value"] or "").partition("; known: ")
    if known and hint is None:
        hint = f"known: {known}" if known != "none" else "write a number of bars, or define it under features"
    # Where the message shows more than the value itself ("fast: 50, slow: 20"), it keeps that.
    own = steps != path and ground.get(*steps) is not None and not value.startswith(f"{said.parameter}:")
    if not own and value:
        rule = f"{rule} (got {value})"
    fault = ground.at(*steps, rule=rule, remedy=hint, value=own)
    return fault if said.column is None else ground.within_text(fault, steps, said.column)
