"""Bars of many symbols on one timeline, as columns. Refuses to know where they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]


class Bars(Struct, frozen=True):
    """Open, high, low, close and volume of every symbol at every time at which any symbol has a bar.

    Attributes:
        symbols: sorted by name, so that their order in a configuration changes nothing.
        times: shape (n_bars,), microseconds since 1970 UTC, strictly increasing.
        open, high, low, close, volume: shape (n_bars, n_symbols), column-contiguous (each symbol's series is one
            contiguous run), nan where a symbol has no bar; read-only.
        present: shape (n_bars, n_symbols), True where the symbol has a bar; None when every symbol has every bar.
    """

    symbols: tuple[str, ...]
    times: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    present: BoolArray | None = None

    @property
    def n_bars(self) -> int:
        """Number of moments on the timeline."""
        return len(self.times)

    @property
    def n_symbols(self) -> int:
        """Number of symbols."""
        return len(self.symbols)

    def window(self, start: int, stop: int) -> Bars:
        """Return the bars of the half-open index range `[start, stop)` as views, nothing copied."""
        cut = slice(start, stop)
        return Bars(
            symbols=self.symbols,
            times=self.times[cut],
            open=self.open[cut],
            high=self.high[cut],
            low=self.low[cut],
            close=self.close[cut],
            volume=self.volume[cut],
            present=None if self.present is None else self.present[cut],
        )


def bars_digest(symbols: Sequence[str], columns: Iterable[NDArray[Any]]) -> hashlib._Hash:
    """Return the sha256 so far of names and of columns, each symbol after the other, which may be more to come."""
    digest = hashlib.sha256("\0".join(symbols).encode())
    for column in columns:
        digest.update(np.ascontiguousarray(column.T).data)
    return digest


def immutable_copy(array: Any) -> Any:
    """Return a copy over memory that can never be written to, for code that is not ours.

    A read-only view would do for honest mistakes; but whoever made it writable again, or wrote to its base, would
    change the prices at which everybody trades, and no rerun would tell.
    """
    return np.frombuffer(array.tobytes(order="F"), array.dtype).reshape(array.shape, order="F")
