"""The size of an entry after sizing, limits and lots, with its arithmetic. Pure. Refuses to know cash and orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from admf_cli.broker.instrument import Instrument
from admf_cli.risk.limits import Breach, Exposure, allowed_value
from admf_cli.risk.sizing import NO_NUMBERS, Situation, size


class Refusal:
    """Why nothing is bought or sold: a reason code of docs/reasons.md and the numbers behind it."""

    __slots__ = ("numbers", "reason")

    def __init__(self, reason: str, numbers: Mapping[str, Any] = NO_NUMBERS) -> None:
        self.reason = reason
        self.numbers = numbers


class Entry:
    """What may be held.

    Attributes:
        quantity: whole lots, not negative.
        numbers: the arithmetic.
        breaches: limits that cut the size.
        refusal: why the quantity is 0, else None.
    """

    __slots__ = ("breaches", "numbers", "quantity", "refusal")

    def __init__(
        self,
        quantity: float,
        numbers: dict[str, Any],
        breaches: Sequence[Breach] = (),
        refusal: Refusal | None = None,
    ) -> None:
        self.quantity = quantity
        self.numbers = numbers
        self.breaches = breaches
        self.refusal = refusal


def entry_size(
    profile: Mapping[str, Any],
    config: Mapping[str, Any],
    situation: Situation,
    instrument: Instrument,
    direction: int,
    exposure: Callable[[], Exposure] | None,
) -> Entry:
    """Return how much an entry in `direction` (+1 long, -1 short) may hold.

    Args:
        config: the `sizing` section.
        exposure: called for the positions in other symbols; None where the profile limits no entry.
    """
    sized = size(config, situation)
    numbers: dict[str, Any] = {"type": config["type"], "equity": situation.equity, "price": situation.price}
    if sized.numbers:
        numbers.update(sized.numbers)
    if sized.problem is not None:
        return Entry(0.0, numbers, refusal=Refusal(sized.problem, numbers))
    raw = sized.quantity
    breaches: list[Breach] = []
    if exposure is not None:
        unit = situation.price * instrument.multiplier
        allowed, breaches = allowed_value(profile, exposure(), raw * unit, direction)
        raw = min(raw, allowed / unit)
    quantity = instrument.whole_lots(max(0.0, raw))
    numbers["raw_quantity"] = raw
    numbers["lot_size"] = instrument.lot_size
    numbers["quantity"] = quantity
    refusal = None
    if quantity == 0.0 and breaches:
        refusal = Refusal(breaches[-1].rule, {"limit": breaches[-1].limit, "value": breaches[-1].value})
    elif quantity == 0.0:
        refusal = Refusal("lot_too_small", {"needed": instrument.lot_size, "available": raw, **numbers})
    return Entry(quantity, numbers, breaches, refusal)
