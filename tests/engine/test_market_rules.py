"""Hand-computed cases of a few bars, one per rule of docs/market-rules.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.table import FLAT, LIMIT, STOP, Bar, ends, entry, fills, limit, run


@pytest.mark.parametrize(
    ("bars", "parts", "expected"),
    [
        # market: the next open
        ([FLAT, (101, 103, 100, 102)], {}, [(1, "entry", 101.0)]),
        # market at the close, by name
        ([FLAT, (101, 103, 100, 102)], {"fill_price": "close"}, [(0, "entry", 100.0)]),
        # a limit is touched: low 98 <= 98, at the limit
        ([FLAT, (100, 101, 98, 99)], {"orders": LIMIT}, [(1, "entry", 98.0)]),
        # a limit is gapped: open 97 < 98, at the open
        ([FLAT, (97, 98, 96, 97)], {"orders": LIMIT}, [(1, "entry", 97.0)]),
        # a limit waits until a bar touches it
        ([FLAT, FLAT, (99, 99, 97, 98)], {"orders": LIMIT}, [(2, "entry", 98.0)]),
        # a stop is met inside the bar, at the stop; gapped, at the open
        ([FLAT, (101, 103, 100, 102)], {"orders": STOP}, [(1, "entry", 102.0)]),
        ([FLAT, (105, 106, 104, 105)], {"orders": STOP}, [(1, "entry", 105.0)]),
        # stop-limit: triggered at 102, limit 103 allows the stop's price
        (
            [FLAT, (101, 104, 100, 103)],
            {"orders": entry(type="stop_limit", stop_offset=0.02, limit_offset=0.03)},
            [(1, "entry", 102.0)],
        ),
        # stop-limit: gapped to 105 above the limit 103, filled when the price comes back to 103
        (
            [FLAT, (105, 106, 104, 105), (104, 104, 102, 103)],
            {"orders": entry(type="stop_limit", stop_offset=0.02, limit_offset=0.03)},
            [(2, "entry", 103.0)],
        ),
        # market on close: the next bar's close
        ([FLAT, (101, 103, 100, 102)], {"orders": entry(type="market_on_close")}, [(1, "entry", 102.0)]),
        # stop-loss on the entry's own bar: 101 x 0.95 = 95.95, low 95
        ([FLAT, (101, 103, 95, 96)], {"profile": {"stop_loss": 0.05}}, [(1, "entry", 101.0), (1, "stop_loss", 95.95)]),
        # both inside one bar: the stop (90), not the target (110)
        (
            [FLAT, FLAT, (100, 111, 89, 100)],
            {"profile": {"stop_loss": 0.1, "take_profit": 0.1}},
            [(1, "entry", 100.0), (2, "stop_loss", 90.0)],
        ),
        # the open decides first: beyond the target 110 it fills there, at the open
        (
            [FLAT, FLAT, (112, 113, 80, 100)],
            {"profile": {"stop_loss": 0.1, "take_profit": 0.1}},
            [(1, "entry", 100.0), (2, "take_profit", 112.0)],
        ),
        # a gap through the stop costs the open
        (
            [FLAT, FLAT, (85, 86, 84, 85)],
            {"profile": {"stop_loss": 0.1}},
            [(1, "entry", 100.0), (2, "stop_loss", 85.0)],
        ),
        # a stop by amount from the signal's close: 100 - 3 = 97, though the fill was at 102
        (
            [FLAT, (102, 103, 101, 102), (102, 102, 96, 98)],
            {"profile": {"stop_loss": {"amount": 3, "from": "close"}}},
            [(1, "entry", 102.0), (2, "stop_loss", 97.0)],
        ),
        # trailing 10 %: 90 at entry, 108 after the close of 120; low 107 of the next bar meets 108
        (
            [FLAT, (100, 121, 100, 120), (119, 119, 107, 110)],
            {"profile": {"trailing_stop": 0.1}},
            [(1, "entry", 100.0), (2, "trailing_stop", 108.0)],
        ),
        # held for two bars: in at the open of bar 1, out at the open of bar 3
        (
            [FLAT, FLAT, (101, 101, 101, 101), (103, 103, 103, 103)],
            {"profile": {"max_holding_period": 2}},
            [(1, "entry", 100.0), (3, "max_holding_period", 103.0)],
        ),
        # slippage of 100 bps worsens the market entry (101 x 1.01) and not the take-profit limit
        (
            [FLAT, (101, 101, 101, 101), (101, 120, 101, 118)],
            {"slippage": {"type": "bps", "bps": 100}, "profile": {"take_profit": {"amount": 10}}},
            [(1, "entry", 102.01), (2, "take_profit", 112.01)],
        ),
    ],
)
def test_an_order_fills_where_the_rules_say(
    tmp_path: Path, bars: list[Bar], parts: dict[str, Any], expected: list[tuple[int, str, float]]
) -> None:
    found = fills(run(tmp_path, bars, **parts))
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in expected], rel=1e-12)


@pytest.mark.parametrize(
    ("bars", "parts", "expected"),
    [
        # an order of the last bar never fills
        ([FLAT], {}, [(0, "EXPIRE", "end_of_data")]),
        # DAY: the day after its only bar it is gone, although that bar would have filled it
        ([FLAT, FLAT, (97, 97, 97, 97)], {"orders": limit(time_in_force="DAY")}, [(2, "EXPIRE", "day_end")]),
        # GTD of two bars: the third would have filled it
        (
            [FLAT, FLAT, FLAT, (97, 97, 97, 97)],
            {"orders": limit(time_in_force="GTD", good_till={"bars": 2})},
            [(3, "EXPIRE", "gtd_reached")],
        ),
        # GTD until the second day of the year's: the bar at that moment still counts
        (
            [FLAT, FLAT, (97, 97, 97, 97)],
            {"orders": limit(time_in_force="GTD", good_till={"until": "2020-01-02"})},
            [(2, "EXPIRE", "gtd_reached")],
        ),
        # IOC: its first bar or never
        ([FLAT, FLAT, (97, 97, 97, 97)], {"orders": limit(time_in_force="IOC")}, [(1, "CANCEL", "ioc_unfilled")]),
        # FOK: 10 units, but 0.5 % of the volume of 1,000 is 5
        (
            [FLAT, FLAT],
            {"orders": {"entry": {"type": "market", "time_in_force": "FOK"}}, "participation": 0.005},
            [(1, "CANCEL", "fok_unfilled")],
        ),
        # one of two fills, the other is cancelled in the same instant
        (
            [FLAT, FLAT, (100, 111, 100, 110)],
            {"profile": {"stop_loss": 0.1, "take_profit": 0.1}},
            [(2, "CANCEL", "position_closed")],
        ),
    ],
)  # fmt: skip
def test_an_order_that_does_not_fill_ends_with_its_reason(
    tmp_path: Path, bars: list[Bar], parts: dict[str, Any], expected: list[tuple[int, str, str]]
) -> None:
    assert ends(run(tmp_path, bars, **parts)) == expected


def test_too_little_cash_rejects_the_whole_order_with_the_amounts(tmp_path: Path) -> None:
    commission = {"type": "percent", "rate": 0.01}
    events = run(tmp_path, [FLAT, FLAT], capital=1_005.0, commission=commission)
    (reject,) = [event for event in events if event["event_type"] == "REJECT"]
    # 10 x 100 and 1 % of it
    assert (reject["payload"]["reason"], reject["payload"]["needed"], reject["payload"]["available"]) == (
        "no_cash",
        1_010.0,
        1_005.0,
    )


def test_what_exceeds_the_volume_fills_over_the_next_bars_and_pays_its_minimum_once(tmp_path: Path) -> None:
    commission = {"type": "per_share", "rate": 0.1, "minimum": 0.7}
    events = run(tmp_path, [FLAT, FLAT, FLAT, FLAT], participation=0.004, commission=commission)
    found = [event["payload"] for event in events if event["event_type"] == "FILL"]
    # 0.4 % of 1,000 is 4 a bar: 4, 4, 2; 0.1 a unit is 0.4, then 0.8, then 1.0 in all, but never below 0.7
    assert [payload["quantity"] for payload in found] == [4.0, 4.0, 2.0]
    assert [payload["remaining"] for payload in found] == [6.0, 2.0, 0.0]
    assert [payload["commission"] for payload in found] == pytest.approx([0.7, 0.1, 0.2])


@pytest.mark.parametrize(
    ("profile", "rule"),
    [({"max_drawdown": 0.05}, "max_drawdown"), ({"daily_loss_limit": 0.05}, "daily_loss_limit")],
)
def test_a_crossed_limit_closes_at_the_next_open_and_its_chain_reaches_a_bar(
    tmp_path: Path, profile: dict[str, Any], rule: str
) -> None:
    # 10 units at 100 of a capital of 1,000; the close of 94 is a loss of 6 %
    bars = [FLAT, FLAT, (100, 100, 94, 94), (93, 93, 93, 93)]
    events = run(tmp_path, bars, capital=1_000.0, profile=profile)
    assert fills(events) == [(1, "entry", 100.0), (3, rule, 93.0)]
    by_id = {event["event_id"]: event for event in events}
    (breach,) = [event for event in events if event["event_type"] == "RISK_BREACH"]
    assert breach["payload"] == {
        "rule": rule,
        "limit": 0.05,
        "value": pytest.approx(0.06),
        "action": "positions closed, entries halted",
    }
    assert breach["causation_id"] == "data#4"  # PHASE_START is data#1, so bar 2 is data#4
    exit_fill = [event for event in events if event["event_type"] == "FILL"][-1]
    assert by_id[by_id[exit_fill["causation_id"]]["causation_id"]] is breach
    assert exit_fill["correlation_id"] == "strategy_s#2"  # the signal that began the trade


def test_an_entry_limit_cuts_the_size_and_says_so(tmp_path: Path) -> None:
    events = run(tmp_path, [FLAT, FLAT], profile={"max_position_size": 0.05})
    # 5 % of 10,000 is 500: 5 units instead of 10
    assert [e["payload"]["quantity"] for e in events if e["event_type"] == "FILL"] == [5.0]
    (breach,) = [event for event in events if event["event_type"] == "RISK_BREACH"]
    assert (breach["payload"]["rule"], breach["payload"]["action"]) == ("max_position_size", "cut to 5")


def test_initial_margin_lets_equity_carry_more_than_cash(tmp_path: Path) -> None:
    assert fills(run(tmp_path, [FLAT, FLAT], capital=500.0, margin={"initial": 0.5})) == [(1, "entry", 100.0)]
    events = run(tmp_path, [FLAT, FLAT], capital=499.0, margin={"initial": 0.5})
    assert ends(events) == [(1, "REJECT", "no_margin")]


@pytest.mark.parametrize(
    ("order", "fill_price"),
    [
        ({"type": "market"}, "close"),
        ({"type": "market"}, "next_open"),
        ({"type": "stop", "stop_offset": 0.02}, "close"),
    ],
)
def test_an_order_that_was_too_late_for_its_own_end_expires_at_the_next_bar(
    order: dict[str, Any], fill_price: str, tmp_path: Path
) -> None:
    late = entry(**order, time_in_force="GTD", good_till={"until": "2019-12-31"})  # the day before the first bar
    events = run(tmp_path, [FLAT, (100, 105, 99, 100), FLAT], orders=late, fill_price=fill_price)
    assert (fills(events), ends(events)) == ([], [(1, "EXPIRE", "gtd_reached")])


def test_a_sale_never_has_a_price_below_zero(tmp_path: Path) -> None:
    bars = [FLAT, FLAT, (10, 10, 10, 10), FLAT]  # a stop at 120 x 0.75 = 90 gaps to 10, less 20 of slippage: -10, so 0
    events = run(tmp_path, bars, profile={"stop_loss": 0.25}, slippage={"type": "fixed", "amount": 20})
    assert fills(events) == [(1, "entry", 120.0), (2, "stop_loss", 0.0)]
