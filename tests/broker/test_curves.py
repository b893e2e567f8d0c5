"""The equity curve that an account's steps make, by hand on five bars of two symbols."""

from __future__ import annotations

import numpy as np
import pytest

from admf_cli.broker.account import NO_SYMBOL, Steps
from admf_cli.broker.curves import curves, last_known
from admf_cli.broker.instrument import Instrument
from admf_cli.market.bars import Bars

NAN = float("nan")
INSTRUMENTS = (Instrument(), Instrument(multiplier=10.0))


def bars_of(close: list[list[float]]) -> Bars:
    prices = np.asfortranarray(np.array(close))
    present = np.isfinite(prices)
    return Bars(("X", "Y"), np.arange(len(prices)), *(prices,) * 5, present=None if present.all() else present)


def test_a_symbol_keeps_its_last_close_and_has_none_before_its_first() -> None:
    marks = last_known(bars_of([[NAN, 7.0], [1.0, NAN], [NAN, NAN], [2.0, 8.0]]))
    assert np.array_equal(marks, [[NAN, 7.0], [1.0, 7.0], [1.0, 7.0], [2.0, 8.0]], equal_nan=True)
    assert marks.flags.f_contiguous


def test_whole_bars_are_their_own_marks() -> None:
    bars = bars_of([[1.0, 2.0], [3.0, 4.0]])
    assert last_known(bars) is bars.close


def test_without_a_step_the_capital_stays() -> None:
    found = curves(500.0, Steps(), np.ones((3, 2)), INSTRUMENTS)
    assert found.cash.tolist() == found.equity.tolist() == [500.0] * 3
    assert found.exposure.tolist() == [0.0] * 3
    assert found.equity is not found.cash


def test_equity_is_cash_and_the_marked_positions_and_a_bar_counts_by_its_last_step() -> None:
    marks = np.array([[NAN, 5.0], [10.0, 6.0], [11.0, 6.0], [12.0, 7.0], [13.0, 8.0]])
    steps = Steps()
    for step in (
        (1, 0, 3.0, 970.0),  # 3 X at 10
        (2, 1, -1.0, 1_030.0),  # 1 Y sold short at 6, ten a point
        (2, 1, -2.0, 1_090.0),  # and another in the same bar
        (3, NO_SYMBOL, 0.0, 1_089.0),  # a fee
        (4, 0, 0.0, 1_128.0),  # X sold at 13
    ):
        steps.add(*step)
    found = curves(1_000.0, steps, marks, INSTRUMENTS)
    assert found.cash.tolist() == [1_000.0, 970.0, 1_090.0, 1_089.0, 1_128.0]
    # 970 + 30, 1,090 + 33 - 120, 1,089 + 36 - 140, 1,128 - 160
    assert found.equity.tolist() == [1_000.0, 1_000.0, 1_003.0, 985.0, 968.0]
    assert found.exposure.tolist() == [0.0, 30.0, 153.0, 176.0, 160.0]


def test_curves_cannot_be_exchanged() -> None:
    found = curves(500.0, Steps(), np.ones((3, 2)), INSTRUMENTS)
    with pytest.raises(AttributeError):
        found.cash = found.equity  # type: ignore[misc]
