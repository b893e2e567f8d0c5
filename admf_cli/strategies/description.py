"""What is said of a built-in strategy: its parameters, rules, source and an example. Refuses to know how it decides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from admf_cli.features import FeatureSpec, ParameterError, feature, resolve
from admf_cli.features.parameters import Fault, Parameter, did_you_mean
from admf_cli.strategies.interface import Strategy

Params = Mapping[str, Any]
Features = Mapping[str, FeatureSpec]


def _no_faults(params: Params) -> Sequence[Fault]:
    return ()


class StrategyInfo(Struct, frozen=True):
    """One built-in strategy.

    Attributes:
        rules: what it does, one rule a sentence.
        example: a ready `strategies:` block of YAML, with the `features:` it names, if any.
        build: complete, checked parameters and configured features -> the strategy.
        check: complete parameters, each sound by itself -> the faults of those that do not fit together.
        open: its parameters are those of a class that is only known once a run begins.
    """

    name: str
    summary: str
    source: str
    parameters: tuple[Parameter, ...]
    rules: tuple[str, ...]
    example: str
    build: Callable[[Params, Features], Strategy]
    check: Callable[[Params], Sequence[Fault]] = _no_faults
    open: bool = False


DIRECTION = Parameter(
    "direction",
    "str",
    "long_flat",
    choices=("long_flat", "long_short", "short_flat"),
    doc="which sides it takes: long or nothing, long or short, short or nothing",
)
REPEAT = Parameter(
    "repeat",
    "bool",
    False,
    doc="true: decide again on every bar on which the condition holds, not only when the wanted position changes",
)
TIMEZONE = Parameter("timezone", "timezone", "UTC", doc="IANA name of the zone of times of day and dates in the rules")

REBALANCE = Parameter(
    "rebalance",
    "str",
    "monthly",
    choices=("daily", "weekly", "monthly", "every_bar", "never"),
    doc="at the first bar of each day, week (from Monday) or month; at every bar; or at the first bar of trading only",
)
_REBALANCING = {
    "daily": "(first_bar or new_day)",
    "weekly": "(first_bar or new_week)",
    "monthly": "(first_bar or new_month)",
    "every_bar": "true",
    "never": "first_bar",
}


def rebalancing(frequency: str) -> str:
    """Return the condition of a choice of `REBALANCE`."""
    return _REBALANCING[frequency]


def period(name: str, default: int | None, doc: str, *, minimum: int = 1) -> Parameter:
    """Return a parameter that is a number of bars or the name of a configured feature."""
    return Parameter(name, "period", default, minimum=minimum, maximum=100_000, doc=doc)


def positive(name: str, default: float, doc: str) -> Parameter:
    """Return a parameter that is a number above zero."""
    return Parameter(name, "float", default, above=0.0, doc=doc)


def written(value: float) -> str:
    """Return a number as rules write it: the shortest text that reads back to it, 30 rather than 30.0."""
    return repr(float(value)).removesuffix(".0")


def named_feature(name: str, features: Features, parameter: str) -> FeatureSpec:
    """Return a configured feature by its name, all names in it resolved.

    Raises:
        ParameterError: there is none of that name.
    """
    if name not in features:
        hint = did_you_mean(name, list(features))
        known = ", ".join(features) or "none"
        rule = f"must be a feature under `features` (got {name!r}; known: {known}){hint}"
        raise ParameterError("", [Fault(parameter, rule)])
    return resolve(features[name], features, (name,))


def period_feature(params: Params, parameter: str, features: Features, feature_type: str, *inputs: str) -> FeatureSpec:
    """Return the feature a period parameter stands for: `feature_type` over that many bars, or the one it names."""
    value = params[parameter]
    if isinstance(value, str):
        return named_feature(value, features, parameter)
    return feature(feature_type, *inputs, timeperiod=value)


def ascending(smaller: str, larger: str) -> Callable[[Params], Sequence[Fault]]:
    """Return a check that one period is less than another where both are numbers."""

    def check(params: Params) -> Sequence[Fault]:
        low, high = params[smaller], params[larger]
        if isinstance(low, int) and isinstance(high, int) and low >= high:
            return [Fault(smaller, f"must be less than {larger} (got {smaller}: {low}, {larger}: {high})")]
        return ()

    return check


def expression_fault(parameter: str, text: str, names: Collection[str] | None) -> Sequence[Fault]:
    """Return what is wrong with a condition in the language of rules, with its column; nothing if it can be read.

    Args:
        names: of the features it may name; None allows every name.
    """
    from admf_cli.strategies.expression import ExpressionError, parse_condition

    try:
        parse_condition(text, names)
    except ExpressionError as error:
        return [Fault(parameter, error.problem, column=error.column)]
    return ()


def features_named(expressions: Iterable[str], features: Features) -> dict[str, FeatureSpec]:
    """Return the features that conditions read, by the names they use, resolved, in the order of first use."""
    from admf_cli.strategies.expression import parse_condition
    from admf_cli.strategies.syntax import values_read

    names = [name for text in expressions for name, _ in values_read(parse_condition(text))]
    return {name: resolve(features[name], features, (name,)) for name in dict.fromkeys(names) if name in features}
