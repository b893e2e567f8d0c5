"""How features that read several symbols at one time are computed. Refuses to know of lookbacks and configurations.

Each takes the input of all symbols, shape (n_bars, n_symbols), nan where a symbol has no value, and returns its
outputs in that shape. Row t depends on rows up to t only.
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


def _reference(values: FloatArray, params: Params, bars: Bars) -> tuple[FloatArray, ...]:
    column = _of_symbol(values, params, "symbol", bars)
    if bars.present is None:
        return (_shared(column, bars),)
    own = np.where(bars.present[:, bars.symbols.index(params["symbol"])], np.arange(bars.n_bars), -1)
    latest = np.maximum.accumulate(own)
    return (_shared(np.where(latest >= 0, column[np.maximum(latest, 0)], np.nan), bars),)


def _legs(values: FloatArray, params: Params, bars: Bars) -> tuple[FloatArray, FloatArray]:
    return _of_symbol(values, params, "first", bars), _of_symbol(values, params, "second", bars)


def _of_symbol(values: FloatArray, params: Params, parameter: str, bars: Bars) -> FloatArray:
    """Return the column of the symbol that a parameter names."""
    symbol = params[parameter]
    if symbol not in bars.symbols:
        hint = did_you_mean(symbol, bars.symbols)
        rule = f"must be one of the symbols {', '.join(bars.symbols)} (got {symbol!r}){hint}"
        raise ParameterError("symbols", [Fault(parameter, rule)])
    return values[:, bars.symbols.index(symbol)]


def _shared(series: FloatArray, bars: Bars) -> FloatArray:
    """Return one series as the value of every symbol that has a bar."""
    shared = np.empty((bars.n_bars, bars.n_symbols), order="F")
    shared[:] = np.where(np.isfinite(series), series, np.nan)[:, np.newaxis]
    if bars.present is not None:
        shared[~bars.present] = np.nan
    return shared


ACROSS: dict[str, Callable[[FloatArray, Params, Bars], tuple[FloatArray, ...]]] = {
    "RANK": _rank,
    "REFERENCE": _reference,
    "SPREAD": _spread,
    "RATIO": _ratio,
}
