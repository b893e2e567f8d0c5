"""Make the market that every benchmark trades: seeded one-minute bars. Knows nothing of any engine.

    python benchmarks/generate.py ROWS PATH.csv|PATH.parquet [--seed 1]

The same ROWS and seed give the same bytes. Prices are rounded to four decimals, as vendors deliver them. Bars at which
SMA(10) and SMA(30) would be exactly equal are moved by a tick: engines sum in different orders, so at such a tie the
rounding of floats, not the rule, would decide whose crossing comes a bar early.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from peers.job import FAST, SLOW, START

TICKS_PER_UNIT = 10_000


def one_minute_bars(rows: int, seed: int = 1) -> pl.DataFrame:
    """Return `rows` bars: a random walk with 0.02 % a minute, each open near the close before it."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 2e-4, rows) - 2e-8))
    previous = np.concatenate([[100.0], close[:-1]])
    open_ = previous * (1.0 + random.normal(0.0, 3e-5, rows))
    close = without_ties(np.rint(close * TICKS_PER_UNIT).astype(np.int64)) / TICKS_PER_UNIT
    above, below = np.abs(random.normal(0.0, 1e-4, (2, rows)))
    high = np.maximum(open_, close) * (1.0 + above)
    low = np.minimum(open_, close) * (1.0 - below)
    times = np.datetime64(START, "us") + np.arange(rows) * np.timedelta64(60_000_000, "us")
    columns = {"open": open_, "high": high, "low": low, "close": close}
    return pl.DataFrame(
        {"timestamp": times}
        | {name: values.round(4) for name, values in columns.items()}
        | {"volume": random.integers(100, 10_000, rows)}
    )


def without_ties(close: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return closes, in ticks, moved up by a tick where the two averages are equal, until nowhere they are."""
    close = close.copy()
    while len(ties := tied_bars(close)):
        # One at a time per window: moving a bar moves the averages of those after it, too.
        apart = ties[np.concatenate([[True], np.diff(ties) >= SLOW])]
        close[apart] += 1
    return close


def tied_bars(close: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bars at which SMA(FAST) = SMA(SLOW), by integer arithmetic."""
    if len(close) < SLOW:
        return np.empty(0, np.int64)
    totals = np.concatenate([[0], np.cumsum(close)])
    fast = totals[SLOW:] - totals[SLOW - FAST : -FAST]
    slow = totals[SLOW:] - totals[:-SLOW]
    return np.flatnonzero(fast * SLOW == slow * FAST) + SLOW - 1


def write_bars(rows: int, path: Path, seed: int = 1) -> None:
    """Write the bars to `path`; its suffix, .csv or .parquet, decides the format."""
    bars = one_minute_bars(rows, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        bars.write_parquet(path)
    else:
        bars.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write_bars(arguments.rows, arguments.path, arguments.seed)


if __name__ == "__main__":
    main()
