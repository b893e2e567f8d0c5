"""What a bar-by-bar strategy asks for, checked and said as plain values. Refuses to know positions and cash."""

from __future__ import annotations

import math
import operator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypedDict

from admf_cli.broker.order import TIMES_IN_FORCE

_LONGEST_LABEL = 200
_PRICES = ("limit", "stop", "trail", "stop_loss", "take_profit")


class How(TypedDict, total=False):
    """The parts of an order that may be left out.

    Attributes:
        limit, stop: prices; none: a market order; both: a stop-limit.
        trail, trail_percent: a trailing stop at this distance (price, or a fraction) from the best close.
        at_close: fill at the next close.
        stop_loss, take_profit: prices of orders that protect what this one opens; one cancels the other.
        oco: a name; when one of the working orders that share it fills, the others are cancelled.
        time_in_force: GTC (unless given), DAY, IOC, FOK; GTD comes with `good_till`.
        good_till: a number of bars, or the last moment (a datetime, or ISO text; UTC unless it says otherwise).
        reduce_only: close at most what is held; never open.
    """

    limit: float | None
    stop: float | None
    trail: float | None
    trail_percent: float | None
    at_close: bool
    stop_loss: float | None
    take_profit: float | None
    oco: str | None
    time_in_force: str | None
    good_till: int | str | datetime | None
    reduce_only: bool


def order_request(size: dict[str, Any], how: How) -> dict[str, Any]:
    """Return the `order` of a SIGNAL: what was asked for, without what was not.

    Args:
        size: how much: `side` and perhaps `quantity`, or `target_quantity`, `target_weight` or `close`.

    Raises:
        ValueError: the parts are wrong in themselves, or do not go together.
        TypeError: there is no such part.
    """
    unknown = [name for name in how if name not in How.__annotations__]
    if unknown:
        raise TypeError(f"no such part of an order: {unknown[0]}; there are {', '.join(How.__annotations__)}")
    prices = {name: _positive(name, how.get(name)) for name in _PRICES if how.get(name) is not None}
    percent = how.get("trail_percent")
    if percent is not None and not 0.0 < number("trail_percent", percent) < 1.0:
        raise ValueError(f"trail_percent must be a fraction between 0 and 1 (got {percent!r})")
    limit, stop, trail = prices.get("limit"), prices.get("stop"), prices.get("trail")
    request = {key: value for key, value in size.items() if value is not None}
    request["order_type"] = _kind(limit, stop, trail, percent, at_close=_flag("at_close", how.get("at_close")))
    if limit is not None:
        request["limit_price"] = limit
    if stop is not None:
        request["stop_price"] = stop
    if trail is not None:
        request["trail"] = {"amount": trail}
    elif percent is not None:
        request["trail"] = {"percent": float(percent)}
    _add_lifetime(request, how.get("time_in_force"), how.get("good_till"))
    bracket = {name: prices[name] for name in ("stop_loss", "take_profit") if name in prices}
    if bracket:
        _check_bracket(size.get("side"), limit if limit is not None else stop, **bracket)
        request["bracket"] = bracket
    oco = how.get("oco")
    if oco is not None:
        request["oco"] = label("oco", oco)
    if _flag("reduce_only", how.get("reduce_only")):
        request["reduce_only"] = True
    return request


def new_prices(limit: float | None, stop: float | None) -> dict[str, float]:
    """Return the prices that an order is to have from now on.

    Raises:
        ValueError: there is none, or one is no price.
    """
    given = {"limit": limit, "stop": stop}
    prices = {f"{name}_price": _positive(name, value) for name, value in given.items() if value is not None}
    if not prices:
        raise ValueError("replace takes a new limit, a new stop, or both")
    return prices


def quantity_of(value: float | None, name: str = "quantity") -> float | None:
    """Return a number of units, checked; None: the risk profile sizes the order."""
    return None if value is None else _positive(name, value)


