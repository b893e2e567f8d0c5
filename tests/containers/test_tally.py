"""The funnel of a portfolio, counted one by one."""

from __future__ import annotations

from admf_cli.containers.tally import Tally


def test_what_became_of_signals_and_orders_is_counted_and_rejects_by_reason() -> None:
    tally = Tally()
    assert tally.counts(0) == dict.fromkeys(
        ("signals", "orders", "fills", "trades", "cancelled", "expired", "rejected"), 0
    )
    assert tally.reasons() == {}
    tally.signals, tally.orders, tally.fills, tally.cancelled, tally.expired = 20, 11, 7, 3, 1
    for reason in ("no_cash", "cooldown", "no_cash", "no_cash"):
        tally.reject(reason)
    assert tally.counts(5) == {
        "signals": 20,
        "orders": 11,
        "fills": 7,
        "trades": 5,
        "cancelled": 3,
        "expired": 1,
        "rejected": 4,
    }
    assert list(tally.reasons().items()) == [("cooldown", 1), ("no_cash", 3)]
