"""Strategies inside strategies: blocks or names in parameters become strategies. Refuses to know what is made of them.

members:
  - trend                                    # the name of a strategy of the configuration
  - {name: dips, type: rules, params: {enter_long: close < low_20}}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from admf_cli.features import FeatureSpec, ParameterError
from admf_cli.features.parameters import Fault, Parameter, did_you_mean
from admf_cli.strategies.interface import Strategy

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray
    from admf_cli.strategies.interface import Decisions

Sections = Mapping[str, Mapping[str, Any] | Strategy]
"""Name -> section of a strategy that may be named, or the strategy where only others can build it (a user's class)."""
_KEYS = ("name", "type", "params")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


class Member(Struct, frozen=True):
    """A strategy inside another, and the name that its rules and votes bear there."""

    name: str
    strategy: Strategy


class Unseen:
    """Stands for a strategy that only a run can build, where no more is asked than whether it may be named."""

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return none, as none is known."""
        return {}

    def rules(self) -> Mapping[str, str]:
        """Return none, as none is known."""
        return {}

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Refuse: nobody runs what has only been checked."""
        raise NotImplementedError


class Budget(Struct):
    """How many members may still be built: strategies that name others twice over would grow without bound."""

    left: int = 1_000


def complete_members(
    parameters: Sequence[Parameter],
    values: dict[str, Any],
    faults: list[Fault],
    complete: Callable[[str, Mapping[str, Any]], dict[str, Any]],
) -> None:
    """Fill in the defaults of nested blocks, and add the faults found in them.

    Args:
        complete: type and parameters of a strategy -> its complete parameters; raises ParameterError.
    """
    for parameter, within, value in _nested(parameters, values):
        if isinstance(value, str):
            continue
        found = _faults_of_block(value)
        block = value if isinstance(value, Mapping) else {}
        kind, params = block.get("type"), block.get("params", {})
        if isinstance(kind, str) and isinstance(params, Mapping):
            try:
                complete_block = {"name": block.get("name") or kind, "type": kind, "params": complete(kind, params)}
            except ParameterError as error:
                found += [fault if fault.parameter == "type" and kind == error.subject and not fault.within
                          else fault._replace(within=("params", *fault.within)) for fault in error.faults]  # fmt: skip
            else:
                if len(within) > 1:
                    values[parameter] = list(values[parameter])
                    values[parameter][within[1]] = complete_block
                else:
                    values[parameter] = complete_block
        faults += [fault._replace(within=(*within, *fault.within)) for fault in found]
    for each in parameters:
        if each.type == "strategies":
            faults += _same_names(each.name, values.get(each.name) or ())


def build_members(
    parameters: Sequence[Parameter],
    values: Mapping[str, Any],
    others: Sections,
    build: Callable[[str, Mapping[str, Any], Sections], Strategy],
    budget: Budget,
) -> dict[str, Any]:
    """Return complete parameters with a Member in the place of each nested block or name.

    Args:
        others: name -> section of the strategies that may be named.
        build: type, parameters, and the strategies that may be named there -> strategy; raises ParameterError.

    Raises:
        ParameterError: holding every fault found.
    """
    built = dict(values)
    faults: list[Fault] = []
    for parameter, within, value in _nested(parameters, values):
        budget.left -= 1
        if budget.left < 0:
            raise ParameterError("", [Fault("", "holds more than 1,000 members, those of members included", within)])
        try:
            member = _member(value, others, build)
        except ParameterError as error:
            faults += [fault._replace(within=(*within, *fault.within)) for fault in error.faults]
            continue
        if len(within) > 1:
            built[parameter] = [*built[parameter]]
            built[parameter][within[1]] = member
        else:
            built[parameter] = member
    if faults:
        raise ParameterError("", faults)
    return built


def _nested(
    parameters: Sequence[Parameter], values: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[str, int] | tuple[str], Any]]:
    for parameter in parameters:
        value = values.get(parameter.name)
        if value is None:
            continue
        if parameter.type == "strategy":
            yield parameter.name, (parameter.name,), value
        elif parameter.type == "strategies":
            for place, item in enumerate(value):
                yield parameter.name, (parameter.name, place), item


def _member(value: Any, others: Sections, build: Callable[[str, Mapping[str, Any], Sections], Strategy]) -> Member:
    if not isinstance(value, str):
        try:
            return Member(value["name"], build(value["type"], value["params"], others))
        except ParameterError as error:
            inner = [fault._replace(within=("params", *fault.within)) for fault in error.faults]
            raise ParameterError("", inner) from None
    section = others.get(value)
    if section is None:
        hint = did_you_mean(value, list(others))
        known = ", ".join(others) or "none"
        rule = f"must be a strategy of this configuration other than itself (got {value!r}; known: {known}){hint}"
        raise ParameterError("", [Fault("", rule)])
    if not isinstance(section, Mapping):
        return Member(value, section)
    rest = {name: other for name, other in others.items() if name != value}  # so no strategy can hold itself
    try:
        return Member(value, build(section["type"], section.get("params") or {}, rest))
    except ParameterError as error:
        alone = error.parameter == "type"  # it may be sound, but stands by itself only
        rule = error.message if alone else f"the strategy it names has faults of its own (got {value!r})"
        raise ParameterError("", [Fault("", rule)]) from None
    except (KeyError, TypeError):
        raise ParameterError("", [Fault("", f"the strategy it names has faults of its own (got {value!r})")]) from None


def _faults_of_block(value: Any) -> list[Fault]:
    if not isinstance(value, Mapping):
        return [Fault("", f"must be the name of a strategy, or a block with type and params (got {value!r})")]
    faults = []
    for key in value:
        if key not in _KEYS:
            hint = did_you_mean(str(key), _KEYS)
            faults.append(Fault(str(key), f"is not a parameter (known: {', '.join(_KEYS)}){hint}"))
    if not isinstance(value.get("type"), str):
        faults.append(Fault("type", "is required and must be the type of a strategy"))
    if not isinstance(value.get("params", {}), Mapping):
        faults.append(Fault("params", "must be a mapping"))
    name = value.get("name")
    if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
        faults.append(Fault("name", f"is 1 to 64 letters, digits and _, and begins with no digit (got {name!r})"))
    return faults


def _same_names(parameter: str, members: Sequence[Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, member in enumerate(members):
        name = member if isinstance(member, str) else member.get("name") if isinstance(member, Mapping) else None
        if name is None and isinstance(member, Mapping):
            name = member.get("type")
        if isinstance(name, str) and name in seen:
            yield Fault("", f"two members bear the name {name}: give one another name", within=(parameter, place))
        if isinstance(name, str):
            seen.add(name)