def number(name: str, value: Any) -> float:
    """Return a number of any sign, checked.

    Raises:
        ValueError: it is none.
    """
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number (got {value!r:.60})") from None
    if isinstance(value, bool | str) or not math.isfinite(found):
        raise ValueError(f"{name} must be a finite number (got {value!r:.60})")
    return found


def label(name: str, value: Any) -> str:
    """Return a short text for people, checked.

    Raises:
        ValueError: it is none, or could not be printed.
    """
    if not isinstance(value, str) or not value or len(value) > _LONGEST_LABEL or not value.isprintable():
        raise ValueError(f"{name} must be printable text of 1 to {_LONGEST_LABEL} characters (got {value!r:.60})")
    return value


def _flag(name: str, value: Any) -> bool:
    """Return a yes or no; a text such as "no" would pass for yes."""
    if value is None or isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):  # NumPy's, too
        return bool(value)
    raise ValueError(f"{name} must be True or False (got {value!r:.60})")


def _positive(name: str, value: Any) -> float:
    found = number(name, value)
    if found <= 0.0:
        raise ValueError(f"{name} must be above 0 (got {value!r})")
    return found


def _kind(
    limit: float | None, stop: float | None, trail: float | None, trail_percent: float | None, *, at_close: bool
) -> str:
    trails = trail is not None or trail_percent is not None
    if trail is not None and trail_percent is not None:
        raise ValueError("an order takes either trail or trail_percent")
    if at_close and (limit is not None or stop is not None or trails):
        raise ValueError("at_close goes with no other price: it fills at the next close, whatever that is")
    if trails and (limit is not None or stop is not None):
        raise ValueError("a trailing stop takes neither limit nor stop: it begins at its distance from the close")
    if trails:
        return "trailing_stop"
    if limit is not None and stop is not None:
        return "stop_limit"
    if limit is not None:
        return "limit"
    if stop is not None:
        return "stop"
    return "market_on_close" if at_close else "market"


def _add_lifetime(request: dict[str, Any], time_in_force: str | None, good_till: int | str | datetime | None) -> None:
    if time_in_force is not None and time_in_force not in TIMES_IN_FORCE:
        raise ValueError(f"time_in_force must be one of {', '.join(TIMES_IN_FORCE)} (got {time_in_force!r})")
    if (time_in_force == "GTD") != (good_till is not None) and time_in_force is not None:
        raise ValueError("time_in_force GTD and good_till belong together")
    request["time_in_force"] = "GTD" if good_till is not None else time_in_force or "GTC"
    if good_till is None:
        return
    if hasattr(good_till, "__index__") and not isinstance(good_till, bool):  # NumPy's whole numbers, too
        bars = operator.index(good_till)
        if bars < 1:
            raise ValueError(f"good_till must be at least 1 bar (got {bars})")
        request["good_till"] = {"bars": bars}
        return
    try:
        moment = datetime.fromisoformat(good_till) if isinstance(good_till, str) else good_till
        if not isinstance(moment, datetime):
            raise ValueError
        utc = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"good_till must be a number of bars, a datetime or an ISO time (got {good_till!r})") from None
    request["good_till"] = {"until": f"{utc.replace(tzinfo=None).isoformat()}Z"}


def _check_bracket(
    side: str | None, entry: float | None, stop_loss: float | None = None, take_profit: float | None = None
) -> None:
    """A long entry's stop-loss lies below its price, its take-profit above; a short one's mirror that."""
    if side is None:
        return  # which way a target goes is known once its position is
    marks = [value for value in (stop_loss, entry, take_profit) if value is not None]
    if side == "sell":
        marks.reverse()
    if any(low >= high for low, high in pairwise(marks)):
        order = ("stop_loss", "entry", "take_profit") if side == "buy" else ("take_profit", "entry", "stop_loss")
        got = f"stop_loss={stop_loss}, entry={entry}, take_profit={take_profit}"
        raise ValueError(f"a {side} needs {' < '.join(order)} (got {got})")
