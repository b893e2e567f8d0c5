"""Market data: two readers, one result; faults named by row, column and value; nothing repaired silently."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admf_cli.errors import MarketDataError
from admf_cli.market import csv_file, csv_rows
from admf_cli.market.load import load_bars, phase_window
from admf_cli.market.periods import periods_per_year

ROOT = Path(__file__).resolve().parents[2]
HEAD = "timestamp,open,high,low,close,volume\n"
GOOD = HEAD + "2020-01-02,1,2,0.5,1.5,10\n2020-01-03,1.5,2,1,1,10\n"
SYNTHETIC = {"bars": 300, "seed": 3, "drift": 0.05, "volatility": 0.3, "start_price": 50.0}


def load(path: Path, **more: Any) -> Any:
    return load_bars({"source": "csv", "path": str(path), **more})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        (HEAD, ["no row"]),
        ("a,b\n1,2\n", ["no column for timestamp"]),
        (HEAD.replace(",", ";") + "2020-01-02;1;2;0.5;1.5;10\n", ["data.delimiter"]),
        (HEAD.replace("volume", "close") + "2020-01-02,1,2,0.5,1.5,1\n", ["2 columns could be close"]),
        (GOOD + "2020-01-03,1,2,0.5,1,1\n", ["row 4", "twice"]),
        (GOOD + "2020-01-01,1,2,0.5,1,1\n", ["row 4", "sort"]),
        (GOOD + "2020-01-06,nan,2,0.5,1,1\n", ["row 4, column open", "nan"]),
        (GOOD + "2020-01-06,1_000,2000,0.5,1,1\n", ["row 4, column open", "1_000"]),
        (GOOD + "2020-01-06,inf,2,0.5,1,1\n", ["row 4, column open"]),
        (GOOD + "2020-01-06,-1,2,-2,1,1\n", ["row 4, column open", "above zero"]),
        (GOOD + "2020-01-06,1,0.5,0.4,1,1\n", ["row 4, column high", "below open or close"]),
        (GOOD + '2020-01-06,"1,000",2000,0.5,1,1\n', ["row 4, column open", "thousands"]),
        (GOOD + "2020-01-06,1,2,0.5\n", ["row 4", "4 fields"]),
        (GOOD + "2020-13-06,1,2,0.5,1,1\n", ["row 4, column timestamp"]),
        (GOOD + "06/01/2020,1,2,0.5,1,1\n", ["row 4, column timestamp"]),
        (GOOD + "2020-01-06 00:00:00,1,2,0.5,1,1\n", ["row 4", "another form"]),
        (GOOD + "2020-01-06,1,2,0.5,1,1\0\n", ["row 4", "NUL"]),
        (GOOD + "\n2020-01-06,1,2,0.5,1,1\n", ["row 4", "empty line"]),
    ],
    ids=range(19),
)
def test_a_fault_names_row_column_and_value(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text)
    with pytest.raises(MarketDataError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_both_readers_give_the_same_table_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sp500", "amzn", "meta", "nflx"):
        path = ROOT / "data" / f"{name}_daily.csv"
        careful = load(path).bars
        with monkeypatch.context() as patch:
            patch.setattr(csv_file, "_LARGE_BYTES", 0)
            patch.setattr(csv_rows, "read_carefully", lambda *_: pytest.fail("Polars should have read this"))
            large = load(path).bars
        for column in ("times", "open", "high", "low", "close", "volume"):
            assert np.array_equal(getattr(careful, column), getattr(large, column))


def test_bom_crlf_gzip_and_usual_names_are_read(tmp_path: Path) -> None:
    text = "\ufeffDate,Open,High,Low,Close,Adj Close,Volume\r\n2020-01-02,1,2,0.5,1.5,1.5,10\r\n"
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    loaded = load(path)
    assert loaded.bars.symbols == ("bars",)
    assert loaded.bars.close.tolist() == [[1.5]]


def test_parquet_gives_the_bars_of_the_same_csv(tmp_path: Path) -> None:
    import polars

    csv_path = ROOT / "data" / "amzn_daily.csv"
    polars.read_csv(csv_path, try_parse_dates=True).write_parquet(tmp_path / "bars.parquet")
    from_parquet = load_bars({"source": "parquet", "path": str(tmp_path / "bars.parquet"), "symbols": ["A"]})
    from_csv = load(csv_path, symbols=["A"])
    assert from_parquet.sha256() == from_csv.sha256()


def test_pipes_and_missing_files_are_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(MarketDataError, match="not a regular file"):
        load(tmp_path / "pipe.csv")
    (tmp_path / "prices.csv").write_text(GOOD)
    with pytest.raises(MarketDataError, match=r"did you mean .*prices\.csv"):
        load(tmp_path / "price.csv")


def test_symbols_are_aligned_by_time_and_sorted(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(HEAD + "2020-01-02,1,1,1,1,1\n2020-01-06,3,3,3,3,1\n")
    (tmp_path / "a.csv").write_text(HEAD + "2020-01-03,2,2,2,2,1\n2020-01-06,4,4,4,4,1\n")
    bars = load_bars({"source": "csv", "path": {"B": str(tmp_path / "b.csv"), "A": str(tmp_path / "a.csv")}}).bars
    assert bars.symbols == ("A", "B")
    assert bars.present is not None
    assert bars.present.tolist() == [[False, True], [True, False], [True, True]]
    assert np.nan_to_num(bars.close).tolist() == [[0, 1], [2, 0], [4, 3]]
    assert not bars.close.flags.writeable


def test_a_synthetic_symbol_depends_on_seed_and_name_alone() -> None:
    alone = load_bars({"source": "synthetic", "symbols": ["A"], "synthetic": SYNTHETIC}).bars
    both = load_bars({"source": "synthetic", "symbols": ["B", "A"], "synthetic": SYNTHETIC}).bars
    assert np.array_equal(alone.close[:, 0], both.close[:, 0])
    assert (alone.high >= np.maximum(alone.open, alone.close)).all()
    assert (alone.low <= np.minimum(alone.open, alone.close)).all()


def test_an_end_date_includes_its_whole_day_and_an_empty_range_names_what_there_is(tmp_path: Path) -> None:
    rows = "".join(f"2020-01-0{day} {hour}:00:00,1,1,1,1,1\n" for day in (2, 3) for hour in (10, 15))
    (tmp_path / "b.csv").write_text(HEAD + rows)
    bars = load(tmp_path / "b.csv").bars
    assert phase_window(bars, "2020-01-02", "2020-01-02") == (0, 2)
    assert phase_window(bars, None, None) == (0, 4)
    with pytest.raises(MarketDataError, match="2020-01-02T10:00:00"):
        phase_window(bars, "2021-01-01", None)


def test_bars_a_year_come_from_the_data_and_say_so() -> None:
    day = 86_400_000_000
    weekdays = np.busday_offset("2020-01-01", np.arange(300), roll="forward").astype("datetime64[us]").astype(np.int64)
    assert periods_per_year(weekdays, "1d")[0] == 252
    assert periods_per_year(np.arange(300) * day, "1d")[0] == 365
    assert periods_per_year(weekdays, "1w")[0] == 52
    minutes = np.arange(3 * 1440) * 60_000_000
    assert periods_per_year(minutes, "1m")[0] == 365 * 1440
    assert periods_per_year(weekdays, "1d", override=260.0) == (260.0, "data.periods_per_year")
    assert "252" in periods_per_year(weekdays, "1d")[1]


def test_what_looks_like_a_split_is_a_warning_and_with_strict_an_error(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text(HEAD + "2020-01-02,100,101,99,100,5\n2020-01-03,50,51,49,50,0\n")
    warnings = load(path).warnings
    assert any("split" in warning and "2020-01-03" in warning for warning in warnings)
    assert any("zero volume" in warning for warning in warnings)
    with pytest.raises(MarketDataError, match=r"data\.strict"):
        load(path, strict=True)


def test_gaps_against_the_exchange_s_calendar_are_warnings_that_name_the_days(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    # 2020-02-17 was Presidents' Day; 2020-02-18 was a session
    days = ("2020-02-13", "2020-02-14", "2020-02-17", "2020-02-19")
    path.write_text(HEAD + "".join(f"{day},100,101,99,100,5\n" for day in days))
    assert list(load(path, calendar="XNYS").warnings) == [
        "b: 1 session of XNYS without a bar: 2020-02-18",
        "b: 1 day with bars on which XNYS is closed: 2020-02-17",
    ]
    assert not load(path).warnings
    with pytest.raises(MarketDataError, match="1 session of XNYS"):
        load(path, calendar="XNYS", strict=True)


def test_prices_are_adjusted_by_the_adjusted_close_if_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    # four for one on the 3rd: the bar before it is worth a quarter, and nothing jumps
    head = HEAD.replace("\n", ",Adj Close\n")
    path.write_text(head + "2020-01-02,400,404,396,400,5,100\n2020-01-03,101,102,99,100,5,100\n")
    assert any("split" in warning for warning in load(path).warnings)
    loaded = load(path, adjust=True)
    assert not loaded.warnings
    bars = loaded.bars
    assert [column[0, 0] for column in (bars.open, bars.high, bars.low, bars.close)] == [100.0, 101.0, 99.0, 100.0]
    assert bars.open[1, 0] == 101.0
    path.write_text(HEAD + "2020-01-02,400,404,396,400,5\n")
    with pytest.raises(MarketDataError, match=r"data\.adjust needs a column adj_close"):
        load(path, adjust=True)
