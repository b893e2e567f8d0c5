"""Figures of an equity curve: return, risk and drawdown. Refuses to know what was traded.

Two inputs recur. `points` is the curve, shape (n + 1,): the initial capital, then the equity at each bar's close, in
account currency. `returns`, shape (n,), are the simple returns between them. A figure that is not defined is nan.

Sums are NumPy's pairwise `add.reduce`, never a dot product: BLAS may add in another order on another machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from admf_cli.market.bars import FloatArray, IntArray
from admf_cli.metrics.parts import parts, total

MICROSECONDS_A_DAY = 86_400_000_000

# A return is the quotient of two rounded numbers: a spread below this, times 1 + |return|, is rounding and no risk.
ROUNDING = 4 * float(np.finfo(np.float64).eps)


def equity_points(initial_capital: float, equity: FloatArray) -> FloatArray:
    """Return the curve with the initial capital as its first point, shape (n_bars + 1,)."""
    points = np.empty(len(equity) + 1, dtype=np.float64)
    points[0] = initial_capital
    points[1:] = equity
    return points


def simple_returns(points: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return `points[t] / points[t-1] - 1` as fractions, shape (n,).

    All nan if any point is zero, negative or not finite: compounding has no meaning on an account that is bankrupt.

    Args:
        out: where to put them; `points[:-1]` will do, for who needs the points no more.
    """
    returns = np.empty(len(points) - 1) if out is None else out
    if not _solvent(points):
        returns.fill(np.nan)
        return returns
    for part in parts(len(returns)):
        made = points[part.start + 1 : part.stop + 1] / points[part]
        np.subtract(made, 1.0, out=returns[part])
    return returns


def total_return(points: FloatArray) -> float:
    """Return `final / initial - 1` as a fraction; nan without a bar.

    Source: simple holding-period return, as empyrical's `cum_returns_final`.
    """
    if len(points) < 2 or not points[0] > 0:
        return math.nan
    return float(points[-1]) / float(points[0]) - 1.0


def annual_return(points: FloatArray, *, periods_per_year: float) -> float:
    """Return the compound annual growth rate, `(final / initial) ** (periods_per_year / n) - 1`, as a fraction.

    Returns:
        nan without a bar, once any point is zero or below, and where it is too large for a float.

    Source: geometric mean return, as empyrical's `annual_return`.
    """
    periods = len(points) - 1
    if periods < 1 or not _positive(periods_per_year) or not _solvent(points):
        return math.nan
    try:
        return float((float(points[-1]) / float(points[0])) ** (periods_per_year / periods)) - 1.0
    except OverflowError:
        return math.nan


def sample_deviation(returns: FloatArray) -> float:
    """Return the sample standard deviation, `std(returns, ddof=1)`, in two passes; nan with fewer than two returns."""
    if len(returns) < 2:
        return math.nan
    mean = _mean(returns)

    def squares(start: int, stop: int) -> FloatArray:
        offsets = returns[start:stop] - mean
        offsets *= offsets
        return offsets

    return math.sqrt(total(len(returns), squares) / (len(returns) - 1))


def annual_volatility(deviation: float, *, periods_per_year: float) -> float:
    """Return the standard deviation a year, `std(returns, ddof=1) * sqrt(periods_per_year)`, as a fraction.

    Args:
        deviation: the returns' `sample_deviation`.

    Returns:
        nan where the deviation is.

    Source: Hull, Options, Futures, and Other Derivatives, "Estimating volatility from historical data" (on simple
    returns here); as empyrical's `annual_volatility`.
    """
    if not _positive(periods_per_year):
        return math.nan
    return deviation * math.sqrt(periods_per_year)


def sharpe_ratio(returns: FloatArray, deviation: float, *, periods_per_year: float, risk_free: float = 0.0) -> float:
    """Return the annualised mean excess return per unit of standard deviation.

    `mean(returns - risk_free) / std(returns, ddof=1) * sqrt(periods_per_year)`

    Args:
        returns: shape (n,), simple returns a period as fractions.
        deviation: their `sample_deviation`.
        risk_free: simple return a period as a fraction.

    Returns:
        A pure number; nan with fewer than two returns or when they do not vary.

    Source: Sharpe (1994), The Sharpe Ratio, Journal of Portfolio Management 21(1).
    """
    if len(returns) < 2 or not _positive(periods_per_year):
        return math.nan
    if not deviation > _rounding(returns):
        return math.nan
    return (_mean(returns) - risk_free) / deviation * math.sqrt(periods_per_year)


