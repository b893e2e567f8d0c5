"""All figures of one portfolio over one phase, in a fixed order. Refuses to know where its inputs came from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from admf_cli.market.bars import FloatArray, IntArray
from admf_cli.metrics import equity as curve
from admf_cli.metrics import trading
from admf_cli.metrics.trading import ClosedTrade


def portfolio_metrics(
    *,
    initial_capital: float,
    equity: FloatArray,
    exposure: FloatArray,
    times: IntArray | None,
    trades: Sequence[ClosedTrade],
    traded_value: float,
    commission: float,
    slippage: float,
    periods_per_year: float,
) -> dict[str, float | int | None]:
    """Return every metric of `METRICS` by name, in its order; None where it is not defined.

    Args:
        initial_capital: in account currency, above zero.
        equity: shape (n_bars,), at each bar's close, in account currency.
        exposure: shape (n_bars,), gross market value of the positions at each close.
        times: shape (n_bars,), microseconds since 1970 UTC; None leaves the durations in days undefined.
        trades: the closed ones.
        traded_value: sum of price x quantity x multiplier over all fills.
        commission: paid over all fills.
        slippage: sum over all fills of (price - reference price) x quantity x multiplier, adverse positive.
        periods_per_year: bars a year, to annualise.
    """
    points = curve.equity_points(initial_capital, equity)
    growth = curve.annual_return(points, periods_per_year=periods_per_year)
    drawdown = curve.max_drawdown(points)
    drawdown_bars, drawdown_days = curve.max_drawdown_duration(points, times)
    overall, final = curve.total_return(points), float(points[-1])
    returns = curve.simple_returns(points, out=points[:-1])  # of the points none is asked for any more
    deviation = curve.sample_deviation(returns)
    pnls = [trade.pnl for trade in trades]
    found: dict[str, float | int | None] = {
        "final_equity": final,
        "total_return": overall,
        "annual_return": growth,
        "annual_volatility": curve.annual_volatility(deviation, periods_per_year=periods_per_year),
        "sharpe_ratio": curve.sharpe_ratio(returns, deviation, periods_per_year=periods_per_year),
        "sortino_ratio": curve.sortino_ratio(returns, periods_per_year=periods_per_year),
        "calmar_ratio": curve.calmar_ratio(growth, drawdown),
        "max_drawdown": drawdown,
        "max_drawdown_duration": drawdown_bars,
        "max_drawdown_duration_days": drawdown_days,
        "exposure": trading.exposure_time(exposure),
        "average_exposure": trading.average_exposure(exposure, equity),
        "turnover": trading.turnover(traded_value, equity, periods_per_year=periods_per_year),
        "trades": len(pnls),
        "win_rate": trading.win_rate(pnls),
        "profit_factor": trading.profit_factor(pnls),
        "expectancy": trading.expectancy(pnls),
        "average_win": trading.average_win(pnls),
        "average_loss": trading.average_loss(pnls),
        "best_trade": max(pnls, default=None),
        "worst_trade": min(pnls, default=None),
        "average_holding": trading.average_holding(trades),
        "commission_paid": float(commission),
        "slippage_paid": float(slippage),
    }
    return {name: _defined(value) for name, value in found.items()}


def _defined(value: float | int | None) -> float | int | None:
    return value if value is not None and math.isfinite(value) else None
