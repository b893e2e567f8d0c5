"""Hand-computed commissions, slippages, interest and funds; the arithmetic of each row is in its comment."""

from __future__ import annotations

from typing import Any

import pytest

from admf_cli.broker.commission import commission_model
from admf_cli.broker.financing import YEAR_US, accrual
from admf_cli.broker.funds import Shortfall, cash_shortfall, initial_rate, margin_shortfall
from admf_cli.broker.instrument import Instrument, instruments
from admf_cli.broker.slippage import Tape, slippage_model

TIERS = {
    "type": "tiered",
    "tiers": [{"up_to": 1_000, "rate": 0.002}, {"up_to": 5_000, "rate": 0.001}, {"rate": 0.0005}],
}


@pytest.mark.parametrize(
    ("config", "quantity", "value", "maker", "expected"),
    [
        ({"type": "none"}, 10, 1_000, False, 0.0),
        ({}, 10, 1_000, False, 0.0),
        ({"type": "percent", "rate": 0.001}, 10, 1_000, False, 1.0),  # 1,000 x 0.1 %
        ({"type": "percent", "rate": 0.001, "minimum": 2}, 10, 1_000, False, 2.0),  # 1 is below 2
        ({"type": "percent", "rate": 0.01, "maximum": 5}, 10, 1_000, False, 5.0),  # 10 is above 5
        ({"type": "percent", "rate": 0.01, "maximum": 5}, 1, 40, False, 0.4),  # and 0.4 is not
        ({"type": "percent", "rate": 0.01, "minimum": 0.5, "maximum": 5}, 1, 10, False, 0.5),
        ({"type": "per_share", "rate": 0.005}, 300, 9_000, False, 1.5),  # 300 x 0.005
        ({"type": "per_share", "rate": 0.005, "minimum": 1}, 100, 9_000, False, 1.0),  # 0.5 is below 1
        ({"type": "per_trade", "amount": 7}, 300, 9_000, False, 7.0),
        ({"type": "maker_taker", "maker": -0.0001, "taker": 0.0005}, 1, 2_000, True, -0.2),  # a rebate
        ({"type": "maker_taker", "maker": -0.0001, "taker": 0.0005}, 1, 2_000, False, 1.0),
        (TIERS, 1, 1_000, False, 2.0),  # 1,000 x 0.2 %
        (TIERS, 1, 0.5, False, 0.001),  # 0.5 x 0.2 %
        (TIERS, 1, 3_000, False, 4.0),  # 2 + 2,000 x 0.1 %
        (TIERS, 1, 9_000, False, 8.0),  # 2 + 4 + 4,000 x 0.05 %
    ],
)
def test_a_commission_is_charged_by_its_model(
    config: dict[str, Any], quantity: float, value: float, maker: bool, expected: float
) -> None:
    assert commission_model(config)(quantity, value, maker) == pytest.approx(expected, rel=1e-12)


TAPE = Tape(price=100.0, quantity=50.0, high=104.0, low=99.0, volume=5_000.0, tick=0.25)


@pytest.mark.parametrize(
    ("config", "half_spread", "tape", "expected"),
    [
        ({"type": "bps", "bps": 5}, 0.0, TAPE, 0.05),  # 100 x 0.05 %
        ({"type": "fixed", "amount": 0.02}, 0.0, TAPE, 0.02),
        ({"type": "ticks", "ticks": 3}, 0.0, TAPE, 0.75),  # 3 x 0.25
        ({"type": "range_share", "share": 0.1}, 0.0, TAPE, 0.5),  # (104 - 99) x 0.1
        ({"type": "volume_share", "impact": 0.1}, 0.0, TAPE, 1.0),  # 0.1 x 100 x sqrt(50 / 5,000)
        ({"type": "volume_share", "impact": 0.1}, 0.0, TAPE._replace(volume=0.0), 10.0),  # as if all of the volume
        ({"type": "volume_share", "impact": 0.1}, 0.0, TAPE._replace(volume=0.5), 100.0),  # a hundred times of it
        ({"type": "none"}, 4.0, TAPE, 0.04),  # half the spread alone
        ({"type": "bps", "bps": 5}, 4.0, TAPE, 0.09),  # and on top
    ],
)
def test_a_slippage_is_computed_by_its_model(
    config: dict[str, Any], half_spread: float, tape: Tape, expected: float
) -> None:
    model = slippage_model(config, half_spread)
    assert model is not None
    assert model(tape) == pytest.approx(expected, rel=1e-12)


def test_nothing_slips_where_nothing_is_said_of_it() -> None:
    assert slippage_model({}) is slippage_model({"type": "none"}) is None


@pytest.mark.parametrize(
    ("price", "side", "expected"),
    [
        (100.10, 1, 100.25),  # a buyer pays the next tick up
        (100.10, -1, 100.0),  # a seller gets the next one down
        (100.25, 1, 100.25),  # on the grid already
        (100.25 + 1e-11, 1, 100.25),  # but for rounding
    ],
)
def test_prices_move_to_the_tick_that_is_no_better(price: float, side: int, expected: float) -> None:
    assert Instrument(tick_size=0.25).adverse_tick(price, side) == expected
    assert Instrument().adverse_tick(price, side) == price


