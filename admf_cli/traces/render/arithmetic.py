"""A size's arithmetic as a trader would write it: what it was based on, what came out, what the lot left of it.

Knows the models by the keys that the format lists; what it does not know is shown as names and values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from admf_cli.traces.event import amount
from admf_cli.traces.render.text import decimal, number

_OUTCOME = ("type", "position_before", "position_target", "raw_quantity", "quantity", "lot_size")
_SHARED = ("strategy", "allocation", "strategy_target")


def sizing(mapping: Mapping[str, Any], multiplier: float | None = None) -> str:
    """Return an ORDER's `sizing` in one line, "" if it has none.

    Args:
        multiplier: account currency per point and unit, None where no fill tells it.
    """
    if not mapping:
        return ""
    kind = mapping.get("type")
    text, computed = _formula(mapping, multiplier)
    raw, quantity, lot = (amount(mapping, key) for key in ("raw_quantity", "quantity", "lot_size"))
    if raw is not None:
        text += f" = {decimal(raw if computed is None else computed)}" if text else decimal(raw)
        if computed is not None and not math.isclose(computed, raw, rel_tol=1e-9):
            why = "after the contract's multiplier or a limit" if multiplier is None else "cut by a limit to"
            text += f", {why} {decimal(raw)}"
    if isinstance(kind, str):
        text = f"sized {number(kind)}: {text}" if text else f"sized {number(kind)}"
    if quantity is not None:
        text += f", in lots of {decimal(lot)}: {decimal(quantity)}" if lot is not None else f": {decimal(quantity)}"
    text += _shared(mapping)
    before, after = amount(mapping, "position_before"), amount(mapping, "position_target")
    if before is not None and after is not None:
        text += f"; position {decimal(before)} to {decimal(after)}"
    return text.strip("; ")


def _formula(mapping: Mapping[str, Any], multiplier: float | None) -> tuple[str, float | None]:
    """Return what the quantity was computed from, in the order in which one would, and what that comes to."""
    known = {key: value for key in mapping if (value := amount(mapping, key)) is not None}
    said = {key: decimal(value) for key, value in known.items()}
    kind, unit = mapping.get("type"), multiplier or 1.0
    each = "" if unit == 1.0 else f" x {decimal(unit)}"

    def bought(value: float) -> float | None:
        return value / (known["price"] * unit) if known["price"] else None

    if kind == "fixed":
        return "", None
    if kind == "fixed_value" and {"wanted", "price"} <= known.keys():
        return f"{said['wanted']} at {said['price']}{each}", bought(known["wanted"])
    if not {"equity", "price"} <= known.keys():
        return _listed(mapping), None
    equity, at = known["equity"], f"at {said['price']}{each}"
    if kind == "percent_equity" and "percent" in known:
        return f"{said['percent']} of equity {said['equity']} {at}", bought(known["percent"] * equity)
    if kind == "volatility_target" and "target" in known and known.get("volatility"):
        weight = known["target"] / known["volatility"]
        wanted = f"wanted volatility {said['target']} / measured {said['volatility']}"
        return f"{wanted} = {decimal(weight)} of equity {said['equity']} {at}", bought(weight * equity)
    if kind == "risk_per_trade" and {"percent", "at_risk"} <= known.keys() and known.get("stop_distance"):
        risk = f"{said['percent']} of equity {said['equity']} = {said['at_risk']} at risk"
        lost = known["stop_distance"] * unit
        return f"{risk} / stop distance {said['stop_distance']}{each}", known["at_risk"] / lost
    if "weight" in known:
        return f"weight {said['weight']} of equity {said['equity']} {at}", bought(abs(known["weight"]) * equity)
    return _listed(mapping), None


def _listed(mapping: Mapping[str, Any]) -> str:
    known = {key: value for key, value in mapping.items() if key not in (*_OUTCOME, *_SHARED)}
    return ", ".join(f"{name} {number(value)}" for name, value in list(known.items())[:20])


def _shared(mapping: Mapping[str, Any]) -> str:
    """Return whose part of a shared portfolio this is."""
    strategy, allocation = mapping.get("strategy"), amount(mapping, "allocation")
    own, whole = amount(mapping, "strategy_target"), amount(mapping, "position_target")
    if not isinstance(strategy, str) or allocation is None:
        return ""
    text = f"; equity is the {decimal(allocation)} of the portfolio's that {number(strategy)} has"
    if own is not None and whole is not None:
        text += f", it aims at {decimal(own)}, all strategies together at {decimal(whole)}"
    return text
