"""Bars made by hand or by a seed, for tests of features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from admf_cli import features
from admf_cli.market.bars import Bars

DAY_US = 86_400_000_000
START_US = 1_577_836_800_000_000  # 2020-01-01
NAN = float("nan")


def bars_of(
    close: Sequence[float],
    *,
    high: Sequence[float] | None = None,
    low: Sequence[float] | None = None,
    volume: Sequence[float] | None = None,
    times: Sequence[int] | None = None,
) -> Bars:
    """Return daily bars of one symbol, X; open, high and low are the close unless given."""

    def column(values: Sequence[float] | None) -> np.ndarray:
        return np.asfortranarray(np.array(close if values is None else values, dtype=float).reshape(-1, 1))

    moments = START_US + DAY_US * np.arange(len(close)) if times is None else np.array(times, dtype=np.int64)
    traded = [100.0] * len(close) if volume is None else volume
    return Bars(("X",), moments, column(close), column(high), column(low), column(close), column(traded))


def bars_of_several(closes: dict[str, Sequence[float]]) -> Bars:
    """Return daily bars of several symbols; nan is a bar that a symbol does not have."""
    values = np.asfortranarray(np.array([closes[name] for name in sorted(closes)], dtype=float).T)
    present = np.asfortranarray(np.isfinite(values))
    volume = np.asfortranarray(np.where(present, 100.0, np.nan))
    moments = START_US + DAY_US * np.arange(len(values))
    complete = None if present.all() else present
    return Bars(tuple(sorted(closes)), moments, values, values, values, values, volume, complete)


def random_bars(seed: int, n_bars: int, symbols: str = "AB", *, gaps: bool = True, step_us: int = DAY_US // 24) -> Bars:
    """Return bars that walk at random in cents, some with zero volume, some missing."""
    random = np.random.default_rng(seed)
    shape = (n_bars, len(symbols))
    close = np.round(100 * np.exp(np.cumsum(random.normal(size=shape) * 0.01, axis=0)), 2)
    opened = np.round(close * (1 + 0.005 * random.normal(size=shape)), 2)
    high = np.maximum(opened, close) + np.round(random.uniform(0, 1, shape), 2)
    low = np.minimum(opened, close) - np.round(random.uniform(0, 1, shape), 2)
    volume = random.integers(0, 1000, shape).astype(float)
    present = None
    if gaps:
        present = random.uniform(size=shape) < 0.8
        present[~present.any(axis=1), 0] = True
        present = np.asfortranarray(present)
        for column in (opened, high, low, close, volume):
            column[~present] = np.nan
    columns = [np.asfortranarray(column) for column in (opened, high, low, close, volume)]
    return Bars(tuple(symbols), START_US + step_us * np.arange(n_bars), *columns, present)


def values(bars: Bars, feature_type: str, *, output: str | None = None, **config: object) -> list[float]:
    """Return a feature of the first symbol as a list."""
    mapping = {"type": feature_type, **config} | ({} if output is None else {"output": output})
    spec = features.spec_from_config("it", mapping)
    column: list[float] = features.compute({"it": spec}, bars)["it"][:, 0].tolist()
    return column


def every_spec() -> dict[str, features.FeatureSpec]:
    """Return a spec of each output of each feature, by `TYPE.output`, and one more that MAVP reads, `periods`."""
    specs = {"periods": features.feature("RSI", "close", timeperiod=5)}
    for name in features.feature_types():
        info = features.describe(name)
        for output in info.outputs:
            config: dict[str, object] = {"type": name, "output": output}
            if name in ("SPREAD", "RATIO"):
                config |= {"first": "A", "second": "B"}
            if name == "REFERENCE":
                config["symbol"] = "A"
            if name == "REGIME":
                config |= {"upper": 60, "lower": 40}
            if "" in info.inputs:
                config["input"] = [part or "periods" for part in info.inputs]
            specs[f"{name}.{output}"] = features.spec_from_config(name, config)
    return specs
