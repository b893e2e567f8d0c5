"""Figures of long series a part at a time, so that what is computed on the way stays in the processor's cache.

Refuses to know what the series are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from admf_cli.market.bars import FloatArray

_LONGEST = 1 << 17  # numbers, 1 MiB


def parts(length: int) -> Iterator[slice]:
    """Yield the parts of `range(length)`, in order."""
    for start in range(0, length, _LONGEST):
        yield slice(start, min(start + _LONGEST, length))


def total(length: int, terms: Callable[[int, int], FloatArray]) -> float:
    """Return the sum of a series, to the bit that of `numpy.add.reduce` over the whole of it.

    It is halved as NumPy's pairwise summation halves it (Higham (1993), The Accuracy of Floating Point Summation, SIAM
    Journal on Scientific Computing 14(4)), which does the rest.

    Args:
        terms: returns those in `[start, stop)`, shape (stop - start,).
    """

    def between(start: int, stop: int) -> float:
        count = stop - start
        if count <= _LONGEST:
            return float(np.add.reduce(terms(start, stop)))
        half = count // 2
        half -= half % 8
        return between(start, start + half) + between(start + half, stop)

    return between(0, length)
