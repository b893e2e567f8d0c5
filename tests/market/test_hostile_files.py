"""Damaged, cut-off or ambiguous files: a named fault or a warning, never a traceback or a silent repair."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

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
