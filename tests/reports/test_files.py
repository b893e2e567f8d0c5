"""Result files: what they hold, that they read back the same, and what happens when they can't be written."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admf_cli.errors import StorageError
from admf_cli.metrics import portfolio_metrics
from admf_cli.new_file import write_new_file
from admf_cli.reports.columns import EQUITY_COLUMNS, TRADE_COLUMNS, equity_csv, trades_csv
from admf_cli.reports.document import summary
from admf_cli.reports.files import write_results
from admf_cli.results import PortfolioResult, Trade
from tests.reports import samples

ROOT = Path(__file__).parents[2]


def files_below(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(text.decode().splitlines()))


# ------------------------------------------------------------------------------------------------ what is written


def test_a_run_leaves_a_summary_and_three_files_a_portfolio(tmp_path: Path) -> None:
    result = samples.two_phases()
    write_results(result, tmp_path / "wf")
    place = "portfolio_trend_base"
    assert files_below(tmp_path / "wf") == {
        "summary.json",
        *(f"{phase}/{place}/{name}" for phase in ("training", "testing") for name in
          ("summary.json", "trades.csv", "equity.csv")),
    }  # fmt: skip
    assert json.loads((tmp_path / "wf" / "summary.json").read_bytes()) == json.loads(json.dumps(summary(result)))
    one = json.loads((tmp_path / "wf" / "testing" / place / "summary.json").read_bytes())
    assert one["workflow_id"] == "wf"
    assert one["phase"]["name"] == "testing"
    assert one["portfolio"] == summary(result)["phases"][1]["portfolios"][0]


def test_the_metrics_can_be_computed_anew_from_the_files(tmp_path: Path) -> None:
    portfolio = samples.portfolio()
    write_results(samples.run(samples.phase(portfolio)), tmp_path)
    place = tmp_path / "backtest" / "portfolio_trend_base"
    bars = rows_of((place / "equity.csv").read_bytes())
    trades = [
        samples.trade(pnl=float(row["pnl"]), entry_bar=int(row["entry_bar"]), exit_bar=int(row["exit_bar"]))
        for row in rows_of((place / "trades.csv").read_bytes())
    ]
    times = [datetime.fromisoformat(row["timestamp"]) for row in bars]
    found = portfolio_metrics(
        initial_capital=10_000.0,
        equity=np.array([float(row["equity"]) for row in bars]),
        exposure=np.array([float(row["exposure"]) for row in bars]),
        times=np.array([int((time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6) for time in times]),
        trades=trades,
        traded_value=2_030.0,
        commission=1.0,
        slippage=0.0,
        periods_per_year=252.0,
    )
    assert found == portfolio.metrics


def test_trades_as_text() -> None:
    trade = samples.trade(pnl=-0.1, entry_time=samples.START + 500_000)
    assert b"".join(trades_csv([trade])).decode() == (
        "number,symbol,direction,quantity,entry_time,entry_price,entry_bar,exit_time,exit_price,exit_bar,commission,pnl,"
        "return_fraction,entry_reason,exit_reason,entry_fill,exit_fill\n"
        "1,SPX,long,10.0,2000-01-03T00:00:00.500000Z,100.0,0,2000-01-05T00:00:00Z,103.0,2,1.0,-0.1,"
        "0.029,entry,exit,execution#1,execution#2\n"
    )


def test_without_trades_or_bars_there_is_still_a_header() -> None:
    assert b"".join(trades_csv([])).decode() == ",".join(TRADE_COLUMNS) + "\n"
    empty = np.array([])
    nobody = samples.portfolio(times=empty.astype(np.int64), equity=empty, cash=empty, exposure=empty)
    assert b"".join(equity_csv(nobody)).decode() == ",".join(EQUITY_COLUMNS) + "\n"


def test_every_column_is_documented_and_nothing_else() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    documented = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert documented == [*EQUITY_COLUMNS, *TRADE_COLUMNS]


@pytest.mark.parametrize("text", ["=1+1", "+A", "-A", "@SUM(A1)"])
def test_text_that_a_spreadsheet_would_calculate_is_only_shown(text: str) -> None:
    row = rows_of(b"".join(trades_csv([samples.trade(symbol=text, exit_reason=text)])))[0]
    assert (row["symbol"], row["exit_reason"]) == (f"'{text}", f"'{text}")


def test_commas_quotes_and_line_breaks_stay_in_their_cell() -> None:
    nasty = 'a,"b"\nc'
    text = b"".join(trades_csv([samples.trade(symbol=nasty), samples.trade(2)])).decode()
    rows = list(csv.reader(text.splitlines(keepends=True)))
    assert [row[1] for row in rows[1:]] == [nasty, "SPX"]
    assert {len(row) for row in rows} == {len(TRADE_COLUMNS)}


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30), st.data())
def test_an_equity_curve_reads_back_the_same(values: list[float], data: st.DataObject) -> None:
    # years 1 to 9998, whole and broken seconds
    moments = st.one_of(st.integers(-62_135_596_800, 253_370_764_799).map(lambda s: s * 10**6),
                        st.integers(-62_135_596_800 * 10**6, 253_370_764_799 * 10**6))  # fmt: skip
    times = data.draw(st.lists(moments, min_size=len(values), max_size=len(values)))
    portfolio = curve(np.array(times, dtype=np.int64), np.array(values))
    text = b"".join(equity_csv(portfolio))
    assert text.count(b"\n") == len(values) + 1
    columns = (values, values[::-1], [value * 0.5 for value in values])
    for row, time, *numbers in zip(rows_of(text), times, *columns, strict=True):
        assert datetime.fromisoformat(row["timestamp"]) == datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time)
        for name, value in zip(EQUITY_COLUMNS[1:], numbers, strict=True):
            if math.isfinite(value):
                assert np.float64(row[name]).tobytes() == np.float64(value).tobytes()
            else:
                assert row[name] == ""


def curve(times: np.ndarray, values: np.ndarray) -> PortfolioResult:
    return samples.portfolio(times=times, equity=values, cash=values[::-1], exposure=values * 0.5)


def test_long_columns_are_written_in_blocks_without_seams() -> None:
    rows = 50_000
    times = samples.START + np.arange(rows, dtype=np.int64) * 1_500_000  # every second one broken
    portfolio = curve(times, np.random.default_rng(3).normal(1e5, 10.0, rows))
    text = b"".join(equity_csv(portfolio))
    assert text.count(b"\n") == rows + 1
    assert text.count(b".500000Z") == rows // 2
    assert [float(row["equity"]) for row in rows_of(text)] == portfolio.equity.tolist()


def test_results_are_written_without_polars(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from admf_cli.reports.files import write_results\n"
        "from tests.reports import samples\n"
        "write_results(samples.usual(), pathlib.Path(sys.argv[1]))\n"
        "print('polars' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.stdout == "False\n", run.stderr


# ------------------------------------------------------------------------------------------------ how it is written


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    write_results(samples.usual(), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files_below(tmp_path)}
    with pytest.raises(StorageError, match=r"there is a result already.*--workflow-id.*--overwrite"):
        write_results(samples.nothing_at_all(), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in files_below(tmp_path)} == before


def test_a_disk_that_fills_up_leaves_no_torn_file_and_no_summary(tmp_path: Path) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"some"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(
        StorageError, match=r"equity\.csv: cannot write this result: No space left on device; check"
    ) as no:
        write_new_file(tmp_path / "a" / "equity.csv", blocks())
    assert no.value.exit_code == 5
    assert files_below(tmp_path) == set()


def test_an_interrupt_leaves_no_temporary_file(tmp_path: Path) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"some"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_new_file(tmp_path / "equity.csv", blocks())
    assert files_below(tmp_path) == set()


def test_a_temporary_file_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / f".equity.csv.{os.getpid()}.tmp"
    theirs.write_text("theirs")
    with pytest.raises(StorageError):
        write_new_file(tmp_path / "equity.csv", [b"ours"])
    assert theirs.read_text() == "theirs"


def no_links(_source: Path, _target: Path) -> None:
    """Be a file system that knows no hard links."""
    raise OSError(errno.EPERM, "Operation not permitted")


def test_where_there_are_no_hard_links_files_are_written_all_the_same(tmp_path: Path) -> None:
    write_new_file(tmp_path / "a.csv", [b"1\n", b"2\n"], link=no_links)
    assert (tmp_path / "a.csv").read_bytes() == b"1\n2\n"
    with pytest.raises(StorageError, match="there is a result already"):
        write_new_file(tmp_path / "a.csv", [b"3\n"], link=no_links)
    assert (tmp_path / "a.csv").read_bytes() == b"1\n2\n"
    assert files_below(tmp_path) == {"a.csv"}


def test_a_link_to_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "summary.json").symlink_to(tmp_path / "outside.json")
    for link in (os.link, no_links):
        with pytest.raises(StorageError, match="there is a result already"):
            write_new_file(tmp_path / "results" / "summary.json", [b"{}"], link=link)
    assert not (tmp_path / "outside.json").exists()


def test_a_directory_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "wf").write_text("a file")
    with pytest.raises(StorageError, match=r"trades\.csv: cannot write this result: .*--results-dir"):
        write_results(samples.usual(), tmp_path / "wf")


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc", "a\\b", "a\0b"])
def test_no_name_leads_out_of_the_directory(name: str, tmp_path: Path) -> None:
    for result in (
        samples.run(samples.phase(samples.portfolio(), name=name)),
        samples.run(samples.phase(samples.portfolio(portfolio_id=name))),
    ):
        with pytest.raises(StorageError, match="cannot be the name of a directory"):
            write_results(result, tmp_path / "wf")
    assert files_below(tmp_path) == set()


def test_the_summary_comes_last(tmp_path: Path) -> None:
    good, bad = samples.phase(samples.portfolio(), name="good"), samples.phase(samples.portfolio(portfolio_id=".."))
    with pytest.raises(StorageError):
        write_results(samples.run(good, bad), tmp_path)
    assert files_below(tmp_path) == {
        f"good/portfolio_trend_base/{name}" for name in ("summary.json", "trades.csv", "equity.csv")
    }


def test_many_trades_keep_their_order_and_number() -> None:
    trades = [samples.trade(number, symbol=f"S{number % 3}") for number in range(1, 70_001)]
    rows = rows_of(b"".join(trades_csv(trades)))
    assert [row["number"] for row in rows] == [str(number) for number in range(1, 70_001)]
    assert rows[69_999]["symbol"] == "S1"  # 70,000 = 3 * 23,333 + 1


def test_a_trade_reads_back_to_the_same_floats() -> None:
    trade = samples.trade(entry_price=0.1 + 0.2, exit_price=1e-7, pnl=math.nan)
    row = rows_of(b"".join(trades_csv([trade])))[0]
    assert float(row["entry_price"]) == 0.1 + 0.2
    assert float(row["exit_price"]) == 1e-7
    assert row["pnl"] == ""
    assert set(row) == set(Trade._fields)
