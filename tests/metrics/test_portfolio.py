"""All metrics at once: order, undefined values, types, and the same digits as empyrical on real and made-up curves."""

from __future__ import annotations

import csv
import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import empyrical  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from admf_cli.metrics import METRICS, portfolio_metrics
from admf_cli.results import Trade

DATA = Path(__file__).parents[2] / "data"
DAY = 86_400_000_000


def trade(number: int, pnl: float, entry_bar: int, exit_bar: int) -> Trade:
    return Trade(
        number=number,
        symbol="SPX",
        direction="long",
        quantity=10.0,
        entry_time=entry_bar * DAY,
        entry_price=10.0,
        entry_bar=entry_bar,
        exit_time=exit_bar * DAY,
        exit_price=10.0 + pnl / 10.0,
        exit_bar=exit_bar,
        commission=0.0,
        pnl=pnl,
        return_fraction=pnl / 100.0,
        entry_reason="entry",
        exit_reason="exit",
        entry_fill="execution#1",
        exit_fill="execution#2",
    )


def measure(equity: Any, *, initial_capital: float = 100.0, **changes: Any) -> dict[str, float | int | None]:
    equity = np.asarray(equity, dtype=np.float64)
    given = {
        "initial_capital": initial_capital,
        "equity": equity,
        "exposure": np.zeros(len(equity)),
        "times": np.arange(len(equity), dtype=np.int64) * DAY,
        "trades": (),
        "traded_value": 0.0,
        "commission": 0.0,
        "slippage": 0.0,
        "periods_per_year": 252.0,
    }
    return portfolio_metrics(**given | changes)


def test_every_metric_stands_in_the_documented_order() -> None:
    assert list(measure([101.0, 102.0])) == list(METRICS)


def test_a_small_run_by_hand() -> None:
    found = measure(
        [110.0, 99.0, 121.0],
        exposure=np.array([110.0, 0.0, 60.5]),
        trades=(trade(1, 30.0, 0, 1), trade(2, -10.0, 1, 2)),
        traded_value=330.0,
        commission=1.5,
        slippage=0.25,
        periods_per_year=3.0,
    )
    # r = 0.1, -0.1, 2/9; n = 3 bars = 1 year
    mean = (0.1 - 0.1 + 2 / 9) / 3
    deviation = math.sqrt(((0.1 - mean) ** 2 + (-0.1 - mean) ** 2 + (2 / 9 - mean) ** 2) / 2)
    expected = {
        "final_equity": 121.0,
        "total_return": 0.21,  # 121/100 - 1
        "annual_return": 0.21,  # one year
        "annual_volatility": deviation * math.sqrt(3),
        "sharpe_ratio": mean / deviation * math.sqrt(3),
        "sortino_ratio": mean / math.sqrt(0.01 / 3) * math.sqrt(3),
        "calmar_ratio": 2.1,  # 0.21 / 0.1
        "max_drawdown": 0.1,  # 110 -> 99
        "max_drawdown_duration": 2,  # point 1 to point 3
        "max_drawdown_duration_days": 2.0,
        "exposure": 2 / 3,
        "average_exposure": (1.0 + 0.0 + 0.5) / 3,
        "turnover": 3.0,  # mean equity (110 + 99 + 121) / 3 = 110; 330 / 110 / 1 year
        "trades": 2,
        "win_rate": 0.5,
        "profit_factor": 3.0,  # 30 / 10
        "expectancy": 10.0,  # (30 - 10) / 2
        "average_win": 30.0,
        "average_loss": -10.0,
        "best_trade": 30.0,
        "worst_trade": -10.0,
        "average_holding": 1.0,
        "commission_paid": 1.5,
        "slippage_paid": 0.25,
    }
    assert found == pytest.approx(expected, rel=1e-12)
    assert list(found) == list(expected)


def test_a_phase_without_bars_has_only_what_is_known() -> None:
    found = measure([])
    known = {name: value for name, value in found.items() if value is not None}
    assert known == {"final_equity": 100.0, "trades": 0, "commission_paid": 0.0, "slippage_paid": 0.0}


def test_a_run_without_trades_has_no_made_up_zeros() -> None:
    found = measure([100.0, 100.0, 100.0])
    for name in ("sharpe_ratio", "sortino_ratio", "calmar_ratio", "win_rate", "profit_factor", "expectancy",
                 "average_win", "average_loss", "best_trade", "worst_trade", "average_holding"):  # fmt: skip
        assert found[name] is None, name
    for name in ("total_return", "annual_return", "annual_volatility", "max_drawdown", "max_drawdown_duration",
                 "exposure", "average_exposure", "turnover", "trades"):  # fmt: skip
        assert found[name] == 0, name


def test_a_bankrupt_account_keeps_its_loss_and_loses_its_ratios() -> None:
    found = measure([50.0, -25.0, 10.0])
    assert found["final_equity"] == 10.0
    assert found["total_return"] == pytest.approx(-0.9)  # 10/100 - 1
    assert found["max_drawdown"] == 1.25  # 100 -> -25
    for name in ("annual_return", "annual_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
                 "average_exposure"):  # fmt: skip
        assert found[name] is None, name