@pytest.mark.parametrize(
    ("lot", "quantity", "down", "up"),
    [
        (1.0, 2.999, 2.0, 3.0),
        (1.0, 3.0 - 1e-12, 3.0, 3.0),  # a billionth of a lot is rounding
        (0.01, 0.299, 0.29, 0.30),
        (0.00000001, 0.123456789, 0.12345678, 0.12345679),
        (100.0, 250.0, 200.0, 300.0),
    ],
)
def test_quantities_are_whole_lots(lot: float, quantity: float, down: float, up: float) -> None:
    instrument = Instrument(lot_size=lot)
    assert (instrument.whole_lots(quantity), instrument.lots_for(quantity)) == (down, up)


@pytest.mark.parametrize("decimals", range(9))
@pytest.mark.parametrize("lots", [1, 3, 29, 57, 1_234_567, 29_000_000, 57_000_001, 12_345_678_901])
def test_whole_lots_stay_whole_however_small_they_are(decimals: int, lots: int) -> None:
    # 0.29 of a coin in lots of 1e-8 is 28,999,999.999999996 lots in binary.
    instrument = Instrument(lot_size=float(f"1e-{decimals}"))
    quantity = float(f"{lots}e-{decimals}")
    kept = instrument.whole_lots(quantity), instrument.lots_for(quantity)
    assert kept == pytest.approx((quantity, quantity), rel=1e-15, abs=0.0)


def test_rounding_is_no_lot_where_there_are_many() -> None:
    # A ten-millionth of a lot is missing, or too much, in 10,000: that is no rounding.
    assert Instrument().whole_lots(10_000.0 - 1e-7) == 9_999.0
    assert Instrument().lots_for(10_000.0 + 1e-7) == 10_001.0


def test_a_symbol_s_own_settings_go_before_the_default() -> None:
    config = {"default": {"lot_size": 0.1, "tick_size": 0.5}, "ES": {"multiplier": 50.0}}
    es, nq = instruments(config, ["ES", "NQ"])
    assert (es.lot_size, es.tick_size, es.multiplier) == (0.1, 0.5, 50.0)
    assert nq.multiplier == 1.0


def missing(shortfall: Shortfall | None) -> tuple[float, float]:
    assert shortfall is not None
    return shortfall.needed, shortfall.available


def test_cash_pays_for_value_and_commission_and_a_sale_pays_its_own() -> None:
    assert cash_shortfall(1_010.0, 1, 1_000.0, 10.0) is None
    assert missing(cash_shortfall(1_009.0, 1, 1_000.0, 10.0)) == (1_010.0, 1_009.0)
    assert cash_shortfall(1_010.0 - 1e-7, 1, 1_000.0, 10.0) is None  # a billionth of 1,010 is rounding
    assert cash_shortfall(1_010.0 - 1e-5, 1, 1_000.0, 10.0) is not None
    assert cash_shortfall(0.0, 1, 1_000.0, -1_001.0) is None  # a rebate of more than the value
    assert cash_shortfall(0.0, -1, 1_000.0, 10.0) is None  # its proceeds pay
    assert cash_shortfall(-990.0, -1, 1_000.0, 10.0) is None  # to the last cent
    assert cash_shortfall(-1_000.0, -1, 1_000.0, 0.0) is None  # and a free one, to nothing
    assert missing(cash_shortfall(-995.0, -1, 1_000.0, 10.0)) == (10.0, 5.0)


def test_equity_covers_its_share_of_the_exposure() -> None:
    # 2,000 of exposure at 50 % need 1,000; 5 of commission leave 1,000 of 1,005
    assert margin_shortfall(1_005.0, 2_000.0, 5.0, 0.5) is None
    assert missing(margin_shortfall(1_004.0, 2_000.0, 5.0, 0.5)) == (1_000.0, 999.0)
    assert margin_shortfall(1_005.0 - 1e-7, 2_000.0, 5.0, 0.5) is None  # a billionth of 1,000 is rounding
    assert margin_shortfall(1_005.0 - 1e-5, 2_000.0, 5.0, 0.5) is not None
    assert margin_shortfall(5.0, 0.0, 5.0, 0.5) is None  # nothing is needed, nothing is left
    assert (initial_rate({"initial": 0.25}), initial_rate({"initial": None, "leverage": 4})) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("cash", "shorts", "interest", "fee"),
    [
        (1_000.0, 0.0, 30.0, 0.0),  # 3 % of 1,000
        (-1_000.0, 0.0, -80.0, 0.0),  # 8 % of a debit of 1,000
        (2_000.0, 500.0, 60.0, 5.0),  # and 1 % of 500 sold short
        (0.5, 0.0, 0.015, 0.0),  # however little there is
    ],
)
def test_a_year_of_interest_and_fees(cash: float, shorts: float, interest: float, fee: float) -> None:
    terms = {"cash_interest": 0.03, "debit_interest": 0.08, "borrow_fee": 0.01}
    assert accrual(terms, cash, shorts, YEAR_US) == pytest.approx((interest, fee))


def test_a_day_is_one_of_365_of_a_year() -> None:
    terms = {"cash_interest": 0.01, "debit_interest": 0.08, "borrow_fee": 0.02}
    day_us = 86_400_000_000
    assert accrual(terms, 36_500.0, 18_250.0, day_us) == pytest.approx((1.0, 1.0), rel=1e-14)
    assert accrual(terms, 36_500.0, 18_250.0, 3 * day_us) == pytest.approx((3.0, 3.0), rel=1e-14)
