"""What stands in a Parquet file, decoded in this very process; and a reading process that ends before its answer."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from admf_cli.errors import MarketDataError
from admf_cli.market import parquet_rows
from admf_cli.market.parquet_file import read_parquet
from admf_cli.market.parquet_rows import decode

MOMENTS = [datetime(2020, 1, 2, 9, 30), datetime(2020, 1, 2, 9, 31)]


def written(path: Path, **columns: Any) -> Path:
    """Write two bars of one minute, with other columns in place of or beside theirs."""
    prices = {name: [1.0, 1.5] for name in ("open", "high", "low", "close", "volume")}
    polars.DataFrame({"timestamp": MOMENTS, **prices, **columns}).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"close": ["1.0", "1.5"]}, "column close holds String, not numbers; write it as Float64"),
        ({"close": [1.0, None]}, r"row 2, column close: must be a number \(got None\)"),
        ({"symbol": [1.5, 2.5]}, "column symbol holds Float64, not text; write it as String"),
        ({"timestamp": [MOMENTS[0], None]}, "row 2, column timestamp: must be a time"),
        ({"timestamp": [1.5, 2.5]}, "column timestamp holds Float64, not times; write it as Datetime"),
        ({"timestamp": polars.Series([0, 1001]).cast(polars.Datetime("ns"))}, "row 2.*finer than a microsecond"),
        ({"timestamp": ["2020-01-02 09:30", "2020-01-02 9h31"]}, "row 2, column timestamp: .*2020-01-02 9h31"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_a_column_of_the_wrong_kind_or_a_missing_value_is_named(
    columns: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(MarketDataError, match=said):
        decode(written(tmp_path / "b.parquet", **columns), {})


@pytest.mark.parametrize(
    "timestamp",
    [
        ["2020-01-02 09:30:00", "2020-01-02 09:31:00"],
        [1577957400, 1577957460],
        polars.Series(MOMENTS).cast(polars.Datetime("ns")),
        polars.Series(MOMENTS).cast(polars.Datetime("ms")),
    ],
    ids=["texts", "Unix seconds", "nanoseconds", "milliseconds"],
)
def test_a_moment_is_the_same_however_it_is_stored(timestamp: Any, tmp_path: Path) -> None:
    table = decode(written(tmp_path / "b.parquet", timestamp=timestamp, symbol=[600519, 600519]), {})
    assert table.times.tolist() == [1577957400_000000, 1577957460_000000]
    assert list(table.symbols or ()) == ["600519", "600519"]
    assert np.array_equal(table.columns["close"], [1.0, 1.5])


def test_a_file_without_rows_and_one_with_too_many_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "b.parquet")
    polars.read_parquet(path).clear().write_parquet(tmp_path / "none.parquet")
    with pytest.raises(MarketDataError, match="there are columns but no row of data"):
        decode(tmp_path / "none.parquet", {})
    monkeypatch.setattr(parquet_rows, "_MAX_BYTES", 2 * 6 * 8 - 1)  # two rows of six columns of eight bytes each
    with pytest.raises(MarketDataError, match=r"2 rows, more than .* split the file"):
        decode(path, {})


HEAD = json.dumps({"rows": 9, "columns": ["open"], "symbols": None, "notes": []})


@pytest.mark.parametrize(
    "script",
    ["exit 3", "cat > /dev/null; exit 3", f"cat > /dev/null; echo '{HEAD}'"],
    ids=["before it took the request", "before it answered", "within its answer"],
)
def test_a_reading_process_that_ends_early_is_a_fault_of_the_file(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    request = {"columns": {"open": "x" * (1 << 20)}}  # more than a pipe holds, so that it has to be taken
    with pytest.raises(MarketDataError, match=r"b\.parquet: not readable as Parquet.*ended with an internal error"):
        read_parquet(tmp_path / "b.parquet", request)
