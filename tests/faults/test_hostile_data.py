"""Hostile market data: refused with row, column, value and rule, or loaded as it is; never repaired in silence."""

from __future__ import annotations

import gzip
import io
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars
import pytest

from admf_cli.errors import MarketDataError
from admf_cli.market.load import LoadedBars, load_bars
from tests.faults.measuring import measured

HEAD = "timestamp,open,high,low,close,volume\n"
DAY = "2020-01-02,1,2,0.5,1,10\n"
NEXT = "2020-01-03,1,2,0.5,1,10\n"
GOOD = HEAD + DAY + NEXT


def load(path: Path, content: str | bytes, **settings: Any) -> LoadedBars:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_bars({"source": "csv", "path": str(path), **settings})


def at(*times: str) -> str:
    """Return a file of bars at these times."""
    return HEAD + "".join(f"{time},1,2,0.5,1,10\n" for time in times)


def cell(text: str, column: str = "open") -> str:
    """Return a file with one odd cell."""
    values = {"timestamp": "2020-01-02", "open": "1", "high": "2", "low": "0.5", "close": "1", "volume": "10"}
    return HEAD + ",".join((values | {column: text}).values()) + "\n"


def of_symbol(name: str) -> str:
    return f"symbol,{HEAD}A,{DAY}{name},{DAY}"


