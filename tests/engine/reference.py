"""A plain bar-by-bar backtest of one symbol, a page long, that shares no code with the engine: the reference."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Reference:
    """Signals by crossing averages, market orders at the next open, a stop and a target from the fill's price."""

    cash: float
    rate: float
    bps: float
    percent: float
    stop: float | None
    target: float | None
    held: float = 0.0
    events: list[tuple[object, ...]] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)

    def run(
        self, o: list[float], h: list[float], lo: list[float], c: list[float], fast: int, slow: int, side: str
    ) -> None:
        short = side == "long_short"
        waiting: float | None = None
        stop = target = 0.0
        last_wanted = 0
        for t in range(len(c)):
            if waiting is not None:
                if self._fill(t, waiting, o[t], slips=True) and self.held:
                    sign = math.copysign(1.0, self.held)
                    base = self._price(o[t], math.copysign(1.0, waiting))
                    stop = base - sign * base * self.stop if self.stop else 0.0
                    target = base + sign * base * self.target if self.target else 0.0
                waiting = None
            if self.held and (self.stop or self.target):
                up = self.held > 0
                hit_stop = self.stop and (lo[t] <= stop if up else h[t] >= stop)
                hit_target = self.target and (h[t] >= target if up else lo[t] <= target)
                open_target = self.target and (o[t] >= target if up else o[t] <= target)
                if hit_stop and (not open_target or (o[t] <= stop if up else o[t] >= stop)):
                    self._fill(t, -self.held, min(o[t], stop) if up else max(o[t], stop), slips=True)
                elif hit_target:
                    self._fill(t, -self.held, max(o[t], target) if up else min(o[t], target), slips=False)
            self.equity.append(self.cash + self.held * c[t])
            if t < slow:
                continue
            now = [math.fsum(c[t - n + 1 : t + 1]) / n for n in (fast, slow)]
            past = [math.fsum(c[t - n : t]) / n for n in (fast, slow)]
            wanted: int | None = None
            if past[0] <= past[1] and now[0] > now[1]:
                wanted = 1
            elif past[0] >= past[1] and now[0] < now[1]:
                wanted = -1 if short else 0
            if wanted is None or wanted == last_wanted:
                continue  # a strategy begins flat and speaks when what it wants changes
            last_wanted = wanted
            self.events.append(("SIGNAL", t, float(wanted)))
            if wanted == 0:
                if self.held:
                    waiting = -self.held
            elif self.held * wanted <= 0:
                size = math.floor(self.equity[-1] * self.percent / c[t] + 1e-9)
                if size > 0:
                    waiting = wanted * size - self.held
                elif self.held:
                    waiting = -self.held

    def _price(self, price: float, side: float) -> float:
        return price + side * (price * (self.bps / 10_000)) if self.bps else price

    def _fill(self, t: int, change: float, price: float, *, slips: bool) -> bool:
        side = math.copysign(1.0, change)
        paid = self._price(price, side) if slips else price
        value = abs(change) * paid
        commission = value * self.rate
        needed = value + commission if side > 0 else commission
        available = self.cash if side > 0 else self.cash + value
        if available < needed - 1e-9 * abs(needed):
            self.events.append(("REJECT", t))
            return False
        self.cash -= side * value + commission
        self.held += change
        self.events.append(("FILL", t, side, abs(change), paid, commission))
        return True


def market(seed: int, bars: int, tick: float, volatility: float) -> tuple[np.ndarray, ...]:
    """Return open, high, low, close of a seeded walk, rounded to `tick` so that touches and ties happen."""
    random = np.random.default_rng(seed)
    path = 100.0 * np.exp(np.cumsum(random.normal(0.0, volatility, bars * 4))).reshape(bars, 4)
    jumps = np.where(random.random(bars) < 0.1, 1.0 + random.normal(0.0, 5 * volatility, bars), 1.0)
    opens = np.concatenate(([100.0], path[:-1, -1])) * np.abs(jumps)
    whole = np.maximum(np.round(np.column_stack((opens, path)) / tick) * tick, tick)
    return whole[:, 0], whole.max(axis=1), whole.min(axis=1), whole[:, -1]
