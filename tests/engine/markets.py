"""Generated markets: seeded walks with gaps, rounded to a tick so that touches and ties happen. Refuses to trade."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.engine.reference import Bar

START = np.datetime64("2020-01-01")


def walk(seed: int, bars: int, tick: float, volatility: float, gap_share: float = 0.1) -> list[Bar]:
    """Return the bars of one symbol; volumes are whole hundreds from 0 to 2,000."""
    random = np.random.default_rng(seed)
    path = 100.0 * np.exp(np.cumsum(random.normal(0.0, volatility, bars * 4))).reshape(bars, 4)
    jumps = np.where(random.random(bars) < gap_share, 1.0 + random.normal(0.0, 5 * volatility, bars), 1.0)
    opens = np.concatenate(([100.0], path[:-1, -1])) * np.abs(jumps)
    whole = np.maximum(np.round(np.column_stack((opens, path)) / tick) * tick, tick)
    volume = random.integers(0, 21, bars) * 100.0
    columns = (whole[:, 0], whole.max(axis=1), whole.min(axis=1), whole[:, -1], volume)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def with_gaps(series: list[Bar], seed: int, share: float) -> list[Bar | None]:
    """Return the series with a share of its bars missing."""
    missing = np.random.default_rng(seed).random(len(series)) < share
    return [None if gone else bar for bar, gone in zip(series, missing.tolist(), strict=True)]


def write(folder: Path, names: list[str], bars: list[list[Bar | None]], per_day: int = 1) -> str:
    """Write one CSV file a symbol, hourly bars if there are several a day, and return the path with {symbol} in it."""
    for name, series in zip(names, bars, strict=True):
        rows = [
            f"{START + np.timedelta64(t // per_day, 'D')}T{t % per_day:02d}:00," + ",".join(map(repr, bar[:5]))
            for t, bar in enumerate(series)
            if bar is not None
        ]
        (folder / f"{name}.csv").write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    return str(folder / "{symbol}.csv")
