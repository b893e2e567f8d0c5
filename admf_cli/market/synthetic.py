"""Made-up bars: a seeded geometric Brownian motion a symbol. Refuses to know files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from admf_cli.errors import MarketDataError
from admf_cli.market.bars import Bars, IntArray
from admf_cli.market.table import LARGEST
from admf_cli.market.timeframe import DAY_US, Timeframe
from admf_cli.market.times import instant

_STEPS = 4  # within a bar: open to close in four steps, whose extremes are the high and the low
_DEFAULT_START = "2000-01-03"


def synthetic_bars(
    settings: Mapping[str, Any], symbols: Sequence[str], start: str | None, timeframe: Timeframe
) -> Bars:
    """Return bars that depend on the seed and each symbol's own name alone, not on which others there are.

    Args:
        settings: `bars`, `seed`, `drift` and `volatility` (a year, of log returns), `start_price`.
        start: time of the first bar; daily bars skip weekends.
    """
    n_bars = settings["bars"]
    times = _times(n_bars, start or _DEFAULT_START, timeframe)
    sessions = 252.0 if timeframe.unit in ("d", "w") else 365.0
    years = timeframe.length_us / (sessions * DAY_US) if timeframe.unit != "w" else timeframe.number / 52.0
    names = tuple(sorted(symbols))
    columns = {name: np.empty((n_bars, len(names)), order="F") for name in ("open", "high", "low", "close", "volume")}
    for place, name in enumerate(names):
        digest = hashlib.sha256(name.encode()).digest()
        random = np.random.Generator(np.random.PCG64([settings["seed"], int.from_bytes(digest[:8], "little")]))
        step = years / _STEPS
        drift = (settings["drift"] - settings["volatility"] ** 2 / 2.0) * step
        moves = random.normal(drift, settings["volatility"] * np.sqrt(step), (n_bars, _STEPS))
        with np.errstate(over="ignore"):
            path = settings["start_price"] * np.exp(np.cumsum(moves.ravel())).reshape(n_bars, _STEPS)
        if not path.max() < LARGEST:
            raise MarketDataError(
                f"data.synthetic: the prices of {name} rise beyond {LARGEST:g}; "
                "lower drift, volatility, start_price or bars"
            )
        opens = np.concatenate(([settings["start_price"]], path[:-1, -1]))
        whole = np.round(np.column_stack((opens, path)), 4)
        whole = np.maximum(whole, 1e-4)
        columns["open"][:, place] = whole[:, 0]
        columns["close"][:, place] = whole[:, -1]
        columns["high"][:, place] = whole.max(axis=1)
        columns["low"][:, place] = whole.min(axis=1)
        columns["volume"][:, place] = random.integers(1_000, 1_000_000, n_bars)
    return Bars(symbols=names, times=times, **columns)


def _times(n_bars: int, start: str, timeframe: Timeframe) -> IntArray:
    first = instant(start)
    if timeframe.unit == "mo":
        months = (np.arange(n_bars) * timeframe.number).astype("timedelta64[M]")
        month = np.datetime64(first, "us").astype("datetime64[M]") + months
        times: IntArray = month.astype("datetime64[us]").astype(np.int64)
    elif timeframe == (1, "d"):
        day = np.busday_offset(np.datetime64(first, "us").astype("datetime64[D]"), np.arange(n_bars), roll="forward")
        times = day.astype("datetime64[us]").astype(np.int64) + first % DAY_US
    else:
        times = first + np.arange(n_bars, dtype=np.int64) * timeframe.length_us
    if n_bars and not -62_135_596_800_000_000 <= int(times[-1]) < 253_402_300_800_000_000:
        raise MarketDataError(f"data.synthetic.bars: {n_bars} bars of {timeframe} from {start} end after the year 9999")
    return times
