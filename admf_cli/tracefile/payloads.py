"""What a payload must hold, by event type: the part of docs/trace-format.md that can be checked line by line.

Keys and types that are not named here are allowed: other versions write more. Refuses to know what a value means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT = (str,)
_NUMBER = (int, float)
_OBJECT = (dict,)
_NUMBER_OR_NULL = (int, float, type(None))
_POSITION = {
    "quantity": _NUMBER,
    "quantity_before": _NUMBER,
    "average_price": _NUMBER,
    "realized_pnl": _NUMBER,
    "cash": _NUMBER,
}

REQUIRED: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "PHASE_START": {"mode": _TEXT, "phase_name": _TEXT, "container_type": _TEXT, "settings": _OBJECT},
    "BAR": {"open": _NUMBER, "high": _NUMBER, "low": _NUMBER, "close": _NUMBER, "volume": _NUMBER_OR_NULL},
    "SIGNAL": {"strategy": _TEXT, "kind": _TEXT},
    "ORDER": {"order_id": _TEXT, "side": _TEXT, "quantity": _NUMBER, "order_type": _TEXT, "purpose": _TEXT},
    "FILL": {
        "order_id": _TEXT,
        "portfolio": _TEXT,
        "side": _TEXT,
        "quantity": _NUMBER,
        "price": _NUMBER,
        "reference_price": _NUMBER,
        "slippage": _NUMBER,
        "commission": _NUMBER,
        "value": _NUMBER,
        "remaining": _NUMBER,
    },
    "CANCEL": {"order_id": _TEXT, "portfolio": _TEXT, "reason": _TEXT},
    "EXPIRE": {"order_id": _TEXT, "portfolio": _TEXT, "reason": _TEXT},
    "REJECT": {"portfolio": _TEXT, "reason": _TEXT},
    "POSITION_OPEN": _POSITION,
    "POSITION_CHANGE": _POSITION,
    "POSITION_CLOSE": _POSITION,
    "PORTFOLIO_UPDATE": {"cash": _NUMBER, "equity": _NUMBER, "exposure": _NUMBER, "positions": _OBJECT},
    "FINANCING": {"cash": _NUMBER},
    "RISK_BREACH": {"rule": _TEXT, "action": _TEXT},
    "ERROR": {"message": _TEXT},
    "PHASE_END": {"status": _TEXT},
}
SIDES = ("buy", "sell")


def missing_key(event_type: str, payload: Mapping[str, Any]) -> str | None:
    """Return the first key that a payload of this type must have and has not, None if it has them all."""
    return next((key for key in REQUIRED.get(event_type, ()) if key not in payload), None)


def what_lacks(event_type: str, payload: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a payload of this type, None if nothing is."""
    for key, types in REQUIRED.get(event_type, {}).items():
        value = payload.get(key)
        if type(value) not in types:
            return f"{key} is missing" if key not in payload else f"{key} is of the wrong type"
    if event_type in ("ORDER", "FILL") and payload["side"] not in SIDES:
        return "side is neither buy nor sell"
    if event_type == "FEATURE" and not all(type(value) in _NUMBER_OR_NULL for value in payload.values()):
        return "a feature's value is neither a number nor null"
    return None
