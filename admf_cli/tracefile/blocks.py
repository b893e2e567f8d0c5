"""Columns to a block of lines, in NumPy. Refuses to know what the lines are for.

A block is put together in place, a piece of all its lines at a time: where each line begins follows from the lengths
of its parts. A number is copied as 24 bytes, whatever its length; what is copied too much, the next piece of the line
covers, and after the last piece the next line's head. So pieces go from left to right and heads come last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from admf_cli.tracefile.format import timestamp_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    ByteArray: TypeAlias = NDArray[np.uint8]
    IntArray: TypeAlias = NDArray[np.int64]

LONGEST_NUMBER = 24
"""Bytes of `-1.7976931348623157e-308`, the longest text of a float64."""

# What is copied too much of a line's last number, of 3 bytes and followed by a line end, the next line's head covers.
_SHORTEST_HEAD = LONGEST_NUMBER - 4

ROWS_AT_ONCE = 4096
"""Lines a block, so that it and what it is made from stay in the processor's cache."""

ORJSON_TIME_LIMIT = 253_402_207_200_000_000
"""Microseconds; orjson knows no later moment, though the year 9999 has two days more."""

_ARRAY = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_COMMA = ord(",")


class Lines:
    """A block of lines under construction.

    Args:
        lengths: shape (n,), the bytes of each line.
    """

    __slots__ = ("_buffer", "_bytes", "starts")

    def __init__(self, lengths: IntArray) -> None:
        import numpy as np

        ends = np.cumsum(lengths)
        self.starts: IntArray = ends - lengths
        self._bytes = int(ends[-1])
        self._buffer: ByteArray = np.empty(self._bytes + LONGEST_NUMBER, np.uint8)

    def put_constant(self, at: IntArray, text: bytes) -> None:
        """Write one text at every place of `at`."""
        import numpy as np

        if text:
            self._overlapping(len(text))[at] = np.void(text)

    def put_texts(self, at: IntArray, texts: NDArray[np.void]) -> None:
        """Write texts of one length, shape (n,), each at its place."""
        self._overlapping(texts.dtype.itemsize)[at] = texts

    def put_heads(self, rows: slice | IntArray, heads: NDArray[np.void]) -> None:
        """Write the heads of these lines, shape (n,), after everything else."""
        assert heads.dtype.itemsize >= _SHORTEST_HEAD
        self.put_texts(self.starts[rows], heads)

    def view(self) -> memoryview:
        """Return the finished lines."""
        return self._buffer.data[: self._bytes]

    def _overlapping(self, width: int) -> NDArray[np.void]:
        return overlapping(self._buffer, width)


class Numbers:
    """The texts of a table of float64, as orjson writes them one by one.

    Attributes:
        lengths: shape (n_rows, n_columns), the bytes of each.
    """

    __slots__ = ("_begins", "_text", "lengths")

    def __init__(self, columns: Sequence[NDArray[np.float64]]) -> None:
        import numpy as np

        table = np.empty((len(columns[0]), len(columns)))
        for place, column in enumerate(columns):
            table[:, place] = column
        text = as_text(table.ravel())
        self._text = np.frombuffer(text + bytes(LONGEST_NUMBER), np.uint8)
        marks = np.empty(table.size + 1, np.int64)
        marks[0] = 0
        marks[1:-1] = np.flatnonzero(self._text[: len(text)] == _COMMA)
        marks[-1] = len(text) - 1
        self._begins: IntArray = (marks[:-1] + 1).reshape(table.shape)
        self.lengths: IntArray = np.diff(marks).reshape(table.shape) - 1

    def texts(self, column: int) -> NDArray[np.void]:
        """Return a column's texts, shape (n_rows,), of `LONGEST_NUMBER` bytes each with what happens to follow."""
        return overlapping(self._text, LONGEST_NUMBER)[self._begins[:, column]]