def test_durations_in_days_need_times() -> None:
    found = measure([90.0, 95.0], times=None)
    assert found["max_drawdown_duration"] == 2
    assert found["max_drawdown_duration_days"] is None


def test_values_are_plain_numbers_that_json_can_hold() -> None:
    found = measure([101.0, 99.0, math.inf], trades=(trade(1, 3.0, 0, 1),), exposure=np.array([1.0, math.nan, 1.0]))
    assert all(type(value) in (float, int, type(None)) for value in found.values())
    json.dumps(found, allow_nan=False)


def closes(file: str) -> tuple[np.ndarray, np.ndarray]:
    with (DATA / file).open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    days = [datetime.fromisoformat(row["timestamp"]).toordinal() for row in rows]
    return np.array(days, dtype=np.int64) * DAY, np.array([float(row["close"]) for row in rows])


def empyrical_figures(equity: np.ndarray, initial_capital: float, ppy: float) -> dict[str, float]:
    points = np.concatenate([[initial_capital], equity])
    returns = points[1:] / points[:-1] - 1.0
    return {
        "total_return": float(empyrical.cum_returns_final(returns)),
        "annual_return": float(empyrical.annual_return(returns, annualization=ppy)),
        "annual_volatility": float(empyrical.annual_volatility(returns, annualization=ppy)),
        "sharpe_ratio": float(empyrical.sharpe_ratio(returns, annualization=ppy)),
        "sortino_ratio": float(empyrical.sortino_ratio(returns, annualization=ppy)),
        "calmar_ratio": float(empyrical.calmar_ratio(returns, annualization=ppy)),
        "max_drawdown": -float(empyrical.max_drawdown(returns)),
    }


@pytest.mark.parametrize("file", ["sp500_daily.csv", "amzn_daily.csv", "meta_daily.csv", "nflx_daily.csv"])
@pytest.mark.parametrize("ppy", [252.0, 365.25])
def test_real_prices_held_give_empyricals_figures(file: str, ppy: float) -> None:
    times, close = closes(file)
    quantity = 100_000.0 / close[0] * 0.95
    equity = 100_000.0 + quantity * (close - close[0])
    found = measure(equity, initial_capital=100_000.0, times=times, periods_per_year=ppy)
    for name, value in empyrical_figures(equity, 100_000.0, ppy).items():
        assert found[name] == pytest.approx(value, rel=1e-9), name


@given(
    # whole per mille, so that no drawdown is so small that both sides' rounding of it would show
    steps=numpy_strategies.arrays(np.int64, st.integers(2, 300), elements=st.integers(-190, 190)),
    capital=st.floats(1.0, 1e9),
    ppy=st.sampled_from([12.0, 52.0, 252.0, 365.0]),
)
def test_made_up_curves_give_empyricals_figures(steps: np.ndarray, capital: float, ppy: float) -> None:
    assume(np.ptp(steps) > 0)  # returns that do not vary: undefined here, rounding divided by rounding there
    equity = capital * np.cumprod(1.0 + steps / 1000.0)
    found = measure(equity, initial_capital=capital, periods_per_year=ppy)
    for name, value in empyrical_figures(equity, capital, ppy).items():
        if math.isfinite(value):
            # 1e-9 of the figure, or of one: where losses and gains cancel, both carry rounding of that size
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
        else:
            assert found[name] is None, name


@given(
    equity=numpy_strategies.arrays(
        np.float64, st.integers(0, 60), elements=st.sampled_from([80.0, 90.0, 100.0, 110.0])
    ),
)
def test_durations_equal_a_walk_along_the_curve(equity: np.ndarray) -> None:
    longest, peak, since = 0, 100.0, 0
    for bar, value in enumerate(equity, start=1):
        if value >= peak:
            # back at the peak after a fall: the bar of recovery counts; a bar that follows the peak directly does not
            longest = max(longest, bar - since) if bar - since > 1 else longest
            peak, since = value, bar
        else:
            longest = max(longest, bar - since)
    found = measure(equity)
    assert found["max_drawdown_duration"] == (longest if len(equity) else None)


@given(
    steps=numpy_strategies.arrays(np.float64, st.integers(2, 100), elements=st.floats(-0.125, 0.125, width=32)),
    power=st.integers(-20, 20),
)
def test_scaling_all_money_scales_only_the_money(steps: np.ndarray, power: int) -> None:
    factor = 2.0**power  # a power of two rounds nothing
    equity = 1000.0 * np.cumprod(1.0 + steps)
    plain = measure(equity, initial_capital=1000.0, exposure=equity / 2, traded_value=500.0)
    scaled = measure(
        equity * factor, initial_capital=1000.0 * factor, exposure=equity * factor / 2, traded_value=500.0 * factor
    )
    assert scaled.pop("final_equity") == plain.pop("final_equity") * factor  # type: ignore[operator]
    assert scaled == plain
