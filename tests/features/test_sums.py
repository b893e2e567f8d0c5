"""Sums, means, deviations and extremes of sliding windows, against the standard library's exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from admf_cli.features.sums import two_product, two_sum, window_means, window_sums
from admf_cli.features.windows import window_maxima, window_minima, window_variances

ANY = st.floats(allow_nan=False, allow_infinity=False)
PRICES = st.floats(0.01, 1e6)
MODERATE = st.floats(-1e15, 1e15).filter(lambda value: value == 0 or abs(value) > 1e-15)
LENGTHS = st.integers(1, 12)


def windows_of(values: list[float], length: int) -> list[list[float]]:
    return [values[start : start + length] for start in range(len(values) - length + 1)]


def sum_or_nan(window: list[float]) -> float:
    try:
        return math.fsum(window)
    except OverflowError:
        return math.nan


@example([-9.9792015476736e291, 3.52653375212268e304, 1.7973404814871034e308], 3)  # the sum less its rest overflows
@given(st.lists(ANY, max_size=60), LENGTHS)
def test_a_window_sum_is_the_exact_sum_rounded_once(values: list[float], length: int) -> None:
    sums, _ = window_sums(np.array(values), length)
    expected = [sum_or_nan(window) for window in windows_of(values, length)]
    assert np.array_equal(sums, np.array(expected), equal_nan=True)


@given(st.lists(PRICES, max_size=60), LENGTHS)
def test_the_rest_is_what_rounding_the_sum_left_over(values: list[float], length: int) -> None:
    sums, rests = window_sums(np.array(values), length)
    for window, total, rest in zip(windows_of(values, length), sums.tolist(), rests.tolist(), strict=True):
        assert Fraction(total) + Fraction(rest) == sum(map(Fraction, window))


@given(st.lists(PRICES, max_size=60), LENGTHS)
def test_a_window_mean_is_the_rounded_sum_divided_by_the_length(values: list[float], length: int) -> None:
    assert window_means(np.array(values), length).tolist() == [
        math.fsum(window) / length for window in windows_of(values, length)
    ]


def test_a_mean_does_not_depend_on_where_the_series_began_even_over_many_blocks() -> None:
    values = np.random.default_rng(1).uniform(1.0, 2000.0, 100_000)  # blocks hold 32768
    assert np.array_equal(window_means(values, 30)[70_001:], window_means(values[70_001:], 30))


def test_a_price_that_stands_still_has_a_mean_that_stands_still() -> None:
    # A running sum of these leaves residues that differ from bar to bar.
    values = np.concatenate((np.random.default_rng(2).uniform(1.0, 1e6, 500), np.full(100, 0.1)))
    assert set(window_means(values, 10)[-91:].tolist()) == {0.1}


@given(MODERATE, MODERATE)
def test_the_errors_of_a_sum_and_a_product_are_exact(a: float, b: float) -> None:
    total, sum_error = two_sum(np.array([a]), np.array([b]))
    product, product_error = two_product(np.array([a]), np.array([b]))
    assert Fraction(total[0]) + Fraction(sum_error[0]) == Fraction(a) + Fraction(b)
    assert Fraction(product[0]) + Fraction(product_error[0]) == Fraction(a) * Fraction(b)


@given(st.lists(PRICES, max_size=40), st.integers(2, 12), st.integers(0, 1))
def test_a_window_variance_is_exact_to_the_last_bits(values: list[float], length: int, ddof: int) -> None:
    found = window_variances(np.array(values), length, ddof=ddof).tolist()
    for window, variance in zip(windows_of(values, length), found, strict=True):
        exact = [Fraction(value) for value in window]
        mean = sum(exact) / length
        expected = sum((value - mean) ** 2 for value in exact) / (length - ddof)
        if expected < Fraction(mean) ** 2 / 2**90:  # below what doubled precision resolves: nearly equal values
            assert variance <= float(mean) ** 2 * 2.0**-85
        else:
            assert math.isclose(variance, float(expected), rel_tol=1e-4 if expected < mean**2 / 2**80 else 1e-9)


@given(PRICES, st.integers(2, 50))
def test_equal_values_have_no_variance_at_all(value: float, length: int) -> None:
    assert window_variances(np.full(60, value), length).tolist() == [0.0] * (61 - length)


@given(st.lists(ANY, max_size=60), LENGTHS)
def test_window_extremes_are_the_greatest_and_the_least(values: list[float], length: int) -> None:
    windows = windows_of(values, length)
    assert window_maxima(np.array(values), length).tolist() == [max(window) for window in windows]
    assert window_minima(np.array(values), length).tolist() == [min(window) for window in windows]
