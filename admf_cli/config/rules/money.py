"""Sizes, costs and margins that depend on one another. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from admf_cli.config.hints import near
from admf_cli.config.node import Step
from admf_cli.config.rules.ground import Ground
from admf_cli.errors import Fault
from admf_cli.risk.allocation import COMBINED


def money_faults(ground: Ground) -> Iterator[Fault]:
    """Yield the faults of risk profiles and of execution."""
    for index, _ in ground.items("risk_profiles"):
        yield from _sizing(ground, "risk_profiles", index)
    yield from _allocations(ground)
    if ground.get("execution", "slippage", "type") == "ticks" and not any(
        isinstance(unit, dict) and unit.get("tick_size") for unit in ground.mapping("instruments").values()
    ):
        remedy = "write instruments: {default: {tick_size: 0.01}}"
        yield ground.at("execution", "slippage", rule="slippage in ticks needs a tick_size", remedy=remedy, value=False)


def _allocations(ground: Ground) -> Iterator[Fault]:
    shares = ground.mapping("portfolio", "allocations")
    if not shares:
        return
    names = [item["name"] for _, item in ground.items("strategies") if isinstance(item.get("name"), str)]
    for name in shares:
        if name not in names:
            rule = f"must be the name of a strategy: {', '.join(names)}"
            yield ground.at(
                "portfolio", "allocations", name, rule=rule, remedy=near(name, names), value=False, key=True
            )
    if COMBINED in {name.casefold() for name in names}:
        rule = f"a strategy may not be named {COMBINED} here: that is the name of the shared portfolio"
        yield ground.at("portfolio", "allocations", rule=rule, remedy="choose another name", value=False)
    numbers = [number for name in shares if (number := ground.number("portfolio", "allocations", name)) is not None]
    if sum(numbers) > 1.0 + 1e-9 and ground.get("execution", "margin") is None:
        rule = f"the shares add up to {sum(numbers):g}, more than 1 without margin"
        remedy = "lower them, or set execution.margin to borrow"
        yield ground.at("portfolio", "allocations", rule=rule, remedy=remedy, value=False)


def _sizing(ground: Ground, *profile: Step) -> Iterator[Fault]:
    kind = ground.get(*profile, "sizing", "type")
    if kind == "percent_equity":
        percent = ground.number(*profile, "sizing", "percent")
        if percent is not None and 1 < percent <= 100 and ground.get("execution", "margin") is None:
            remedy = f"it is a fraction: write {percent / 100:g} for {percent:g} %, or set execution.margin to borrow"
            yield ground.at(*profile, "sizing", "percent", rule="must be at most 1 without margin", remedy=remedy)
    if kind == "risk_per_trade":
        period, multiple = (ground.get(*profile, "sizing", key) for key in ("atr_period", "atr_multiple"))
        if period is None and multiple is not None:
            rule = "atr_multiple needs atr_period"
            yield ground.at(*profile, "sizing", "atr_multiple", rule=rule, remedy="write atr_period: 14")
        elif period is None and all(ground.get(*profile, key) is None for key in ("stop_loss", "trailing_stop")):
            rule = "risk_per_trade needs the distance of a stop"
            remedy = "write stop_loss: 0.05 in the profile, or atr_period: 14 here"
            yield ground.at(*profile, "sizing", rule=rule, remedy=remedy, value=False)
