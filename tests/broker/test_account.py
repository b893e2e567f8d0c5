"""The account's positions in many lots."""

from __future__ import annotations

import math
import random
import sys
from typing import Any

import pytest

from admf_cli.broker.account import NO_SYMBOL, Account, Deal, Outcome
from admf_cli.broker.instrument import Instrument
from admf_cli.results import Trade


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


def test_every_number_of_a_position_that_is_opened_halved_and_turned() -> None:
    account = Account(1_000.0, (Instrument(), Instrument(multiplier=2.0)), ("X", "Y"))

    def fill(side: int, quantity: float, price: float, bar: int, symbol: int = 1) -> Outcome:
        return account.apply(Deal(symbol, side, quantity, price, 3.0, bar, bar * 10, f"e#{bar}", f"reason{bar}"))

    def changed(outcome: Outcome) -> tuple[float, float, float]:
        return outcome.before, outcome.after, outcome.realized_pnl

    # 6 at 10, two units of account currency a point: 120 and 3 of commission, 0.5 a unit
    outcome = fill(1, 6.0, 10.0, 0)
    assert changed(outcome) == (0.0, 6.0, -3.0)
    assert not outcome.trades
    assert account.cash == 877.0
    assert account.held == (1,)
    # 2 sold at 13: (13 - 10) x 2 x 2 = 12 gained, of which 3 are this fill's commission
    outcome = fill(-1, 2.0, 13.0, 1)
    assert changed(outcome) == (6.0, 4.0, 9.0)
    # the trade bears 2 x 0.5 of the first commission as well: 12 - 4 = 8, of 2 x 10 x 2 invested
    first = Trade(1, "Y", "long", 2.0, 0, 10.0, 0, 10, 13.0, 1, 4.0, 8.0, 0.2, "reason0", "reason1", "e#0", "e#1")
    assert outcome.trades == [first]
    assert account.cash == 926.0  # 877 + 52 - 3
    # 10 sold at 9: 4 closed at a loss of (9 - 10) x 4 x 2 = -8, 6 are short from then on
    outcome = fill(-1, 10.0, 9.0, 2)
    assert changed(outcome) == (4.0, -6.0, -11.0)
    assert [(trade.number, trade.direction, trade.quantity) for trade in outcome.trades] == [(2, "long", 4.0)]
    assert outcome.trades[0].commission == pytest.approx(3.2)  # 4 x (0.5 + 0.3)
    assert (account.positions[1].direction, account.positions[1].average_price) == (-1, 9.0)
    # all 6 bought back at 8: (8 - 9) x -1 x 6 x 2 = 12
    outcome = fill(1, 6.0, 8.0, 3)
    assert changed(outcome) == (-6.0, 0.0, 9.0)
    assert [(trade.number, trade.direction, trade.quantity) for trade in outcome.trades] == [(3, "short", 6.0)]
    assert account.held == ()
    assert account.positions[1].average_price == 0.0
    assert [trade.number for trade in account.trades] == [1, 2, 3]
    assert account.cash == 1_004.0  # 926 + 180 - 3 - 96 - 3
    assert account.commission_paid == 12.0
    assert account.traded_value == 448.0  # 120 + 52 + 180 + 96
    assert list(zip(*[iter(account.steps.rows)] * 4, strict=True)) == [
        (0, 1, 6.0, 877.0),
        (1, 1, 4.0, 926.0),
        (2, 1, -6.0, 1_103.0),
        (3, 1, 0.0, 1_004.0),
    ]


def test_one_fill_closes_several_lots_oldest_first_and_numbers_them() -> None:
    account = account_of([(1, 2, 100.0), (1, 3, 110.0), (-1, 4, 120.0)])
    assert [(trade.number, trade.quantity, trade.entry_price, trade.pnl) for trade in account.trades] == [
        (1, 2.0, 100.0, 40.0),
        (2, 2.0, 110.0, 20.0),
    ]
    assert [(lot.quantity, lot.price) for lot in account.positions[0].lots] == [(1.0, 110.0)]