NEW_YORK = {"timezone": "America/New_York"}
REFUSED: dict[str, tuple[str | bytes, str, dict[str, Any]]] = {
    # Times.
    "an hour that the clock left out": (at("2020-03-08 02:30:00"), "row 2, column timestamp: does not exist", NEW_YORK),
    "an hour that came twice": (
        at("2020-11-01 00:30:00", "2020-11-01 01:30:00", "2020-11-01 01:45:00"),
        r"row 3.*two moments in America/New_York.*write an offset or UTC \(got 2020-11-01 01:30:00\)(.|\n)*2 faults",
        NEW_YORK,
    ),
    "half an hour that came twice": (at("2020-04-05 01:45:00"), "two moments", {"timezone": "Australia/Lord_Howe"}),
    "a midnight that the clock left out": (
        at("2018-11-03", "2018-11-04"),
        "row 3.*does not exist in America/Sao_Paulo",
        {"timezone": "America/Sao_Paulo"},
    ),
    "a day that Samoa left out": (at("2011-12-29", "2011-12-30"), "row 3.*exist", {"timezone": "Pacific/Apia"}),
    "a leap day that was none": (at("1900-02-28", "1900-02-29"), "row 3.*no date of the calendar", {}),
    "a leap second": (at("2016-12-31 23:59:60"), "no date of the calendar", {}),
    "hour 24": (at("2020-01-02 24:00:00"), "no date of the calendar", {}),
    "the year 0": (at("0000-01-01"), "no date of the calendar", {}),
    "the year 10000": (at("10000-01-01"), "must be an ISO date", {}),
    "with and without offset": (at("2020-01-02T00:00:00Z", "2020-01-03T00:00:00"), "row 3.*another form", {}),
    "seconds, then milliseconds": (at("1577923200", "1578009600000"), "row 3.*another form", {}),
    "seconds of the first days of 1970": (at("0", "86400"), "row 2.*too few digits.*got 0", {}),
    "days of a spreadsheet": (at("43832"), "too few digits", {}),
    "seconds with a fraction": (at("1577923200.5"), "must be an ISO date", {}),
    "times of day": (at("09:30", "09:31"), "row 2.*time of day without its date", {}),
    "the month first": (at("01/02/2020"), "does not begin with its year", {}),
    "a week": (at("2020-W01-4"), "must be an ISO date", {}),
    "an offset of 25 hours": (at("2020-01-02T00:00:00+25:00"), "no date of the calendar", {}),
    "nanoseconds": (at("2020-01-02 10:00:00.123456789"), "finer than a microsecond", {}),
    "a zone by its short name": (at("2020-01-02 10:00 EST"), "must be an ISO date", {}),
    "digits of another width": (at("２０２０-01-02"), "must be an ISO date", {}),
    "a row twice": (GOOD + NEXT, "row 4.*stands there twice .1 repeated in all", {}),
    "newest first": (HEAD + NEXT + DAY, "row 3.*after a later time.*sort the file", {}),
    "offsets that turn the order": (at("2020-01-02T00:00:00Z", "2020-01-02T00:30:00+02:00"), "after a later time", {}),
    # Numbers.
    **{
        f"a price of {text!r}": (cell(text), rf"row 2, column open: {rule}", {})
        for text, rule in {
            "0x1": "must be a plain decimal",
            "1_0": "must be a plain decimal",
            "1'234.5": "must be a plain decimal",
            "$1": "must be a plain decimal",
            "1%": "must be a plain decimal",
            "1.5K": "must be a plain decimal",
            "nan": "must be a plain decimal",
            "inf": "must be a plain decimal",
            "#N/A": "must be a plain decimal",
            "None": "must be a plain decimal",
            "-": "must be a plain decimal",
            ".": "must be a plain decimal",
            "": r"must be a plain decimal number \(got nothing",
            "=1+1": "must be a plain decimal",
            "−1": "must be a plain decimal",
            "１": "must be a plain decimal",
            "1\u202f234": "must be a plain decimal",
            "'1'": "must be a plain decimal",
            " 1": "must be a plain number without spaces",
            "1\u00a0": "must be a plain number without spaces",
            '"1,234.5"': "must be a plain number, without thousands",
            "-0.0": "must be above zero",
            "0": "must be above zero",
            "-1": "must be above zero",
            "1e400": r"must be a finite number \(got inf",
            "1e-400": r"must be above zero \(got 0",
            "\x1b[31m1": r"must be a plain decimal number \(got \\x1b\[31m1",
        }.items()
    },
    "a volume below zero": (cell("-10", "volume"), "column volume: must not be negative", {}),
    "high below low": (cell("0.4", "high"), "column high: high is below low .got 0.4", {}),
    "high below the close": (cell("3", "close"), "column high: high is below open or close", {}),
    "decimal commas": (
        "timestamp;open;high;low;close\n2020-01-02;1,5;2,5;0,5;1,5\n",
        r"column open: .*decimal commas \(got 1,5\)(.|\n)*4 faults in all",
        {"delimiter": ";"},
    ),
    "many faults of many kinds": (
        HEAD + "x,1,2,3,1,5\n2020-01-02,nan,2,1,1,1\n2020-01-03,1,2,1,1,-1\n",
        r"row 2, column timestamp(.|\n)*row 2, column high(.|\n)*row 3, column open(.|\n)*row 4, column volume(.|\n)*4",
        {},
    ),
    # Rows and columns.
    "ragged rows": (GOOD + "2020-01-04,1,2\n2020-01-05,1,2,0.5,1,10,11\n", r"row 4.*not 3 fields(.|\n)*2 faults", {}),
    "a comma at the end of rows": (GOOD.replace("10\n", "10,\n"), "row 2, column .all.*not 7 fields", {}),
    "thousands separators": (HEAD + "2020-01-02,1,234.5,2,1,1,10\n", "not 7 fields.*(.|\n)*thousands", {}),
    "a comment": (HEAD + "# made by x\n" + DAY, "row 2.*not 1 field .got # made by x", {}),
    "a comment above the header": ("# made by x\n" + GOOD, "remove what stands above it", {}),
    "a title above the header": ("AAPL,,,,,\n" + GOOD, "remove what stands above it", {}),
    "a page instead of a table": ("<!DOCTYPE html>\n", "row 1 must be a header", {}),
    "the header twice": (GOOD + HEAD, "row 4, column timestamp", {}),
    "a column twice": (GOOD.replace("volume", "Close"), r"2 columns could be close \(close, Close\)", {}),
    "date and time apart": ("date,time,open,high,low,close\n", r"2 columns could be timestamp \(date, time\)", {}),
    "a letter of another alphabet": (GOOD.replace("open", "оpen"), "no column for open.*{open: оpen}", {}),
    "a mark without width": (GOOD.replace("open", "open\u200b"), "no column for open", {}),
    "two byte order marks": ("\ufeff\ufeff" + GOOD, "no column for timestamp", {}),
    "a byte order mark in the middle": (HEAD + DAY + "\ufeff" + NEXT, r"row 3.*got \\xfeff2020", {}),
    "UTF-32": (GOOD.encode("utf-32"), "UTF-16 or UTF-32; save it as UTF-8", {}),
    "a line end inside quotes": (HEAD + '2020-01-02,1,2,0.5,1,"10\n"\n', "row 2, column volume", {}),
    "a control character at the end": (GOOD + "\x1a\n", "row 4", {}),
    "line ends of another standard": (GOOD.replace("\n2020-01-03", "\x852020-01-03"), "not 11 fields", {}),
    "a million fields in a row": (GOOD + "1," * 1_000_000 + "\n", "row 4.*not 1000001 fields", {}),
    # Symbols, which a configuration must be able to name.
    "a symbol with a space": (of_symbol("A "), r"row 3, column symbol: .*\(got 'A '\)", {}),
    "a symbol of spaces": (of_symbol("  "), "row 3, column symbol", {}),
    "a symbol with an escape": (of_symbol("\x1b[31mA"), r"\\x1b\[31mA", {}),
    "a symbol that turns the text": (of_symbol("A\u202eB"), r"\\x202e", {}),
    "a symbol of 300 letters": (of_symbol("A" * 300), "1 to 64 printable", {}),
    "a symbol without rows": (of_symbol("B"), "no rows of symbol C; the file has A, B", {"symbols": ["C"]}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_data_is_refused_with_its_place_and_rule(name: str, tmp_path: Path) -> None:
    content, said, settings = REFUSED[name]
    with pytest.raises(MarketDataError, match=said) as caught:
        load(tmp_path / "b.csv", content, **settings)
    assert caught.value.exit_code == 3
    assert "b.csv" in str(caught.value)
    assert all(character.isprintable() or character == "\n" for character in str(caught.value))
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize(
    ("content", "first"),
    [
        (at("1577923200", "1578009600"), "2020-01-02"),
        (at("1577923200000", "1578009600000"), "2020-01-02"),
        (at("1577923200000000", "1578009600000000"), "2020-01-02"),
        (at("1577923200000000000", "1578009600000000000"), "2020-01-02"),
        (at("20200102", "20200103"), "2020-01-02"),
        (at("2020-01-02T00:00:00Z", "2020-01-03T00:00:00+02:00"), "2020-01-02"),
        (at("1677-09-20", "1678-01-01"), "1677-09-20"),  # before the first nanosecond of 64 bits
        (at("2262-04-11", "2262-04-12", "2300-01-01"), "2262-04-11"),  # and after the last
        (at("2000-02-28", "2000-02-29", "2000-03-01"), "2000-02-28"),
        (GOOD.replace("\n", "\r"), "2020-01-02"),
        (HEAD.replace("\n", "\r\n") + DAY + NEXT.replace("\n", "\r"), "2020-01-02"),
        ("Close,VOLUME,High,LOW,Open,DATE\n1,10,2,0.5,1,2020-01-02\n", "2020-01-02"),
        (cell("1e0"), "2020-01-02"),
        (cell('"1"'), "2020-01-02"),
        (cell("+1."), "2020-01-02"),
    ],
)
def test_unusual_but_plain_data_is_loaded_as_it_is_without_a_warning(content: str, first: str, tmp_path: Path) -> None:
    loaded = load(tmp_path / "b.csv", content)
    assert str(loaded.bars.times[0].astype("datetime64[us]"))[:10] == first
    assert loaded.bars.open[0, 0] == 1.0
    assert loaded.warnings == ()


def test_columns_that_are_not_read_are_named_and_with_strict_refused(tmp_path: Path) -> None:
    more = GOOD.replace("volume", "volume,Dividends").replace("10\n", "10,0\n")
    (warning,) = load(tmp_path / "b.csv", more).warnings
    assert "columns that are not read: Dividends" in warning
    with pytest.raises(MarketDataError, match="not read: Dividends"):
        load(tmp_path / "b.csv", more, strict=True)
    with_comma = load(tmp_path / "b.csv", GOOD.replace("\n", ",\n"))
    assert "not read: ''" in with_comma.warnings[0]
    (tmp_path / "b.parquet").write_bytes(parquet(extra=True))
    (warning,) = load_bars({"source": "parquet", "path": str(tmp_path / "b.parquet")}).warnings
    assert "columns that are not read: note" in warning


@pytest.mark.parametrize("row", ["x\n", DAY, "1"], ids=["short rows", "rows", "one row"])
def test_a_file_that_unpacks_to_two_hundred_times_its_size_is_refused_soon(row: str, tmp_path: Path) -> None:
    text = (HEAD + row * ((80 << 20) // len(row))).encode()
    with pytest.raises(MarketDataError, match=r"200 times as many|longer than 4 MiB"):
        load(tmp_path / "b.csv.gz", gzip.compress(text, 6))


def test_zstandard_that_unpacks_to_two_hundred_times_its_size_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    lines = polars.DataFrame({"line": [DAY.strip()]}).select(polars.col("line").repeat_by(4_000_000).explode())
    lines.write_csv(tmp_path / "b.csv.zst", include_header=False, compression="zstd", quote_style="never")
    with pytest.raises(MarketDataError, match="200 times as many"):
        load_bars({"source": "csv", "path": str(tmp_path / "b.csv.zst")})


def test_rows_too_short_for_bars_are_not_read_by_the_column(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(HEAD.encode() + b"x\n" * (20 << 20))
    code = "import sys\nfrom admf_cli.market.load import load_bars\nload_bars({'source': 'csv', 'path': sys.argv[1]})"
    said, kilobytes = measured(code, str(tmp_path / "b.csv"))
    assert "100000 or more faults in all" in said
    assert kilobytes < 300 << 10  # by the column it took fifty times the text's forty mebibytes


def parquet(*, extra: bool = False) -> bytes:
    """Return the bytes of sixty daily bars."""
    file, days = io.BytesIO(), [datetime(2020, 1, 2) + timedelta(days=day) for day in range(60)]
    prices = {name: [1.0 + day * 0.01 for day in range(60)] for name in ("open", "high", "low", "close")}
    notes = {"note": [["nested"]] * 60} if extra else {}
    polars.DataFrame({"timestamp": days, **prices, "volume": list(range(1, 61)), **notes}).write_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize("seed", [66, 364, 881, 1087])
def test_a_damaged_parquet_file_ends_no_process_but_the_one_that_decodes_it(
    seed: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    random_ = random.Random(seed)  # each of these once ended the process: by an assertion of the decoder, or of memory
    data = bytearray(parquet())
    for _ in range(random_.choice((1, 1, 2, 4))):
        data[random_.randrange(len(data))] = random_.randrange(256)
    (tmp_path / "b.parquet").write_bytes(data)
    with pytest.raises(MarketDataError, match="not readable as Parquet, so damaged"):
        load_bars({"source": "parquet", "path": str(tmp_path / "b.parquet")})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (parquet()[:-8], "must end with"),
        (parquet()[:700], "must end with"),
        (b"PAR1\xff\xff\xff\x7fPAR1", "footer size"),
        (parquet()[:-4] + b"PARE", "encrypted"),
        (GOOD.encode(), "not readable as Parquet"),
        (b"", "not readable as Parquet"),
    ],
    ids=["no footer", "cut off", "a footer longer than the file", "encrypted", "CSV", "empty"],
)
def test_what_is_no_parquet_file_is_called_so(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "b.parquet").write_bytes(data)
    with pytest.raises(MarketDataError, match=said):
        load_bars({"source": "parquet", "path": str(tmp_path / "b.parquet")})
