"""Features and strategies against what the catalogues know of them. Knows none of them itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from admf_cli.config.node import Step
from admf_cli.config.rules.ground import Ground
from admf_cli.errors import Fault

if TYPE_CHECKING:
    from admf_cli.features import FeatureSpec

# The catalogues speak for themselves: "must be 1 to 9 (got 0); did you mean "x"?".
_SENTENCE = re.compile(r'(?P<rule>.*?)(?: \(got (?P<value>[^()]*)\))?(?:; (?P<hint>did you mean ".*"\?))?', re.DOTALL)


def catalogue_faults(ground: Ground) -> Iterator[Fault]:
    """Yield the faults of `features` and of the strategies' parameters."""
    from admf_cli.features import ParameterError, faults_in_config, spec_from_config
    from admf_cli.strategies.registry import describe, faults_in_params

    specs = {}
    sections = ground.mapping("features")
    for name, section in sections.items():
        if not isinstance(section, dict) or not isinstance(section.get("type"), str):
            continue
        faults = faults_in_config(section)
        for parameter, message in faults:
            yield _said(ground, message, "features", name, parameter=parameter, given=section)
        if not faults:
            specs[name] = spec_from_config(name, section)
    unread = list(_unread(ground, specs))
    yield from unread
    all_sound = len(specs) == len(sections) and not unread
    for index, strategy in ground.items("strategies"):
        kind, params = strategy.get("type"), strategy.get("params", {})
        if not isinstance(kind, str) or not isinstance(params, dict):
            continue
        try:
            describe(kind)
        except ParameterError as error:
            yield _said(ground, error.message, "strategies", index, parameter="type", given=strategy)
            continue
        for parameter, message in faults_in_params(kind, params, specs if all_sound else None):
            yield _said(ground, message, "strategies", index, "params", parameter=parameter, given=params)


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
                yield _said(ground, error.message, "features", name, parameter="input", given=sections[name])


def _said(ground: Ground, message: str, *path: Step, parameter: str, given: dict[str, Any]) -> Fault:
    """Return a catalogue's message as a fault: of a value, of a key that is unknown, or of one that is missing."""
    match = _SENTENCE.fullmatch(message)
    assert match is not None
    rule, hint = match["rule"], (match["hint"] or "").replace('"', "") or None
    steps = (*path, parameter) if parameter else path
    if rule.startswith("is not a parameter"):
        known = rule.partition("(known: ")[2].rstrip(")")
        return ground.at(*steps, rule="unknown parameter", remedy=hint or f"known: {known}", value=False, key=True)
    value, _, known = (match["value"] or "").partition("; known: ")
    if known and hint is None:
        hint = f"known: {known}" if known != "none" else "write a number of bars, or define it under features"
    # Where the message shows more than the value itself ("fast: 50, slow: 20"), it keeps that.
    own = parameter in given and not value.startswith(f"{parameter}:")
    if not own and value:
        rule = f"{rule} (got {value})"
    return ground.at(*steps, rule=rule, remedy=hint, value=own)
