"""Lots and ticks at their edges, and the prices of an order on the tick grid."""

from __future__ import annotations

from typing import Any

import pytest

from admf_cli.broker.instrument import Instrument, instruments

QUARTERS = Instrument(tick_size=0.25)


def test_unless_said_otherwise_units_are_whole_and_prices_free() -> None:
    plain = Instrument()
    assert (plain.lot_size, plain.tick_size, plain.multiplier) == (1.0, None, 1.0)
    assert Instrument(lot_size=50.0).dust == 0.05
    (only,) = instruments({"X": None, "default": None}, ["X"])  # type: ignore[dict-item]
    assert (only.lot_size, only.tick_size, only.multiplier) == (1.0, None, 1.0)


def test_less_than_a_thousandth_of_a_lot_is_dust() -> None:
    instrument = Instrument(lot_size=0.9765625)  # a thousandth of it is 2 ** -10 exactly
    assert instrument.is_dust(2.0**-11)
    assert instrument.is_dust(-(2.0**-11))
    assert not instrument.is_dust(2.0**-10)
    assert not instrument.is_dust(-(2.0**-10))


@pytest.mark.parametrize(
    ("price", "bought", "sold"),
    [
        (100_000.25 + 5e-5, 100_000.25, 100_000.25),  # 2e-4 of a tick in 400,001 is rounding
        (100_000.25 + 5e-4, 100_000.5, 100_000.25),
        (0.25 * (1 + 1.5e-9), 0.5, 0.25),  # in one tick it is not
        (0.25 * (1 - 1.5e-9), 0.25, 0.0),
        (0.25e-10, 0.0, 0.0),  # a ten-billionth of a tick
        (0.1, 0.25, 0.0),
    ],
)
def test_a_price_goes_to_the_tick_that_is_no_better_but_for_rounding(price: float, bought: float, sold: float) -> None:
    assert (QUARTERS.adverse_tick(price, 1), QUARTERS.adverse_tick(price, -1)) == (bought, sold)


@pytest.mark.parametrize(
    ("side", "limit", "stop"),
    [
        ("buy", 100.0, 100.25),  # pays no more than asked for, and triggers no sooner
        ("sell", 100.25, 100.0),
    ],
)
def test_an_order_s_limit_is_no_worse_and_its_stop_no_better_on_the_grid(side: str, limit: float, stop: float) -> None:
    order: dict[str, Any] = {"side": side, "limit_price": 100.1, "stop_price": 100.1, "quantity": 3.3}
    placed = QUARTERS.on_grid(order)
    assert placed == {"side": side, "limit_price": limit, "stop_price": stop, "quantity": 3.3}
    assert order["limit_price"] == 100.1
    assert QUARTERS.on_grid({"side": side}) == {"side": side}
    assert Instrument().on_grid(order) == order


def test_quantities_and_prices_are_the_decimals_that_people_write() -> None:
    # 167,772,164 x 0.1 is 16777216.400000002 in binary, and 7,000,004 x 0.01 is 70000.04000000001
    tenths = Instrument(lot_size=0.1)
    assert (tenths.whole_lots(16_777_216.45), tenths.lots_for(16_777_216.35)) == (16_777_216.4, 16_777_216.4)
    assert Instrument(tick_size=0.01).adverse_tick(70_000.035, 1) == 70_000.04
