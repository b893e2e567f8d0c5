"""How much to buy or sell. Pure functions; each shows its arithmetic. Refuses to know lots, limits and cash."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from admf_cli.market.bars import FloatArray
from admf_cli.results import Trade

NO_NUMBERS: Mapping[str, Any] = MappingProxyType({})


class Situation:
    """What is known when a size is asked for.

    Attributes:
        equity: cash and positions at the close of the deciding bar, account currency.
        price: that bar's close.
        multiplier: account currency a unit a point of price.
        stop_distance: price distance of the stop that would protect the entry, or None.
        trades: closed so far.
        recent: n -> (high, low, close) of the symbol's last n bars up to the decision, shape (<= n,) each.
        periods_per_year: bars a year.
        weight: the signed fraction of equity that the strategy itself asks for; 1.0 with a mere direction.
    """

    __slots__ = (
        "equity",
        "multiplier",
        "periods_per_year",
        "price",
        "recent",
        "stop_distance",
        "trades",
        "weight",
    )

    def __init__(
        self,
        equity: float,
        price: float,
        multiplier: float,
        stop_distance: float | None,
        trades: Sequence[Trade],
        recent: Callable[[int], tuple[FloatArray, FloatArray, FloatArray]],
        periods_per_year: float,
        weight: float = 1.0,
    ) -> None:
        self.equity = equity
        self.price = price
        self.multiplier = multiplier
        self.stop_distance = stop_distance
        self.trades = trades
        self.recent = recent
        self.periods_per_year = periods_per_year
        self.weight = weight


class Size:
    """A quantity, in units, before lots and limits, and the numbers it came from.

    `problem` is a reason code when no size can be computed; the quantity is then 0.
    """

    __slots__ = ("numbers", "problem", "quantity")

    def __init__(
        self, quantity: float, numbers: Mapping[str, float | str] = NO_NUMBERS, problem: str | None = None
    ) -> None:
        self.quantity = quantity
        self.numbers = numbers
        self.problem = problem


def size(config: Mapping[str, Any], situation: Situation) -> Size:
    """Return the size that a `sizing` section asks for; a NaN or infinite outcome is the problem `size_undefined`."""
    kind = config["type"]
    outcome = _MODELS[kind](config, situation)
    if outcome.problem is None and not math.isfinite(outcome.quantity):
        return Size(0.0, outcome.numbers, "size_undefined")
    return outcome


def _fixed(config: Mapping[str, Any], situation: Situation) -> Size:
    return Size(config["quantity"])


def _fixed_value(config: Mapping[str, Any], situation: Situation) -> Size:
    return _by_value(config["value"], situation, wanted=config["value"])


def _percent_equity(config: Mapping[str, Any], situation: Situation) -> Size:
    return _by_value(situation.equity * config["percent"], situation, percent=config["percent"])


def _target_weights(config: Mapping[str, Any], situation: Situation) -> Size:
    weight = abs(situation.weight)
    return _by_value(situation.equity * weight, situation, weight=weight)


def _volatility_target(config: Mapping[str, Any], situation: Situation) -> Size:
    """Hold the fraction of equity whose volatility a year is `target`.

    Source: Moskowitz, Ooi and Pedersen (2012), Journal of Financial Economics 104(2), equation 5.
    """
    period = config.get("period", 20)
    high, low, close = situation.recent(period + 1)
    if len(close) < period + 1:
        return Size(0.0, {"bars_needed": float(period + 1), "bars_available": float(len(close))}, "warm_up")
    if config.get("method") == "atr":
        per_bar = _average_true_range(high, low, close) / situation.price
    else:
        per_bar = float(np.std(close[1:] / close[:-1] - 1.0, ddof=1))
    yearly = per_bar * math.sqrt(situation.periods_per_year)
    if yearly <= 0.0:
        return Size(0.0, {"volatility": yearly}, "size_undefined")
    weight = config["target"] / yearly
    return _by_value(situation.equity * weight, situation, target=config["target"], volatility=yearly)


def _risk_per_trade(config: Mapping[str, Any], situation: Situation) -> Size:
    """Lose `percent` of equity if the stop is hit: equity x percent / distance of the stop.

    Source: fixed fractional position sizing, Vince (1990), Portfolio Management Formulas.
    """
    distance = situation.stop_distance
    if config.get("atr_period"):
        period = config["atr_period"]
        high, low, close = situation.recent(period + 1)
        if len(close) < period + 1:
            return Size(0.0, {"bars_needed": float(period + 1), "bars_available": float(len(close))}, "warm_up")
        distance = _average_true_range(high, low, close) * (config.get("atr_multiple") or 1.0)
    if distance is None or distance <= 0.0:
        return Size(0.0, {}, "no_stop_distance")
    at_risk = situation.equity * config["percent"]
    return Size(
        at_risk / (distance * situation.multiplier),
        {"percent": config["percent"], "at_risk": at_risk, "stop_distance": distance},
    )


def _kelly(config: Mapping[str, Any], situation: Situation) -> Size:
    """Hold a fraction of the Kelly bet that the closed trades suggest, at most `cap` of equity.

    The bet is W - (1 - W) / R with W the share of winners and R the mean win over the mean loss. Before
    `minimum_trades` it is cap x fraction. Source: Kelly (1956), Bell System Technical Journal 35(4).
    """
    fraction, cap = config["fraction"], config["cap"]
    returns = [trade.return_fraction for trade in situation.trades]
    if len(returns) < config.get("minimum_trades", 20):
        weight = cap * fraction
    else:
        wins = [value for value in returns if value > 0.0]
        losses = [-value for value in returns if value < 0.0]
        if not wins:
            bet = 0.0
        elif not losses:
            bet = 1.0
        else:
            share = len(wins) / len(returns)
            bet = share - (1.0 - share) / ((sum(wins) / len(wins)) / (sum(losses) / len(losses)))
        weight = min(cap, max(0.0, bet * fraction))
    return _by_value(situation.equity * weight, situation, weight=weight)


def _by_value(value: float, situation: Situation, **numbers: float) -> Size:
    unit = situation.price * situation.multiplier
    return Size(value / unit if unit else math.nan, numbers)


def _average_true_range(high: FloatArray, low: FloatArray, close: FloatArray) -> float:
    """Return the plain mean of the true ranges of all bars but the first. Source: Wilder (1978), chapter 3."""
    previous = close[:-1]
    ranges = np.maximum(high[1:], previous) - np.minimum(low[1:], previous)
    return float(np.add.reduce(ranges) / len(ranges))


_MODELS: Mapping[str, Callable[[Mapping[str, Any], Situation], Size]] = {
    "fixed": _fixed,
    "fixed_value": _fixed_value,
    "percent_equity": _percent_equity,
    "target_weights": _target_weights,
    "volatility_target": _volatility_target,
    "risk_per_trade": _risk_per_trade,
    "kelly": _kelly,
}
