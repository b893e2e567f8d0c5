"""Hand-computed cases of what holding costs: interest, borrow fees, margin calls, and the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.table import FLAT, Bar, ends, fills, of_type, run

SHORT: dict[str, Any] = {"type": "rules", "params": {"enter_short": "close == 100"}}
MARGIN = {"initial": 0.5, "maintenance": 0.25}


def test_interest_accrues_on_the_cash_of_the_last_close_before_orders_meet_the_bar(tmp_path: Path) -> None:
    # 3.65 % a year is 0.0001 a day. Day 1: 10,000 x 0.0001 = 1. Then 10 x 100 are paid: 9,001. Day 2: 0.9001.
    events = run(tmp_path, [FLAT, FLAT, FLAT], financing={"cash_interest": 0.0365})
    assert of_type(events, "FINANCING") == [
        {"interest": pytest.approx(1.0), "borrow_fee": 0.0, "cash": pytest.approx(10_001.0)},
        {"interest": pytest.approx(0.9001), "borrow_fee": 0.0, "cash": pytest.approx(9_001.9001)},
    ]
    first = next(event for event in events if event["event_type"] == "FINANCING")
    fill = next(event for event in events if event["event_type"] == "FILL")
    assert first["causation_id"] == "data#3"  # PHASE_START is data#1, so bar 1 is data#3
    assert first["sequence"] < fill["sequence"]
    end = of_type(events, "PHASE_END")[-1]
    assert end["financing"] == {"interest": pytest.approx(1.9001), "borrow_fees": 0.0}
    assert end["equity"] == pytest.approx(10_001.9001)


def test_borrowed_money_costs_its_own_rate_and_time_counts_by_the_clock(tmp_path: Path) -> None:
    # 500 of equity buy 1,000: the debit of 500 costs 7.3 % x 500 x 3 / 365 = 0.3 over a weekend of three days.
    times = ["2020-01-02", "2020-01-03", "2020-01-06"]
    events = run(tmp_path, [FLAT] * 3, capital=500.0, times=times, margin=MARGIN, financing={"debit_interest": 0.073})
    assert of_type(events, "FINANCING") == [
        {"interest": pytest.approx(-0.3), "borrow_fee": 0.0, "cash": pytest.approx(-500.3)}
    ]


def test_a_short_position_costs_its_fee_on_its_value_at_the_last_close(tmp_path: Path) -> None:
    # Short 10 at 100 from bar 1, close 110: 10 x 110 x 3.65 % / 365 = 0.11 at bar 2. Cash: 10,000 + 1,000 - 0.11.
    bars: list[Bar] = [FLAT, (100, 110, 100, 110), (110, 110, 110, 110)]
    events = run(tmp_path, bars, strategy=SHORT, financing={"borrow_fee": 0.0365})
    assert of_type(events, "FINANCING") == [
        {"interest": 0.0, "borrow_fee": pytest.approx(0.11), "cash": pytest.approx(10_999.89)}
    ]


@pytest.mark.parametrize(
    ("close", "liquidation", "expected"),
    [
        # 10 at 100 on 500 of equity: cash -500. A close of 67: equity 170 of 670 are 25.4 %, enough.
        (67.0, "all", []),
        # 66: equity 160 of 660 are 24.2 %: all 10 are sold at the next open
        (66.0, "all", [(3, "liquidation", 65.0)]),
        # as much as restores 50 %: 1 - 0.2424 / 0.5 = 0.5152 of 10, rounded up to 6 lots
        (66.0, "reduce", [(3, "liquidation", 65.0)]),
    ],
)
def test_a_close_below_the_maintenance_margin_is_a_margin_call(
    tmp_path: Path, close: float, liquidation: str, expected: list[tuple[int, str, float]]
) -> None:
    bars: list[Bar] = [FLAT, FLAT, (100, 100, close, close), (65, 65, 65, 65)]
    events = run(tmp_path, bars, capital=500.0, margin={**MARGIN, "liquidation": liquidation})
    assert fills(events) == [(1, "entry", 100.0), *expected]
    if expected:
        (breach,) = of_type(events, "RISK_BREACH")
        assert (breach["rule"], breach["limit"], breach["value"]) == (
            "maintenance_margin",
            0.25,
            pytest.approx(160 / 660),
        )
        assert of_type(events, "FILL")[-1]["quantity"] == (10.0 if liquidation == "all" else 6.0)


def test_leverage_is_one_over_the_initial_margin(tmp_path: Path) -> None:
    assert fills(run(tmp_path, [FLAT, FLAT], capital=500.0, margin={"leverage": 2})) == [(1, "entry", 100.0)]
    assert ends(run(tmp_path, [FLAT, FLAT], capital=499.0, margin={"leverage": 2})) == [(1, "REJECT", "no_margin")]


def test_what_is_open_at_the_end_is_closed_at_the_last_close_if_asked_for(tmp_path: Path) -> None:
    bars: list[Bar] = [FLAT, FLAT, (104, 106, 103, 105)]
    costs: dict[str, Any] = {
        "slippage": {"type": "fixed", "amount": 1},
        "commission": {"type": "per_trade", "amount": 2},
    }
    events = run(tmp_path, bars, portfolio={"close_at_end": True}, **costs)
    # bought at 100 + 1, sold at 105 - 1, twice 2: 10 x 3 - 4 = 26
    assert fills(events) == [(1, "entry", 101.0), (2, "close_at_end", 104.0)]
    assert of_type(events, "PHASE_END")[-1]["equity"] == pytest.approx(10_026.0)


def test_what_is_entered_on_the_last_bar_of_a_day_is_closed_at_its_close(tmp_path: Path) -> None:
    # daily bars: every bar is its day's last; in at the open of 100, out at the close of 102
    bars: list[Bar] = [FLAT, (100, 103, 99, 102), (104, 104, 104, 104)]
    assert fills(run(tmp_path, bars, profile={"end_of_day": True})) == [(1, "entry", 100.0), (1, "end_of_day", 102.0)]


def test_a_day_ends_at_the_close_of_its_last_bar(tmp_path: Path) -> None:
    times = ["2020-01-02T09:00", "2020-01-02T10:00", "2020-01-02T11:00", "2020-01-02T12:00", "2020-01-03T09:00"]
    bars: list[Bar] = [FLAT, FLAT, (101, 101, 101, 101), (102, 104, 102, 103), (90, 90, 90, 90)]
    events = run(tmp_path, bars, times=times, profile={"end_of_day": True})
    assert fills(events) == [(1, "entry", 100.0), (3, "end_of_day", 103.0)]
    assert [breach["rule"] for breach in of_type(events, "RISK_BREACH")] == ["end_of_day"]
