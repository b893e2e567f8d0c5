"""Strategies that installed packages add: a description like a built-in's, or a class like one of a file."""

from __future__ import annotations

from admf_cli.errors import ConfigError
from admf_cli.extensions import STRATEGIES, extension
from admf_cli.features import ParameterError
from admf_cli.features.parameters import Fault
from admf_cli.strategies.description import Features, Params, StrategyInfo
from admf_cli.strategies.interface import Strategy


def installed_class(strategy_type: str) -> type | None:
    """Return the class that an installed package offers under a name; None if none does, or it offers a description.

    Raises:
        ConfigError: it cannot be loaded, or is neither.
    """
    found = extension(STRATEGIES, strategy_type)
    if found is None or isinstance(found, StrategyInfo):
        return None
    if isinstance(found, type):
        return found
    raise ConfigError(
        f"{STRATEGIES}: {strategy_type} must be a class with targets or on_bar, or a StrategyInfo (it is a "
        f"{type(found).__name__})"
    )


def installed_strategy(strategy_type: str) -> StrategyInfo | None:
    """Return what is known of a strategy that an installed package offers, or None if none does.

    Raises:
        ConfigError: it cannot be loaded, or is no strategy.
    """
    cls = installed_class(strategy_type)
    if cls is None:
        found = extension(STRATEGIES, strategy_type)
        return found if isinstance(found, StrategyInfo) else None

    def build(params: Params, features: Features) -> Strategy:
        rule = f"must not be {strategy_type} inside another strategy: it stands by itself"
        raise ParameterError(strategy_type, [Fault("type", rule)])

    return StrategyInfo(
        name=strategy_type,
        summary=(cls.__doc__ or "A class of an installed package").strip().partition("\n")[0].rstrip("."),
        source=f"{cls.__module__}:{cls.__qualname__}",
        parameters=(),
        rules=("Its parameters are those of the class.",),
        example=f"strategies:\n  - name: mine\n    type: {strategy_type}\n",
        build=build,
        open=True,
    )