def sortino_ratio(returns: FloatArray, *, periods_per_year: float, target: float = 0.0) -> float:
    """Return the annualised excess return over `target` per unit of downside deviation.

    `mean(returns - target) / sqrt(mean(min(returns - target, 0) ** 2)) * sqrt(periods_per_year)`

    Args:
        returns: shape (n,), simple returns a period as fractions (0.01 is 1 %).
        target: simple return a period as a fraction.

    Returns:
        A pure number; nan without returns or if none falls below the target.

    Source: Sortino and Price (1994), Journal of Investing 3(3); the deviation divides by n.
    """
    if len(returns) == 0 or not _positive(periods_per_year):
        return math.nan

    def squares(start: int, stop: int) -> FloatArray:
        shortfall = returns[start:stop] - target
        np.minimum(shortfall, 0.0, out=shortfall)
        shortfall *= shortfall
        return shortfall

    deviation = math.sqrt(total(len(returns), squares) / len(returns))
    if not deviation > _rounding(returns):
        return math.nan
    return (_mean(returns) - target) / deviation * math.sqrt(periods_per_year)


def max_drawdown(points: FloatArray) -> float:
    """Return the largest fall from a peak, `max(1 - points / running maximum)`, as a positive fraction.

    Returns:
        0 if the curve never falls, more than 1 if it falls below zero; nan without a bar.

    Source: Magdon-Ismail and Atiya (2004), Maximum Drawdown, Risk 17(10).
    """
    if len(points) < 2 or not points[0] > 0 or not _finite(points):
        return math.nan
    return 1.0 - min(float(np.minimum.reduce(points[part] / peaks)) for part, peaks in _with_peaks(points))


def calmar_ratio(growth: float, drawdown: float) -> float:
    """Return `annual_return / max_drawdown`, given both.

    Returns:
        A pure number; nan without a drawdown or where the annual return is nan.

    Source: Young (1991), Calmar Ratio: A Smoother Tool, Futures 20(1), there over 36 months; as empyrical's.
    """
    return growth / drawdown if drawdown > ROUNDING else math.nan


def max_drawdown_duration(points: FloatArray, times: IntArray | None = None) -> tuple[int | None, float]:
    """Return the most bars, and the most days, from a peak to the bar that is back at it, or to the end.

    Args:
        times: shape (n,), microseconds, one a bar; the initial capital counts as of the first bar's time.

    Returns:
        Bars, and days of 24 hours (nan without times); 0 if the curve never falls below a peak; None and nan
        without a bar.

    Source: backtesting.py's "Max. Drawdown Duration".
    """
    if len(points) < 2 or not _finite(points):
        return None, math.nan
    at_peak = np.concatenate(
        [part.start + np.flatnonzero(points[part] >= peaks) for part, peaks in _with_peaks(points)]
    )
    ends = np.append(at_peak[1:], len(points) - 1)
    # Neighbouring peaks enclose no fall; what comes after the last one is a fall that goes on, be it of no bars.
    fell = ends - at_peak > 1
    fell[-1] = True
    starts, ends = at_peak[fell], ends[fell]
    bars = int(np.maximum.reduce(ends - starts, initial=0))
    if times is None:
        return bars, math.nan
    elapsed = times[np.maximum(ends - 1, 0)] - times[np.maximum(starts - 1, 0)]
    return bars, int(np.maximum.reduce(elapsed, initial=0)) / MICROSECONDS_A_DAY


def _solvent(points: FloatArray) -> bool:
    # Of a nan neither is true.
    return bool(np.minimum.reduce(points, initial=np.inf) > 0) and bool(
        np.maximum.reduce(points, initial=-np.inf) < np.inf
    )


def _finite(points: FloatArray) -> bool:
    return bool(np.minimum.reduce(points) > -np.inf) and bool(np.maximum.reduce(points) < np.inf)


def _with_peaks(points: FloatArray) -> Iterator[tuple[slice, FloatArray | float]]:
    """Yield parts of a curve, and the highest point so far at each of theirs; one number where that stays the same."""
    highest = -math.inf
    for part in parts(len(points)):
        here = points[part]
        reached = float(np.maximum.reduce(here))
        if reached <= highest:
            yield part, highest
        else:
            yield part, np.maximum(np.maximum.accumulate(here), highest)
            highest = reached


def _positive(number: float) -> bool:
    return math.isfinite(number) and number > 0


def _mean(values: FloatArray) -> float:
    return float(np.add.reduce(values)) / len(values)


def _rounding(returns: FloatArray) -> float:
    """Return the deviation that rounding alone can give returns of this size: where it matters, all are about it."""
    return ROUNDING * (1.0 + abs(float(np.maximum.reduce(returns))))
