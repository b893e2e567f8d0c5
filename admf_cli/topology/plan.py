"""What decides in a phase, and the columns that it reads: from the configuration, before any container is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from admf_cli.errors import ConfigError
from admf_cli.features import FeatureSpec, ParameterError, resolve, spec_from_config
from admf_cli.strategies.installed import installed_class
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.python_code import TYPE as PYTHON
from admf_cli.strategies.registry import build as build_strategy
from admf_cli.strategies.registry import strategy_types, takes_members
from admf_cli.topology.sources import Sources

if TYPE_CHECKING:
    from admf_cli.python_strategies.user_class import UserClass


class Decider(Struct, frozen=True):
    """One strategy of the configuration.

    Attributes:
        settings: its section, as its containers have it and traces show it.
        roles: the name it reads a feature under -> the name the feature has in the features container.
        strategy: what decides over whole columns; None where `user` is called bar by bar.
        user: a user's class, or None.
    """

    settings: Mapping[str, Any]
    roles: Mapping[str, str]
    strategy: Strategy | None
    user: UserClass | None


Plan = tuple[Sequence[Decider], dict[str, FeatureSpec]]
"""Every strategy, and all features to compute, each once, by name."""


def replay(phase: Mapping[str, Any], sources: Sources) -> Plan:
    """Return every strategy with the decisions that were recorded of it; no feature is needed for them."""
    config, name = phase["config"], phase["metadata"]["phase_name"]
    path = config["signals"]["path"]
    deciders = [
        Decider(
            {key: value for key, value in section.items() if key != "path"},
            {},
            sources.signals(path, section["name"], name),
            None,
        )
        for section in config["strategies"]
    ]
    return deciders, {}


def plan(phase: Mapping[str, Any], sources: Sources) -> Plan:
    """Return every strategy as it is configured."""
    config = phase["config"]
    configured = {name: spec_from_config(name, section) for name, section in config["features"].items()}
    specs = dict(configured)
    # By what they compute, names in them resolved: strategies ask for features in that form.
    known = {resolve(spec, configured, (name,)): name for name, spec in reversed(configured.items())}
    sections = {section["name"]: section for section in config["strategies"]}
    deciders = []
    for section in sections.values():
        settings = {key: value for key, value in section.items() if key != "path"}
        user = _user_class(section, sources)
        strategy: Strategy | None
        if user is None:
            strategy = _built_in(section, sections, configured, sources)
            required = strategy.required_features()
        else:
            strategy, required = _of_user(user, configured)
            if strategy is None and section["orders"] is not None:
                raise ConfigError(
                    f"strategies: {section['name']}: orders has no meaning where on_bar sends them; remove it"
                )
            settings |= {"params": dict(user.params), "code": {"class": user.label, "sha256": user.sha256}}
        roles = {}
        for role, spec in required.items():
            column = known.get(spec)
            if column is None:
                column = known[spec] = str(spec)
                specs[column] = spec
            roles[role] = column
        deciders.append(Decider(settings, roles, strategy, user))
    return deciders, specs


def _user_class(section: Mapping[str, Any], sources: Sources) -> UserClass | None:
    """Return the user's class that a strategy is, from its file or from an installed package; None for a built-in."""
    kind, params = section["type"], section["params"]
    if kind == PYTHON:
        return sources.user_class(section["path"], params)
    if kind in strategy_types():
        return None
    cls = installed_class(kind)
    if cls is None:
        return None
    from admf_cli.python_strategies.user_class import user_class

    return user_class(cls, None, f"{cls.__module__}:{cls.__qualname__}", params)


def _built_in(
    section: Mapping[str, Any],
    sections: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, FeatureSpec],
    sources: Sources,
) -> Strategy:
    """Return a strategy of the catalogue, with those that it names; a user's classes get instances of their own there.

    Raises:
        ConfigError: it names a strategy that sends orders bar by bar, which has no opinion that could be asked for.
    """
    others: dict[str, Mapping[str, Any] | Strategy] = {}
    for name, other in sections.items():
        if name != section["name"]:
            others[name] = other
            user = _user_class(other, sources) if takes_members(section["type"]) else None
            if user is not None:
                others[name] = _of_user(user, known)[0] or other
    try:
        return build_strategy(section["type"], section["params"], known, others)
    except ParameterError as error:
        raise ConfigError(f"strategy {section['name']}: {error}") from None


def _of_user(user: UserClass, known: Mapping[str, FeatureSpec]) -> tuple[Strategy | None, Mapping[str, FeatureSpec]]:
    instance = user.make()
    features = user.features(instance, known)
    if not user.is_columnar:
        return None, features  # each portfolio makes an instance of its own
    from admf_cli.python_strategies.columnar import PythonColumns

    return PythonColumns(user, instance, features), features
