"""Large files of long numbers are read by Polars: to the same table as by the careful reader, or left to that one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admf_cli.errors import MarketDataError
from admf_cli.market import csv_file, csv_rows
from admf_cli.market.csv_rows import read_carefully
from admf_cli.market.table import Table

HEAD = "timestamp,open,high,low,close,volume\n"
ROWS = "2020-01-02,1.25,2,0.5,1,10\n2020-01-03,1,2,0.5,1.125,10\n"


def read(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> tuple[Table, bool]:
    """Return the table, and whether the careful reader was asked."""
    asked = []

    def careful(path: Path, data: bytes, given: Any) -> Table:
        asked.append(path)
        return read_carefully(path, data, given)

    monkeypatch.setattr(csv_file, "_LARGE_BYTES", 0)
    monkeypatch.setattr(csv_file, "read_columns", lambda *_: None)
    monkeypatch.setattr(csv_rows, "read_carefully", careful)
    (folder / "b.csv").write_text(text)
    return csv_file.read_csv(folder / "b.csv", settings), bool(asked)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + ROWS,
        HEAD + ROWS.replace("2020-01-02", "2020-01-02 10:00:00").replace("2020-01-03", "2020-01-03 10:00:00"),
        HEAD + ROWS.replace("2020-01-02", "2020-01-02T10:00:00Z").replace("2020-01-03", "2020-01-03T10:00:00Z"),
        HEAD.replace(",volume", "") + ROWS.replace(",10\n", "\n"),
        "symbol," + HEAD + ROWS.replace("2020", "A,2020"),
        HEAD.replace("\n", "\r\n") + ROWS.replace("\n", "\r\n"),
    ],
    ids=["dates", "times", "times in UTC", "no volume", "symbols", "CRLF"],
)
def test_plain_files_are_read_by_polars_to_the_same_table(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, asked = read(text, tmp_path, monkeypatch)
    assert not asked
    other = read_carefully(tmp_path / "b.csv", text.encode(), {})
    assert np.array_equal(table.times, other.times)
    assert {name: column.tolist() for name, column in table.columns.items()} == {
        name: column.tolist() for name, column in other.columns.items()
    }
    assert (table.symbols is None) == (other.symbols is None)
    assert list(table.symbols or ()) == list(other.symbols or ())


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEAD + ROWS,
        HEAD.replace("open", '"open"') + ROWS,
        HEAD.replace("volume", "volume,note") + ROWS.replace("10\n", '10,"two\nlines"\n'),
        HEAD + ROWS.replace("2020-01-03", "20200103").replace("2020-01-02", "20200102"),
        HEAD + ROWS.replace("-", "/"),
        HEAD + ROWS.replace("1.25", '"1.25"') + "\n",
    ],
    ids=["a mark", "a quoted header", "a line end in a note", "short dates", "slashes", "an empty line at the end"],
)
def test_unusual_files_are_left_to_the_careful_reader(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, _ = read(text, tmp_path, monkeypatch)
    assert table.columns["open"].tolist() == [1.25, 1.0]
    assert [str(time.astype("datetime64[us]"))[:10] for time in table.times] == ["2020-01-02", "2020-01-03"]


def test_times_of_another_zone_are_left_to_the_careful_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, asked = read(HEAD + ROWS, tmp_path, monkeypatch, timezone="America/New_York")
    assert asked
    assert str(table.times[0].astype("datetime64[us]")) == "2020-01-02T05:00:00.000000"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",1.25,", ", 1.25,", "row 2, column open: must be a plain number without spaces"),
        (",1.25,", ",,", "row 2, column open: must be a plain decimal number .got nothing"),
        (",1.25,", ",x,", "row 2, column open: must be a plain decimal number .got x"),
        (",1.25,", ",inf,", "row 2, column open: must be a plain decimal number .got inf"),
        (",1.25,", ",1.25,9,", "row 2, column .all.: must have 6 fields"),
        ("2020-01-03", "2020-02-30", "row 3, column timestamp: is no date of the calendar"),
        ("2020-01-03", "2020/01/03", "row 3, column timestamp: is of another form"),
        (
            "\n2020-01-03",
            "\n\n2020-01-03",
            "row 3, column .all.: must have 6 fields, not an empty line",
        ),
        ("2020-01-03", "2020-01-03 10:00", "row 3, column timestamp: is of another form"),
        ("1.25,2,0.5,1,10\n", '1.25,2,0.5,1,"10\n"\n', "row 2, column volume"),
    ],
)
def test_faults_in_large_files_are_named_by_row_as_in_small_ones(
    old: str, new: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert old in ROWS or old.startswith("\n")
    with pytest.raises(MarketDataError, match=said):
        read(HEAD + ROWS.replace(old, new, 1), tmp_path, monkeypatch)


def test_a_nul_byte_is_named_by_its_row_in_zstandard_too(tmp_path: Path) -> None:
    import polars

    lines = [*HEAD.splitlines(), *ROWS.splitlines(), "2020-01-04,1,2,0.5,1,1\0"]
    polars.DataFrame({"line": lines}).write_csv(
        tmp_path / "b.csv.zst", include_header=False, compression="zstd", quote_style="never"
    )
    with pytest.raises(MarketDataError, match="row 4: a NUL byte"):
        csv_file.read_csv(tmp_path / "b.csv.zst", {})
