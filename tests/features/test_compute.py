"""How features are computed together: over own bars, from each other, once each, and never from the future."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli import features
from admf_cli.features import ParameterError, compute, feature, lookback, resolve, spec_from_config
from admf_cli.market.bars import Bars
from tests.features.markets import NAN, bars_of, bars_of_several, every_spec, random_bars


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    return np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
def test_no_feature_at_a_bar_depends_on_a_later_bar(gaps: bool) -> None:
    bars = random_bars(5, 300, gaps=gaps)
    specs = every_spec()
    whole = compute(specs, bars)
    for cut in (1, 2, 5, 37, 100, 257, 299):
        part = compute(specs, bars.window(0, cut))
        leaks = [name for name in specs if not same(part[name], whole[name][:cut])]
        assert leaks == [], f"cut at {cut}"


def test_every_feature_has_a_value_somewhere_and_its_first_where_lookback_says() -> None:
    bars = random_bars(6, 400, gaps=False)
    specs = every_spec()
    first = {}
    for name, column in compute(specs, bars).items():
        defined = np.flatnonzero(np.isfinite(column[:, 0]))
        first[name] = int(defined[0]) if len(defined) else None
    expected = {name: lookback(resolve(spec, specs)) for name, spec in specs.items()}
    # The arcs are of prices, which are above 1.
    beyond = {name for name in specs if first[name] != expected[name]}
    assert beyond == {"ACOS.real", "ASIN.real"}
    assert first["ACOS.real"] is None
    assert first["ASIN.real"] is None


def test_every_symbol_is_computed_over_its_own_bars_and_put_back_in_its_places() -> None:
    bars = bars_of_several({"A": [1, NAN, 3, NAN, 5], "B": [1, 2, 3, 4, 5]})
    mean = compute({"mean": feature("SMA", timeperiod=2)}, bars)["mean"]
    # A's own bars are 1, 3, 5: means 2 and 4.
    assert mean[:, 0].tolist() == pytest.approx([NAN, NAN, 2, NAN, 4], nan_ok=True)
    assert mean[:, 1].tolist() == pytest.approx([NAN, 1.5, 2.5, 3.5, 4.5], nan_ok=True)


@pytest.mark.parametrize("name", ["SMA.real", "RSI.real", "MACD.macd", "VWAP.real", "ZSCORE.real", "HT_TRENDLINE.real"])
def test_a_symbol_with_gaps_has_the_values_it_has_alone(name: str) -> None:
    bars = random_bars(8, 200, gaps=True)
    assert bars.present is not None
    spec = every_spec()[name]
    together = compute({"it": spec}, bars)["it"]
    rows = np.flatnonzero(bars.present[:, 1])
    columns = [np.asfortranarray(c[rows][:, [1]]) for c in (bars.open, bars.high, bars.low, bars.close, bars.volume)]
    alone = compute({"it": spec}, Bars(("X",), bars.times[rows], *columns))["it"]
    assert same(together[rows, 1], alone[:, 0])
    assert np.isnan(together[~bars.present[:, 1], 1]).all()


def test_columns_are_contiguous_by_symbol_and_cannot_be_written_to() -> None:
    bars = random_bars(9, 50, gaps=True)
    for name, column in compute(every_spec(), bars).items():
        assert column.shape == (50, 2), name
        assert column.dtype == np.float64, name
        assert column.flags.f_contiguous, name
        with pytest.raises(ValueError, match="read-only"):
            column[0, 0] = 1.0


def test_a_feature_reads_another_by_its_name_and_skips_where_that_is_undefined() -> None:
    specs = {
        "smooth": spec_from_config("smooth", {"type": "SMA", "timeperiod": 2, "input": "change"}),
        "change": spec_from_config("change", {"type": "RETURN"}),
    }
    found = compute(specs, bars_of([100, 110, 99, 99]))["smooth"][:, 0]
    # returns: none, 0.1, -0.1, 0
    assert found.tolist() == pytest.approx([NAN, NAN, 0.0, -0.05], nan_ok=True)
    assert lookback(resolve(specs["smooth"], specs)) == 2


def test_equal_features_are_computed_once() -> None:
    specs = {
        "a": feature("MACD", output="macd"),
        "b": feature("MACD"),
        "hist": feature("MACD", output="macdhist"),
    }
    found = compute(specs, random_bars(2, 100, "X", gaps=False))
    assert found["a"] is found["b"]
    macd, signal = (
        found["a"],
        compute({"s": feature("MACD", output="macdsignal")}, random_bars(2, 100, "X", gaps=False)),
    )
    assert same(found["hist"], macd - signal["s"])


def test_features_of_no_bars_and_of_one_bar_are_empty_and_undefined() -> None:
    specs = {
        name: spec for name, spec in every_spec().items() if spec.type not in ("SPREAD", "RATIO", "RANK", "REFERENCE")
    }
    bars = bars_of([5.0])
    assert all(column.shape == (1, 1) for column in compute(specs, bars).values())
    assert all(column.shape == (0, 1) for column in compute(specs, bars.window(0, 0)).values())


def test_a_feature_that_reads_itself_is_an_error_that_shows_the_circle() -> None:
    specs = {
        "a": spec_from_config("a", {"type": "SMA", "input": "b"}),
        "b": spec_from_config("b", {"type": "SMA", "input": "a"}),
    }
    with pytest.raises(ParameterError, match="a -> b -> a"):
        compute(specs, bars_of([1.0]))


def test_a_feature_that_reads_an_unknown_name_is_an_error_that_names_the_near_one() -> None:
    specs = {"fast": feature("SMA"), "slow": spec_from_config("slow", {"type": "SMA", "input": "fsat"})}
    with pytest.raises(ParameterError, match='did you mean "fast"'):
        compute(specs, bars_of([1.0]))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 120), st.integers(1, 40), st.booleans())
def test_no_cut_of_random_bars_changes_our_own_features(seed: int, cut: int, period: int, gaps: bool) -> None:
    bars = random_bars(seed, 120, gaps=gaps)
    specs = {
        name: feature(name, timeperiod=max(2, period))
        for name in ("SMA", "DONCHIAN", "VWAP", "ZSCORE", "RETURN", "REALISED_VOLATILITY", "LAG")
    }
    specs["OPENING_RANGE"] = feature("OPENING_RANGE", minutes=60 * (1 + period % 20), start="09:00")
    whole, part = compute(specs, bars), compute(specs, bars.window(0, cut))
    assert [name for name in specs if not same(part[name], whole[name][:cut])] == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 100), st.integers(2, 20))
def test_our_rolling_features_do_not_depend_on_where_the_series_began(seed: int, start: int, period: int) -> None:
    bars = random_bars(seed, 150, gaps=False)
    for name in ("SMA", "DONCHIAN", "ZSCORE", "RETURN", "REALISED_VOLATILITY", "LAG"):
        spec = feature(name, timeperiod=period)
        whole = compute({"it": spec}, bars)["it"][start + period :]
        late = compute({"it": spec}, bars.window(start, 150))["it"][period:]
        assert same(whole, late), name


def test_resolve_leaves_no_names_of_features() -> None:
    specs = {"r": feature("RSI"), "s": spec_from_config("s", {"type": "SMA", "input": "r"})}
    resolved = resolve(specs["s"], specs)
    assert list(specs["s"].references()) == ["r"]
    assert list(resolved.references()) == []
    assert resolved.inputs == (specs["r"],)
    assert str(resolved) == "SMA(RSI(close, timeperiod=14), timeperiod=30)"
    assert features.COLUMNS == ("open", "high", "low", "close", "volume")
