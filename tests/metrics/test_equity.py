"""Figures of an equity curve, each by hand on a curve short enough to check with a pencil."""

from __future__ import annotations

import math

import numpy as np
import pytest

from admf_cli.metrics import equity as curve
from admf_cli.metrics import trading

DAY = 86_400_000_000


def points(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def returns(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def volatility(r: np.ndarray, *, periods_per_year: float) -> float:
    return curve.annual_volatility(curve.sample_deviation(r), periods_per_year=periods_per_year)


def sharpe(r: np.ndarray, **how: float) -> float:
    return curve.sharpe_ratio(r, curve.sample_deviation(r), **how)


def test_the_first_point_is_the_initial_capital() -> None:
    assert curve.equity_points(100.0, points(110, 99)).tolist() == [100.0, 110.0, 99.0]


def test_the_first_return_is_from_the_initial_capital_to_the_first_close() -> None:
    # 110/100 - 1 = 0.1, 99/110 - 1 = -0.1
    assert curve.simple_returns(points(100, 110, 99)) == pytest.approx([0.1, -0.1], abs=1e-15)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_returns_are_undefined_once_the_account_is_bankrupt_or_unknown(bad: float) -> None:
    found = curve.simple_returns(points(100, bad, 50))
    assert len(found) == 2
    assert np.isnan(found).all()


def test_total_return_is_final_over_initial_less_one() -> None:
    assert curve.total_return(points(100, 70, 125)) == 0.25  # 125/100 - 1


def test_total_return_of_a_lost_account_is_still_a_number() -> None:
    assert curve.total_return(points(100, -50)) == -1.5  # -50/100 - 1


def test_total_return_without_a_bar_is_undefined() -> None:
    assert math.isnan(curve.total_return(points(100)))


def test_annual_return_compounds_over_the_number_of_returns() -> None:
    # 2 bars at 4 a year are half a year: (121/100) ** (4/2) - 1 = 1.21 ** 2 - 1 = 0.4641
    assert curve.annual_return(points(100, 110, 121), periods_per_year=4) == pytest.approx(0.4641, rel=1e-14)


def test_annual_return_of_a_single_bar_is_its_own() -> None:
    assert curve.annual_return(points(100, 125), periods_per_year=1) == 0.25


def test_annual_return_of_one_year_is_the_total_return() -> None:
    assert curve.annual_return(points(100, 90, 80), periods_per_year=2) == pytest.approx(-0.2, rel=1e-14)


@pytest.mark.parametrize(
    "values",
    [
        (100,),  # no bar
        (100, 0),  # bankrupt at the end
        (100, -5, 200),  # bankrupt on the way: what came after is not the same account's growth
        (100, math.nan),
    ],
)
def test_annual_return_is_undefined_without_a_bar_or_after_bankruptcy(values: tuple[float, ...]) -> None:
    assert math.isnan(curve.annual_return(points(*values), periods_per_year=252))


def test_annual_return_too_large_for_a_float_is_undefined() -> None:
    # one minute that doubles the money: 2 ** 525600 has some 158,000 digits
    assert math.isnan(curve.annual_return(points(1, 2), periods_per_year=525_600))


@pytest.mark.parametrize("ppy", [0.0, -1.0, math.nan, math.inf])
def test_nothing_is_annualised_without_a_sensible_number_of_periods(ppy: float) -> None:
    r = returns(0.1, -0.1, 0.05)
    assert math.isnan(curve.annual_return(points(100, 110), periods_per_year=ppy))
    assert math.isnan(volatility(r, periods_per_year=ppy))
    assert math.isnan(sharpe(r, periods_per_year=ppy))
    assert math.isnan(curve.sortino_ratio(r, periods_per_year=ppy))


def test_volatility_divides_by_n_less_one_and_grows_with_the_root_of_time() -> None:
    # mean 0; squares 0.01 + 0.01 = 0.02; / (2 - 1) = 0.02; sqrt(0.02) * sqrt(50) = sqrt(1) = 1
    assert volatility(returns(0.1, -0.1), periods_per_year=50) == pytest.approx(1.0, rel=1e-14)


def test_volatility_of_a_flat_curve_is_truly_zero() -> None:
    assert volatility(returns(0.0, 0.0, 0.0), periods_per_year=252) == 0.0


def test_volatility_needs_two_returns() -> None:
    assert math.isnan(volatility(returns(0.1), periods_per_year=252))
    assert math.isnan(volatility(returns(), periods_per_year=252))


@pytest.mark.parametrize("count", [2, 131_072, 131_073, 300_001, 1_000_003])
def test_figures_of_long_series_are_those_of_whole_arrays_to_the_bit(count: int) -> None:
    # What is computed a part at a time is added as NumPy adds the whole.
    r = np.random.default_rng(count).normal(1e-4, 1e-2, count)
    offsets = r - np.add.reduce(r) / count
    assert curve.sample_deviation(r) == math.sqrt(np.add.reduce(offsets * offsets) / (count - 1))
    short = np.minimum(r, 0.0)
    downside = math.sqrt(np.add.reduce(short * short) / count)
    assert curve.sortino_ratio(r, periods_per_year=1) == np.add.reduce(r) / count / downside
    p = 100.0 * np.cumprod(1.0 + r)
    peaks = np.maximum.accumulate(p)
    assert curve.max_drawdown(p) == 1.0 - np.minimum.reduce(p / peaks)
    assert curve.max_drawdown_duration(p)[0] == np.diff(np.flatnonzero(p >= peaks), append=count - 1).max()
    expected = p[1:] / p[:-1] - 1.0
    assert np.array_equal(curve.simple_returns(p), expected)
    equity, exposure = p.copy(), np.abs(r)
    assert np.array_equal(curve.simple_returns(p, out=p[:-1]), expected)
    assert trading.average_exposure(exposure, equity) == np.add.reduce(exposure / equity) / count


def test_sharpe_is_mean_over_sample_deviation_annualised() -> None:
    # mean 0.02; offsets +-0.01; deviation sqrt(0.0002 / 1) = 0.0141421...; 0.02 / 0.0141421 = sqrt(2); * sqrt(8) = 4
    assert sharpe(returns(0.01, 0.03), periods_per_year=8) == pytest.approx(4.0, rel=1e-13)


def test_sharpe_takes_the_risk_free_return_of_a_period_off_the_mean() -> None:
    # (0.02 - 0.01) halves the excess of the case above: 2
    assert sharpe(returns(0.01, 0.03), periods_per_year=8, risk_free=0.01) == pytest.approx(2.0, rel=1e-13)


def test_sharpe_of_returns_that_do_not_vary_is_undefined() -> None:
    assert math.isnan(sharpe(returns(0.0, 0.0, 0.0), periods_per_year=252))
    assert math.isnan(sharpe(returns(0.01, 0.01, 0.01), periods_per_year=252))


def test_sharpe_takes_rounding_for_no_variation() -> None:
    # 1 % a bar, rounded to a float each time: the quotients differ in the last digit only
    grown = curve.simple_returns(points(*(100.0 * 1.01**bar for bar in range(50))))
    assert np.ptp(grown) > 0
    assert math.isnan(sharpe(grown, periods_per_year=252))


@pytest.mark.parametrize("size", [1000.0, -0.9])
def test_sharpe_allows_more_rounding_to_larger_returns_whatever_their_sign(size: float) -> None:
    # Two neighbouring floats: about 1e-13 apart at 1000, where 1e-12 is rounding; 1e-16 at -0.9, where 2e-15 is
    neighbours = returns(size, math.nextafter(size, math.inf))
    assert neighbours[0] != neighbours[1]
    assert math.isnan(sharpe(neighbours, periods_per_year=252))


EPS = 2.0**-52


def test_four_units_of_the_last_place_are_rounding_and_no_more() -> None:
    # One return of -x falls short of 0 by x, of which 4 eps x (1 + x) are rounding.
    just = 4 * EPS * (1 + 4 * EPS)
    assert math.isnan(curve.sortino_ratio(returns(-just), periods_per_year=1))
    assert curve.sortino_ratio(returns(-4.5 * EPS), periods_per_year=1) == -1.0
    assert math.isnan(sharpe(returns(-just, 0.0, just), periods_per_year=1))  # sqrt(2 x^2 / 2) = x
    # Returns of 100 % are rounded in steps of twice that: sqrt(36 / 2) = 4.2 eps are still rounding.
    assert math.isnan(curve.sortino_ratio(returns(1.0, -6 * EPS), periods_per_year=1))
    # Deviation of 0 and 8 eps: 4 x sqrt(2) = 5.7 eps; of 0 and 5.6 eps: 3.96 eps
    assert sharpe(returns(0.0, 8 * EPS), periods_per_year=1) == pytest.approx(1 / math.sqrt(2))
    assert math.isnan(sharpe(returns(0.0, 5.6 * EPS), periods_per_year=1))
    assert math.isnan(curve.calmar_ratio(0.1, 4 * EPS))
    assert curve.calmar_ratio(0.1, 4.5 * EPS) == pytest.approx(0.1 / (4.5 * EPS))


def test_sharpe_keeps_small_but_real_variation() -> None:
    # mean 0.01, deviation 1e-9 * sqrt(2) / sqrt(1): 0.01 / 1.414e-9
    assert sharpe(returns(0.01 + 1e-9, 0.01 - 1e-9), periods_per_year=1) == pytest.approx(
        0.01 / (1e-9 * math.sqrt(2)), rel=1e-6
    )


def test_sharpe_needs_two_returns() -> None:
    assert math.isnan(sharpe(returns(0.1), periods_per_year=252))
    assert math.isnan(sharpe(returns(), periods_per_year=252))


def test_sortino_divides_the_squares_of_all_shortfalls_by_n() -> None:
    # mean (0.3 - 0.1 + 0 + 0) / 4 = 0.05; downside sqrt(0.01 / 4) = 0.05; 0.05 / 0.05 * sqrt(9) = 3
    assert curve.sortino_ratio(returns(0.3, -0.1, 0.0, 0.0), periods_per_year=9) == pytest.approx(3.0, rel=1e-13)


def test_sortino_measures_from_its_target() -> None:
    # less 0.1: 0.2, -0.2; mean 0; a shortfall there is, so the ratio is 0 and defined
    assert curve.sortino_ratio(returns(0.3, -0.1), periods_per_year=9, target=0.1) == pytest.approx(0.0, abs=1e-15)


def test_sortino_without_a_shortfall_is_undefined() -> None:
    assert math.isnan(curve.sortino_ratio(returns(0.1, 0.2), periods_per_year=252))
    assert math.isnan(curve.sortino_ratio(returns(0.0, 0.0), periods_per_year=252))
    assert math.isnan(curve.sortino_ratio(returns(), periods_per_year=252))


def test_sortino_does_not_change_the_returns_it_is_given() -> None:
    given = returns(0.3, -0.1)
    curve.sortino_ratio(given, periods_per_year=9)
    assert given.tolist() == [0.3, -0.1]


def drawdown(*values: float) -> float:
    p = points(*values)
    return curve.max_drawdown(p)


def duration(*values: float, times: list[int] | None = None) -> tuple[int | None, float]:
    p = points(*values)
    return curve.max_drawdown_duration(p, None if times is None else np.array(times))


def test_drawdown_is_measured_from_the_highest_point_before() -> None:
    # 200 -> 150 is 25 %; 250 -> 200 is 20 %, though as many currency units
    assert drawdown(100, 200, 150, 250, 200) == 0.25


def test_drawdown_counts_a_loss_on_the_very_first_bar() -> None:
    assert drawdown(100, 90, 95) == pytest.approx(0.1, rel=1e-14)


def test_drawdown_of_a_curve_that_never_falls_is_zero() -> None:
    assert drawdown(100, 100, 101) == 0.0


def test_drawdown_below_zero_is_more_than_everything() -> None:
    assert drawdown(100, -20) == 1.2  # (100 + 20) / 100


def test_drawdown_without_a_bar_or_with_an_unknown_equity_is_undefined() -> None:
    assert math.isnan(drawdown(100))
    assert math.isnan(drawdown(100, math.nan, 120))
    assert math.isnan(drawdown(100, math.inf))


@pytest.mark.parametrize("start", [0.0, -1.0])
def test_nothing_is_measured_against_a_capital_that_is_not_there(start: float) -> None:
    assert math.isnan(drawdown(start, 1, 2))
    assert math.isnan(curve.total_return(points(start, 1, 2)))


def test_calmar_is_annual_return_over_drawdown() -> None:
    assert curve.calmar_ratio(0.3, 0.2) == pytest.approx(1.5)


@pytest.mark.parametrize(("growth", "fall"), [(0.3, 0.0), (0.3, 1e-16), (math.nan, 0.2), (0.3, math.nan)])
def test_calmar_is_undefined_without_a_drawdown_or_a_return(growth: float, fall: float) -> None:
    assert math.isnan(curve.calmar_ratio(growth, fall))


def test_duration_runs_from_the_peak_to_the_bar_that_is_back_at_it() -> None:
    # peak at point 1 (110), below at 2 and 3, back at 110 at point 4: 4 - 1 = 3 bars
    assert duration(100, 110, 105, 108, 110, 120)[0] == 3


def test_duration_of_a_drawdown_that_is_not_recovered_runs_to_the_end() -> None:
    # peak at point 1, last point 4: 3 bars; the earlier one (point 0 has no fall) does not matter
    assert duration(100, 110, 100, 90, 95)[0] == 3


def test_duration_of_a_loss_on_the_last_bar_is_one() -> None:
    assert duration(100, 110, 105)[0] == 1


def test_duration_is_the_longest_not_the_deepest() -> None:
    # 100 -> 50 -> 100 takes 2 bars, 100 -> 99, 99, 99 -> 100 takes 4
    assert duration(100, 50, 100, 99, 99, 99, 100)[0] == 4


def test_duration_of_a_curve_that_never_falls_is_zero() -> None:
    assert duration(100, 100, 101, 101, times=[0, DAY, 2 * DAY]) == (0, 0.0)


def test_duration_with_an_unknown_equity_is_undefined() -> None:
    assert duration(100, math.nan, 90)[0] is None


def test_duration_in_days_begins_at_the_close_of_the_peak_itself() -> None:
    # point 2 (120) is the close of day 5; back at 120 on day 12
    assert duration(100, 110, 120, 115, 120, times=[0, 5 * DAY, 9 * DAY, 12 * DAY]) == (2, 7.0)


def test_duration_without_a_bar_is_undefined() -> None:
    bars, days = duration(100)
    assert bars is None
    assert math.isnan(days)


def test_duration_in_days_counts_the_calendar_between_the_two_closes() -> None:
    # points 1..4 are the closes of Friday, Monday, Tuesday, Wednesday: from the peak on Friday to the same 110 on
    # Wednesday are 3 bars and 5 days
    bars, days = duration(100, 110, 105, 108, 110, times=[0, 3 * DAY, 4 * DAY, 5 * DAY])
    assert (bars, days) == (3, 5.0)


def test_duration_in_days_counts_the_initial_capital_as_of_the_first_bar() -> None:
    # peak is the initial capital; closes at day 10, 11, 12; never recovered: 12 - 10 = 2 days, 3 bars
    assert duration(100, 90, 91, 92, times=[10 * DAY, 11 * DAY, 12 * DAY]) == (3, 2.0)


def test_duration_in_days_is_undefined_without_times() -> None:
    bars, days = duration(100, 90)
    assert bars == 1
    assert math.isnan(days)
