"""Every built-in strategy by its name. Refuses to know how any of them decides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from admf_cli.features import FeatureSpec, ParameterError
from admf_cli.features.parameters import Fault, check_values, did_you_mean
from admf_cli.strategies.description import StrategyInfo
from admf_cli.strategies.interface import Strategy


@cache
def _catalogue() -> dict[str, StrategyInfo]:
    from admf_cli.strategies import average_crossover, buy_and_hold

    infos = (average_crossover.SMA_CROSSOVER, buy_and_hold.INFO)
    return {info.name: info for info in sorted(infos, key=lambda info: info.name)}


def strategy_types() -> tuple[str, ...]:
    """Return the names of all built-in strategies, sorted."""
    return tuple(_catalogue())


def describe(strategy_type: str) -> StrategyInfo:
    """Return what is known of a strategy.

    Raises:
        ParameterError: there is none of that name.
    """
    info = _catalogue().get(strategy_type)
    if info is None:
        hint = did_you_mean(strategy_type, strategy_types())
        raise ParameterError(
            strategy_type,
            [("type", f"must be one of {', '.join(strategy_types())} (got {strategy_type!r}){hint}")],
        )
    return info


def complete_params(strategy_type: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return `params` with defaults filled in.

    Raises:
        ParameterError: holding every fault found.
    """
    info = describe(strategy_type)
    values, faults = _check(info, params)
    if faults:
        raise ParameterError(strategy_type, faults)
    return values


def faults_in_params(
    strategy_type: str, params: Mapping[str, Any], features: Mapping[str, FeatureSpec] | None = None
) -> tuple[Fault, ...]:
    """Return every fault of a strategy's parameters as (parameter, message); none if they are sound.

    Args:
        features: the configured ones; None leaves it unchecked whether a named feature exists.
    """
    try:
        if features is None:
            complete_params(strategy_type, params)
        else:
            build(strategy_type, params, features)
    except ParameterError as error:
        return error.faults
    return ()


def build(strategy_type: str, params: Mapping[str, Any], features: Mapping[str, FeatureSpec]) -> Strategy:
    """Return the strategy with these parameters; where one names a feature, that feature's own spec is used.

    Raises:
        ParameterError: holding the faults found.
    """
    values = complete_params(strategy_type, params)
    try:
        return describe(strategy_type).build(values, features)
    except ParameterError as error:
        raise ParameterError(strategy_type, error.faults) from None


def _check(info: StrategyInfo, params: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    values, faults = check_values(info.parameters, params)
    if not faults:
        faults.extend(info.check(values))
    return values, faults
