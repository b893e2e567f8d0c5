"""`admf traces show`: every filter, every form, runs in progress, damage and hostile text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commandline import traces
from handmade import PORTFOLIO, crossover_run, line_of, written

from admf_cli.config import load_config
from admf_cli.errors import ConfigError
from admf_cli.tracefile.presence import held, is_held
from admf_cli.traces.filters import filters_of
from admf_cli.traces.follow import follow
from admf_cli.traces.moments import parse_span
from admf_cli.traces.show import Selection
from admf_cli.wiring import run_workflow


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def ids(text: str) -> list[str]:
    return [row["event_id"] for row in rows(text)]


def test_json_lines_are_the_run_s_lines_merged_by_sequence(tmp_path: Path) -> None:
    phase = written(tmp_path)
    shown = traces("show", phase, "--json").stdout
    lines = [line for file in phase.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert shown.splitlines() == sorted(lines, key=lambda line: json.loads(line)["sequence"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--type fill --type REJECT", lambda row: row["event_type"] in ("FILL", "REJECT")),
        ("--type fill,reject", lambda row: row["event_type"] in ("FILL", "REJECT")),
        (
            "--container portfolio_* --container data",
            lambda row: row["container_id"].startswith("portfolio") or row["container_id"] == "data",
        ),
        ("--symbol SPX", lambda row: row["symbol"] == "SPX"),
        ("--from 2008-01-05 --to 2008-01-09", lambda row: "2008-01-05" <= row["timestamp"] < "2008-01-10"),
        ("--reason already_in_position", lambda row: row["payload"].get("reason") == "already_in_position"),
        ("--correlation strategy_trend#3", lambda row: row["correlation_id"] == "strategy_trend#3"),
    ],
)
def test_filters_narrow_by_what_the_events_say(
    tmp_path: Path, options: str, expected: Callable[[dict[str, Any]], bool]
) -> None:
    phase = written(tmp_path)
    every = rows(traces("show", phase, "--json").stdout)
    shown = rows(traces("show", phase, "--json", *options.split()).stdout)
    assert shown
    assert shown == [row for row in every if expected(row)]
    newest = rows(traces("show", phase, "--json", "--last", "1000", *options.split()).stdout)
    assert newest == shown


def test_limit_takes_the_first_and_last_the_newest(tmp_path: Path) -> None:
    phase = written(tmp_path)
    every = ids(traces("show", phase, "--json").stdout)
    assert ids(traces("show", phase, "--json", "--limit", "7").stdout) == every[:7]
    assert ids(traces("show", phase, "--json", "--last", "7").stdout) == every[-7:]
    before = ids(traces("show", phase, "--json", "--to", "2008-01-08").stdout)
    assert ids(traces("show", phase, "--json", "--to", "2008-01-08", "--last", "3").stdout) == before[-3:]
    refused = traces("show", phase, "--limit", "1", "--last", "1")
    assert (refused.exit_code, "choose one" in refused.stderr) == (2, True)


def test_several_phases_follow_each_other_and_json_says_whose_a_line_is(tmp_path: Path) -> None:
    run = crossover_run([100.0, 101.0, 102.0, 103.0], {1: 1})
    run.write(tmp_path / "wf" / "a_train")
    run.write(tmp_path / "wf" / "b_test")
    shown = rows(traces("show", tmp_path, "--json").stdout)
    assert [row["phase_name"] for row in shown] == sorted(row["phase_name"] for row in shown)
    assert {row["workflow_id"] for row in shown} == {"wf"}
    last = rows(traces("show", tmp_path, "--json", "--last", str(len(shown) // 2 + 1)).stdout)
    assert last == shown[-len(last) :]
    one = rows(traces("show", tmp_path, "--json", "--phase", "b_test").stdout)
    assert "phase_name" not in one[0]


def test_csv_holds_the_format_s_keys_and_no_formula(tmp_path: Path) -> None:
    run = crossover_run([100.0, 101.0], {})
    run.add("data", "BAR", 1, 1025, {"open": 1.0}, symbol="=HYPERLINK(1)")
    phase = run.write(tmp_path / "wf" / "p")
    table = list(csv.DictReader(io.StringIO(traces("show", phase, "--format", "csv").stdout)))
    assert list(table[0])[:4] == ["workflow_id", "phase_name", "event_id", "sequence"]
    assert "'=HYPERLINK(1)" in {row["symbol"] for row in table}
    assert all(isinstance(json.loads(row["payload"]), dict) for row in table)


def test_what_no_event_fits_is_said_and_misspelt_names_are_helped(tmp_path: Path) -> None:
    phase = written(tmp_path)
    nothing = traces("show", phase, "--type", "FILS")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "FILS is no type of this version" in nothing.stderr
    wrong = traces("show", phase, "--container", "portfolios")
    assert (wrong.exit_code, PORTFOLIO in wrong.stderr) == (2, True)
    assert traces("show", phase, "--from", "yesterday").exit_code == 2
    assert traces("show", phase, "--from", "2009-01-01", "--to", "2008-01-01").exit_code == 2


@pytest.mark.parametrize("form", [["--json"], ["--format", "csv"], ["--plain"], []])
def test_hostile_text_reaches_no_terminal_and_damaged_lines_are_stepped_over(tmp_path: Path, form: list[str]) -> None:
    run = crossover_run([100.0, 101.0, 102.0], {})
    nasty = "[bold red]x[/]\x1b]0;owned\x07\u202e\x9b31m"
    run.add("data", "SURPRISE", 2, 1030, {"reason": nasty, "deep": [[[[nasty]]]]}, symbol=nasty)
    phase = run.write(tmp_path / "wf" / "p")
    file = phase / "data.jsonl"
    whole = traces("show", phase, *form)
    damaged = b"not json\n" + b"[" * 5000 + b"\n" + b'{"a":1}\n'
    file.write_bytes(damaged + file.read_bytes() + b'{"event_id":"data#9","sequ')
    shown = traces("show", phase, *form)
    assert shown.exit_code == 0
    assert shown.stdout == whole.stdout
    assert not any(character in shown.stdout for character in "\x1b\x07\u202e\x9b")
    assert "SURPRISE" in shown.stdout


class Writer:
    """A run in progress, told what to write whenever its reader waits."""

    def __init__(self, phase: Path, steps: Iterator[None]) -> None:
        self.phase, self.steps, self.waits = phase, steps, 0

    def wait(self) -> None:
        self.waits += 1
        next(self.steps, None)


def test_follow_shows_what_a_run_adds_until_its_process_lets_go(tmp_path: Path) -> None:
    run = crossover_run([100.0, 101.0, 102.0, 103.0, 104.0], {1: 1, 3: 0})
    phase = tmp_path / "wf" / "backtest"
    phase.mkdir(parents=True)
    every = sorted((event for events in run.events.values() for event in events), key=lambda one: one["sequence"])

    def steps() -> Iterator[None]:
        with held(tmp_path / "wf"):
            yield
            for start in range(0, len(every), 5):
                for event in every[start : start + 5]:
                    with (phase / f"{event['container_id']}.jsonl").open("ab") as file:
                        file.write(line_of(event))
                yield

    writer = Writer(phase, steps())
    writer.wait()
    assert is_held(tmp_path / "wf")
    shown = [one.found.event.event_id for one in follow(tmp_path / "wf", None, Selection(), writer.wait)]
    assert shown == [event["event_id"] for event in every]  # never sealed, as if it had been killed
    assert not is_held(tmp_path / "wf")
    assert writer.waits >= len(every) // 5


def test_follow_begins_with_the_newest_and_ends_at_the_limit(tmp_path: Path) -> None:
    phase = written(tmp_path)
    every = ids(traces("show", phase, "--json").stdout)
    assert ids(traces("show", phase, "--json", "--follow", "--last", "4").stdout) == every[-4:]
    assert ids(traces("show", phase, "--json", "--follow", "--limit", "4").stdout) == every[:4]
    told = traces("show", phase, "--follow", "--plain", "--type", "FILL").stdout
    assert told.count("fill: ") == len([one for one in every if one.startswith("execution#")]) - 2


def test_follow_survives_the_head_of_a_file_being_cut_off(tmp_path: Path) -> None:
    run = crossover_run([100.0 + bar for bar in range(30)], {})
    lines = [line_of(event) for event in run.events["data"]]
    file = tmp_path / "wf" / "p" / "data.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"".join(lines[:10]))

    def steps() -> Iterator[None]:
        with held(tmp_path / "wf"):
            yield
            file.write_bytes(b"".join(lines[8:20]))  # max_events pushed the oldest out
            yield
            file.write_bytes(b"".join(lines[15:]))
            yield

    writer = Writer(file.parent, steps())
    writer.wait()
    shown = [one.found.line + b"\n" for one in follow(tmp_path / "wf", None, Selection(), writer.wait)]
    assert shown == lines


def test_hundreds_of_containers_merge_though_few_files_may_be_open(tmp_path: Path) -> None:
    run = crossover_run([100.0, 101.0], {})
    for number in range(150):
        for bar in range(3):
            run.add(f"strategy_s{number}", "SIGNAL", bar, 400_000 + number, {}, symbol="SPX")
    phase = run.write(tmp_path / "wf" / "p")
    sequences = [row["sequence"] for row in rows(traces("show", phase, "--json", "--container", "strategy_*").stdout)]
    assert len(sequences) == 450 + len(run.events["strategy_trend"])
    assert sequences == sorted(sequences)


def test_an_unreadable_span_names_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match="the end comes before the start"):
        filters_of(first="2008-03-03", last="2008-03-01")


def test_a_run_holds_its_directory_as_long_as_it_goes_on(tmp_path: Path) -> None:
    settings = {
        "workflow": {"id": "wf"},
        "data": {"source": "synthetic", "symbols": ["A"], "start": "2024-01-02", "synthetic": {"bars": 500}},
        "strategies": [{"name": "t", "type": "sma_crossover", "params": {"fast": 3, "slow": 9}}],
        "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
        "execution": {"trace_settings": {"trace_dir": str(tmp_path)}},
        "results": {"write": False},
    }
    during: list[bool | None] = []
    run_workflow(load_config(settings), progress=lambda done, total: during.append(is_held(tmp_path / "wf")))
    assert during
    assert set(during) == {True}
    assert is_held(tmp_path / "wf") is False


@pytest.mark.parametrize(
    ("text", "first", "stop"),
    [
        ("2008", "2008-01-01T00:00:00", "2009-01-01T00:00:00"),
        ("2008-02", "2008-02-01T00:00:00", "2008-03-01T00:00:00"),
        ("2008-12", "2008-12-01T00:00:00", "2009-01-01T00:00:00"),
        ("2008-02-29", "2008-02-29T00:00:00", "2008-03-01T00:00:00"),
        ("2008-02-29T10:30", "2008-02-29T10:30:00", "2008-02-29T10:31:00"),
        ("2008-02-29 10:30:01", "2008-02-29T10:30:01", "2008-02-29T10:30:01.000001"),
        ("2008-02-29T10:30+02:00", "2008-02-29T08:30:00", "2008-02-29T08:31:00"),
    ],
)
def test_a_time_is_a_span_as_long_as_it_is_vague(text: str, first: str, stop: str) -> None:
    span = parse_span(text)
    assert (span.first, span.stop) == (first, stop)


@pytest.mark.parametrize("text", ["2008-00", "2008-13", "0000", "9999", "soon", "2008-02-30", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_span(text)
