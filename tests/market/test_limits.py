"""What data sources refuse before they read much, and lengths of bars of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admf_cli.errors import MarketDataError
from admf_cli.market.load import load_bars
from admf_cli.market.periods import periods_per_year
from admf_cli.market.timeframe import parse_timeframe

HEAD = "timestamp,open,high,low,close,volume\n"


def load(folder: Path, text: str, **settings: Any) -> Any:
    (folder / "b.csv").write_text(text)
    return load_bars({"source": "csv", "path": str(folder / "b.csv"), **settings})


def at(*times: str) -> str:
    return HEAD + "".join(f"{time},1,2,0.5,1,10\n" for time in times)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a\0b.csv", "contains a NUL"),
        ("x" * 1200, "at most 1000 bytes"),
        ("/dev/zero", "not a regular file"),
        ("/dev/null/x.csv", "no such file"),
        (".", "is a directory"),
        ("x" * 300 + ".csv", "File name too long"),
    ],
    ids=["NUL", "1200 characters", "a device", "below a device", "a directory", "a long name"],
)
def test_paths_that_lead_to_no_file_are_named(path: str, said: str) -> None:
    with pytest.raises(MarketDataError, match=said):
        load_bars({"source": "csv", "path": path})


def test_symbols_and_files_must_fit(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(at("2020-01-02"))
    path = str(tmp_path / "b.csv")
    with pytest.raises(MarketDataError, match=r"B has no file under data\.path"):
        load_bars({"source": "csv", "path": {"A": path}, "symbols": ["A", "B"]})
    with pytest.raises(MarketDataError, match=r"name the symbols under data\.symbols"):
        load_bars({"source": "csv", "path": "{symbol}.csv"})
    with pytest.raises(MarketDataError, match="cannot hold 2 symbols"):
        load_bars({"source": "csv", "path": path, "symbols": ["A", "B"]})


def test_columns_are_found_by_the_names_that_the_configuration_gives(tmp_path: Path) -> None:
    text = at("2020-01-02").replace("close", "settle")
    assert load(tmp_path, text, columns={"close": "settle"}).bars.close[0, 0] == 1.0
    with pytest.raises(
        MarketDataError, match=r"no column 'last', which data.columns.close names; the file has .*settle"
    ):
        load(tmp_path, text, columns={"close": "last"})


@pytest.mark.parametrize(
    ("times", "given", "found"),
    [
        (("2020-01-01", "2020-02-01", "2020-03-01"), None, "1mo"),
        (("2020-01-01", "2020-02-01", "2020-03-01"), "1mo", "1mo"),
        (("2020-01-06", "2020-01-13", "2020-01-20"), "7d", "7d"),
        (("2020-01-01 00:00:00", "2020-01-01 00:00:30"), None, "30s"),
        (("2020-01-01 00:00:00.5", "2020-01-01 00:00:00.7"), None, "1s"),
        (("2020-01-01",), "5m", "5m"),
    ],
)
def test_lengths_of_bars_are_inferred_or_checked(
    times: tuple[str, ...], given: str | None, found: str, tmp_path: Path
) -> None:
    assert load(tmp_path, at(*times), timeframe=given).timeframe == found


def test_a_length_that_the_bars_have_not_is_a_fault_and_so_is_one_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="says 1h, but the commonest distance between bars is 1d"):
        load(tmp_path, at("2020-01-01", "2020-01-02", "2020-01-03"), timeframe="1h")
    with pytest.raises(MarketDataError, match="'5x' is not <number>"):
        parse_timeframe("5x")


def test_months_have_twelve_a_year_and_a_calendar_of_a_few_days_has_the_usual_sessions() -> None:
    assert periods_per_year(np.arange(3) * 30 * 86_400_000_000, "3mo")[0] == 4.0
    # XTKS knows its sessions only up to next year: bars beyond it count as on weekdays.
    beyond = np.array(["2200-01-01", "2200-01-02"], dtype="datetime64[us]").astype(np.int64)
    assert periods_per_year(beyond, "1d", calendar="XNYS")[0] == 252.0


def test_synthetic_bars_of_months_begin_with_each_month_and_end_before_the_year_10000() -> None:
    walk = {"bars": 3, "seed": 1, "drift": 0.0, "volatility": 0.1, "start_price": 10.0}
    bars = load_bars({"source": "synthetic", "timeframe": "1mo", "start": "2020-11-05", "synthetic": walk}).bars
    assert [str(time.astype("datetime64[us]"))[:10] for time in bars.times] == [
        "2020-11-01",
        "2020-12-01",
        "2021-01-01",
    ]
    with pytest.raises(MarketDataError, match="end after the year 9999"):
        load_bars({"source": "synthetic", "timeframe": "100w", "synthetic": walk | {"bars": 10_000}})


def test_a_zone_s_first_and_last_moments_and_trailing_zeros_are_read(tmp_path: Path) -> None:
    loaded = load(tmp_path, at("2020-01-02 10:00:00.123456000", "2020-01-02 10:00:00.123457000"))
    assert str(loaded.bars.times[0].astype("datetime64[us]")) == "2020-01-02T10:00:00.123456"
    with pytest.raises(MarketDataError, match="10001 columns; at most 10000"):
        load(tmp_path, at("2020-01-02").replace("volume\n", "volume" + ",x" * 9_995 + "\n", 1))
    with pytest.raises(MarketDataError, match="row 1 is empty"):
        load(tmp_path, "\n" + at("2020-01-02"))
    with pytest.raises(MarketDataError, match=r"not readable as CSV|opened and never closed"):
        load(tmp_path, at("2020-01-02") + '2020-01-03,"1"x,2,0.5,1,10\n')
