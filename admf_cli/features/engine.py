"""Computes features for all symbols of a timeline, each once. Refuses to know what the functions mean.

Every symbol is computed over its own bars only: rows at which it has no bar, or at which an input is undefined, are
skipped, and the results are put back in their places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from admf_cli.features import talib_bridge
from admf_cli.features.across import ACROSS
from admf_cli.features.catalogue import describe, is_built_in
from admf_cli.features.extension import installed_feature, run_extension
from admf_cli.features.formulas import FORMULAS
from admf_cli.features.spec import FeatureSpec, resolve
from admf_cli.market.bars import Bars, BoolArray, FloatArray, IntArray

_Call = tuple[str, tuple[tuple[str, object], ...], tuple[str | FeatureSpec, ...]]


def compute(specs: Mapping[str, FeatureSpec], bars: Bars) -> dict[str, FloatArray]:
    """Compute `specs`; see `admf_cli.features.compute`."""
    done: dict[_Call, tuple[FloatArray, ...]] = {}
    return {name: _column(resolve(spec, specs, (name,)), bars, done) for name, spec in specs.items()}


def lookback(spec: FeatureSpec) -> int:
    """Return the bars before the first value; see `admf_cli.features.lookback`."""
    params = dict(spec.params)
    if spec.type in FORMULAS:
        own = FORMULAS[spec.type].lookback(params)
    elif spec.type in ACROSS:
        own = 0
    elif not is_built_in(spec.type) and (installed := installed_feature(spec.type)) is not None:
        own = installed.lookback(params)
    else:
        own = talib_bridge.lookback(spec.type, params)
    return own + max((lookback(item) for item in spec.inputs if isinstance(item, FeatureSpec)), default=0)


def _column(spec: FeatureSpec, bars: Bars, done: dict[_Call, tuple[FloatArray, ...]]) -> FloatArray:
    call = (spec.type, spec.params, spec.inputs)
    if call not in done:
        outputs = _outputs(spec, bars, done)
        for output in outputs:
            output.flags.writeable = False
        done[call] = outputs
    return done[call][0 if spec.output is None else describe(spec.type).outputs.index(spec.output)]


def _outputs(spec: FeatureSpec, bars: Bars, done: dict[_Call, tuple[FloatArray, ...]]) -> tuple[FloatArray, ...]:
    inputs: list[FloatArray] = [
        _column(item, bars, done) if isinstance(item, FeatureSpec) else getattr(bars, item) for item in spec.inputs
    ]
    params = dict(spec.params)
    if spec.type in ACROSS:
        return ACROSS[spec.type](inputs[0], params, bars)
    derived = any(isinstance(item, FeatureSpec) for item in spec.inputs) or "volume" in spec.inputs
    outputs = tuple(np.empty((bars.n_bars, bars.n_symbols), order="F") for _ in describe(spec.type).outputs)
    for symbol in range(bars.n_symbols):
        columns = [column[:, symbol] for column in inputs]
        rows = _usable_rows(bars, symbol, columns, derived)
        if rows is None:
            for output, result in zip(outputs, _run(spec.type, columns, params, bars.times), strict=True):
                output[:, symbol] = result
            continue
        used = [column[rows] for column in columns]
        for output, result in zip(outputs, _run(spec.type, used, params, bars.times[rows]), strict=True):
            output[:, symbol] = np.nan
            output[rows, symbol] = result
    return outputs


def _run(
    feature_type: str, columns: Sequence[FloatArray], params: Mapping[str, Any], times: IntArray
) -> tuple[FloatArray, ...]:
    if feature_type in FORMULAS:
        return FORMULAS[feature_type].run(columns, params, times)
    if not is_built_in(feature_type) and (installed := installed_feature(feature_type)) is not None:
        return run_extension(installed, columns, params, times)
    return talib_bridge.call(feature_type, columns, params)


def _usable_rows(bars: Bars, symbol: int, columns: Sequence[FloatArray], derived: bool) -> BoolArray | None:
    """Return the rows to compute over, or None for all of them; only prices are known to be finite."""
    rows = None if bars.present is None else bars.present[:, symbol]
    if derived:
        finite = np.ones(bars.n_bars, dtype=bool) if rows is None else rows.copy()
        for column in columns:
            finite &= np.isfinite(column)
        rows = finite
    return None if rows is None or bool(rows.all()) else rows
