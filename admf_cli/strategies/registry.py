"""Strategies by their names, checked and built. Refuses to know how any of them decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from admf_cli.extensions import STRATEGIES, extension_names
from admf_cli.features import FeatureSpec, ParameterError
from admf_cli.features.parameters import Fault, check_values, did_you_mean
from admf_cli.strategies.catalogue import TYPES, built_in
from admf_cli.strategies.description import StrategyInfo, named_feature
from admf_cli.strategies.installed import installed_strategy
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.nesting import Budget, Sections, build_members, complete_members


def strategy_types() -> tuple[str, ...]:
    """Return the names of all built-in strategies, sorted."""
    return TYPES


def describe(strategy_type: str) -> StrategyInfo:
    """Return what is known of a strategy.

    Raises:
        ParameterError: there is none of that name.
    """
    info = built_in(strategy_type) or installed_strategy(strategy_type)
    if info is None:
        hint = (
            did_you_mean(strategy_type, (*strategy_types(), *extension_names(STRATEGIES)))
            or f"; known: {', '.join(strategy_types())}"
        )
        rule = f"must be a strategy that `admf strategies list` shows (got {strategy_type!r}){hint}"
        raise ParameterError(strategy_type, [Fault("type", rule)])
    return info


def is_class(strategy_type: Any) -> bool:
    """Return whether a strategy is a class that only a run can load, from a file or an installed package."""
    try:
        return isinstance(strategy_type, str) and describe(strategy_type).open
    except ParameterError:
        return False


def takes_members(strategy_type: str) -> bool:
    """Return whether a strategy is made of others."""
    return any(parameter.type in ("strategy", "strategies") for parameter in describe(strategy_type).parameters)


def complete_params(strategy_type: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return `params` with defaults filled in, those of nested strategies too.

    Raises:
        ParameterError: holding every fault found.
    """
    info = describe(strategy_type)
    if info.open:
        return dict(params)
    values, faults = check_values(info.parameters, params)
    complete_members(info.parameters, values, faults, complete_params)
    if not faults:
        faults.extend(info.check(values))
    if faults:
        raise ParameterError(strategy_type, faults)
    return values


def faults_in_params(
    strategy_type: str,
    params: Mapping[str, Any],
    features: Mapping[str, FeatureSpec] | None = None,
    others: Sections | None = None,
) -> tuple[Fault, ...]:
    """Return every fault of a strategy's parameters; none if they are sound.

    Args:
        features: the configured ones; None leaves it unchecked whether a named feature exists.
        others: name -> section of the strategies beside it, which it may name.
    """
    try:
        if features is None or describe(strategy_type).open:
            complete_params(strategy_type, params)
        else:
            build(strategy_type, params, features, others)
    except ParameterError as error:
        return (*error.faults, *_unknown_features(strategy_type, params, features, error.faults))
    return ()


def _unknown_features(
    strategy_type: str, params: Mapping[str, Any], features: Mapping[str, FeatureSpec] | None, told: Sequence[Fault]
) -> list[Fault]:
    """Return the faults of periods that name no feature, which nobody looks for where others are faulty."""
    info = built_in(strategy_type) or installed_strategy(strategy_type)
    known = {fault.parameter for fault in told}
    found: list[Fault] = []
    for parameter in info.parameters if info is not None and features is not None else ():
        value = params.get(parameter.name)
        if parameter.type == "period" and isinstance(value, str) and parameter.name not in known:
            try:
                named_feature(value, features or {}, parameter.name)
            except ParameterError as error:
                found.extend(error.faults)
    return found


def build(
    strategy_type: str,
    params: Mapping[str, Any],
    features: Mapping[str, FeatureSpec],
    others: Sections | None = None,
    budget: Budget | None = None,
) -> Strategy:
    """Return the strategy with these parameters; where one names a feature, that feature's own spec is used.

    Args:
        others: name -> section of the strategies beside it, which it may name.
        budget: how many members may still be built; a new one if this strategy is not itself a member.

    Raises:
        ParameterError: holding the faults found.
    """
    members_left = budget or Budget()
    info = describe(strategy_type)
    values = complete_params(strategy_type, params)

    def build_one(kind: str, its_params: Mapping[str, Any], rest: Sections) -> Strategy:
        return build(kind, its_params, features, rest, members_left)

    try:
        return info.build(build_members(info.parameters, values, others or {}, build_one, members_left), features)
    except ParameterError as error:
        raise ParameterError(strategy_type, error.faults) from None
