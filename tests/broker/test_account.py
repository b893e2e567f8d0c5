"""The account's positions in many lots."""

from __future__ import annotations

import math
import random
import sys
from typing import Any

import pytest

from admf_cli.broker.account import Account, Deal
from admf_cli.broker.instrument import Instrument


def account_of(deals: list[tuple[int, float, float]]) -> Account:
    """Return an account after deals of (side, quantity, price)."""
    account = Account(1e6, (Instrument(lot_size=0.01),), ("X",))
    for bar, (side, quantity, price) in enumerate(deals):
        account.apply(Deal(0, side, quantity, price, 0.0, bar, bar, f"execution#{bar}", "entry"))
    return account


def test_the_average_price_is_that_of_the_lots_left() -> None:
    # 10 at 100 and 30 at 104 are bought, 20 sold: first in, first out, 20 at 104 are left, then 20 at 110 come
    account = account_of([(1, 10, 100.0), (1, 30, 104.0), (-1, 20, 120.0)])
    assert account.positions[0].average_price == 104.0
    account.apply(Deal(0, 1, 20.0, 110.0, 0.0, 3, 3, "execution#3", "entry"))
    assert account.positions[0].average_price == 107.0  # (20 x 104 + 20 x 110) / 40


def test_the_average_price_stays_exact_over_many_fills() -> None:
    pick = random.Random(3)
    account = account_of([])
    for bar in range(3000):
        side = 1 if account.positions[0].quantity < 50 or pick.random() < 0.5 else -1
        deal = Deal(0, side, pick.randint(1, 900) / 100, pick.uniform(90, 110), 0.0, bar, bar, f"e#{bar}", "entry")
        account.apply(deal)
        lots = account.positions[0].lots
        mean = math.fsum(lot.quantity * lot.price for lot in lots) / math.fsum(lot.quantity for lot in lots)
        assert account.positions[0].average_price == pytest.approx(mean, rel=1e-11)


def test_the_average_price_of_a_thousand_lots_takes_no_more_work_than_that_of_ten() -> None:
    def calls(lots: int) -> int:
        position = account_of([(1, 1.0, 100.0 + lot) for lot in range(lots)]).positions[0]
        count = 0

        def profile(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += 1

        sys.setprofile(profile)
        try:
            position.average_price  # noqa: B018
        finally:
            sys.setprofile(None)
        return count

    assert calls(1000) == calls(10)
