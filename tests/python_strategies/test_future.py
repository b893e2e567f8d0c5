"""A bar-by-bar strategy reaches for the future in the arrays that it is given, by every way NumPy has."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from admf_cli.python_strategies.past import Past

N, FIRST, SYMBOLS = 2000, 10, 3
PRESENT = np.random.default_rng(3).random((N, SYMBOLS)) < 0.8


class Clock:
    bar = 0
    time = 0


def past(present: Any, clock: Clock) -> Past:
    """Return a past whose every number is the row it stands in, so that a number tells when it was known."""
    rows = np.repeat(np.arange(N, dtype=float)[:, None], SYMBOLS, axis=1)
    columns = {"close": np.asfortranarray(rows), "feature": np.ascontiguousarray(rows)}
    opened = Past(columns, present, FIRST, SYMBOLS, clock)
    opened.begin()
    return opened


def reachable(array: Any) -> Iterator[np.ndarray]:
    """Yield an array and every array or buffer below it, as arrays."""
    seen: list[Any] = [array]
    for item in seen:
        found = [getattr(item, "base", None), getattr(item, "obj", None), *gc.get_referents(item)]
        seen += [
            x for x in found if isinstance(x, np.ndarray | memoryview | bytearray) and not any(x is y for y in seen)
        ]
        yield np.asarray(item) if isinstance(item, np.ndarray) else np.frombuffer(item, np.float64)


@pytest.mark.parametrize("present", [None, PRESENT], ids=["every bar", "gaps"])
def test_nothing_later_than_now_is_in_any_array_or_its_base(present: Any) -> None:
    clock = Clock()
    known = past(present, clock)
    kept: list[tuple[int, np.ndarray]] = []
    for bar in [0, 1, 2, 3, 250, 251, 700, 1500, N - FIRST - 1]:
        clock.bar = bar
        now = FIRST + bar
        for array in (known.series("close", 1), known.table("feature"), known.series("feature", 2)[-3:]):
            kept.append((now, array))
            for below in reachable(array):
                assert not np.any(below > now)  # unset places are nan, which is not greater
            room = (array.base.nbytes - (array.ctypes.data - array.base.ctypes.data)) // array.strides[0]
            stretched = as_strided(array, shape=(room, *array.shape[1:]), strides=array.strides)
            assert room >= len(array)
            assert not np.any(stretched > now)  # all of the buffer, past the array's end
        assert known.value("close", 0) <= now
    for now, array in kept:  # an array that was kept does not grow
        assert not np.any(array > now)


def test_series_and_tables_are_the_columns_up_to_now() -> None:
    clock = Clock()
    known = past(PRESENT, clock)
    for bar in (0, 5, 300, 301):
        clock.bar = bar
        own = np.flatnonzero(PRESENT[: FIRST + bar + 1, 1]).astype(float)
        assert known.series("close", 1).tolist() == own.tolist()
        assert known.value("close", 1) == own[-1]
        assert known.has_bar(1) == PRESENT[FIRST + bar, 1]
        assert known.table("close").tolist() == [[float(row)] * SYMBOLS for row in range(FIRST + bar + 1)]


def test_no_array_can_be_written_or_made_writable() -> None:
    known = past(None, Clock())
    array = known.series("close", 0)
    for target in (array, array.base, known.table("close")):
        assert isinstance(target, np.ndarray)
        with pytest.raises(ValueError, match="read-only"):
            target[0] = 1.0
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            target.flags.writeable = True


def test_before_the_first_bar_its_close_is_not_known() -> None:
    opened = Past({"close": np.arange(20.0)[:, None]}, None, 5, 1, Clock())
    assert opened.series("close", 0).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert opened.value("close", 0) == 4.0


def test_before_a_symbol_s_first_bar_there_is_no_value_and_without_gaps_there_is_always_a_bar() -> None:
    clock = Clock()
    late = np.array([[True, False], [True, False], [True, True]])
    known = Past({"close": np.arange(6.0).reshape(3, 2)}, late, 0, 2, clock)
    assert np.isnan(known.value("close", 0))  # nothing has closed yet
    known.begin()
    assert (known.value("close", 0), known.has_bar(0), known.has_bar(1)) == (0.0, True, False)
    assert np.isnan(known.value("close", 1))
    clock.bar = 2
    assert (known.value("close", 1), known.has_bar(1)) == (5.0, True)
    whole = Past({"close": np.arange(3.0)[:, None]}, None, 0, 1, Clock())
    assert np.isnan(whole.value("close", 0))
    assert whole.has_bar(0)
