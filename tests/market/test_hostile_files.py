"""Damaged, cut-off or ambiguous files: a named fault or a warning, never a traceback or a silent repair."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from admf_cli.errors import MarketDataError
from admf_cli.market.load import LoadedBars, load_bars

HEAD = "timestamp,open,high,low,close,volume\n"
GOOD = HEAD + "2020-01-02,1,2,0.5,1,10\n2020-01-03,1,2,0.5,1,10\n"


def load(path: Path, text: str | bytes, **more: Any) -> LoadedBars:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_bars({"source": "csv", "path": str(path), **more})


def test_a_last_line_without_its_end_is_a_warning_and_with_strict_an_error(tmp_path: Path) -> None:
    assert load(tmp_path / "bars.csv", GOOD).warnings == ()
    # Cut by two bytes, a volume of 10 reads as 1.
    cut = GOOD[:-2]
    assert "cut off" in load(tmp_path / "bars.csv", cut).warnings[0]
    with pytest.raises(MarketDataError, match="no line end"):
        load(tmp_path / "bars.csv", cut, strict=True)


def test_bars_without_any_volume_are_a_warning(tmp_path: Path) -> None:
    text = "date,open,high,low,close\n2020-01-02,1,2,0.5,1\n2020-01-03,1,2,0.5,1\n"
    assert "no volume" in load(tmp_path / "bars.csv", text).warnings[0]


def test_an_unknown_time_zone_is_a_fault_with_a_remedy(tmp_path: Path) -> None:
    text = GOOD.replace("2020-01-02,", "2020-01-02 10:00,").replace("2020-01-03,", "2020-01-03 10:00,")
    with pytest.raises(MarketDataError, match="IANA name"):
        load(tmp_path / "bars.csv", text, timezone="Nope/Zone")


@pytest.mark.parametrize(
    ("time", "zone"),
    [
        ("0001-01-01 00:00:00+14:00", "UTC"),
        ("9999-12-31 23:00:00-14:00", "UTC"),
        ("0001-01-01 00:00:00", "Asia/Tokyo"),
    ],
)
def test_times_whose_utc_leaves_the_calendar_are_faults(tmp_path: Path, time: str, zone: str) -> None:
    with pytest.raises(MarketDataError, match="years 1 to 9999"):
        load(tmp_path / "bars.csv", HEAD + f"{time},1,1,1,1,1\n", timezone=zone)


def test_a_row_without_a_symbol_is_a_fault_in_csv_and_parquet(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="row 3, column symbol"):
        load(tmp_path / "bars.csv", "symbol," + HEAD + "A,2020-01-02,1,1,1,1,1\n,2020-01-02,1,1,1,1,1\n")
    path = tmp_path / "bars.parquet"
    days = polars.Series(["2020-01-02"]).str.to_date()
    ones = {name: [1.0] for name in ("open", "high", "low", "close", "volume")}
    symbol = polars.Series([None], dtype=polars.String)
    polars.DataFrame({"timestamp": days, **ones, "symbol": symbol}).write_parquet(path)
    with pytest.raises(MarketDataError, match="row 1, column symbol"):
        load_bars({"source": "parquet", "path": str(path)})


def test_a_compressed_file_that_is_cut_off_is_a_fault(tmp_path: Path) -> None:
    packed = gzip.compress(GOOD.encode())
    with pytest.raises(MarketDataError, match="cut off"):
        load(tmp_path / "bars.csv.gz", packed[:-9])
    polars.DataFrame({"line": GOOD.splitlines()}).write_csv(
        tmp_path / "all.zst", include_header=False, compression="zstd", separator="\x1f", quote_style="never"
    )
    packed = (tmp_path / "all.zst").read_bytes()
    assert load(tmp_path / "bars.csv.zst", packed).bars.n_bars == 2
    with pytest.raises(MarketDataError, match="cut off"):
        load(tmp_path / "bars.csv.zst", packed[:-4])


def test_a_small_file_that_unpacks_to_zeros_without_end_is_refused_at_its_first_block(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="NUL byte"):
        load(tmp_path / "bars.csv.gz", gzip.compress(HEAD.encode() + bytes(64 << 20)))


def test_a_million_columns_are_refused_by_the_header_alone(tmp_path: Path) -> None:
    header = HEAD.strip() + "".join(f",c{place}" for place in range(1_000_000))
    with pytest.raises(MarketDataError, match="row 1 is longer"):
        load(tmp_path / "bars.csv", header + "\n1\n")


@pytest.mark.parametrize("calendar", ["XNYS", "XBOM", "XSHG"])
def test_calendars_that_do_not_reach_back_to_1970_still_serve_recent_bars(tmp_path: Path, calendar: str) -> None:
    text = HEAD + "".join(f"2020-03-{day:02d},1,1,1,1,1\n" for day in range(2, 7))
    assert load(tmp_path / "bars.csv", text, calendar=calendar).bars.n_bars == 5


def test_a_file_of_nothing_but_a_byte_order_mark_is_empty(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="the file is empty"):
        load(tmp_path / "bars.csv", b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("name", "start", "said"),
    [
        ("bars.csv", gzip.compress(GOOD.encode()), "gzip file"),
        ("bars.csv", b"PK\x03\x04" + bytes(20), "zip file or a spreadsheet"),
        ("bars.csv.xz", b"\xfd7zXZ\0" + bytes(20), "xz file"),
        ("bars.csv.bz2", b"BZh91AY", "bzip2 file"),
        ("bars.csv", b"PAR1" + bytes(20), "data.source: parquet"),
        ("bars.csv.gz", gzip.compress(gzip.compress(GOOD.encode())), "gzip file"),
        ("bars.csv.zst", GOOD.encode(), "not a Zstandard file"),
        ("bars.csv.zst", b"", "cut off"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_archives_and_other_formats_are_called_by_their_names(
    name: str, start: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(MarketDataError, match=said):
        load(tmp_path / name, start)


def test_a_line_without_end_is_refused_before_the_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    with path.open("wb") as file:
        file.write(b"a" * (5 << 20))
        file.truncate(7 << 30)  # takes no room on the disk; would take seven gibibytes of memory
    with pytest.raises(MarketDataError, match=r"longer than 4 MiB|NUL byte"):
        load_bars({"source": "csv", "path": str(path)})
    with path.open("r+b") as file:
        file.truncate(9 << 30)
    with pytest.raises(MarketDataError, match="more than 8 GiB"):
        load_bars({"source": "csv", "path": str(path)})


def test_empty_lines_at_the_end_are_no_rows_and_others_are_faults_however_many(tmp_path: Path) -> None:
    assert load(tmp_path / "bars.csv", GOOD + "\n" * 300_000).bars.n_bars == 2
    with pytest.raises(MarketDataError, match=r"row 4, column \(all\): must have 6 fields, not an empty line") as one:
        load(tmp_path / "bars.csv", GOOD + "\n" + GOOD[len(HEAD) :])
    assert "1 fault in all" in str(one.value)
    with pytest.raises(MarketDataError, match="100000 or more faults in all"):
        load(tmp_path / "bars.csv", GOOD + "\n" * 120_000 + GOOD[len(HEAD) :])


def test_faults_are_named_by_row_over_all_portions_of_a_file(tmp_path: Path) -> None:
    rows = [f"{day}" for day in np.arange("1900-01-01", "1970-01-01", dtype="datetime64[D]")]
    assert len(rows) == 25_567  # more than one portion
    lines = [f"{day},1,2,0.5,1,10\n" for day in rows]
    lines[3] = lines[3].replace(",0.5,", ",-1,")
    lines[9] = lines[9].replace(",2,", ",x,")
    lines[21_000] = lines[21_000].replace(",10", ",1_0")
    lines[22_000] = lines[22_000].replace("-", "/", 2)
    with pytest.raises(MarketDataError) as caught:
        load(tmp_path / "bars.csv", HEAD + "".join(lines))
    message = str(caught.value)
    for row, column, value in ((5, "low", "-1"), (11, "high", "x"), (21_002, "volume", "1_0")):
        assert f"row {row}, column {column}" in message
        assert f"(got {value})" in message
    assert "row 22002, column timestamp: is of another form than the first, '1900-01-01'" in message
    assert "4 faults in all" in message
    lines[21_500] = lines[21_500].replace(",10", "")
    with pytest.raises(MarketDataError, match=r"row 21502, column \(all\)"):
        load(tmp_path / "bars.csv", HEAD + "".join(lines))


def test_a_quotation_mark_that_is_never_closed_is_named_by_the_row_that_opens_it(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="row 2: a quotation mark"):
        load(tmp_path / "bars.csv", GOOD.replace("2020-01-02", '"2020-01-02'))
    with pytest.raises(MarketDataError, match="row 2: a cell of more than 131,072 characters"):
        load(tmp_path / "bars.csv", HEAD + "2020-01-02," + "x" * 200_000 + ",1,1,1,1\n")


def test_bytes_that_are_no_text_are_named_by_row_and_value(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match=r"row 3: not UTF-8 text \(got byte 0xe9\)"):
        load(tmp_path / "bars.csv", GOOD.replace("2020-01-03,1", "2020-01-03,é").encode("latin-1"))


@pytest.mark.parametrize(
    ("header", "remedy"),
    [
        ("timestamp;open;high;low;close;volume", "set data.delimiter: ';'"),
        ("2020-01-02,1,2,0.5,1,10", "row 1 must be a header"),
        ("timestamp,open,high,low,clsoe,volume", r"data.columns: \{close: clsoe\}"),
        ("timestamp,open,high,low,what,volume", "close: NAME_IN_THE_FILE"),
    ],
)
def test_a_header_that_lacks_a_column_comes_with_its_remedy(header: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match=remedy):
        load(tmp_path / "bars.csv", GOOD.replace(HEAD.strip(), header))


@pytest.mark.parametrize(("price", "rule"), [("1e31", "at most 1e.30"), ("1e-31", "at least 1e-30")])
def test_prices_whose_powers_leave_a_doubles_range_are_faults(price: str, rule: str, tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match=rule):
        load(tmp_path / "bars.csv", HEAD + f"2020-01-02,{price},{price},{price},{price},1\n")


def test_bars_of_any_distance_have_a_timeframe(tmp_path: Path) -> None:
    assert (
        load(tmp_path / "bars.csv", HEAD + "-1577923200,1,1,1,1,1\n-1477923200,1,1,1,1,1\n").timeframe == "100000000s"
    )


def test_more_symbols_than_a_run_can_hold_are_a_fault(tmp_path: Path) -> None:
    rows = "".join(f"S{number},2020-01-02,1,1,1,1,1\n" for number in range(10_001))
    with pytest.raises(MarketDataError, match="10,001 symbols; name at most 10,000"):
        load(tmp_path / "bars.csv", "symbol," + HEAD + rows)


def test_made_up_prices_without_bound_are_a_fault() -> None:
    settings = {"bars": 50_000, "seed": 1, "drift": 10.0, "volatility": 0.2, "start_price": 100.0}
    with pytest.raises(MarketDataError, match="lower drift"):
        load_bars({"source": "synthetic", "synthetic": settings})


def parquet(path: Path, **columns: Any) -> LoadedBars:
    days = polars.Series(["2020-11-01", "2020-11-02"]).str.to_date()
    ones = {name: [1.0, 1.0] for name in ("open", "high", "low", "close", "volume")}
    polars.DataFrame({"timestamp": days, **ones, **columns}).write_parquet(path)
    return load_bars({"source": "parquet", "path": str(path), "timezone": "America/New_York"})


@pytest.mark.parametrize(
    ("column", "values", "rule"),
    [
        ("timestamp", polars.Series([2**31 - 9, 2**31 - 8], dtype=polars.Int32).cast(polars.Date), "row 1.*years 1 to"),
        ("timestamp", polars.Series([2**62, 2**62 + 1]).cast(polars.Datetime("ms")), "row 1.*years 1 to 9999"),
        ("timestamp", polars.Series([0, 2**62]).cast(polars.Datetime("us")), "row 2.*years 1 to 9999"),
        ("timestamp", polars.Series([0, 1001]).cast(polars.Datetime("ns")), "row 2.*finer than a microsecond"),
        ("timestamp", polars.Series(["2020-11-01 00:30", "2020-11-01 01:30"]).str.to_datetime(), "row 2.*two moments"),
        ("timestamp", polars.Series([1.5, 2.5]), "holds Float64"),
        ("symbol", polars.Series([b"\xff", b"a"]), "column symbol holds Binary"),
        ("symbol", polars.Series([["A"], ["A"]]), "column symbol holds List"),
        ("close", polars.Series([1.0, None]), r"row 2, column close: must be a number \(got None\)"),
        ("close", polars.Series([float("nan"), 1.0]), "row 1, column close: must be a finite number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parquet_columns_of_wrong_kinds_and_values_are_named(
    column: str, values: polars.Series, rule: str, tmp_path: Path
) -> None:
    with pytest.raises(MarketDataError, match=rule):
        parquet(tmp_path / "bars.parquet", **{column: values})


def test_parquet_dates_are_of_the_zone_as_in_csv(tmp_path: Path) -> None:
    dates = parquet(tmp_path / "bars.parquet").bars.times
    text = HEAD + "2020-11-01,1,1,1,1,1\n2020-11-02,1,1,1,1,1\n"
    assert load(tmp_path / "bars.csv", text, timezone="America/New_York").bars.times.tolist() == dates.tolist()


def test_a_shape_that_is_lost_in_one_portion_is_all_that_is_told_of_the_rest(tmp_path: Path) -> None:
    # The last rows are faulty too, but where cells have moved nobody can say which is which.
    text = HEAD + "2020-01-02,1,2,0.5\n" + "2020-01-02,1,2,0.5,1,10\n" * 40_000 + "2020-01-03,x,2,0.5,1,10\n"
    with pytest.raises(MarketDataError, match=r"row 2, column \(all\): must have 6 fields") as caught:
        load(tmp_path / "bars.csv", text)
    assert "got x" not in str(caught.value)


def test_bars_of_years_that_a_calendar_does_not_know_have_no_gaps_by_it(tmp_path: Path) -> None:
    text = HEAD + "1900-01-02,1,2,0.5,1,10\n1900-01-03,1,2,0.5,1,10\n"
    assert load(tmp_path / "bars.csv", text, calendar="XNYS").warnings == ()


def test_frames_without_content_in_a_zstandard_file_are_passed_over(tmp_path: Path) -> None:
    polars.DataFrame({"line": GOOD.splitlines()}).write_csv(
        tmp_path / "all.zst", include_header=False, compression="zstd", separator="\x1f", quote_style="never"
    )
    packed, skipped = (tmp_path / "all.zst").read_bytes(), b"\x53\x2a\x4d\x18\x04\0\0\0note"
    assert load(tmp_path / "bars.csv.zst", packed + skipped).bars.n_bars == 2
    with pytest.raises(MarketDataError, match="the last frame is cut off"):
        load(tmp_path / "bars.csv.zst", packed + skipped[:6])


def test_unit_separators_are_no_table_in_zstandard_either(tmp_path: Path) -> None:
    polars.DataFrame({"a": GOOD.splitlines(), "b": ["x"] * 3}).write_csv(
        tmp_path / "bars.csv.zst", include_header=False, compression="zstd", separator="\x1f", quote_style="never"
    )
    with pytest.raises(MarketDataError, match="control characters"):
        load_bars({"source": "csv", "path": str(tmp_path / "bars.csv.zst")})


@pytest.mark.parametrize("time", ["2020-01-02x10:00:00", "2020-01-02 10-00-00"])
def test_a_time_of_day_follows_a_t_or_a_blank_and_other_marks_are_faults(time: str, tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="row 2, column timestamp"):
        load(tmp_path / "bars.csv", HEAD + f"{time},1,2,0.5,1,10\n")
    either = HEAD + "2020-01-02T10:00:00,1,2,0.5,1,10\n2020-01-02 11:00:00,1,2,0.5,1,10\n"
    assert np.diff(load(tmp_path / "bars.csv", either).bars.times).tolist() == [3_600_000_000]
