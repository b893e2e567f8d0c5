"""What a portfolio says at the end is what its events say: the funnel, the rejects, cash, positions and costs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.engine.table import FLAT, Bar, of_type, run

CROSSING: dict[str, Any] = {
    "type": "rules",
    "params": {"enter_long": "close > 100", "exit_long": "close < 100"},
}
ROUND: list[Bar] = [
    FLAT,
    (101, 102, 100, 101),  # enter
    (102, 103, 101, 102),
    (99, 100, 98, 99),  # exit
    (98, 99, 97, 98),
    (101, 104, 100, 103),  # enter
    (103, 104, 90, 104),  # bought at 103, stopped at 97.85
    (104, 105, 103, 105),
]


def test_the_end_tells_the_funnel_that_the_events_make(tmp_path: Path) -> None:
    costs: dict[str, Any] = {
        "slippage": {"type": "fixed", "amount": 0.5},
        "commission": {"type": "per_trade", "amount": 2},
    }
    profile = {"stop_loss": 0.05, "take_profit": 0.5, "cooldown": 3}
    events = run(tmp_path, ROUND, strategy=CROSSING, profile=profile, instrument={"multiplier": 2.0}, **costs)
    types = Counter(event["event_type"] for event in events)
    end = of_type(events, "PHASE_END")[-1]
    # Two entries and an exit by signal, a stop; each entry sends a stop-loss and a take-profit.
    fills = [(payload["purpose"], payload["price"]) for payload in of_type(events, "FILL")]
    assert fills == [
        ("entry", 102.5),
        ("exit", 97.5),
        ("entry", 103.5),
        ("stop_loss", pytest.approx(0.95 * 103.5 - 0.5)),
    ]
    assert end["counts"] == {
        "signals": types["SIGNAL"],
        "orders": types["ORDER"],
        "fills": 4,
        "trades": 2,
        "cancelled": types["CANCEL"],
        "expired": types["EXPIRE"],
        "rejected": types["REJECT"],
    }
    assert (types["ORDER"], types["CANCEL"], types["EXPIRE"]) == (7, 3, 0)
    assert end["rejects"] == dict(Counter(payload["reason"] for payload in of_type(events, "REJECT")))
    # 20 a point: 5 lost on the first, 103.5 - 97.825 on the second; four commissions of 2
    lost = 20 * (102.5 - 97.5) + 20 * (103.5 - 97.825) + 8
    assert end["cash"] == end["equity"] == pytest.approx(10_000 - lost)
    assert end["initial_capital"] == 10_000
    assert end["positions"] == {}
    assert end["metrics"]["commission_paid"] == 8.0
    assert end["metrics"]["slippage_paid"] == pytest.approx(4 * 0.5 * 20)
    assert end["metrics"]["trades"] == 2
    assert "financing" not in end


def test_the_end_tells_what_is_still_held(tmp_path: Path) -> None:
    bars: list[Bar] = [FLAT, FLAT, (104, 106, 103, 105)]
    end = of_type(run(tmp_path, bars), "PHASE_END")[-1]
    assert end["positions"] == {"X": {"quantity": 10.0, "average_price": 100.0, "last_price": 105.0}}
    assert (end["cash"], end["equity"]) == (9_000.0, 10_050.0)
    assert end["counts"]["trades"] == 0
    assert end["periods_per_year"] > 0


def test_a_rejected_and_an_expired_order_are_counted(tmp_path: Path) -> None:
    end = of_type(run(tmp_path, [FLAT, FLAT], capital=500.0), "PHASE_END")[-1]
    assert end["counts"] == {
        "signals": 1,
        "orders": 1,
        "fills": 0,
        "trades": 0,
        "cancelled": 0,
        "expired": 0,
        "rejected": 1,
    }
    assert end["rejects"] == {"no_cash": 1}
    orders = {"entry": {"type": "limit", "limit_offset": -0.5}}
    end = of_type(run(tmp_path, [FLAT, FLAT], orders=orders), "PHASE_END")[-1]
    assert (end["counts"]["expired"], end["counts"]["rejected"]) == (1, 0)
