"""How our own features of one symbol are computed. Refuses to know of gaps, other symbols and configurations.

Each formula takes the inputs of one symbol, shape (n,), all finite, its parameters and the times of its bars, and
returns its outputs, shape (n,), nan where undefined. Row t depends on rows up to t only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from admf_cli.features.sessions import DAY_US, MINUTE_US, local_times, session_spans
from admf_cli.features.sums import window_means, window_sums
from admf_cli.features.windows import window_maxima, window_minima, window_variances
from admf_cli.market.bars import FloatArray, IntArray

Params = Mapping[str, Any]
Columns = Sequence[FloatArray]


class Formula(NamedTuple):
    """A feature of one symbol.

    Attributes:
        run: (inputs, params, times) -> outputs.
        lookback: params -> bars before the first value.
    """

    run: Callable[[Columns, Params, IntArray], tuple[FloatArray, ...]]
    lookback: Callable[[Params], int]


def _after(n: int, values: FloatArray) -> FloatArray:
    """Return shape (n,): `values` at the end, nan before."""
    column = np.empty(n)
    start = n - len(values)
    column[:start] = np.nan
    column[start:] = values
    return column


def _lagged(values: FloatArray, length: int) -> FloatArray:
    return _after(len(values), values[: max(0, len(values) - length)])


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide, with nan where it cannot be done."""
    with np.errstate(all="ignore"):
        quotient: FloatArray = above / below
    quotient[~np.isfinite(quotient)] = np.nan
    return quotient


def _logarithm(values: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        result: FloatArray = np.log(values)
    result[~np.isfinite(result)] = np.nan
    return result


def _sma(inputs: Columns, params: Params, times: IntArray) -> tuple[FloatArray, ...]:
    return (_after(len(times), window_means(inputs[0], params["timeperiod"])),)


def _donchian(inputs: Columns, params: Params, times: IntArray) -> tuple[FloatArray, ...]:
    length, n = params["timeperiod"], len(times)
    upper = _after(n, window_maxima(inputs[0], length)[:-1])
    lower = _after(n, window_minima(inputs[1], length)[:-1])
    return upper, lower, lower + (upper - lower) / 2.0


def _vwap(inputs: Columns, params: Params, times: IntArray) -> tuple[FloatArray, ...]:
    high, low, close, volume = inputs
    value = (high + low + close) / 3.0 * volume
    length = params["timeperiod"]
    if length is not None:
        return (_after(len(times), _ratio(window_sums(value, length)[0], window_sums(volume, length)[0])),)
    values, volumes = np.empty(len(times)), np.empty(len(times))
    for start, stop in session_spans(local_times(times, params["timezone"]) // DAY_US):
        np.cumsum(value[start:stop], out=values[start:stop])
        np.cumsum(volume[start:stop], out=volumes[start:stop])
    return (_ratio(values, volumes),)


def _zscore(inputs: Columns, params: Params, times: IntArray) -> tuple[FloatArray, ...]:
    length = params["timeperiod"]
    deviation = np.sqrt(window_variances(inputs[0], length, ddof=params["ddof"]))
    return (_after(len(times), _ratio(inputs[0][length - 1 :] - window_means(inputs[0], length), deviation)),)


def _return(inputs: Columns, params: Params, times: IntArray) -> tuple[FloatArray, ...]:
    growth = _ratio(inputs[0], _lagged(inputs[0], params["timeperiod"]))
    return (_logarithm(growth) if params["log"] else growth - 1.0,)


def _realised_volatility(inputs: Columns, params: Params, times: IntArray) -> tuple[FloatArray, ...]:
    values, length = inputs[0], params["timeperiod"]
    returns = _logarithm(_ratio(values[1:], values[:-1]))
    undefined = np.isnan(returns)
    returns[undefined] = 0.0
    deviations = np.sqrt(window_variances(returns, length, ddof=1) * params["periods_per_year"])
    if undefined.any():
        deviations[window_maxima(undefined.astype(np.float64), length) > 0.0] = np.nan
    return (_after(len(times), deviations),)


def _lag(inputs: Columns, params: Params, times: IntArray) -> tuple[FloatArray, ...]:
    return (_lagged(inputs[0], params["timeperiod"]),)


def _opening_range(inputs: Columns, params: Params, times: IntArray) -> tuple[FloatArray, ...]:
    hours, minutes = (int(part) for part in params["start"].split(":"))
    since_start = local_times(times, params["timezone"]) - (hours * 60 + minutes) * MINUTE_US
    inside = since_start % DAY_US < params["minutes"] * MINUTE_US
    highest, lowest = np.full(len(times), np.nan), np.full(len(times), np.nan)
    for start, stop in session_spans(since_start // DAY_US):
        length = int(inside[start:stop].sum())  # bars inside the range come first in their session
        if length:
            highest[start + length : stop] = inputs[0][start : start + length].max()
            lowest[start + length : stop] = inputs[1][start : start + length].min()
    return highest, lowest


def _regime(inputs: Columns, params: Params, times: IntArray) -> tuple[FloatArray, ...]:
    values, upper = inputs[0], params["upper"]
    lower = upper if params["lower"] is None else params["lower"]
    decided = np.where((values > upper) | (values < lower), np.arange(len(values)), -1)
    since = np.maximum.accumulate(decided)
    return (np.where((since >= 0) & (values[np.maximum(since, 0)] > upper), 1.0, 0.0),)


FORMULAS: dict[str, Formula] = {
    "SMA": Formula(_sma, lambda params: params["timeperiod"] - 1),
    "DONCHIAN": Formula(_donchian, lambda params: params["timeperiod"]),
    "VWAP": Formula(_vwap, lambda params: 0 if params["timeperiod"] is None else params["timeperiod"] - 1),
    "ZSCORE": Formula(_zscore, lambda params: params["timeperiod"] - 1),
    "RETURN": Formula(_return, lambda params: params["timeperiod"]),
    "REALISED_VOLATILITY": Formula(_realised_volatility, lambda params: params["timeperiod"]),
    "LAG": Formula(_lag, lambda params: params["timeperiod"]),
    "REGIME": Formula(_regime, lambda params: 0),
    "OPENING_RANGE": Formula(_opening_range, lambda params: 1),
}
