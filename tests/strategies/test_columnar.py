"""What holds for every columnar strategy: what the future, undefined values and long series may do to it: nothing."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from admf_cli import features
from admf_cli.market.bars import Bars
from admf_cli.strategies.interface import Decisions
from admf_cli.strategies.registry import build, describe, strategy_types
from tests.features.markets import DAY_US, START_US, random_bars

TYPES = [name for name in strategy_types() if not describe(name).open]
SMALL: dict[str, dict[str, Any]] = {
    "sma_crossover": {"fast": 2, "slow": 6, "direction": "long_short"},
    "ema_crossover": {"fast": 2, "slow": 6, "direction": "long_short"},
    "macd": {"fast": 3, "slow": 7, "signal": 3},
    "bollinger": {"period": 6, "deviations": 1, "direction": "long_short"},
    "donchian_breakout": {"entry": 5, "exit": 3, "direction": "long_short"},
    "momentum": {"mode": "cross_section", "lookback": 5, "skip": 1, "rebalance": "daily", "direction": "long_short"},
    "opening_range_breakout": {"minutes": 120, "start": "06:00", "exit_at": "20:00", "timezone": "UTC"},
    "rsi_mean_reversion": {"period": 4, "oversold": 45, "overbought": 55, "direction": "long_short"},
    "volatility_breakout": {"period": 3, "multiple": 0.5},
    "zscore_pairs": {"first": "AAA", "second": "BBB", "lookback": 8, "entry": 1, "exit": 0.2},
    "target_weights": {"weights": {"AAA": 0.5, "BBB": -0.2}, "rebalance": "daily"},
    "buy_and_hold": {},
}


def named(kind: str) -> tuple[dict[str, Any], dict[str, features.FeatureSpec]]:
    """Return small parameters, or those of the example, and the features they name."""
    block = yaml.safe_load(describe(kind).example)
    specs = {name: features.spec_from_config(name, section) for name, section in block.get("features", {}).items()}
    return SMALL.get(kind, block["strategies"][-1].get("params", {})), specs


def decide(kind: str, bars: Bars, first: int) -> Decisions:
    params, specs = named(kind)
    strategy = build(kind, params, specs)
    columns = features.compute(dict(strategy.required_features()), bars)
    return strategy.decide(bars, columns, first)


def three_symbols(bars: Bars) -> Bars:
    return replace(bars, symbols=("AAA", "BBB", "SPX"))


@pytest.mark.parametrize("kind", TYPES)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(11, 119), first=st.integers(0, 10))
def test_decisions_are_those_of_data_that_ends_sooner(kind: str, seed: int, cut: int, first: int) -> None:
    bars = three_symbols(random_bars(seed, 120, "ABC", step_us=DAY_US // 8))
    whole, part = decide(kind, bars, first), decide(kind, bars.window(0, cut), first)
    stop = int(np.searchsorted(whole.bar, cut))
    assert part.bar.tolist() == whole.bar[:stop].tolist()
    assert part.symbol.tolist() == whole.symbol[:stop].tolist()
    assert part.target.tolist() == whole.target[:stop].tolist()
    assert part.rule == whole.rule[:stop]
    for name, values in part.evidence.items():
        assert values.tobytes() == whole.evidence[name][:stop].tobytes()


@pytest.mark.parametrize("kind", TYPES)
def test_undefined_features_decide_nothing_but_what_needs_none(kind: str) -> None:
    params, specs = named(kind)
    strategy = build(kind, params, specs)
    bars = three_symbols(random_bars(1, 60, "ABC"))
    undefined = {role: np.full(bars.close.shape, np.nan) for role in strategy.required_features()}
    decisions = strategy.decide(bars, undefined, 0)
    assert (len(decisions) > 0) is (kind in ("buy_and_hold", "target_weights")), decisions.rule


def calls_of(kind: str, n_bars: int) -> int:
    """Return how many functions are called to decide on a market that only rises: few decisions, however long."""
    close = np.asfortranarray(np.exp(np.linspace(0.0, 8.0, n_bars)).reshape(-1, 1).repeat(3, axis=1))
    times = START_US + np.arange(n_bars) * 60_000_000
    bars = Bars(("AAA", "BBB", "SPX"), times, close, close + 0.1, close - 0.1, close, close)
    params, specs = named(kind)
    if "rebalance" in params:
        params = {**params, "rebalance": "never"}
    if kind == "ensemble":
        params = {"members": [{"type": "sma_crossover"}, {"type": "donchian_breakout"}]}
    strategy = build(kind, params, specs)
    columns = features.compute(dict(strategy.required_features()), bars)
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    strategy.decide(bars, columns, 0)  # what is imported or prepared once is not counted
    sys.setprofile(count)
    try:
        strategy.decide(bars, columns, 0)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("kind", TYPES)
def test_a_bar_costs_no_python(kind: str) -> None:
    short, long = calls_of(kind, 1_000), calls_of(kind, 9_000)
    assert long - short < 200  # 8,000 more bars; days in a zone and single decisions may cost a little
