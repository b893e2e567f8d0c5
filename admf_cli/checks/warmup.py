"""How many bars a feature needs before its value no longer depends on where the data begins.

A moving average needs its length; a recursive one (EMA, RSI, ADX and their kind) goes on settling after its first
value, and a running total never settles. Measured, not read from a table: each feature is computed on windows of
growing length that end at the same bars, and compared with its value on all the data.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from admf_cli.checks.rerun import Phase
from admf_cli.features import FeatureSpec, compute, lookback, resolve
from admf_cli.market.bars import FloatArray
from admf_cli.topology.plan import plan

_PROBES = 6
_GROWTH = 1.3


class Warmup(Struct, frozen=True):
    """One feature in one phase.

    Attributes:
        lookback: bars before its first value.
        needed: bars, the one it is read at included, from which on the value is within the tolerance of what it is
            on all the data; None if that is not so within the data.
        unsettled: bars of the phase on which it has a value that has not settled.
    """

    feature: str
    lookback: int
    needed: int | None
    unsettled: int


def check_warmup(phase: Phase, tolerance: float) -> list[Warmup]:
    """Return what every feature of a phase needs.

    Args:
        tolerance: of a value's difference, as a fraction of the feature's standard deviation.
    """
    _, specs = plan({"config": phase.settings}, phase.sources)
    return [_of_one(phase, name, resolve(spec, specs, (name,)), tolerance) for name, spec in specs.items()]


def _of_one(phase: Phase, name: str, spec: FeatureSpec, tolerance: float) -> Warmup:
    before = lookback(spec)
    bars = phase.bars.window(0, phase.stop)
    whole = compute({name: spec}, bars)[name]
    needed = _needed(phase, spec, whole, before, tolerance)
    # On the phase's first bar there are so many, itself included; it has a value from `before + 1` on.
    first = max(phase.warmup_bars + 1, before + 1)
    last = phase.warmup_bars + phase.n_bars
    unsettled = max(0, (last + 1 if needed is None else min(needed, last + 1)) - first)
    return Warmup(name, before, needed, unsettled)


def _needed(phase: Phase, spec: FeatureSpec, whole: FloatArray, before: int, tolerance: float) -> int | None:
    stop = phase.stop
    if stop <= before + 1:
        return before + 1
    finite = whole[np.isfinite(whole)]
    scale = float(np.std(finite)) if len(finite) else 0.0
    allowed = tolerance * scale
    first_probe = max(before + 1, stop // 2)
    probes = sorted({int(place) for place in np.linspace(first_probe, stop - 1, _PROBES)})

    def settled(length: int) -> bool:
        for probe in probes:
            start = max(0, probe + 1 - length)
            value = compute({"x": spec}, phase.bars.window(start, probe + 1))["x"][-1]
            there = np.isfinite(whole[probe])
            if (np.isfinite(value) != there).any() or (np.abs(value - whole[probe])[there] > allowed).any():
                return False
        return True

    lengths = _lengths(before + 1, probes[0])
    last_bad = max((place for place, length in enumerate(lengths) if not settled(length)), default=-1)
    if last_bad == len(lengths) - 1:
        return None
    if last_bad < 0:
        return lengths[0]
    low, high = lengths[last_bad], lengths[last_bad + 1]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high


def _lengths(least: int, most: int) -> list[int]:
    """Return lengths from the least to the most, each a little more than the last."""
    lengths = [least]
    while lengths[-1] < most:
        lengths.append(min(most, max(lengths[-1] + 1, int(lengths[-1] * _GROWTH))))
    return lengths
