"""Figures of trades, exposure and turnover, each by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from admf_cli.metrics import trading


@dataclass(frozen=True)
class ClosedTrade:
    """The least a trade must tell."""

    entry_bar: int
    exit_bar: int
    pnl: float = 0.0


def test_win_rate_counts_only_profits_above_zero() -> None:
    assert trading.win_rate([5.0, 0.0, -1.0, 2.0]) == 0.5  # 2 of 4; the one at zero is no win


def test_profit_factor_is_gross_profit_over_gross_loss() -> None:
    assert trading.profit_factor([3.0, -1.0, 0.0, 4.0, -1.0]) == 3.5  # (3 + 4) / (1 + 1)


def test_profit_factor_without_a_loss_is_undefined_not_infinite() -> None:
    assert math.isnan(trading.profit_factor([3.0, 0.0]))


def test_profit_factor_without_a_win_is_truly_zero() -> None:
    assert trading.profit_factor([-3.0]) == 0.0


def test_expectancy_is_the_mean_profit() -> None:
    assert trading.expectancy([3.0, -1.0, 1.0]) == 1.0  # 3 / 3


def test_average_win_and_loss_leave_the_others_and_break_even_out() -> None:
    pnls = [3.0, 5.0, 0.0, -1.0, -2.0]
    assert trading.average_win(pnls) == 4.0  # (3 + 5) / 2
    assert trading.average_loss(pnls) == -1.5  # -(1 + 2) / 2


def test_half_a_unit_of_currency_is_a_profit_and_a_loss_as_any_other() -> None:
    pnls = [0.5, 0.25, -0.25]
    assert trading.win_rate(pnls) == 2 / 3
    assert trading.profit_factor(pnls) == 3.0  # 0.75 / 0.25
    assert trading.average_win(pnls) == 0.375
    assert trading.average_loss(pnls) == -0.25


def test_holding_is_counted_in_bars_from_entry_to_exit() -> None:
    assert trading.average_holding([ClosedTrade(2, 5), ClosedTrade(7, 7)]) == 1.5  # (3 + 0) / 2


@pytest.mark.parametrize(
    "figure",
    [
        trading.win_rate,
        trading.profit_factor,
        trading.expectancy,
        trading.average_win,
        trading.average_loss,
        trading.average_holding,
    ],
)
def test_without_trades_no_figure_of_them_is_defined(figure) -> None:  # type: ignore[no-untyped-def]
    assert math.isnan(figure([]))


def test_the_order_of_trades_changes_no_digit() -> None:
    pnls = [1e16, 1.0, -1e16, 0.1, 0.2, 0.3] * 7
    assert trading.expectancy(pnls) == trading.expectancy(sorted(pnls)) == trading.expectancy(pnls[::-1])


def test_time_in_the_market_is_the_share_of_closes_with_a_position() -> None:
    assert trading.exposure_time(np.array([0.0, 10.0, 20.0, 0.0, 0.0])) == 0.4  # 2 of 5


def test_average_exposure_is_the_mean_of_gross_value_over_equity() -> None:
    # 0/100, 50/100, 300/150: (0 + 0.5 + 2) / 3
    assert trading.average_exposure(np.array([0.0, 50.0, 300.0]), np.array([100.0, 100.0, 150.0])) == pytest.approx(
        2.5 / 3, rel=1e-15
    )


@pytest.mark.parametrize("equity", [0.0, -1.0, math.nan])
def test_average_exposure_is_undefined_on_a_bankrupt_account(equity: float) -> None:
    assert math.isnan(trading.average_exposure(np.array([1.0, 1.0]), np.array([100.0, equity])))


def test_turnover_counts_both_sides_a_year_over_mean_equity() -> None:
    # 2 bars of 4 a year = half a year; mean equity 150; 300 traded: 300 / 150 / 0.5 = 4
    assert trading.turnover(300.0, np.array([100.0, 200.0]), periods_per_year=4) == 4.0


def test_turnover_without_a_trade_is_truly_zero() -> None:
    assert trading.turnover(0.0, np.array([100.0]), periods_per_year=252) == 0.0


def test_turnover_of_an_account_in_debt_is_undefined() -> None:
    assert math.isnan(trading.turnover(10.0, np.array([-100.0, 50.0]), periods_per_year=252))


def test_turnover_is_undefined_without_equity_or_time() -> None:
    assert math.isnan(trading.turnover(10.0, np.array([-50.0, 50.0]), periods_per_year=252))
    assert math.isnan(trading.turnover(10.0, np.array([100.0]), periods_per_year=0.0))
    assert trading.turnover(100.0, np.array([100.0]), periods_per_year=0.5) == 0.5  # one bar is two years
    assert trading.turnover(1.0, np.array([0.5]), periods_per_year=1.0) == 2.0  # of however little equity


def test_without_a_bar_exposure_and_turnover_are_undefined() -> None:
    empty = np.array([])
    assert math.isnan(trading.exposure_time(empty))
    assert math.isnan(trading.average_exposure(empty, empty))
    assert math.isnan(trading.turnover(0.0, empty, periods_per_year=252))
