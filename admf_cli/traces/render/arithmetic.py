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


def sizing(mapping: Mapping[str, Any]) -> str:
    """Return an ORDER's `sizing` in one line, "" if it has none."""
    if not mapping:
        return ""
    kind = mapping.get("type")
    text = _formula(mapping)
    if isinstance(kind, str):
        text = f"sized {number(kind)}: {text}" if text else f"sized {number(kind)}"
    raw, quantity, lot = (amount(mapping, key) for key in ("raw_quantity", "quantity", "lot_size"))
    if raw is not None:
        text += f" = {decimal(raw)}"
    if quantity is not None:
        text += f", in lots of {decimal(lot)}: {decimal(quantity)}" if lot is not None else f": {decimal(quantity)}"
    text += _shared(mapping)
    before, after = amount(mapping, "position_before"), amount(mapping, "position_target")
    if before is not None and after is not None:
        text += f"; position {decimal(before)} to {decimal(after)}"
    return text.strip("; ")


def _formula(mapping: Mapping[str, Any]) -> str:
    """Return what the quantity was computed from, in the order in which one would."""
    known = {key: value for key in mapping if (value := amount(mapping, key)) is not None}
    said = {key: decimal(value) for key, value in known.items()}
    kind = mapping.get("type")
    if kind == "fixed" and "raw_quantity" in known:
        return "as configured"
    if kind == "fixed_value" and {"wanted", "price"} <= known.keys():
        return f"{said['wanted']} {_at(known['wanted'], known)}"
    if not {"equity", "price"} <= known.keys():
        return _listed(mapping)
    equity = known["equity"]
    if kind == "percent_equity" and "percent" in known:
        return f"{said['percent']} of equity {said['equity']} {_at(known['percent'] * equity, known)}"
    if kind == "volatility_target" and "target" in known and known.get("volatility"):
        weight = known["target"] / known["volatility"]
        wanted = f"wanted volatility {said['target']} / measured {said['volatility']}"
        return f"{wanted} = {decimal(weight)} of equity {said['equity']} {_at(weight * equity, known)}"
    if kind == "risk_per_trade" and {"percent", "at_risk", "stop_distance"} <= known.keys():
        unit = _times(known["at_risk"], known["stop_distance"], known)
        risk = f"{said['percent']} of equity {said['equity']} = {said['at_risk']} at risk"
        return f"{risk} / stop distance {said['stop_distance']}{unit}"
    if "weight" in known:
        return f"weight {said['weight']} of equity {said['equity']} {_at(known['weight'] * equity, known)}"
    return _listed(mapping)


def _at(value: float, known: Mapping[str, float]) -> str:
    return f"at {decimal(known['price'])}{_times(value, known['price'], known)}"


def _times(value: float, price: float, known: Mapping[str, float]) -> str:
    """Return the contract's multiplier, which the event does not hold but its numbers tell; "" if it is 1."""
    divisor = price * known.get("raw_quantity", 0.0)
    multiplier = abs(value / divisor) if divisor else math.nan
    if not math.isfinite(multiplier) or math.isclose(multiplier, 1.0, rel_tol=1e-9):
        return ""
    return f" x {decimal(float(f'{multiplier:.9g}'))}"


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
