"""Strategies of the benchmarks, bar by bar, as a user would write them. Run by their path in a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Crossover:
    """The benchmarks' job, looking at its position at every bar."""

    fast: int = 10
    slow: int = 30
    quantity: float = 100.0

    def features(self) -> dict[str, dict[str, Any]]:
        return {
            "fast": {"type": "SMA", "timeperiod": self.fast},
            "slow": {"type": "SMA", "timeperiod": self.slow},
        }

    def on_start(self, ctx: Any) -> None:
        self.before: tuple[float, float] | None = None

    def on_bar(self, ctx: Any) -> None:
        fast, slow = ctx.value("fast"), ctx.value("slow")
        before, self.before = self.before, (fast, slow)
        if before is None:
            return
        if before[0] <= before[1] and fast > slow:
            if not ctx.position():
                ctx.buy(self.quantity)
        elif before[0] >= before[1] and fast < slow and ctx.position():
            ctx.close()


@dataclass
class Resting:
    """Leaves limit orders so far below the market that none is ever met: what do they cost while they wait?"""

    count: int = 100
    a_bar: int = 1000

    def on_bar(self, ctx: Any) -> None:
        placed = ctx.bar * self.a_bar
        for number in range(placed, min(placed + self.a_bar, self.count)):
            ctx.buy(1.0, limit=1.0 + number * 1e-6)


@dataclass
class Brackets:
    """Buys one share at a time, each with a stop-loss and a take-profit of its own, both out of the market's reach."""

    count: int = 100
    a_bar: int = 1000

    def on_bar(self, ctx: Any) -> None:
        placed = ctx.bar * self.a_bar
        for number in range(placed, min(placed + self.a_bar, self.count)):
            ctx.buy(1.0, stop_loss=1.0 + number * 1e-6, take_profit=10_000.0 + number * 1e-3)
