"""The next-event engine gives the events of the plain bar-by-bar loop, on generated markets, orders and costs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.conversion import as_reference, run
from tests.engine.markets import walk, with_gaps
from tests.engine.reference import Bar, Plan, Reference

OFFSETS = st.sampled_from([-0.03, -0.01, 0.0, 0.005, 0.02])
LIFETIMES = st.sampled_from(
    [{}, {"time_in_force": "DAY"}, {"time_in_force": "IOC"}, {"time_in_force": "FOK"}]
    + [{"time_in_force": "GTD", "good_till": {"bars": bars}} for bars in (1, 2, 5)]
)


@st.composite
def styles(draw: st.DrawFn) -> dict[str, Any]:
    """Return an `orders` section: any type with any time in force."""
    kind = draw(st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing_stop", "market_on_close"]))
    style: dict[str, Any] = {"type": kind, **draw(LIFETIMES)}
    if "limit" in kind:
        style["limit_offset"] = draw(OFFSETS)
    if kind in ("stop", "stop_limit"):
        style["stop_offset"] = draw(OFFSETS)
    if kind == "trailing_stop":
        style |= draw(st.sampled_from([{"trail_percent": 0.02}, {"trail_amount": 1.5}]))
    return style


def distances(*fractions: float) -> st.SearchStrategy[Any]:
    """Return no rule, a fraction, or one of the forms with `amount` and `from`."""
    forms = [{"amount": 2.0}, {"percent": fractions[0], "from": "close"}, {"amount": 1.0, "from": "close"}]
    return st.one_of(st.none(), st.sampled_from([*fractions, *forms]))


PLANS = st.builds(
    Plan,
    fast=st.sampled_from([1, 2]),
    slow=st.sampled_from([3, 5, 8]),
    direction=st.sampled_from(["long_flat", "long_short", "short_flat"]),
    entry=styles(),
    exit=styles(),
    stop_loss=distances(0.01, 0.05),
    take_profit=distances(0.02, 0.1),
    trailing_stop=st.sampled_from([None, 0.03, {"amount": 2.0}]),
    max_holding_period=st.sampled_from([None, None, 1, 3]),
    end_of_day=st.sampled_from([False, False, True]),
    cooldown=st.sampled_from([None, 4]),
    quantity=st.sampled_from([None, 10.0]),
    percent=st.sampled_from([0.3, 0.95, 1.0]),
    commission=st.sampled_from(
        [
            {},
            {"type": "percent", "rate": 0.001},
            {"type": "percent", "rate": 0.001, "minimum": 5.0},
            {"type": "per_share", "rate": 0.01, "minimum": 1.0},
        ]
    ),
    bps=st.sampled_from([0.0, 2.0]),
    participation=st.sampled_from([None, None, 0.01, 0.05]),
    fill_price=st.sampled_from(["next_open", "next_open", "close"]),
    multiplier=st.sampled_from([1.0, 5.0]),
    lot=st.sampled_from([1.0, 0.01]),
)


@settings(deadline=None)
@given(
    plan=PLANS,
    seed=st.integers(0, 10_000),
    symbols=st.integers(1, 3),
    bars=st.integers(3, 120),
    tick=st.sampled_from([0.01, 0.5, 2.0]),
    volatility=st.sampled_from([0.003, 0.02]),
    missing=st.sampled_from([0.0, 0.0, 0.15]),
    per_day=st.sampled_from([1, 1, 4]),
)
def test_the_engine_equals_the_reference_event_for_event(
    plan: Plan, seed: int, symbols: int, bars: int, tick: float, volatility: float, missing: float, per_day: int
) -> None:
    market: list[list[Bar | None]] = []
    for place in range(symbols):
        series = with_gaps(walk(seed + place, bars, tick, volatility), seed + place, missing if place else 0.0)
        market.append(series if any(bar is not None for bar in series) else [*series[:-1], (1.0, 1.0, 1.0, 1.0, 0.0)])
    expected = Reference(plan, market, [t // per_day for t in range(bars)]).run()
    events, portfolio = run(plan, market, per_day)
    found = as_reference(events)
    assert len(found) == len(expected.events)
    for mine, theirs in zip(found, expected.events, strict=True):
        assert [part for part in mine if not isinstance(part, float)] == [
            part for part in theirs if not isinstance(part, float)
        ]
        numbers = [part for part in mine if isinstance(part, float)]
        assert numbers == pytest.approx([part for part in theirs if isinstance(part, float)], rel=1e-12)
    assert portfolio.equity.tolist() == pytest.approx(expected.equity, rel=1e-12)
    assert portfolio.final_equity == portfolio.equity[-1]
