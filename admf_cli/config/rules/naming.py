"""Names become containers and files, so they must differ even where a file system ignores case; and what names
containers must find some. Knows no directory."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from admf_cli.config.hints import near
from admf_cli.config.node import Step
from admf_cli.config.rules.ground import Ground
from admf_cli.errors import Fault
from admf_cli.risk.allocation import COMBINED
from admf_cli.strategies.python_code import TYPE as PYTHON

_TYPES = ("data", "features", "strategy", "portfolio", "execution")
_SETTINGS = ("execution", "trace_settings", "container_settings")
_MOST_CONTAINERS = 10_000


def naming_faults(ground: Ground) -> Iterator[Fault]:
    """Yield the faults of names of strategies, risk profiles, phases and containers."""
    yield from _doubles(ground, "strategies")
    yield from _doubles(ground, "risk_profiles")
    yield from _doubles(ground, "workflow", "phases")
    strategies, profiles = list(_names(ground, "strategies")), list(_names(ground, "risk_profiles"))
    if len(strategies) * len(profiles) > _MOST_CONTAINERS:
        rule = f"strategies x risk profiles make at most {_MOST_CONTAINERS:,} portfolios"
        yield ground.at("strategies", rule=rule, remedy="split the configuration", value=False)
        return
    yield from _merged_ids(ground, strategies, profiles)
    yield from _merged_with_callers(ground, strategies, profiles)
    containers = ["data", "features", "execution", *(f"strategy_{name}" for _, name in strategies)]
    containers += [f"portfolio_{name}_{profile}" for _, name in strategies for _, profile in profiles]
    containers += [f"strategy_{name}_{profile}" for _, name in _in_python(ground) for _, profile in profiles]
    if ground.mapping("portfolio", "allocations"):
        containers += [f"portfolio_{COMBINED}_{profile}" for _, profile in profiles]
    yield from _settings_of_nobody(ground, containers)


def _in_python(ground: Ground) -> Iterator[tuple[int, str]]:
    """Yield the strategies that may have one container for each risk profile: those called bar by bar."""
    for index, name in _names(ground, "strategies"):
        if ground.get("strategies", index, "type") == PYTHON:
            yield index, name


def _merged_with_callers(
    ground: Ground, strategies: list[tuple[int, str]], profiles: list[tuple[int, str]]
) -> Iterator[Fault]:
    """Yield where a in Python with profile b and another strategy a_b would share the container strategy_a_b."""
    names = {name.casefold(): name for _, name in strategies}
    for index, name in _in_python(ground):
        for _, profile in profiles:
            other = names.get(f"{name}_{profile}".casefold())
            if other is not None:
                rule = f"with {profile} it makes the container id strategy_{name}_{profile}, and so does {other}"
                yield ground.at("strategies", index, "name", rule=rule, remedy="choose another name")


def _names(ground: Ground, *path: Step) -> Iterator[tuple[int, str]]:
    for index, item in ground.items(*path):
        name = item.get("name")
        if isinstance(name, str):
            yield index, name


def _doubles(ground: Ground, *path: Step) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for index, name in _names(ground, *path):
        first = seen.get(name.casefold())
        seen.setdefault(name.casefold(), name)
        if first is not None:
            rule = "the name is used twice" if first == name else f"the name differs from {first} only by case"
            yield ground.at(*path, index, "name", rule=rule, remedy="choose another: names become names of files")


def _merged_ids(ground: Ground, strategies: list[tuple[int, str]], profiles: list[tuple[int, str]]) -> Iterator[Fault]:
    """Yield where a_b with c and a with b_c both make portfolio_a_b_c."""
    taken: dict[str, tuple[str, str]] = {}
    for index, strategy in strategies:
        for _, profile in profiles:
            pair = (strategy.casefold(), profile.casefold())
            other = taken.setdefault("_".join(pair), pair)
            if other != pair:
                rule = f"with {profile} it makes the container id portfolio_{strategy}_{profile}, and so do {other[0]}"
                remedy = "choose names whose parts around _ cannot be mistaken"
                yield ground.at("strategies", index, "name", rule=f"{rule} and {other[1]}", remedy=remedy)


def _settings_of_nobody(ground: Ground, containers: list[str]) -> Iterator[Fault]:
    for name in ground.mapping(*_SETTINGS):
        if name in _TYPES or any(fnmatchcase(container, name) for container in containers):
            continue
        remedy = (
            near(name, [*_TYPES, *containers[:100]])
            or f"types are {', '.join(_TYPES)}; or write a pattern such as portfolio_*"
        )
        rule = "is no container's id or type, and a pattern that fits none"
        yield ground.at(*_SETTINGS, name, rule=rule, remedy=remedy, value=False, key=True)
