"""Hand-computed sizes, limits and protective prices; the arithmetic of each row is in its comment."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from admf_cli.market.timeframe import DAY_US
from admf_cli.results import Trade
from admf_cli.risk.holding import checks, overdue
from admf_cli.risk.limits import Exposure, allowed_value
from admf_cli.risk.protection import protective_orders, stop_distance
from admf_cli.risk.sizing import Situation, size

HIGH = np.array([101.0, 103.0, 102.0])
LOW = np.array([99.0, 99.0, 100.0])
CLOSE = np.array([100.0, 102.0, 101.0])


def trade(part: float) -> Trade:
    """Return a closed trade with this return."""
    return Trade(1, "X", "long", 1, 0, 1.0, 0, 0, 1.0, 0, 0.0, part, part, "entry", "exit", "a", "b")


def situation(**parts: Any) -> Situation:
    given: dict[str, Any] = {
        "equity": 10_000.0,
        "price": 50.0,
        "multiplier": 2.0,
        "stop_distance": 2.5,
        "trades": [],
        "recent": lambda count: (HIGH[-count:], LOW[-count:], CLOSE[-count:]),
        "periods_per_year": 252.0,
        "weight": -0.3,
    }
    return Situation(**{**given, **parts})


# true ranges of the last two bars: max(103, 100) - min(99, 100) = 4; max(102, 102) - min(100, 102) = 2; mean 3
YEARLY = 3 / 50 * math.sqrt(252)
RETURNS = [102 / 100 - 1, 101 / 102 - 1]


@pytest.mark.parametrize(
    ("config", "parts", "expected"),
    [
        ({"type": "fixed", "quantity": 7}, {}, 7.0),
        ({"type": "fixed_value", "value": 3_000}, {}, 30.0),  # 3,000 / (50 x 2)
        ({"type": "percent_equity", "percent": 0.5}, {}, 50.0),  # 5,000 / 100
        ({"type": "target_weights"}, {}, 30.0),  # |-0.3| x 10,000 / 100
        ({"type": "risk_per_trade", "percent": 0.01}, {}, 20.0),  # 100 / (2.5 x 2)
        ({"type": "risk_per_trade", "percent": 0.01, "atr_period": 2, "atr_multiple": 2}, {}, 100 / (6 * 2)),
        ({"type": "volatility_target", "target": 0.1, "method": "atr", "period": 2}, {}, 1_000 / YEARLY / 100),
        (
            {"type": "volatility_target", "target": 0.1, "period": 2},
            {},
            1_000 / (float(np.std(RETURNS, ddof=1)) * math.sqrt(252)) / 100,
        ),
        # before minimum_trades: cap x fraction = 0.1 of 10,000
        ({"type": "kelly", "fraction": 0.5, "cap": 0.2, "minimum_trades": 4}, {}, 10.0),
        # W = 3/4, R = 0.02 / 0.01 = 2: bet 0.75 - 0.25 / 2 = 0.625, half of it 0.3125, capped at 0.2
        (
            {"type": "kelly", "fraction": 0.5, "cap": 0.2, "minimum_trades": 4},
            {"trades": [trade(r) for r in (0.02, 0.02, 0.02, -0.01)]},
            20.0,
        ),
        # W = 1/2, R = 1: bet 0
        (
            {"type": "kelly", "fraction": 0.5, "cap": 0.2, "minimum_trades": 2},
            {"trades": [trade(0.01), trade(-0.01)]},
            0.0,
        ),
    ],
)
def test_a_size_is_what_its_formula_says(config: dict[str, Any], parts: dict[str, Any], expected: float) -> None:
    found = size(config, situation(**parts))
    assert found.problem is None
    assert found.quantity == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("profile", "direction", "allowed", "rule", "value"),
    [
        # equity 10,000; others: 4,000 gross, 1,000 net, 2 open; 6,000 is wanted
        ({"max_position_size": 0.5}, 1, 5_000, "max_position_size", 0.6),
        ({"max_portfolio_heat": 0.9}, 1, 5_000, "max_portfolio_heat", 1.0),  # 9,000 - 4,000
        ({"max_net_exposure": 0.4}, 1, 3_000, "max_net_exposure", 0.7),  # 4,000 - 1,000
        ({"max_net_exposure": 0.4}, -1, 5_000, "max_net_exposure", 0.5),  # 4,000 + 1,000: a short offsets
        ({"max_open_positions": 2}, 1, 0, "max_open_positions", 3.0),
    ],
)
def test_a_limit_cuts_the_value_and_names_what_was_asked_for(
    profile: dict[str, Any], direction: int, allowed: float, rule: str, value: float
) -> None:
    found, (breach,) = allowed_value(profile, Exposure(10_000.0, 4_000.0, 1_000.0, 2), 6_000.0, direction)
    assert (found, breach.rule, breach.value) == (pytest.approx(allowed), rule, pytest.approx(value))


def test_a_value_within_all_limits_is_not_touched() -> None:
    profile = {"max_position_size": 0.6, "max_portfolio_heat": 1.0, "max_net_exposure": 0.7, "max_open_positions": 3}
    assert allowed_value(profile, Exposure(10_000.0, 4_000.0, 1_000.0, 2), 6_000.0, 1) == (6_000.0, [])


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        # long from 100, decided at 98: 95; 98 x 1.1; 100 - 3
        (1, {"stop_loss": 95.0, "take_profit": 107.8, "trailing_stop": 97.0}),
        # short: the mirror
        (-1, {"stop_loss": 105.0, "take_profit": 88.2, "trailing_stop": 103.0}),
    ],
)
def test_protective_prices_lie_on_either_side_of_the_entry(direction: int, expected: dict[str, float]) -> None:
    profile = {"stop_loss": 0.05, "take_profit": {"percent": 0.1, "from": "close"}, "trailing_stop": {"amount": 3.0}}
    orders = protective_orders(profile, direction=direction, fill_price=100.0, signal_price=98.0)
    found = {order["purpose"]: order.get("stop_price", order.get("limit_price")) for order in orders}
    assert found == pytest.approx(expected)
    assert stop_distance(profile, 100.0) == 3.0  # the nearer of 5 and 3


TIMES = np.array([0, 1, 2, 24, 25, 26], dtype=np.int64) * DAY_US // 24


@pytest.mark.parametrize(
    ("profile", "at_close", "opened", "due"),
    [
        ({"max_holding_period": 2}, False, 1, 2),  # decided at the close of bar 2, out at the open of bar 3
        ({"max_holding_period": 2}, True, 1, 3),  # decided and out at the close of bar 3
        ({"end_of_day": True}, False, 0, 1),  # decided a bar before the day's last, which closes it
        ({"end_of_day": True}, False, 2, 4),  # entered at the day's end: the next day's
    ],
)
def test_a_position_is_overdue_from_its_bar_on(profile: dict[str, Any], at_close: bool, opened: int, due: int) -> None:
    assert due in checks(profile, opened, TIMES, at_close=at_close)
    late = [bar for bar in range(opened, len(TIMES)) if overdue(profile, opened, bar, TIMES, at_close=at_close)]
    assert late[0] == due
