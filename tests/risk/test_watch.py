"""Limits on the course of equity, where the search for the bar of a crossing must agree with the check at that bar."""

from __future__ import annotations

import numpy as np
import pytest

from admf_cli.broker.account import Account
from admf_cli.broker.instrument import Instrument
from admf_cli.market.timeframe import DAY_US
from admf_cli.risk.watch import Watch


@pytest.mark.parametrize(
    ("marks", "crossing"),
    [
        ((100.0, 90.0, 80.0), 1),  # equity 0, then -10: nothing was left to lose a share of
        ((100.0, 100.0, 80.0), 1),  # equity 0 the day after 0: all is lost already
        ((101.0, 101.0, 100.0), 2),  # 1, 1, 0
        ((102.0, 101.5, 101.0), 1),  # 2, 1.5: a quarter is lost
    ],
)
def test_a_daily_loss_is_found_where_no_equity_is_left(marks: tuple[float, ...], crossing: int) -> None:
    instruments = (Instrument(1.0, None, 1.0),)
    account = Account(100.0, instruments, ("A",))
    account.cash = -100.0  # one unit held on margin, so equity is its price - 100
    account.positions[0].quantity = 1.0
    account.held = (0,)
    times = np.arange(3, dtype=np.int64) * DAY_US
    watch = Watch({"daily_loss_limit": 0.2}, account, times, np.array(marks).reshape(3, 1), instruments)
    watch.check(0)
    assert watch.next_due(0) == crossing
    assert any(breach.rule == "daily_loss_limit" for breach in watch.check(crossing))