class Heads:
    """Lines' heads that are all of one shape: a template, and columns of texts of one width each in its gaps."""

    __slots__ = ("_cells", "_count", "_parts", "length")

    def __init__(self, count: int) -> None:
        self.length = 0
        self._count = count
        self._parts: list[bytes] = []
        self._cells: list[tuple[int, NDArray[np.void]]] = []

    def constant(self, text: bytes) -> None:
        """Add a text that is the same in all heads."""
        self._parts.append(text)
        self.length += len(text)

    def column(self, texts: NDArray[np.void]) -> None:
        """Add a text of its own for each head, shape (count,)."""
        width = texts.dtype.itemsize
        self._cells.append((self.length, texts))
        self.constant(bytes(width))

    def texts(self) -> NDArray[np.void]:
        """Return the heads, shape (count,)."""
        import numpy as np

        heads = np.full(self._count, np.void(b"".join(self._parts)))
        for offset, texts in self._cells:
            width = texts.dtype.itemsize
            np.ndarray((self._count,), f"V{width}", heads, offset, (self.length,))[:] = texts
        return heads


def as_text(values: NDArray[Any]) -> bytes:
    """Return an array's JSON, `[..,..]`."""
    import numpy as np

    return orjson.dumps(np.ascontiguousarray(values), option=_ARRAY)


def equally_long(values: NDArray[Any]) -> NDArray[np.void]:
    """Return the JSON texts of values that are all of the same length, shape (n,)."""
    import numpy as np

    text = as_text(values)
    width, left_over = divmod(len(text) - 1, len(values))
    assert not left_over, "texts of one length"
    return np.ndarray((len(values),), f"V{width - 1}", text, 1, (width,))


def moments(time: IntArray) -> NDArray[np.void]:
    """Return the JSON texts of times that all have a fraction of a second, or that all have none, shape (n,).

    Args:
        time: microseconds since 1970 UTC; see `fractional`.
    """
    import numpy as np

    if int(time.max()) < ORJSON_TIME_LIMIT:
        return equally_long(time.astype("datetime64[us]"))
    return np.array([f'"{timestamp_text(moment)}"'.encode() for moment in time.tolist()]).view("V")


def timestamps(times: Sequence[int]) -> list[str]:
    """Return times, microseconds since 1970 UTC, as `timestamp_text` gives them one by one."""
    import numpy as np

    if max(times, default=0) >= ORJSON_TIME_LIMIT:
        return [timestamp_text(time) for time in times]
    return as_text(np.array(times, dtype="datetime64[us]"))[2:-2].decode().split('","') if times else []


def fractional(time: IntArray) -> NDArray[np.bool_]:
    """Return which times have a fraction of a second, and so a longer text."""
    found: NDArray[np.bool_] = time % 1_000_000 != 0
    return found


def alike(shape: NDArray[Any]) -> Iterator[slice | IntArray]:
    """Yield the rows of each value that `shape` has; `slice(None)` where it is one for all."""
    import numpy as np

    if (shape == shape[0]).all():
        yield slice(None)
        return
    ordered = np.sort(shape)  # not `np.unique`, which would load NumPy's masked arrays for this
    for value in ordered[np.diff(ordered, append=ordered[-1] + 1) != 0]:
        yield np.flatnonzero(shape == value)


def overlapping(text: ByteArray, width: int) -> NDArray[np.void]:
    """Return every `width` bytes of a text, one begun at each byte, without copying."""
    import numpy as np

    return np.ndarray((len(text) - width + 1,), f"V{width}", text, 0, (1,))


def digits(values: IntArray) -> IntArray:
    """Return how many digits non-negative integers have, shape (n,)."""
    import numpy as np

    return np.searchsorted(_POWERS, values, side="right") + 1


def parts(count: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the half-open ranges of at most `size` that make up `range(count)`."""
    for start in range(0, count, size):
        yield start, min(start + size, count)


_POWERS = [10**power for power in range(1, 19)]
