"""What holds of every run, whatever it trades: sums, bounds, scale, order of symbols, no view of the future."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.conversion import as_reference, run
from tests.engine.plans import Case, cases
from tests.engine.reference import Bar, Plan

FEW = settings(deadline=None)


def close_at(series: list[Bar | None], bar: int) -> float:
    """Return the last known close."""
    return next((there[3] for there in reversed(series[: bar + 1]) if there is not None), math.nan)


@FEW
@given(case=cases())
def test_cash_and_positions_make_the_equity_and_fills_make_the_positions(case: Case) -> None:
    events, portfolio = run(*case)
    cash, held = case.plan.capital, [0.0] * len(case.market)
    changes: dict[int, list[dict[str, Any]]] = {}
    for event in events:
        if event["event_type"] in ("FILL", "FINANCING"):
            changes.setdefault(event["sequence"] >> 20, []).append(event)
    for bar in range(len(case.market[0])):
        for event in changes.get(bar, ()):
            payload = event["payload"]
            if event["event_type"] == "FINANCING":
                cash += payload["interest"] - payload["borrow_fee"]
                assert payload["cash"] == pytest.approx(cash, rel=1e-11, abs=1e-8)
                continue
            side = 1 if payload["side"] == "buy" else -1
            held[int(event["symbol"][1:])] += side * payload["quantity"]
            cash -= side * payload["quantity"] * payload["price"] * case.plan.multiplier + payload["commission"]
        worth = sum(
            units * close_at(series, bar) * case.plan.multiplier
            for units, series in zip(held, case.market, strict=True)
            if abs(units) > 1e-9
        )
        assert portfolio.cash[bar] == pytest.approx(cash, rel=1e-11, abs=1e-8)
        assert portfolio.equity[bar] == pytest.approx(cash + worth, rel=1e-11, abs=1e-8)
    ends = {int(holding.symbol[1:]): holding.quantity for holding in portfolio.holdings}
    assert [ends.get(symbol, 0.0) for symbol in range(len(held))] == pytest.approx(held, abs=1e-8)
    moved = sum(trade.pnl for trade in portfolio.trades)
    if not ends and case.plan.financing is None:
        assert portfolio.final_equity == pytest.approx(case.plan.capital + moved, rel=1e-11)


@FEW
@given(case=cases())
def test_cash_never_falls_below_zero_without_margin(case: Case) -> None:
    plan = replace(case.plan, margin=None, financing=None, percent=min(1.0, case.plan.percent))
    _, portfolio = run(plan, case.market, case.per_day)
    # Commissions of fills that the tolerance lets through are the only thing that could be missing.
    assert portfolio.cash.min() >= -1e-9 * plan.capital * 10


@FEW
@given(case=cases(), scale=st.sampled_from([0.5, 2.0, 8.0]))
def test_prices_and_capital_times_k_make_equity_times_k(case: Case, scale: float) -> None:
    plan = scalable(case.plan, 1.0)
    market = [[bar and (*(price * scale for price in bar[:4]), bar[4]) for bar in series] for series in case.market]
    _, once = run(plan, case.market, case.per_day)
    _, scaled = run(scalable(case.plan, scale), market, case.per_day)
    assert scaled.equity.tolist() == pytest.approx((once.equity * scale).tolist(), rel=1e-9)
    assert scaled.counts == once.counts


def scalable(plan: Plan, scale: float) -> Plan:
    """Return the plan with all its amounts of money times `scale`; powers of two scale floats without rounding."""

    def scaled(rule: Any, key: str) -> Any:
        return {**rule, key: rule[key] * scale} if isinstance(rule, dict) and key in rule else rule

    costs = scaled(plan.commission, "minimum")
    if costs.get("type") == "per_share":
        costs = scaled(costs, "rate")
    rules = {name: scaled(getattr(plan, name), "amount") for name in ("stop_loss", "take_profit", "trailing_stop")}
    styles = {name: scaled(getattr(plan, name), "trail_amount") for name in ("entry", "exit")}
    tick = plan.tick and plan.tick * scale
    return replace(plan, capital=plan.capital * scale, commission=costs, tick=tick, **rules, **styles)


@FEW
@given(case=cases())
def test_the_order_of_symbols_in_the_configuration_changes_nothing(case: Case) -> None:
    names = [f"S{place}" for place in range(len(case.market))]
    events, portfolio = run(*case)
    again, reversed_ = run(*case, symbols=names[::-1])
    assert [repr(event) for event in events if event["event_type"] != "PHASE_START"] == [
        repr(event) for event in again if event["event_type"] != "PHASE_START"
    ]
    assert portfolio.equity.tolist() == reversed_.equity.tolist()


@FEW
@given(case=cases(), share=st.floats(0.1, 0.9))
def test_a_later_bar_never_changes_an_earlier_event(case: Case, share: float) -> None:
    cut = max(2, int(len(case.market[0]) * share))
    if case.plan.end_of_day or case.plan.close_at_end:
        cut -= cut % case.per_day
        case = case._replace(plan=replace(case.plan, close_at_end=False))
    if cut < 2 or not all(any(bar is not None for bar in series[:cut]) for series in case.market):
        return
    whole, _ = run(*case)
    part, _ = run(case.plan, [series[:cut] for series in case.market], case.per_day)
    known = [row for row in as_reference(part) if row[0] != "EXPIRE" or row[5] != "end_of_data"]
    # That a day ends with the next bar is known from the calendar, here from the data: not for the very last bar.
    end = cut - 1 if case.plan.end_of_day else cut
    assert [row for row in known if row[1] < end] == [row for row in as_reference(whole) if row[1] < end]
