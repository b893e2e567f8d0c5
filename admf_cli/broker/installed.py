"""Cost models that installed packages add. Refuses to know how they reckon.

An entry point leads to what makes a model from its parameters: `make(**params)` returns a `Commission` or a `Slippage`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from admf_cli.errors import ConfigError, RunFailedError
from admf_cli.extensions import COMMISSIONS, SLIPPAGES, extension, extension_names

TYPE = "installed"


def installed_commission(config: Mapping[str, Any]) -> Callable[[float, float, bool], float]:
    """Return the commission model that a section names; see `broker.commission.Commission`.

    Raises:
        ConfigError: there is none of that name, or it does not take these parameters.
    """
    name = config["name"]
    model = _made(COMMISSIONS, "commission", config)

    def charge(quantity: float, value: float, maker: bool) -> float:
        return _number(f"commission {name}", model, quantity, value, maker)

    return charge


def installed_slippage(config: Mapping[str, Any]) -> Callable[[Any], float]:
    """Return the slippage model that a section names; see `broker.slippage.Slippage`.

    Raises:
        ConfigError: there is none of that name, or it does not take these parameters.
    """
    name = config["name"]
    model = _made(SLIPPAGES, "slippage", config)

    def slip(tape: Any) -> float:
        found = _number(f"slippage {name}", model, tape)
        if found < 0.0:
            raise RunFailedError(f"slippage {name}: must be a finite number, not negative (got {found!r})")
        return found

    return slip


def _made(group: str, noun: str, config: Mapping[str, Any]) -> Callable[..., Any]:
    from admf_cli.features.parameters import did_you_mean

    name = config["name"]
    make = extension(group, name)
    if make is None:
        known = extension_names(group)
        hint = did_you_mean(name, known).replace('"', "") or f"; there are {', '.join(known) or 'none'}"
        raise ConfigError(f"execution.{noun}.name: no installed package offers a {noun} {name}{hint}")
    try:
        model = make(**(config.get("params") or {}))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"execution.{noun}: {name}: {error}") from error
    if not callable(model):
        raise ConfigError(f"execution.{noun}: {name} must make a function (it made a {type(model).__name__})")
    return model  # type: ignore[no-any-return]


def _number(what: str, model: Callable[..., Any], *arguments: Any) -> float:
    try:
        found = float(model(*arguments))
    except Exception as error:
        raise RunFailedError(f"{what}: {type(error).__name__}: {error}") from error
    if not math.isfinite(found):
        raise RunFailedError(f"{what}: must be a finite number, not negative (got {found!r})")
    return found
