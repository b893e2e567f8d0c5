"""The features that TA-Lib lacks, on bars of which every expected number can be worked out by hand."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest

from admf_cli import features
from tests.features.markets import DAY_US, NAN, START_US, bars_of, bars_of_several, random_bars, values

HOUR_US = DAY_US // 24


def near(expected: list[float]) -> object:
    return pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_sma_is_the_mean_of_the_last_values_itself_included() -> None:
    # (1 + 2 + 6) / 3 = 3, (2 + 6 + 1) / 3 = 3
    assert values(bars_of([1, 2, 6, 1]), "SMA", timeperiod=3) == near([NAN, NAN, 3, 3])


def test_sma_of_fewer_bars_than_its_period_is_undefined() -> None:
    assert values(bars_of([1, 2]), "SMA", timeperiod=3) == near([NAN, NAN])


def test_donchian_leaves_out_the_bar_itself() -> None:
    bars = bars_of([5, 5, 5, 5], high=[6, 8, 7, 99], low=[4, 3, 2, 1])
    # At bar 2: highs 6, 8 and lows 4, 3 came before; at bar 3: 8, 7 and 3, 2. The 99 of bar 3 is not yet known to it.
    assert values(bars, "DONCHIAN", timeperiod=2) == near([NAN, NAN, 8, 8])
    assert values(bars, "DONCHIAN", timeperiod=2, output="lower") == near([NAN, NAN, 3, 2])
    # (8 + 3) / 2 and (8 + 2) / 2
    assert values(bars, "DONCHIAN", timeperiod=2, output="middle") == near([NAN, NAN, 5.5, 5])


def test_vwap_begins_anew_with_each_day_of_its_zone() -> None:
    # 22:00 and 23:00 on 1 January and 00:00 on 2 January, UTC; in Berlin, an hour ahead, midnight is at 23:00 UTC.
    times = [START_US + 22 * HOUR_US, START_US + 23 * HOUR_US, START_US + 24 * HOUR_US]
    bars = bars_of([10, 20, 40], high=[12, 22, 42], low=[8, 18, 38], volume=[1, 3, 1], times=times)
    # typical prices 10, 20, 40; (10 * 1 + 20 * 3) / 4 = 17.5
    assert values(bars, "VWAP") == near([10, 17.5, 40])
    # (20 * 3 + 40 * 1) / 4 = 25
    assert values(bars, "VWAP", timezone="Europe/Berlin") == near([10, 20, 25])


def test_vwap_rolls_over_the_last_bars_if_told_how_many() -> None:
    bars = bars_of([10, 20, 40], volume=[1, 3, 1])
    # (10 * 1 + 20 * 3) / 4 = 17.5 and (20 * 3 + 40 * 1) / 4 = 25
    assert values(bars, "VWAP", timeperiod=2) == near([NAN, 17.5, 25])


def test_vwap_is_undefined_while_nothing_was_traded() -> None:
    bars = bars_of([10, 20, 40], volume=[0, 0, 2])
    assert values(bars, "VWAP") == near([NAN, NAN, 40])
    assert values(bars, "VWAP", timeperiod=2) == near([NAN, NAN, 40])


def test_zscore_counts_deviations_from_the_mean_of_its_window() -> None:
    bars = bars_of([1, 2, 6])
    # mean 3, deviations -2 -1 3; population variance 14 / 3, sample variance 14 / 2
    assert values(bars, "ZSCORE", timeperiod=3) == near([NAN, NAN, 3 / math.sqrt(14 / 3)])
    assert values(bars, "ZSCORE", timeperiod=3, ddof=1) == near([NAN, NAN, 3 / math.sqrt(7)])


def test_zscore_of_a_price_that_stands_still_is_undefined() -> None:
    assert values(bars_of([0.1] * 4), "ZSCORE", timeperiod=3) == near([NAN] * 4)


def test_return_is_growth_over_its_bars() -> None:
    bars = bars_of([100, 110, 99])
    assert values(bars, "RETURN") == near([NAN, 0.1, -0.1])
    assert values(bars, "RETURN", timeperiod=2) == near([NAN, NAN, -0.01])
    assert values(bars, "RETURN", log=True) == near([NAN, math.log(1.1), math.log(0.9)])


def test_return_from_zero_is_undefined() -> None:
    bars = bars_of([1, 2, 2], volume=[0, 5, 10])
    assert values(bars, "RETURN", input="volume") == near([NAN, NAN, 1.0])


def test_realised_volatility_is_the_sample_deviation_of_log_returns_scaled_to_a_year() -> None:
    prices = [100.0, 110.0, 99.0, 120.0]
    returns = [math.log(later / earlier) for earlier, later in pairwise(prices)]
    two = [NAN, NAN, statistics.stdev(returns[:2]), statistics.stdev(returns[1:])]
    assert values(bars_of(prices), "REALISED_VOLATILITY", timeperiod=2) == near(two)
    scaled = [value * math.sqrt(252) for value in two]
    found = values(bars_of(prices), "REALISED_VOLATILITY", timeperiod=2, periods_per_year=252)
    assert found == near(scaled)


def test_realised_volatility_is_undefined_over_a_price_that_is_not_positive() -> None:
    bars = bars_of([1] * 6, volume=[1, 2, 0, 2, 4, 2])
    found = values(bars, "REALISED_VOLATILITY", timeperiod=2, input="volume")
    # returns: ln 2, undefined, undefined, ln 2, -ln 2; the last two have the sample deviation sqrt(2) ln 2
    assert found == near([NAN, NAN, NAN, NAN, NAN, math.sqrt(2) * math.log(2)])


def test_lag_is_the_value_of_some_own_bars_ago() -> None:
    assert values(bars_of([1, 2, 3]), "LAG", timeperiod=2) == near([NAN, NAN, 1])
    assert values(bars_of([1, 2, 3]), "LAG", timeperiod=5) == near([NAN, NAN, NAN])


def test_the_opening_range_is_known_only_after_its_minutes() -> None:
    half_hours = [START_US + 9 * HOUR_US + number * HOUR_US // 2 for number in range(6)]
    bars = bars_of([5] * 6, high=[6, 9, 7, 8, 20, 5], low=[4, 3, 5, 1, 5, 5], times=half_hours)
    # 09:00 comes before the session of 09:30 (and after that of the day before, of which there is no bar);
    # 09:30 and 10:00 make up the first hour: highs 9, 7 and lows 3, 5.
    config = {"minutes": 60, "start": "09:30"}
    assert values(bars, "OPENING_RANGE", **config) == near([NAN, NAN, NAN, 9, 9, 9])
    assert values(bars, "OPENING_RANGE", output="low", **config) == near([NAN, NAN, NAN, 3, 3, 3])


def test_the_opening_range_begins_anew_with_each_session_and_needs_a_bar_in_it() -> None:
    first = START_US + 9 * HOUR_US
    times = [first, first + HOUR_US, first + DAY_US, first + DAY_US + HOUR_US, first + 2 * DAY_US + HOUR_US]
    bars = bars_of([5] * 5, high=[6, 9, 7, 8, 8], low=[5] * 5, times=times)
    # The third day has no bar between 09:00 and 09:30, so it has no range.
    found = values(bars, "OPENING_RANGE", minutes=30, start="09:00")
    assert found == near([NAN, 6, NAN, 7, NAN])


def test_rank_gives_equal_values_their_mean_place_and_leaves_out_the_absent() -> None:
    bars = bars_of_several({"A": [3, 5, NAN], "B": [1, 5, 2], "C": [2, 1, 4]})
    ranks = features.compute({"r": features.feature("RANK")}, bars)["r"]
    # 5, 5, 1: the two greatest share the places 1 and 2; then 2 and 4 without A
    assert ranks.tolist() == [near([1, 3, 2]), near([1.5, 1.5, 3]), near([NAN, 2, 1])]


def test_rank_can_count_from_the_least_and_as_a_fraction_of_the_others() -> None:
    bars = bars_of_several({"A": [3, 3], "B": [1, NAN], "C": [2, NAN]})
    ascending = features.compute({"r": features.feature("RANK", ascending=True)}, bars)["r"]
    assert ascending[0].tolist() == [3, 1, 2]
    fraction = features.compute({"r": features.feature("RANK", output="fraction")}, bars)["r"]
    assert fraction.tolist() == [[1.0, 0.0, 0.5], near([NAN, NAN, NAN])]  # one alone has no others


def test_spread_and_ratio_are_shared_by_all_symbols_that_have_a_bar() -> None:
    bars = bars_of_several({"A": [10, 12, 14], "B": [4, NAN, 7], "C": [1, 1, NAN]})
    spread = features.compute({"s": features.feature("SPREAD", first="A", second="B", hedge_ratio=2.0)}, bars)["s"]
    # 10 - 2 * 4 = 2, no bar of B, 14 - 2 * 7 = 0; C has no third bar
    assert spread.tolist() == [near([2, 2, 2]), near([NAN, NAN, NAN]), near([0, 0, NAN])]
    ratio = features.compute({"q": features.feature("RATIO", first="A", second="B")}, bars)["q"]
    assert ratio.tolist() == [near([2.5, 2.5, 2.5]), near([NAN, NAN, NAN]), near([2, 2, NAN])]


def test_spread_can_be_of_logarithms() -> None:
    bars = bars_of_several({"A": [math.e**2], "B": [math.e]})
    spec = features.feature("SPREAD", first="A", second="B", log=True)
    # ln e^2 - ln e = 2 - 1
    assert features.compute({"s": spec}, bars)["s"].tolist() == [near([1, 1])]


def test_a_pair_with_a_symbol_that_is_not_there_is_an_error_that_names_the_near_one() -> None:
    bars = bars_of_several({"AAPL": [1], "MSFT": [1]})
    with pytest.raises(features.ParameterError, match='did you mean "MSFT"') as raised:
        features.compute({"s": features.feature("SPREAD", first="AAPL", second="MSTF")}, bars)
    assert raised.value.parameter == "second"


def test_a_regime_changes_beyond_a_level_and_stays_between() -> None:
    bars = bars_of([1] * 8, volume=[5, 11, 9, 8, 3, 9, 12, 10])
    # above 10: 1; below 4: 0; 9 and 8 after 11 leave it, and so does 9 after 3; 10 is neither above 10 nor below 4.
    assert values(bars, "REGIME", upper=10, lower=4, input="volume") == [0, 1, 1, 1, 0, 0, 1, 1]
    # Without `lower` there is nothing between.
    assert values(bars, "REGIME", upper=10, input="volume") == [0, 1, 0, 0, 0, 0, 1, 1]


def test_a_reference_is_the_latest_value_of_one_symbol_seen_by_all() -> None:
    bars = bars_of_several({"A": [10, NAN, 14, NAN], "B": [1, 2, NAN, 3]})
    seen = features.compute({"a": features.feature("REFERENCE", symbol="A")}, bars)["a"]
    assert seen.tolist() == [[10, 10], near([NAN, 10]), near([14, NAN]), near([NAN, 14])]


def test_a_reference_can_be_of_a_feature_and_is_undefined_where_that_is() -> None:
    bars = bars_of_several({"A": [10, 12, 14], "B": [1, 2, 3]})
    specs = {
        "mean": features.feature("SMA", timeperiod=2),
        "market": features.spec_from_config("market", {"type": "REFERENCE", "symbol": "A", "input": "mean"}),
    }
    assert features.compute(specs, bars)["market"].tolist() == [near([NAN, NAN]), [11, 11], [13, 13]]


@pytest.mark.parametrize("window", [2, 7, 30])
def test_rolling_features_agree_with_plain_loops_on_random_bars(window: int) -> None:
    bars = random_bars(window, 200, "X", gaps=False)
    close = bars.close[:, 0].tolist()
    volume = bars.volume[:, 0].tolist()
    typical = ((bars.high + bars.low + bars.close) / 3)[:, 0].tolist()
    expected: dict[str, list[float]] = {"SMA": [], "ZSCORE": [], "VWAP": []}
    for stop in range(window, 201):
        span = slice(stop - window, stop)
        expected["SMA"].append(statistics.fmean(close[span]))
        deviation = statistics.pstdev(close[span])
        distance = close[stop - 1] - statistics.fmean(close[span])
        expected["ZSCORE"].append(distance / deviation if deviation else math.nan)
        value = math.fsum(price * size for price, size in zip(typical[span], volume[span], strict=True))
        expected["VWAP"].append(value / math.fsum(volume[span]))
    for name, numbers in expected.items():
        assert values(bars, name, timeperiod=window) == near([NAN] * (window - 1) + numbers), name


def test_session_vwap_agrees_with_a_plain_loop_over_days() -> None:
    bars = random_bars(3, 100, "X", gaps=False)
    expected, day, value, volume = [], None, 0.0, 0.0
    for row in range(100):
        if bars.times[row] // DAY_US != day:
            day, value, volume = bars.times[row] // DAY_US, 0.0, 0.0
        typical = (bars.high[row, 0] + bars.low[row, 0] + bars.close[row, 0]) / 3
        value += typical * bars.volume[row, 0]
        volume += bars.volume[row, 0]
        expected.append(value / volume if volume else math.nan)
    assert values(bars, "VWAP") == near(expected)
    assert len(np.unique(bars.times // DAY_US)) > 3
