"""Strategies of one's own, in both styles; configs/python_columns.yaml and configs/python_bar_by_bar.yaml run them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Pullback:
    """Buys weakness in an uptrend: above the slow average, RSI low; leaves when RSI has recovered. All at once."""

    trend: int = 200
    rsi: int = 4
    enter_below: float = 25.0
    leave_above: float = 60.0

    def features(self) -> dict[str, dict[str, Any]]:
        return {
            "trend": {"type": "SMA", "timeperiod": self.trend},
            "rsi": {"type": "RSI", "timeperiod": self.rsi},
        }

    def targets(self, bars: Any, features: Any) -> np.ndarray:
        rising = bars.close > features["trend"]
        wanted = np.full(bars.close.shape, np.nan)  # nan: no opinion, what is held stays
        wanted[rising & (features["rsi"] < self.enter_below)] = 1
        wanted[(features["rsi"] > self.leave_above) | (bars.close < features["trend"])] = 0
        return wanted
