"""Values that cannot be true: the quick look over whole columns and the one that names rows agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli.errors import MarketDataError
from admf_cli.market.faults import Faults
from admf_cli.market.table import LARGEST, SMALLEST, Table, check_values, note_values
from admf_cli.market.timeframe import infer_timeframe

NAMES = ("open", "high", "low", "close", "volume")
ODD = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1.0, SMALLEST, SMALLEST / 2, LARGEST, LARGEST * 2, 5e-324])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_table_is_refused_if_and_only_if_a_row_of_it_is(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 4))
    columns = {"open": [2.0] * rows, "high": [3.0] * rows, "low": [1.0] * rows, "close": [2.5] * rows}
    columns["volume"] = [10.0] * rows
    for _ in range(data.draw(st.integers(0, 2))):
        name, row = data.draw(st.sampled_from(NAMES)), data.draw(st.integers(0, rows - 1))
        columns[name][row] = data.draw(st.one_of(ODD, st.floats(0.5, 4.0)))
    arrays = {name: np.array(column) for name, column in columns.items()}
    faults = Faults("bars.csv", lambda row: row + 2)
    note_values(arrays, faults)
    table = Table("bars.csv", np.arange(rows), arrays, None, lambda row: row + 2)
    if faults.count:
        with pytest.raises(MarketDataError, match="in all"):
            check_values(table)
    else:
        check_values(table)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([0, 1, 2, 3], "1m"),
        ([0, 60, 61, 62, 63], "1m"),  # the first step is not the commonest
        ([0, 5, 10, 11, 16, 17], "5m"),
        ([0, 1, 6, 7, 12], "1m"),  # as common as the other: the shorter
        ([0, 5, 6, 11, 12], "1m"),
    ],
)
def test_the_timeframe_is_the_commonest_step(minutes: list[int], expected: str) -> None:
    assert str(infer_timeframe(np.array(minutes) * 60_000_000)) == expected
