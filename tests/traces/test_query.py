"""`admf traces query`: typed views, one run or many, every form, and nothing within reach but the traces."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from commandline import traces
from handmade import crossover_run, written

from admf_cli.metrics import METRICS
from admf_cli.traces.query import VIEWS


def ask(directory: Path, sql: str, *options: str) -> list[dict[str, Any]]:
    answer = traces("query", directory, sql, "--format", "json", *options)
    assert answer.exit_code == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def events(directory: Path, event_type: str) -> list[dict[str, Any]]:
    lines = [line for file in sorted(directory.rglob("*.jsonl")) for line in file.read_text().splitlines()]
    return [event for line in lines if (event := json.loads(line))["event_type"] == event_type]


@pytest.mark.parametrize(("view", "event_type"), [("fills", "FILL"), ("bars", "BAR"), ("equity", "PORTFOLIO_UPDATE")])
def test_a_view_holds_what_the_lines_say(tmp_path: Path, view: str, event_type: str) -> None:
    phase = written(tmp_path)
    rows, wanted = ask(phase, f"FROM {view} ORDER BY sequence"), events(phase, event_type)
    assert len(rows) == len(wanted) > 0
    for row, event in zip(rows, wanted, strict=True):
        renamed = {"bar": "bar_event"} if view == "fills" else {}
        for key, value in event["payload"].items():
            shown = row[renamed.get(key, key)]
            assert (json.loads(shown) if isinstance(value, dict) else shown) == value
        assert row["bar"] == event["sequence"] >> 20
        assert (row["time"], row["workflow_id"], row["phase"]) == (event["timestamp"], "wf_1", "backtest")


def test_trades_are_rows_of_their_own_and_tell_when_they_were_opened(tmp_path: Path) -> None:
    phase = written(tmp_path)
    closing = events(phase, "POSITION_CLOSE") + events(phase, "POSITION_CHANGE")
    wanted = {trade["number"]: trade for event in closing for trade in event["payload"].get("trades", ())}
    entries = {event["event_id"]: event["timestamp"] for event in events(phase, "FILL")}
    rows = ask(phase, "FROM trades")
    assert {row["number"] for row in rows} == set(wanted)
    for row in rows:
        assert wanted[row["number"]].items() <= row.items()
        assert row["entry_time"] == entries[row["entry_fill"]]


def test_types_are_numbers_times_and_texts(tmp_path: Path) -> None:
    phase = written(tmp_path)
    kinds = {row["column_name"]: row["column_type"] for row in ask(phase, "DESCRIBE orders")}
    assert (kinds["quantity"], kinds["time"], kinds["bar"], kinds["side"]) == (
        "DOUBLE",
        "TIMESTAMP",
        "BIGINT",
        "VARCHAR",
    )
    (row,) = ask(phase, "SELECT sum(quantity * price) AS value, max(time) - min(time) AS span FROM fills")
    assert row["value"] == sum(event["payload"]["value"] for event in events(phase, "FILL"))
    assert "days" in row["span"]
    (deep,) = ask(phase, "SELECT payload->>'reason' AS reason FROM events WHERE event_type = 'REJECT'")
    assert deep["reason"] == "already_in_position"


def test_views_that_a_statement_does_not_mention_are_there_with_the_same_columns(tmp_path: Path) -> None:
    phase = written(tmp_path)
    shown = {row["name"] for row in ask(phase, "SHOW TABLES")}
    assert shown == set(VIEWS)
    listing = "SELECT table_name, column_name, data_type FROM information_schema.columns ORDER BY ALL"
    assert ask(phase, listing) == ask(phase, f"{listing} -- {' '.join(VIEWS)}")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) AS n FROM fills",
        "SELECT count(*) AS n FROM (WITH a AS (FROM Fills) SELECT * FROM a)",
        "SELECT (SELECT count(*) FROM main.fills) AS n",
        "SELECT count(*) AS n FROM query_table('fills')",
        "SELECT count(*) AS n FROM query('FROM fills')",
        "SELECT count(*) AS n FROM bars JOIN fills USING (symbol) WHERE fills.bar_event = bars.event_id",
        "SELECT count(DISTINCT entry_fill) + 2 AS n FROM trades",
        "FROM (PIVOT fills ON symbol IN ('SPX') USING count(*) GROUP BY workflow_id) SELECT SPX AS n",
    ],
)
def test_a_view_is_filled_however_it_is_mentioned(tmp_path: Path, sql: str) -> None:
    phase = written(tmp_path)
    assert ask(phase, sql) == [{"n": len(events(phase, "FILL"))}]


def test_many_runs_are_one_table(tmp_path: Path) -> None:
    for number in range(12):
        run = crossover_run([100.0 + bar % (3 + number) for bar in range(30)], {2: 1, 8: 0}, capital=5_000.0 + number)
        run.write(tmp_path / f"wf_{number:02}" / "backtest")
    rows = ask(tmp_path, "SELECT workflow_id, status, initial_capital, equity FROM runs ORDER BY ALL")
    assert [row["workflow_id"] for row in rows] == [f"wf_{number:02}" for number in range(12)]
    assert [row["initial_capital"] for row in rows] == [5_000.0 + number for number in range(12)]
    best = ask(
        tmp_path, "SELECT r.workflow_id, sum(pnl) AS pnl FROM runs r JOIN trades t USING (workflow_id) GROUP BY 1"
    )
    assert len(best) == 12
    assert set(METRICS) <= {row["column_name"] for row in ask(tmp_path, "DESCRIBE runs")}


def test_rows_come_as_table_csv_and_parquet_also_into_a_new_file(tmp_path: Path) -> None:
    phase, out = written(tmp_path / "t"), tmp_path / "out"
    sql = "SELECT event_id, quantity, time FROM fills ORDER BY sequence"
    rows = ask(phase, sql)
    table = list(csv.DictReader(io.StringIO(traces("query", phase, sql, "--format", "csv").stdout)))
    assert [{**row, "quantity": float(row["quantity"])} for row in table] == rows
    assert rows[0]["event_id"] in traces("query", phase, sql).stdout
    assert traces("query", phase, sql, "--plain").stdout.splitlines()[0] == "event_id\tquantity\ttime"
    for form in ("csv", "json", "parquet"):
        assert traces("query", phase, sql, "--format", form, "--output", out / f"a.{form}").exit_code == 0
    assert pl.read_parquet(out / "a.parquet")["event_id"].to_list() == [row["event_id"] for row in rows]
    assert pl.read_ndjson(out / "a.json").height == pl.read_csv(out / "a.csv").height == len(rows)
    taken = traces("query", phase, sql, "--format", "parquet", "--output", out / "a.parquet")
    assert (taken.exit_code, "choose another with --output" in taken.stderr) == (5, True)
    assert traces("query", phase, sql, "--format", "csv", "--output", phase / "a.csv").exit_code == 2
    assert traces("query", phase, sql, "--format", "parquet").exit_code == 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_json('https://example.com/x.json')",
        "COPY (SELECT 1) TO '{folder}/new.csv'",
        "ATTACH '{folder}/new.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA enable_external_access = true",
        "EXPORT DATABASE '{folder}/new'",
        "CREATE TABLE t AS SELECT 1",
        "SELECT 1; COPY (SELECT 1) TO '{folder}/new.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/new.csv'",
        "SELECT * FROM secret_frame",
        "PIVOT fills ON symbol USING count(*)",
        "SELECT",
        "SELEKT 1",
        "SELECT nothing FROM fills",
        "",
    ],
)
def test_sql_reaches_nothing_but_the_views_and_is_refused_plainly(tmp_path: Path, sql: str) -> None:
    secret_frame = pl.DataFrame({"secret": ["s3cret"]})
    assert secret_frame.height == 1
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "secret.csv").write_text("a\ns3cret\n")
    statement = sql.format(secret=folder / "secret.csv", folder=folder)
    for form in ("json", "parquet"):
        answer = traces("query", written(tmp_path / form), statement, "--format", form, "--output", tmp_path / "out")
        assert answer.exit_code == 2
        assert answer.stderr
        assert "s3cret" not in answer.stdout + answer.stderr
    assert os.listdir(folder) == ["secret.csv"]
    assert not (tmp_path / "out").exists()


def test_without_the_extra_the_way_to_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    answer = traces("query", written(tmp_path), "FROM fills")
    assert (answer.exit_code, "pip install 'admf[sql]'" in answer.stderr) == (2, True)


def test_damaged_and_hostile_traces_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    run = crossover_run([100.0, 101.0, 102.0], {})
    for value in ("text", True, None, {"a": 1}, [1], 10**18, 1e308):
        run.add("data", "BAR", 2, 1030, {"open": value, "close": 2}, symbol="\x1b[31m=1+1")
    run.add("data", "TRADES", 2, 1031, {"trades": [1, None]})
    run.add("portfolio_trend_base", "POSITION_CLOSE", 2, 1032, {"trades": [1, None, {"number": "one", "pnl": 2}]})
    phase = run.write(tmp_path / "wf" / "p", unsealed=["data", "portfolio_trend_base"])
    file = phase / "data.jsonl"
    file.write_bytes(b"junk\n" + file.read_bytes() + b'{"event_id":')
    answer = traces("query", phase, "SELECT open, close FROM bars WHERE symbol LIKE '%=1+1'", "--format", "json")
    opens = [json.loads(line)["open"] for line in answer.stdout.splitlines()]
    assert opens == [None, None, None, None, None, 1e18, 1e308]
    assert "passed over 2 lines" in answer.stderr
    assert ask(phase, "SELECT number, pnl FROM trades") == [{"number": None, "pnl": 2.0}]
    shown = traces("query", phase, "SELECT symbol FROM bars", "--format", "csv").stdout
    assert "\x1b" not in shown
    for form in ([], ["--plain"], ["--format", "json"]):
        assert "\x1b" not in traces("query", phase, "SELECT symbol FROM bars", *form).stdout
    assert ask(phase, "SELECT count(*) AS n FROM events")[0]["n"] > 10
    traces_only = [path for path in phase.iterdir() if path.suffix not in (".jsonl", ".json")]
    assert traces_only == []


@pytest.mark.parametrize("sql", ["FROM fills", "FROM nowhere"])
def test_a_process_that_ends_says_nothing_of_its_own(tmp_path: Path, sql: str) -> None:
    phase = written(tmp_path)
    command = [sys.executable, "-m", "admf_cli", "traces", "query", str(phase), sql, "--plain"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, bool(done.stderr)) == ((0, False) if sql == "FROM fills" else (2, True))
    assert "leak" not in done.stderr


def test_values_of_every_kind_can_be_printed(tmp_path: Path) -> None:
    phase = written(tmp_path)
    sql = (
        "SELECT 1::HUGEINT * 10000000000000000000 * 10000000000 AS h, MAP {'a': 1.5} AS m, [1, NULL] AS l, "
        "'nan'::DOUBLE AS n, DATE '2020-01-02' AS d, TIMESTAMP '2020-01-02 03:04:05' AS t, 'ab'::BLOB AS b, "
        "{'k': 1} AS s, 1.5::DECIMAL(4,2) AS f, INTERVAL 2 DAY AS i, true AS y, NULL AS z, 1 AS a, 2 AS a"
    )
    (row,) = ask(phase, sql)
    assert row["h"] == str(10**29)
    assert (row["m"], row["l"], row["n"], row["s"]) == ({"a": 1.5}, [1, None], None, {"k": 1})
    assert (row["d"], row["t"], row["b"], row["f"]) == ("2020-01-02", "2020-01-02T03:04:05Z", "6162", 1.5)
    assert (row["y"], row["z"], row["a"], row["a_2"]) == (True, None, 1, 2)
    assert traces("query", phase, sql).exit_code == traces("query", phase, sql, "--format", "csv").exit_code == 0
