"""The figures a run is judged by, as pure functions of plain arrays.

Refuses to know of containers, events, files and screens: whoever has an equity curve and a list of closed trades (a
portfolio at the end of its phase, or a replay of its trace) gets the same figures from `portfolio_metrics`.
"""

from __future__ import annotations

from admf_cli.metrics.portfolio import portfolio_metrics
from admf_cli.metrics.reference import METRICS, Metric
from admf_cli.metrics.trading import ClosedTrade

__all__ = ["METRICS", "ClosedTrade", "Metric", "portfolio_metrics"]