def test_symbols_are_held_in_order_and_small_positions_count() -> None:
    account = Account(1e6, (Instrument(lot_size=0.01),) * 3, ("X", "Y", "Z"))
    for bar, (symbol, side) in enumerate([(2, 1), (0, -1), (1, 1)]):
        account.apply(Deal(symbol, side, 0.5, 100.0, 0.0, bar, bar, f"e#{bar}", "entry"))
    assert account.held == (0, 1, 2)
    assert [position.direction for position in account.positions] == [-1, 1, 1]
    account.apply(Deal(1, -1, 0.25, 100.0, 0.0, 3, 3, "e#3", "entry"))
    assert account.held == (0, 1, 2)
    account.apply(Deal(1, -1, 0.25, 100.0, 0.0, 4, 4, "e#4", "entry"))
    assert account.held == (0, 2)


def test_what_rounding_leaves_is_no_position_and_no_lot() -> None:
    # 0.1 three times is not 0.3 in binary: the sale of 0.3 leaves 5.6e-17
    account = account_of([(1, 0.1, 100.0), (1, 0.1, 100.0), (1, 0.1, 100.0), (-1, 0.3, 101.0)])
    assert (account.positions[0].quantity, account.positions[0].direction) == (0.0, 0)
    assert not account.positions[0].lots
    assert account.positions[0].cost == 0.0
    assert account.held == ()
    assert len(account.trades) == 3


def test_nothing_is_held_of_a_coin_whose_smallest_units_were_bought_and_sold() -> None:
    # The same in lots of 1e-8, where 5.6e-17 is more than a billionth of a lot.
    account = Account(1e6, (Instrument(lot_size=1e-8),), ("X",))
    for bar, (side, quantity) in enumerate([(1, 0.1), (1, 0.1), (1, 0.1), (-1, 0.3)]):
        account.apply(Deal(0, side, quantity, 100.0, 0.0, bar, bar, f"e#{bar}", "entry"))
    assert (account.positions[0].quantity, account.positions[0].direction, account.held) == (0.0, 0, ())
    assert account.steps.rows[-2] == 0.0
    assert [trade.quantity for trade in account.trades] == pytest.approx([0.1, 0.1, 0.1])


def test_a_thousandth_of_a_lot_is_the_least_that_counts() -> None:
    instrument = Instrument(lot_size=0.9765625)
    least = 2.0**-10
    assert instrument.dust == least
    account = Account(1e6, (instrument,), ("X",))

    def fill(side: int, quantity: float) -> Outcome:
        return account.apply(Deal(0, side, quantity, 100.0, 0.0, 0, 0, "e#1", "entry"))

    outcome = fill(1, least / 2)
    assert (outcome.before, outcome.after) == (0.0, 0.0)
    assert account.held == ()
    outcome = fill(1, least)
    assert (outcome.before, outcome.after) == (0.0, least)
    fill(1, 1.0)
    # One more than the first lot closes that and as much of the next, whose rest is the least again.
    fill(-1, least + least)
    assert [lot.quantity for lot in account.positions[0].lots] == [1.0 - least]
    fill(-1, 1.0 - least - least)
    assert [lot.quantity for lot in account.positions[0].lots] == [least]
    assert [trade.quantity for trade in account.trades] == [least, least, 1.0 - least - least]


def test_one_unit_is_a_position_and_none_has_no_direction() -> None:
    account = Account(1e6, (Instrument(),) * 2, ("X", "Y"))
    assert [position.direction for position in account.positions] == [0, 0]
    account.apply(Deal(1, 1, 1.0, 100.0, 0.0, 0, 0, "e#1", "entry"))
    assert account.held == (1,)


def test_interest_is_a_step_of_cash_alone() -> None:
    account = account_of([])
    account.accrue(-2.5, 7)
    assert account.cash == 999_997.5
    assert account.steps.rows.tolist() == [7, NO_SYMBOL, 0.0, 999_997.5]


def test_a_trade_in_something_free_has_no_return() -> None:
    account = account_of([(1, 1, 0.0), (-1, 1, 5.0)])
    assert account.trades[0].pnl == 5.0
    assert math.isnan(account.trades[0].return_fraction)
