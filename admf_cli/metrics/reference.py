"""What each metric is called, measured in, computed by and taken from. Refuses to compute."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class Metric(Struct, frozen=True):
    """One metric as people read it.

    Attributes:
        unit: "currency", "fraction", "ratio", "bars", "days", "count" or "per year"; a fraction of 0.01 is 1 %.
        formula: over `E` (initial capital, then equity at each close), `r` (simple returns of E), `n` (bars),
            `ppy` (bars a year), `pnl` (of closed trades).
        source: the paper, the book or the peer whose rule it is.
        undefined: when it is null.
    """

    title: str
    unit: str
    formula: str
    source: str
    undefined: str = "never"


_NO_BAR = "no bar"
_BANKRUPT = "no bar; equity at or below zero at any close"
_NO_TRADE = "no closed trade"
_PARDO = "Pardo (2008), The Evaluation and Optimization of Trading Strategies, ch. 12"

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "final_equity": Metric(
            "Final equity", "currency", "E[n], or the initial capital without a bar", "cash + positions at last close"
        ),
        "total_return": Metric("Total return", "fraction", "E[n] / E[0] - 1", "empyrical cum_returns_final", _NO_BAR),
        "annual_return": Metric(
            "Annual return",
            "fraction",
            "(E[n] / E[0]) ** (ppy / n) - 1",
            "empyrical annual_return (CAGR)",
            _BANKRUPT + "; too large for a float",
        ),
        "annual_volatility": Metric(
            "Annual volatility",
            "fraction",
            "std(r, ddof=1) * sqrt(ppy)",
            "Hull, Options, Futures, and Other Derivatives, on simple returns",
            "fewer than two bars; equity at or below zero at any close",
        ),
        "sharpe_ratio": Metric(
            "Sharpe ratio",
            "ratio",
            "mean(r) / std(r, ddof=1) * sqrt(ppy), risk-free rate 0",
            "Sharpe (1994), Journal of Portfolio Management 21(1)",
            "fewer than two bars; returns that do not vary; equity at or below zero at any close",
        ),
        "sortino_ratio": Metric(
            "Sortino ratio",
            "ratio",
            "mean(r) / sqrt(mean(min(r, 0) ** 2)) * sqrt(ppy), target 0",
            "Sortino and Price (1994), Journal of Investing 3(3)",
            "no bar; no return below zero; equity at or below zero at any close",
        ),
        "calmar_ratio": Metric(
            "Calmar ratio",
            "ratio",
            "annual_return / max_drawdown, over the whole phase",
            "Young (1991), Futures 20(1); empyrical calmar_ratio",
            "no drawdown; annual_return undefined",
        ),
        "max_drawdown": Metric(
            "Max drawdown",
            "fraction",
            "max(1 - E / running maximum of E), as a positive number",
            "Magdon-Ismail and Atiya (2004), Risk 17(10)",
            _NO_BAR,
        ),
        "max_drawdown_duration": Metric(
            "Max drawdown duration",
            "bars",
            "most bars from a peak of E until E is back at it, or until the end",
            "backtesting.py Max. Drawdown Duration",
            _NO_BAR,
        ),
        "max_drawdown_duration_days": Metric(
            "Max drawdown duration",
            "days",
            "most days of 24 hours from a peak of E until E is back at it, or the end",
            "backtesting.py Max. Drawdown Duration",
            "no bar; no times",
        ),
        "exposure": Metric(
            "Time in the market",
            "fraction",
            "bars at whose close a position is open / n",
            "backtesting.py Exposure Time (which also counts the bar of an exit)",
            _NO_BAR,
        ),
        "average_exposure": Metric(
            "Average exposure",
            "fraction",
            "mean(gross market value of positions / equity) over all closes",
            "pyfolio gross_lev",
            _BANKRUPT,
        ),
        "turnover": Metric(
            "Turnover a year",
            "per year",
            "value of all fills, buys and sells / mean equity / (n / ppy)",
            "pyfolio get_turnover, both sides counted",
            "no bar; mean equity not above zero",
        ),
        "trades": Metric("Trades", "count", "number of closed trades (first in, first out)", _PARDO),
        "win_rate": Metric("Win rate", "fraction", "trades with pnl > 0 / trades", _PARDO, _NO_TRADE),
        "profit_factor": Metric("Profit factor", "ratio", "sum(pnl > 0) / -sum(pnl < 0)", _PARDO, "no losing trade"),
        "expectancy": Metric(
            "Expectancy",
            "currency",
            "mean(pnl), pnl net of commissions",
            "Tharp (1999), Trade Your Way to Financial Freedom, ch. 7, in currency",
            _NO_TRADE,
        ),
        "average_win": Metric("Average win", "currency", "mean(pnl > 0)", _PARDO, "no winning trade"),
        "average_loss": Metric(
            "Average loss", "currency", "mean(pnl < 0), a negative amount", _PARDO, "no losing trade"
        ),
        "best_trade": Metric("Best trade", "currency", "max(pnl)", _PARDO, _NO_TRADE),
        "worst_trade": Metric("Worst trade", "currency", "min(pnl)", _PARDO, _NO_TRADE),
        "average_holding": Metric("Average holding", "bars", "mean(bar of exit - bar of entry)", _PARDO, _NO_TRADE),
        "commission_paid": Metric(
            "Commission paid", "currency", "sum of the commissions of all fills", "the execution's FILL events"
        ),
        "slippage_paid": Metric(
            "Slippage paid",
            "currency",
            "sum((fill price - reference price) * quantity * multiplier), adverse positive",
            "Perold (1988), Journal of Portfolio Management 14(3): implementation shortfall",
        ),
    }
)
