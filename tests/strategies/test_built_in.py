"""Every built-in strategy decides as the loop by which one would write it by hand, on markets with gaps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli import features
from admf_cli.market.bars import Bars
from admf_cli.strategies.interface import Decisions
from admf_cli.strategies.registry import build
from tests.features.markets import DAY_US, bars_of, bars_of_several, random_bars
from tests.strategies import loops

HOUR_US = DAY_US // 24
Decided = list[tuple[int, int, float]]


def decisions_of(kind: str, params: dict[str, Any], bars: Bars, first: int = 0) -> Decisions:
    strategy = build(kind, params, {})
    columns = features.compute(dict(strategy.required_features()), bars)
    decisions = strategy.decide(bars, columns, first)
    assert len(decisions.rule) == len(decisions)
    assert set(decisions.rule) <= set(strategy.rules())
    assert all(len(values) == len(decisions) for values in decisions.evidence.values())
    places = list(zip(decisions.bar.tolist(), decisions.symbol.tolist(), strict=True))
    assert places == sorted(places)
    return decisions


def found(decisions: Decisions) -> Decided:
    return list(
        zip(decisions.symbol.tolist(), decisions.bar.tolist(), decisions.target.tolist(), strict=True)
    )  # fmt: skip


def by_hand(
    loop: Callable[[loops.Series, dict[str, Any]], loops.Conditions], params: dict[str, Any], bars: Bars, first: int
) -> Decided:
    expected: Decided = []
    for symbol in range(bars.n_symbols):
        rows = np.flatnonzero(np.isfinite(bars.close[:, symbol]))
        columns = (np.ascontiguousarray(getattr(bars, name)[rows, symbol]) for name in ("open", "high", "low", "close"))
        series = loops.Series(bars.times[rows].tolist(), *columns)
        begin = int(np.searchsorted(rows, first))
        if begin == len(rows):
            continue
        conditions = loop(series, {**params, "first": [begin]})
        for place, position in loops.walk(conditions, len(rows), begin, params["direction"]):
            expected.append((symbol, int(rows[place]), float(position)))
    return sorted(expected, key=lambda row: (row[1], row[0]))


CASES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "sma_crossover": st.fixed_dictionaries({"fast": st.integers(1, 4), "slow": st.integers(5, 12)}),
    "ema_crossover": st.fixed_dictionaries({"fast": st.integers(2, 4), "slow": st.integers(5, 12)}),
    "macd": st.fixed_dictionaries({"fast": st.integers(2, 4), "slow": st.integers(5, 9), "signal": st.integers(2, 5)}),
    "rsi_mean_reversion": st.fixed_dictionaries(
        {
            "period": st.integers(2, 8),
            "oversold": st.sampled_from([20, 35.5]),
            "overbought": st.sampled_from([60, 80]),
            "exit_long": st.sampled_from([None, 50.0]),
            "exit_short": st.sampled_from([None, 50.0]),
            "trigger": st.sampled_from(["level", "return"]),
        }
    ),
    "bollinger": st.fixed_dictionaries(
        {
            "mode": st.sampled_from(["reversion", "breakout"]),
            "period": st.integers(3, 12),
            "deviations": st.sampled_from([0.5, 1, 1.5]),
            "exit": st.sampled_from(["middle", "opposite"]),
        }
    ),
    "donchian_breakout": st.fixed_dictionaries({"entry": st.integers(2, 9), "exit": st.integers(1, 5)}),
    "volatility_breakout": st.fixed_dictionaries(
        {
            "period": st.integers(1, 6),
            "multiple": st.sampled_from([0.3, 0.7]),
            "base": st.sampled_from(["close", "open"]),
            "exit": st.sampled_from([None, 4]),
        }
    ),
    "opening_range_breakout": st.fixed_dictionaries(
        {
            "minutes": st.sampled_from([30, 60, 150]),
            "start": st.sampled_from(["03:00", "09:30"]),
            "exit_at": st.sampled_from(["14:00", "23:30"]),
            "timezone": st.sampled_from(["UTC", "America/New_York"]),
            "stop": st.sampled_from(["opposite", "none"]),
        }
    ),
    "momentum": st.fixed_dictionaries(
        {
            "lookback": st.integers(3, 9),
            "skip": st.integers(0, 2),
            "rebalance": st.sampled_from(["daily", "weekly", "monthly", "every_bar", "never"]),
        }
    ),
}


@pytest.mark.parametrize("kind", CASES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_strategy_equals_its_loop(kind: str, data: st.DataObject) -> None:
    params = data.draw(CASES[kind]) | {
        "direction": data.draw(st.sampled_from(["long_flat", "long_short", "short_flat"]))
    }
    step_us = HOUR_US // 2 if kind == "opening_range_breakout" else data.draw(st.sampled_from([HOUR_US * 5, DAY_US]))
    seed, n_bars, gaps = (data.draw(one) for one in (st.integers(0, 10_000), st.integers(2, 150), st.booleans()))
    bars = random_bars(seed, n_bars, "ABC", gaps=gaps, step_us=step_us)
    first = data.draw(st.integers(0, min(20, bars.n_bars - 1)))
    expected = by_hand(getattr(loops, kind), params, bars, first)
    assert found(decisions_of(kind, params, bars, first)) == expected


def test_every_strategy_of_these_trades_on_a_market_that_moves() -> None:
    bars = random_bars(1, 400, "AB", step_us=HOUR_US)
    lively = {
        "sma_crossover": {"fast": 3, "slow": 9},
        "ema_crossover": {"fast": 3, "slow": 9},
        "macd": {},
        "rsi_mean_reversion": {"exit_long": 50},
        "bollinger": {},
        "donchian_breakout": {},
        "volatility_breakout": {"multiple": 0.5},
        "opening_range_breakout": {"minutes": 60, "start": "06:00"},
        "momentum": {"lookback": 20, "rebalance": "daily"},
    }
    assert set(lively) == set(CASES)
    for kind, params in lively.items():
        assert len(decisions_of(kind, params, bars)) >= 6, kind


def test_a_crossing_of_averages_needs_a_bar_on_which_both_were_defined() -> None:
    # fast 1, slow 2: averages of two are (nan, 1.5, 2, 2.5); bar 1 stands below, bar 2 above.
    assert found(decisions_of("sma_crossover", {"fast": 1, "slow": 2}, bars_of([2, 1, 3, 2]))) == [
        (0, 2, 1.0),
        (0, 3, 0.0),
    ]
    # Above as soon as both are defined: whether it crossed cannot be known, so nothing is decided.
    assert found(decisions_of("sma_crossover", {"fast": 1, "slow": 2}, bars_of([1, 2, 3, 4]))) == []


def test_the_turtle_buys_a_close_above_the_highs_before_and_leaves_below_the_shorter_channel() -> None:
    bars = bars_of([5, 6, 7, 9, 8, 4], high=[6, 7, 8, 9, 9, 9], low=[4, 5, 6, 8, 7, 4])
    # entry 3, exit 2: at bar 3 the highs before are 6 7 8, and 9 > 8; at bar 5 the lows before are 8 7, and 4 < 7.
    assert found(decisions_of("donchian_breakout", {"entry": 3, "exit": 2}, bars)) == [(0, 3, 1.0), (0, 5, 0.0)]


def test_target_weights_are_set_at_the_first_bar_and_with_each_period() -> None:
    # Daily bars from Wednesday 2020-01-01; Mondays are the 6th and the 13th.
    closes = [10.0] * 14
    bars = bars_of_several({"A": closes, "B": [math.nan, *closes[1:5], math.nan, *closes[6:]]})
    decisions = decisions_of("target_weights", {"weights": {"A": 0.6, "B": -0.4}, "rebalance": "weekly"}, bars)
    # B has no bar on the 1st nor on Monday the 6th: its first bar of that week is the 7th.
    assert found(decisions) == [
        (0, 0, 0.6), (1, 1, -0.4), (0, 5, 0.6), (1, 6, -0.4), (0, 12, 0.6), (1, 12, -0.4)
    ]  # fmt: skip
    assert decisions.kind == "weight"


def test_target_weights_set_once_drift() -> None:
    params = {"weights": {"X": 0.5}, "rebalance": "never"}
    assert found(decisions_of("target_weights", params, bars_of([1.0] * 80), 3)) == [(0, 3, 0.5)]


def pairs_by_hand(bars: Bars, params: dict[str, Any], first: int) -> Decided:
    expected: Decided = []
    spreads: list[float] = []
    side, h = 0, params["hedge_ratio"]
    for t in range(bars.n_bars):
        a, b = float(bars.close[t, 0]), float(bars.close[t, 1])
        if math.isnan(a) or math.isnan(b):
            continue
        spreads.append(math.log(a) - h * math.log(b) if params["log"] else a - h * b)
        window = np.array(spreads[-params["lookback"] :])
        if len(window) < params["lookback"] or t < first:
            continue
        z = (window[-1] - window.mean()) / window.std()
        before = side
        stop = params["stop"] or math.inf
        if (side == 1 and (z >= -params["exit"] or z <= -stop)) or (side == -1 and (z <= params["exit"] or z >= stop)):
            side = 0
        if -stop < z < -params["entry"]:
            side = 1
        if params["entry"] < z < stop:
            side = -1
        if side != before:
            one, two = (1.0, h) if params["log"] else (a, h * b)
            expected += [(0, t, side * one / (one + two)), (1, t, -side * two / (one + two))]
    return expected


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_bars=st.integers(2, 200),
    lookback=st.integers(3, 20),
    log=st.booleans(),
    hedge_ratio=st.sampled_from([1.0, 0.7]),
    stop=st.sampled_from([None, 1.7]),
    first=st.integers(0, 30),
)
def test_pairs_equal_their_loop(
    seed: int, n_bars: int, lookback: int, log: bool, hedge_ratio: float, stop: float | None, first: int
) -> None:
    bars = random_bars(seed, n_bars, "ABC", step_us=DAY_US)
    first = min(first, n_bars - 1)
    params = {
        "first": "A", "second": "B", "lookback": lookback, "entry": 1.2, "exit": 0.3,
        "stop": stop, "hedge_ratio": hedge_ratio, "log": log,
    }  # fmt: skip
    decisions = decisions_of("zscore_pairs", params, bars, first)
    expected = pairs_by_hand(bars, params, first)
    assert [row[:2] for row in found(decisions)] == [row[:2] for row in expected]
    assert [row[2] for row in found(decisions)] == pytest.approx([row[2] for row in expected], rel=1e-12)


def winners_by_hand(bars: Bars, params: dict[str, Any], first: int) -> Decided:
    own = [np.flatnonzero(np.isfinite(bars.close[:, symbol])).tolist() for symbol in range(bars.n_symbols)]
    expected: Decided = []
    held = [0.0] * bars.n_symbols
    begun = [False] * bars.n_symbols
    sides = 2 if params["direction"] == "long_short" else 1
    for t in range(first, bars.n_bars):
        risen: dict[int, float] = {}
        for symbol, rows in enumerate(own):
            place = rows.index(t) if t in rows else -1
            if place >= params["lookback"]:
                now, then = rows[place - params["skip"]], rows[place - params["lookback"]]
                risen[symbol] = float(bars.close[now, symbol] / bars.close[then, symbol] - 1.0)
        for symbol, rows in enumerate(own):
            if t not in rows:
                continue
            place = rows.index(t)
            days = [bars.times[rows[p]] // DAY_US for p in (place - 1, place) if p >= 0]
            due = not begun[symbol] or (len(days) == 2 and days[0] != days[1])
            begun[symbol] = True
            if not due or symbol not in risen:
                continue
            higher = sum(other > risen[symbol] for other in risen.values())
            equal = sum(other == risen[symbol] for other in risen.values())
            rank, from_least = higher + (equal + 1) / 2, len(risen) - higher - equal + (equal + 1) / 2
            weight = 0.0
            if rank <= params["top"] and params["direction"] != "short_flat":
                weight = 1.0 / sides / params["top"]
            elif from_least <= params["top"] and params["direction"] != "long_flat":
                weight = -1.0 / sides / params["top"]
            if weight or held[symbol]:
                expected.append((symbol, t, weight))
            held[symbol] = weight
    return expected


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_bars=st.integers(2, 90),
    lookback=st.integers(2, 8),
    skip=st.integers(0, 1),
    top=st.integers(1, 3),
    direction=st.sampled_from(["long_flat", "long_short", "short_flat"]),
    first=st.integers(0, 20),
)
def test_the_cross_section_equals_its_loop(
    seed: int, n_bars: int, lookback: int, skip: int, top: int, direction: str, first: int
) -> None:
    bars = random_bars(seed, n_bars, "ABCD", step_us=HOUR_US * 7)
    first = min(first, n_bars - 1)
    params = {"mode": "cross_section", "lookback": lookback, "skip": skip, "top": top, "direction": direction}
    decisions = decisions_of("momentum", {**params, "rebalance": "daily"}, bars, first)
    assert found(decisions) == winners_by_hand(bars, params, first)
