"""How features that read several symbols at one time are computed. Refuses to know of lookbacks and configurations.

Each takes the input of all symbols, shape (n_bars, n_symbols), nan where a symbol has no value, and returns its
outputs in that shape. Row t depends on row t only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from admf_cli.features.parameters import Fault, ParameterError, did_you_mean
from admf_cli.market.bars import Bars, FloatArray

Params = Mapping[str, Any]


def _rank(values: FloatArray, params: Params, bars: Bars) -> tuple[FloatArray, ...]:
    finite = np.isfinite(values)
    ordered = np.where(finite, values if params["ascending"] else -values, np.inf)
    ranks = np.full(values.shape, np.nan, order="F")
    for symbol in range(bars.n_symbols):
        mine = ordered[:, symbol : symbol + 1]
        before = (ordered < mine).sum(axis=1)
        equal = ((ordered == mine) & finite).sum(axis=1)
        rows = finite[:, symbol]
        ranks[rows, symbol] = (before + (equal + 1) / 2.0)[rows]
    others = np.where(finite.sum(axis=1) > 1, finite.sum(axis=1) - 1.0, np.nan)
    return ranks, 1.0 - (ranks - 1.0) / others[:, np.newaxis]


def _spread(values: FloatArray, params: Params, bars: Bars) -> tuple[FloatArray, ...]:
    first, second = _legs(values, params, bars)
    if params["log"]:
        with np.errstate(all="ignore"):
            first, second = np.log(first), np.log(second)
    return (_shared(first - params["hedge_ratio"] * second, bars),)


def _ratio(values: FloatArray, params: Params, bars: Bars) -> tuple[FloatArray, ...]:
    first, second = _legs(values, params, bars)
    with np.errstate(all="ignore"):
        return (_shared(first / second, bars),)


def _legs(values: FloatArray, params: Params, bars: Bars) -> tuple[FloatArray, FloatArray]:
    for leg in ("first", "second"):
        if params[leg] not in bars.symbols:
            hint = did_you_mean(params[leg], bars.symbols)
            rule = f"must be one of the symbols {', '.join(bars.symbols)} (got {params[leg]!r}){hint}"
            raise ParameterError("pair", [Fault(leg, rule)])
    return values[:, bars.symbols.index(params["first"])], values[:, bars.symbols.index(params["second"])]


def _shared(series: FloatArray, bars: Bars) -> FloatArray:
    """Return one series as the value of every symbol that has a bar."""
    shared = np.empty((bars.n_bars, bars.n_symbols), order="F")
    shared[:] = np.where(np.isfinite(series), series, np.nan)[:, np.newaxis]
    if bars.present is not None:
        shared[~bars.present] = np.nan
    return shared


ACROSS: dict[str, Callable[[FloatArray, Params, Bars], tuple[FloatArray, ...]]] = {
    "RANK": _rank,
    "SPREAD": _spread,
    "RATIO": _ratio,
}
