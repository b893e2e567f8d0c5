"""Generated plans: every type of order with every lifetime, cost, limit and exit; and markets to run them on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.engine.markets import walk, with_gaps
from tests.engine.reference import Bar, Plan

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
    max_drawdown=st.sampled_from([None, None, 0.01, 0.05]),
    daily_loss_limit=st.sampled_from([None, None, 0.005, 0.02]),
    margin=st.sampled_from(
        [
            None,
            None,
            {"initial": 0.5},
            {"initial": 0.5, "maintenance": 0.45},
            {"initial": 0.25, "maintenance": 0.24, "liquidation": "reduce"},
        ]
    ),
    financing=st.sampled_from([None, None, {"cash_interest": 0.03, "debit_interest": 0.9, "borrow_fee": 0.5}]),
    close_at_end=st.sampled_from([False, False, True]),
    multiplier=st.sampled_from([1.0, 5.0]),
    lot=st.sampled_from([1.0, 0.01]),
    tick=st.sampled_from([None, None, 0.01, 0.25]),
)


class Case(NamedTuple):
    """A plan and the bars of each symbol, so many a day."""

    plan: Plan
    market: list[list[Bar | None]]
    per_day: int

    @property
    def days(self) -> list[int]:
        """The day of each bar."""
        return [t // self.per_day for t in range(len(self.market[0]))]

    @property
    def hours(self) -> list[int]:
        """The hour of each bar, counted from the first."""
        return [24 * day + t % self.per_day for t, day in enumerate(self.days)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return a plan and a market of one to three symbols, the later ones with missing bars now and then."""
    plan, seed, n_bars = draw(PLANS), draw(st.integers(0, 10_000)), draw(st.integers(3, 120))
    tick, volatility = draw(st.sampled_from([0.01, 0.5, 2.0])), draw(st.sampled_from([0.003, 0.02, 0.06]))
    missing = draw(st.sampled_from([0.0, 0.0, 0.15]))
    market: list[list[Bar | None]] = []
    for place in range(draw(st.integers(1, 3))):
        series = with_gaps(walk(seed + place, n_bars, tick, volatility), seed + place, missing if place else 0.0)
        market.append(series if any(bar is not None for bar in series) else [*series[:-1], (1.0, 1.0, 1.0, 1.0, 0.0)])
    if plan.margin is not None and plan.quantity is None:
        plan = replace(plan, percent=plan.percent * 2.0)
    return Case(plan, market, draw(st.sampled_from([1, 1, 4])))
