"""Reading by whole columns: equal to the careful reader to the bit, and never a table where that one finds a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli.errors import MarketDataError
from admf_cli.market.csv_columns import count_lines, read_columns
from admf_cli.market.csv_file import read_csv
from admf_cli.market.csv_rows import read_carefully
from admf_cli.market.decimals import parse_decimals, words_of
from admf_cli.market.table import Table

ROOT = Path(__file__).resolve().parents[2]
HEAD = "timestamp,open,high,low,close,volume\n"
ROWS = "2020-01-02 09:30:00,1,2.25,0.5,1.5,10\n2020-01-02 09:31:00,1.5,12345.678901,.5,1.,0\n"
NUMBERS = st.one_of(
    st.floats(0, 1e9, allow_subnormal=False).map(repr),
    st.integers(0, 10**18).map(str),
    st.decimals(0, 10**7, places=4).map(str),
    st.from_regex(r"[0-9]{0,9}\.[0-9]{0,9}", fullmatch=True),
    st.text("0123456789.-e_ /:", max_size=19),
)


def columns_of(data: bytes, settings: Mapping[str, str] | None = None) -> Table | None:
    return read_columns("bars.csv", data, settings or {}, count_lines(data))


def careful(data: bytes) -> Table:
    return read_carefully(Path("bars.csv"), data, {})


def same(ours: Table, theirs: Table) -> bool:
    return (
        np.array_equal(ours.times, theirs.times)
        and ours.columns.keys() == theirs.columns.keys()
        and all(ours.columns[name].tobytes() == column.tobytes() for name, column in theirs.columns.items())
        and (ours.symbols is None) == (theirs.symbols is None)
        and list(ours.symbols or ()) == list(theirs.symbols or ())
        and [ours.line(row) for row in range(3)] == [theirs.line(row) for row in range(3)]
    )


def parsed(texts: Sequence[str]) -> list[float | None]:
    """Parse cells that stand side by side, as in a file; None where they are left to Python."""
    text, begins, ends = " " * 16, [], []
    for cell in texts:
        begins.append(len(text))
        text += cell
        ends.append(len(text))
        text += ","
    values = np.empty(len(texts))
    left_over = parse_decimals(words_of(text.encode()), np.array(begins), np.array(ends), values)
    return [None if row in left_over else value for row, value in enumerate(values.tolist())]


@settings(max_examples=300, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=30))
def test_a_number_is_rounded_as_python_rounds_it_or_is_left_to_python(texts: list[str]) -> None:
    for text, value in zip(texts, parsed(texts), strict=True):
        if value is not None:
            assert not set(text) - set("0123456789."), text
            assert value == float(text), text


def test_plain_prices_are_not_left_to_python() -> None:
    texts = [
        "1229.22998",
        "877000000",
        "0",
        "0.0001",
        ".5",
        "5.",
        "999999999999999",
        "1234567.8",
        "123456.78",
        "7.1234567",
    ]
    texts += [".1234567", "1234567.", ".12345678", "12345678.", "12345678.9", "0.12345678901234", "99999999999999.9"]
    assert parsed(texts) == [float(text) for text in texts]


def test_what_is_no_plain_decimal_is_left_to_python() -> None:
    texts = ["", ".", "1.2.3", "1.2345678.9", "-1", "1e5", "nan", "1_0", "1/2", "12345678901234567", "9007199254740993"]
    assert parsed(texts) == [None] * len(texts)


@pytest.mark.parametrize("name", ["sp500_daily", "amzn_daily", "meta_daily", "nflx_daily"])
def test_real_data_is_read_by_the_column_and_equals_the_careful_reader(name: str) -> None:
    data = (ROOT / "data" / f"{name}.csv").read_bytes()
    quick = columns_of(data)
    assert quick is not None
    assert same(quick, careful(data))


@pytest.mark.parametrize(
    "text",
    [
        HEAD + ROWS,
        HEAD + ROWS.rstrip("\n"),
        "\ufeff" + HEAD + ROWS,
        (HEAD + ROWS).replace("\n", "\r\n"),
        '"Date","Open","High","Low","Close","Volume"\n' + ROWS.replace(" ", "T"),
        HEAD + ROWS.replace(":00,", ":00Z,"),
        "t,o,h,l,c\n".replace("t", "date") + "0001-01-01,1,1,1,1\n9999-12-31,1,1,1,1\n",
        "symbol,date,close,low,high,open,vol,extra\nA,2020-02-29,1,1,1,1,5,x\nBRK-B,2020-03-01,1,1,1,1,6,y\n",
    ],
    ids=range(8),
)
def test_well_formed_files_are_read_by_the_column(text: str) -> None:
    data = text.encode()
    quick = columns_of(data)
    assert quick is not None
    assert same(quick, careful(data))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (",1.5,", ", 1.5,"),
        (",1.5,", ",1.5 ,"),
        (",1.5,", ",\t1.5,"),
        (",1.5,", ",+1.5,"),
        (",1.5,", ',"1.5",'),
        (",1.5,", ",1,500,"),
        (",1.5,", ",,"),
        (",1.5,", ",nan,"),
        (",1.5,", ",1_5,"),
        (",1.5,10\n2020-01-02 09:31:00,", ",1.5,10,2020-01-02 09:31:00\n"),
        ("\n2020", "\n\n2020"),
        ("09:31:00", "09:31"),
        ("09:31:00", "24:00:00"),
        ("09:31:00", "09:31:0x"),
        ("2020-01-02 09:31", "2020-02-30 09:31"),
        ("2020-01-02 09:31", "0000-01-02 09:31"),
        ("2020-01-02 09:31", "2020-01-02T09:31"),
        (",10\n", ",10\r\n"),
        (",10\n", ",10\n "),
    ],
    ids=range(19),
)
def test_anything_odd_is_left_to_the_careful_reader(old: str, new: str) -> None:
    text = HEAD + ROWS
    assert old in text
    assert columns_of(text.replace(old, new, 1).encode()) is None


def test_cells_between_blanks_are_left_to_the_careful_reader() -> None:
    text = (HEAD + "2020-01-02,1,2.25,0.5,1.5,10\n").replace(",", " ")
    settings = {"delimiter": " "}  # a time of day would look like one more cell
    assert columns_of(text.encode(), settings) is None
    table = read_carefully(Path("bars.csv"), text.encode(), settings)
    assert table.columns["high"].tolist() == [2.25]


def test_times_of_two_forms_are_not_mixed_even_far_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    head = "date,open,high,low,close\n"
    dates = [f"{day},1,1,1,1\n" for day in np.arange("1900-01-01", "1903-01-01", dtype="datetime64[D]")]
    monkeypatch.setattr("admf_cli.market.csv_columns._BLOCK_BYTES", len("".join(dates)))
    assert columns_of((head + "".join(dates * 2)).encode()) is not None
    assert columns_of((head + "".join(dates) + "1980-01-01T00:00:00,1,1,1,1\n" * 100).encode()) is None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_byte_never_passes_by_the_column_what_the_careful_reader_refuses(data: st.DataObject) -> None:
    text = bytearray((HEAD + ROWS).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(len(HEAD), len(text) - 1))
        text[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from(
                [b"0", b"9", b".", b",", b"\n", b"\r", b" ", b'"', b"-", b"e", b"T", b"Z", b":", b"_", b"\t"]
            )
        )
    quick = columns_of(bytes(text))
    if quick is not None:
        assert same(quick, careful(bytes(text)))


def test_polars_does_not_skip_blanks_before_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(HEAD + ROWS.replace(",1.5,", ",\t1.5,", 1))
    monkeypatch.setattr("admf_cli.market.csv_file._LARGE_BYTES", 0)
    with pytest.raises(MarketDataError, match="column close"):
        read_csv(path, {})
