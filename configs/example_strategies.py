"""Strategies of one's own, in both styles; configs/python_columns.yaml and configs/python_bar_by_bar.yaml run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from admf_cli import Bars, Context, Fill


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

    def targets(self, bars: Bars, features: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        rising = bars.close > features["trend"]
        wanted = np.full(bars.close.shape, np.nan)  # nan: no opinion, what is held stays
        wanted[rising & (features["rsi"] < self.enter_below)] = 1
        wanted[(features["rsi"] > self.leave_above) | (bars.close < features["trend"])] = 0
        return wanted


@dataclass
class Breakout:
    """Buys strength above the channel with a bracket, gives back a little on the way: bar by bar."""

    channel: int = 55
    stop_fraction: float = 0.04
    target_fraction: float = 0.12

    def features(self) -> dict[str, dict[str, Any]]:
        return {"upper": {"type": "DONCHIAN", "timeperiod": self.channel, "output": "upper"}}

    def on_start(self, ctx: Context) -> None:
        self.bought_at: int | None = None

    def on_bar(self, ctx: Context) -> None:
        price = ctx.price()
        if not ctx.position() and not ctx.orders() and price > ctx.value("upper"):
            # A limit half a percent below, good for three bars; what it opens is protected from its first moment.
            limit = price * 0.995
            ctx.buy(
                limit=limit,
                good_till=3,
                stop_loss=limit * (1 - self.stop_fraction),
                take_profit=limit * (1 + self.target_fraction),
                tag="close above the channel",
            )
        elif self.bought_at is not None and ctx.bar - self.bought_at == 60:
            ctx.close(tag="sixty bars are enough")

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        self.bought_at = ctx.bar if ctx.position() else None
