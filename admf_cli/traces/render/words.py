"""Events in words that a trader reads in seconds. Refuses to know where they were found.

Every payload key is optional: what another version left out is left out of the sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from admf_cli.traces.event import TracedEvent, amount
from admf_cli.traces.render.arithmetic import sizing
from admf_cli.traces.render.text import decimal, number

_PRICES = (("limit_price", "limit"), ("stop_price", "stop"))
_REASONS = {
    "no_cash": "not enough cash",
    "no_margin": "not enough margin",
    "no_position": "there was no position to close",
    "no_change": "the position was already what the signal asked for",
    "within_drift": "the weight was off by less than the strategy lets it",
    "no_order": "there was no such order working",
    "no_such_price": "the order has no price of that kind to replace",
    "already_in_position": "already in that position",
    "entry_cancelled": "it withdrew an entry that was still waiting",
    "lot_too_small": "the size came to less than one lot",
    "size_undefined": "the size has no finite answer",
    "warm_up": "too few bars yet to size by",
    "no_stop_distance": "risk per trade needs a stop, and there is none",
    "cooldown": "cooling down after a stop",
    "max_position_size": "the position would have been too large",
    "max_portfolio_heat": "too much would have been at risk",
    "max_net_exposure": "the net exposure would have been too large",
    "max_open_positions": "as many positions were open as are allowed",
    "equity": "there was no equity left to trade with",
    "max_drawdown": "halted: the maximum drawdown was reached",
    "daily_loss_limit": "halted: the day's loss limit was reached",
    "maintenance_margin": "equity fell below the maintenance margin",
    "superseded": "a newer signal took its place",
    "replaced": "another order took its place",
    "by_strategy": "the strategy withdrew it",
    "position_closed": "the position it protected was closed",
    "oco_filled": "the other order of its pair filled",
    "nothing_to_close": "there was nothing left to close",
    "end_of_data": "the data ended",
    "day_end": "its day ended",
    "gtd_reached": "its time was up",
    "ioc_unfilled": "immediate or cancel, and it could not fill at once",
    "fok_unfilled": "fill or kill, and it could not fill whole at once",
}

_STYLES = {
    "BAR": "dim",
    "SIGNAL": "cyan",
    "ORDER": "yellow",
    "FILL": "green",
    "REJECT": "red",
    "CANCEL": "magenta",
    "EXPIRE": "magenta",
    "RISK_BREACH": "red",
}


def headline(event: TracedEvent) -> str:
    """Return what happened, in one line without its time and id."""
    writer = _WRITERS.get(event.event_type)
    return writer(event) if writer else event.event_type


def style_of(event: TracedEvent) -> str:
    """Return the colour in which an event of its type is shown, none for most."""
    return _STYLES.get(event.event_type, "")


def reason_in_words(reason: str) -> str:
    """Return what a reason code means; an unknown one as it is."""
    return _REASONS.get(reason, reason.replace("_", " "))


def details(event: TracedEvent, answers: Iterable[TracedEvent] = ()) -> list[str]:
    """Return further lines with the numbers behind an event.

    Args:
        answers: events that answer it; an order's fills tell the contract's multiplier.
    """
    if event.event_type == "SIGNAL":
        return [line for line in (values(event.mapping("features")),) if line]
    if event.event_type == "ORDER":
        return [line for line in (sizing(event.mapping("sizing"), _multiplier(answers)),) if line]
    if event.event_type in ("POSITION_CHANGE", "POSITION_CLOSE", "POSITION_OPEN"):
        return [_trade(row) for row in event.rows("trades")]
    return []


def values(mapping: Mapping[str, Any]) -> str:
    """Return names and values in one line, such as "fast 1,391.2910, slow 1,387.7650"."""
    return ", ".join(f"{name} {number(value)}" for name, value in list(mapping.items())[:20])


def _multiplier(answers: Iterable[TracedEvent]) -> float | None:
    for fill in answers:
        price, quantity, value = (fill.amount(key) for key in ("price", "quantity", "value"))
        if fill.event_type == "FILL" and price and quantity and value:
            return float(f"{value / (price * quantity):.9g}")  # what rounding left of 50 is 50
    return None


def _phase_start(event: TracedEvent) -> str:
    return f"{_said(event, 'container_type')} starts phase {_said(event, 'phase_name')}"


def _bar(event: TracedEvent) -> str:
    prices = ", ".join(f"{key} {_said(event, key)}" for key in ("open", "high", "low", "close"))
    return f"bar: {prices}, volume {_said(event, 'volume')}"


def _feature(event: TracedEvent) -> str:
    return f"features: {values(event.payload)}"


def _signal(event: TracedEvent) -> str:
    action = (event.text("action") or "signal").replace("_", " ")
    order = event.mapping("order")
    what = f"{number(action)}: {_asked(order)}" if order else f"{number(action)} (target {_said(event, 'target')})"
    text = f"signal: {what} at the close {_said(event, 'price')}"
    rule = event.text("rule")
    return text if rule in (None, event.text("action")) else f"{text}, because {number(rule)}"


def _asked(order: Mapping[str, Any]) -> str:
    """Return an order as a strategy asks for it, such as "buy limit GTD, limit price 98.5, good till (bars 3)"."""
    named = ("side", "quantity", "order_type", "time_in_force")
    head = " ".join(number(order[key]).replace("_", " ") for key in named if order.get(key) is not None)
    head = f"close the position, {head}" if order.get("close") is True else head
    unsaid = (*named, "close") if order.get("close") is True else named
    rest = {key.replace("_", " "): value for key, value in order.items() if key not in unsaid and value is not None}
    parts = [
        f"{name} ({values({key.replace('_', ' '): item for key, item in value.items()})})"
        if isinstance(value, dict)
        else f"{name} {number(value)}"
        for name, value in rest.items()
    ]
    return ", ".join(filter(None, [head, *parts]))


def _order(event: TracedEvent) -> str:
    kind = number(event.text("order_type") or "order").replace("_", " ")
    text = f"order: {_said(event, 'side')} {_said(event, 'quantity')} at {kind}"
    text += "".join(f", {word} {_said(event, key)}" for key, word in _PRICES if event.amount(key) is not None)
    if event.mapping("trail"):
        text += f", trailing by {values(event.mapping('trail'))}"
    purpose = (event.text("purpose") or "").replace("_", " ")
    return f"{text}, {_said(event, 'time_in_force')}" + (f", as {number(purpose)}" if purpose else "")


def _fill(event: TracedEvent) -> str:
    done = {"buy": "bought", "sell": "sold"}.get(event.text("side") or "", "filled")
    text = f"fill: {done} {_said(event, 'quantity')} at {_said(event, 'price')}"
    where = {"open": "the open", "close": "the close", "range": "inside the bar"}.get(event.text("trigger") or "")
    quantity, slippage = event.amount("quantity"), event.amount("slippage")
    text += f" ({where}" if where else " ("
    text += f", reference {_said(event, 'reference_price')}"
    if slippage is not None and quantity is not None:
        text += f", slippage {decimal(slippage)} a unit"
    text += f", commission {_said(event, 'commission')}, value {_said(event, 'value')})"
    if event.amount("remaining"):
        text += f"; {_said(event, 'remaining')} still working"
    return text.replace("(, ", "(")


def _ended(word: str) -> Callable[[TracedEvent], str]:
    def write(event: TracedEvent) -> str:
        reason = event.text("reason") or "no reason given"
        skipped = {"reason", "portfolio", "order_id", "remaining"}
        numbers = values({key: value for key, value in event.payload.items() if key not in skipped})
        order = f" order {number(event.text('order_id'))}" if event.text("order_id") else ""
        text = f"{word}{order}: {number(reason_in_words(reason))} [{number(reason)}]"
        return f"{text}; {numbers}" if numbers else text

    return write


def _position(event: TracedEvent) -> str:
    text = f"position {_said(event, 'quantity_before')} to {_said(event, 'quantity')}"
    if event.amount("average_price"):
        text += f" at {_said(event, 'average_price')} on average"
    return f"{text}; realised {_said(event, 'realized_pnl')}, cash {_said(event, 'cash')}"


def _update(event: TracedEvent) -> str:
    held = values(event.mapping("positions")) or "nothing"
    return f"at the close: equity {_said(event, 'equity')}, cash {_said(event, 'cash')}, holding {held}"


def _financing(event: TracedEvent) -> str:
    return (
        f"financing: interest {_said(event, 'interest')}, borrow fee {_said(event, 'borrow_fee')}; "
        f"cash {_said(event, 'cash')}"
    )


def _breach(event: TracedEvent) -> str:
    action = number(event.text("action") or "nothing done")
    if event.text("rule") == "end_of_day":  # the clock's, not an amount's
        return f"risk: end_of_day: {action}"
    return f"risk: {_said(event, 'rule')} limit {_said(event, 'limit')}, value {_said(event, 'value')}: {action}"


def _error(event: TracedEvent) -> str:
    place = f" ({_said(event, 'file')}:{_said(event, 'line')})" if event.text("file") else ""
    return f"error: {_said(event, 'message')}{place}"


def _phase_end(event: TracedEvent) -> str:
    return f"phase ends: {_said(event, 'status')}"


def _trade(row: Mapping[str, Any]) -> str:
    fraction, pnl = amount(row, "return"), amount(row, "pnl")
    text = (
        f"trade {number(row.get('number'))}: {number(row.get('direction'))} {number(row.get('quantity'))}, "
        f"{number(row.get('entry_price'))} to {number(row.get('exit_price'))}"
    )
    if pnl is not None:
        text += f": {'won' if pnl > 0 else 'lost'} {decimal(abs(pnl))}"
    return text + (f" ({fraction:+.2%})" if fraction is not None else "")


def _said(event: TracedEvent, key: str) -> str:
    return number(event.payload[key]) if key in event.payload else "?"


_WRITERS: Mapping[str, Callable[[TracedEvent], str]] = {
    "PHASE_START": _phase_start,
    "BAR": _bar,
    "FEATURE": _feature,
    "SIGNAL": _signal,
    "ORDER": _order,
    "FILL": _fill,
    "CANCEL": _ended("cancelled"),
    "EXPIRE": _ended("expired"),
    "REJECT": _ended("rejected"),
    "POSITION_OPEN": _position,
    "POSITION_CHANGE": _position,
    "POSITION_CLOSE": _position,
    "PORTFOLIO_UPDATE": _update,
    "FINANCING": _financing,
    "RISK_BREACH": _breach,
    "ERROR": _error,
    "PHASE_END": _phase_end,
}
