"""What the evaluator finds over whole columns is what the explanation says of each bar."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli.market.bars import Bars
from admf_cli.strategies.evaluation import Evaluator
from admf_cli.strategies.explanation import explain
from admf_cli.strategies.expression import parse_condition
from tests.features.markets import DAY_US, NAN, bars_of, bars_of_several, random_bars

NAMES = ("open", "close", "volume", "x", "y")
CALENDAR = ("hour", "minute", "weekday", "day", "month", "year")
STEPS_US = (DAY_US // 24, 7 * DAY_US // 24, DAY_US, 9 * DAY_US)


def numbers(depth: int) -> st.SearchStrategy[str]:
    leaf = st.one_of(st.sampled_from((*NAMES, *CALENDAR)), st.sampled_from(("0", "1", "2.5", "1e308", "100")))
    if depth == 0:
        return leaf
    inner = numbers(depth - 1)
    return st.one_of(
        leaf,
        st.tuples(inner, st.sampled_from(("+", "-", "*", "/")), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(("abs", "sqrt")), inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        st.tuples(st.sampled_from(("min", "max")), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        st.tuples(inner, st.integers(0, 4)).map(lambda parts: f"lag({parts[0]}, {parts[1]})"),
        inner.map(lambda part: f"-{part}"),
    )


def conditions(depth: int) -> st.SearchStrategy[str]:
    number = numbers(1)
    leaf = st.one_of(
        st.tuples(number, st.sampled_from(("<", "<=", ">", ">=", "==", "!=")), number).map(" ".join),
        st.tuples(st.sampled_from(("crosses_above", "crosses_below")), number, number).map(
            lambda p: f"{p[0]}({p[1]}, {p[2]})"
        ),
        st.sampled_from(
            ("new_day", "new_week", "new_month", "first_bar", "true", "false", "x < close <= y", "defined(x)")
        ),
        st.sampled_from(('time_between("09:30", "16:00")', 'time_between("22:00", "05:15")')),
    )
    if depth == 0:
        return leaf
    inner = conditions(depth - 1)
    return st.one_of(
        leaf,
        st.tuples(inner, st.sampled_from(("and", "or")), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda part: f"not {part}"),
        st.tuples(inner, st.integers(0, 3)).map(lambda parts: f"lag({parts[0]}, {parts[1]})"),
    )


def by_the_bar(expression: str, bars: Bars, features: dict[str, np.ndarray], first: int, zone: str) -> np.ndarray:
    """Ask the explanation at every bar of every symbol."""
    found = np.zeros(bars.close.shape, dtype=bool)
    for symbol in range(bars.n_symbols):
        rows = np.flatnonzero(np.isfinite(bars.close[:, symbol]))
        begins = next((row for row in rows if row >= first), None)
        for place, row in enumerate(rows):

            def lookup(name: str, lag: int) -> float | None:
                if lag > place:  # noqa: B023  called within the turn
                    return None
                then = rows[place - lag]  # noqa: B023
                if name == "time":
                    return float(bars.times[then])
                if name == "first_bar":
                    return float(then == begins)  # noqa: B023
                column = features[name] if name in features else getattr(bars, name)
                return float(column[then, symbol])  # noqa: B023

            found[row, symbol] = explain(expression, lookup, zone)[0].holds is True
    return found


@settings(max_examples=150, deadline=None)
@given(
    expression=conditions(2),
    seed=st.integers(0, 500),
    n_bars=st.integers(1, 25),
    gaps=st.booleans(),
    symbols=st.sampled_from(("A", "AB")),
    step_us=st.sampled_from(STEPS_US),
    first=st.integers(0, 4),
    zone=st.sampled_from(("UTC", "America/New_York")),
)
def test_columns_agree_with_the_explanation_of_every_bar(
    expression: str, seed: int, n_bars: int, gaps: bool, symbols: str, step_us: int, first: int, zone: str
) -> None:
    bars = random_bars(seed, n_bars, symbols, gaps=gaps, step_us=step_us)
    random = np.random.default_rng(seed)
    features = {}
    for name in ("x", "y"):
        column = bars.close + random.integers(-1, 2, bars.close.shape)  # ties happen
        column[random.uniform(size=column.shape) < 0.2] = NAN
        features[name] = np.asfortranarray(column)
    holds = Evaluator(bars, features, first, zone).holds(parse_condition(expression))
    assert holds.shape == bars.close.shape
    assert holds.tolist() == by_the_bar(expression, bars, features, first, zone).tolist()


def where(expression: str, bars: Bars, **features: np.ndarray) -> list[bool]:
    found: list[bool] = Evaluator(bars, features, 0).holds(parse_condition(expression))[:, 0].tolist()
    return found


def test_a_crossing_needs_all_four_values() -> None:
    bars = bars_of([1, 3, 1, 3])
    line = np.array([[NAN], [2.0], [2.0], [2.0]])
    # Bar 1 stands above, but the line is undefined at bar 0, so whether it was crossed is unknown.
    assert where("crosses_above(close, x)", bars, x=line) == [False, False, False, True]
    assert where("crosses_above(close, 2)", bars) == [False, True, False, True]
    assert where("crosses_above(2, close)", bars) == [False, False, True, False]


def test_a_touch_before_is_a_crossing_and_a_touch_now_is_none() -> None:
    bars = bars_of([2, 3, 2, 1])
    assert where("crosses_above(close, 2)", bars) == [False, True, False, False]
    assert where("crosses_below(close, 2)", bars) == [False, False, False, True]


def test_the_contrary_of_an_undefined_comparison_does_not_hold() -> None:
    bars = bars_of([1, 2])
    line = np.array([[NAN], [1.0]])
    assert where("not close > x", bars, x=line) == [False, False]
    assert where("close > x", bars, x=line) == [False, True]
    assert where("close != x", bars, x=line) == [False, True]
    assert where("close > x or close > 0", bars, x=line) == [True, True]


def test_division_by_zero_is_undefined_and_stays_so() -> None:
    bars = bars_of([1, 2], volume=[0, 4])
    assert where("close / volume < 1", bars) == [False, True]
    assert where("1 / (close / volume) < 100", bars) == [False, True]


def test_lags_count_the_symbol_s_own_bars() -> None:
    bars = bars_of_several({"A": [1, NAN, 3], "B": [1, 2, 3]})
    holds = Evaluator(bars, {}, 0).holds(parse_condition("close == lag(close, 1) + 2"))
    assert holds.tolist() == [[False, False], [False, False], [True, False]]


def test_nothing_holds_where_a_symbol_has_no_bar() -> None:
    bars = bars_of_several({"A": [1, NAN, 3], "B": [1, 2, 3]})
    holds = Evaluator(bars, {}, 0).holds(parse_condition("true"))
    assert holds.tolist() == [[True, True], [False, True], [True, True]]


def test_no_bar_of_trading_has_no_first() -> None:
    holds = Evaluator(bars_of([1, 2]), {}, 3).holds(parse_condition("first_bar"))
    assert holds.tolist() == [[False], [False]]
