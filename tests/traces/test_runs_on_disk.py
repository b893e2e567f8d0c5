"""`admf traces list` and `prune`: which runs there are, and that nothing else is ever removed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from commandline import traces
from handmade import PORTFOLIO, crossover_run

from admf_cli.errors import ConfigError
from admf_cli.tracefile.presence import held
from admf_cli.traces.prune import parse_age, parse_size, prune
from admf_cli.traces.runs import list_runs

HOUR = 3600


def runs(root: Path, names: str, **options: Any) -> None:
    """Make runs, the first the oldest, an hour apart."""
    for age, name in enumerate(reversed(names)):
        made = crossover_run([100.0, 101.0, 102.0, 103.0], {1: 1})
        metrics = {"total_return": 0.1, "sharpe_ratio": 1.5, "max_drawdown": 0.2, "trades": 3}
        made.events[PORTFOLIO][-1]["payload"]["metrics"] = metrics
        phase = made.write(root / name / "backtest", **options)
        for path in phase.iterdir():
            os.utime(path, (2e9 - age * HOUR, 2e9 - age * HOUR))


def names(root: Path) -> str:
    return "".join(sorted(path.name for path in root.iterdir()))


def test_runs_are_listed_newest_first_with_what_they_came_to(tmp_path: Path) -> None:
    runs(tmp_path, "abc")
    listed = list_runs(tmp_path).runs
    assert [run.workflow_id for run in listed] == ["c", "b", "a"]
    first = listed[0]
    assert (first.modified, first.config_name, first.status, first.phases) == (
        2e9,
        "trend_demo",
        "complete",
        ("backtest",),
    )
    assert (first.best, first.metrics["sharpe_ratio"]) == (f"backtest/{PORTFOLIO}", 1.5)
    assert first.size == sum(path.stat().st_size for path in (tmp_path / "c" / "backtest").iterdir())


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"status": "failed"}, "failed"),
        ({"unsealed": ["data"]}, "never sealed"),
        ({"meta_changes": {"status": 7}}, "damaged meta"),
    ],
)
def test_the_worst_of_its_containers_is_a_run_s_status(tmp_path: Path, options: dict[str, Any], status: str) -> None:
    runs(tmp_path, "a", **options)
    assert list_runs(tmp_path).runs[0].status == status


def test_a_run_that_goes_on_is_running_and_is_never_removed(tmp_path: Path) -> None:
    runs(tmp_path, "a")
    with held(tmp_path / "a"):
        assert list_runs(tmp_path).runs[0].status == "running"
        answer = prune(tmp_path, keep=0)
    assert [(one.workflow_id, one.spared) for one in answer.spared] == [("a", "its run still goes on")]
    assert names(tmp_path) == "a"


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ({"keep": 2}, "cd"),
        ({"keep": 9}, "abcd"),
        ({"keep": 0}, ""),
        ({"older_than": "2033-05-18T02:30:00Z"}, "cd"),  # 2e9 is 03:33:20 of that day
        ({"older_than": "2033-05-18T02:30:00Z", "keep": 3}, "bcd"),
        ({"max_size": "1GB"}, "abcd"),
        ({"max_size": "0"}, ""),
        ({"max_size": "0", "keep": 1}, "d"),
    ],
)
def test_each_rule_removes_the_oldest_and_they_narrow_each_other(
    tmp_path: Path, rules: dict[str, Any], left: str
) -> None:
    runs(tmp_path, "abcd")
    planned = prune(tmp_path, **rules, dry_run=True)
    assert names(tmp_path) == "abcd"
    done = prune(tmp_path, **rules)
    assert names(tmp_path) == left
    assert planned.removed == done.removed


def test_only_as_many_go_as_the_size_takes(tmp_path: Path) -> None:
    runs(tmp_path, "abcd")
    each = list_runs(tmp_path).runs[0].size
    prune(tmp_path, max_size=str(each * 3))
    assert names(tmp_path) == "bcd"


def plant_note(run: Path) -> None:
    (run / "backtest" / "notes.txt").write_text("mine")


def plant_link(run: Path) -> None:
    (run / "backtest" / "x.jsonl").symlink_to(run / "backtest" / "data.jsonl")


def plant_folder(run: Path) -> None:
    (run / "backtest" / "deeper").mkdir()


def plant_beside(run: Path) -> None:
    (run / "results").mkdir()


def plant_foreign_seal(run: Path) -> None:
    run.rename(run.with_name("kept"))


def plant_foreign_lines(run: Path) -> None:
    (run / "backtest" / "labels.jsonl").write_text('{"label": 1}\n')


@pytest.mark.parametrize(
    "plant", [plant_note, plant_link, plant_folder, plant_beside, plant_foreign_seal, plant_foreign_lines]
)
def test_what_holds_anything_else_is_spared_whole(tmp_path: Path, plant: Any) -> None:
    runs(tmp_path, "ab")
    plant(tmp_path / "a")
    (other,) = [path for path in tmp_path.iterdir() if path.name != "b"]
    before = sorted(other.rglob("*"))
    answer = prune(tmp_path, keep=0)
    assert [one.workflow_id for one in answer.removed] == ["b"]
    assert len(answer.spared) == 1
    assert list(tmp_path.iterdir()) == [other]
    assert sorted(other.rglob("*")) == before


def test_a_run_that_was_killed_before_some_of_its_files_had_a_line_is_removed_whole(tmp_path: Path) -> None:
    runs(tmp_path, "a", unsealed=["data", "features"])
    (tmp_path / "a" / "backtest" / "features.jsonl").write_bytes(b"")
    assert [one.workflow_id for one in prune(tmp_path, keep=0).removed] == ["a"]
    assert names(tmp_path) == ""


def test_a_directory_of_more_files_than_a_run_has_is_spared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(tmp_path, "a")
    monkeypatch.setattr("admf_cli.traces.prune._MOST_FILES", 8)
    (spared,) = prune(tmp_path, keep=0).spared
    assert spared.spared == "it can't be looked into: more than 8 entries"
    assert names(tmp_path) == "a"


def test_a_list_says_whose_figures_it_shows_and_that_it_is_not_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = crossover_run([100.0, 101.0, 102.0, 103.0], {1: 1})
    for figure, name in ((0.1, PORTFOLIO), (0.3, "portfolio_trend_bold")):
        end = json.loads(json.dumps(made.events[PORTFOLIO]).replace(PORTFOLIO, name))
        end[-1]["payload"]["metrics"] = {"total_return": figure}
        made.events[name] = end
    made.write(tmp_path / "a" / "backtest")
    told = traces("list", tmp_path, "--plain").stdout
    assert "+30.0%" in told
    assert "figures are those of the portfolio with the highest return in the last phase" in told
    assert "more files than are looked at" not in told
    monkeypatch.setattr("admf_cli.tracefile.discovery.MAX_ENTRIES", 8)
    assert "there are more files than are looked at: name a smaller directory" in traces("list", tmp_path).stdout


def test_no_rule_is_a_usage_error_and_nothing_goes(tmp_path: Path) -> None:
    runs(tmp_path, "a")
    result = traces("prune", tmp_path)
    assert result.exit_code == 2
    assert names(tmp_path) == "a"


@pytest.mark.parametrize("text", ["", "d", "-3d", "3 days", "yesterday", "9999999d"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--older-than"):
        parse_age(text, 0.0)


def test_ages_and_sizes_mean_what_they_say() -> None:
    assert parse_age("2w", 2e9) == 2e9 - 14 * 86_400
    assert parse_age("2033-05-18", 0.0) == 1_999_987_200
    assert [parse_size(text) for text in ("7", "2kB", "1.5M", "2GB", "1 TiB")] == [
        7,
        2000,
        1_500_000,
        2 * 10**9,
        10**12,
    ]
    with pytest.raises(ConfigError, match="--max-size"):
        parse_size("much")


def test_the_commands_print_tables_and_json(tmp_path: Path) -> None:
    runs(tmp_path, "abc", meta_changes={"config_name": "\x1b[31mred"})
    shown = traces("list", tmp_path, "--plain", "--limit", "2")
    assert shown.stdout.splitlines()[1].startswith(
        "c (\\x1b[31mred)\t2033-05-18 03:33\tcomplete\t+10.0%\t1.50\t20.0%\t3\t"
    )
    assert "1 older runs" in shown.stdout
    document = json.loads(traces("list", tmp_path, "--json").stdout)
    assert [run["workflow_id"] for run in document["runs"]] == ["c", "b", "a"]
    assert "would be removed" in traces("prune", tmp_path, "--keep", "1", "--dry-run").stdout
    assert json.loads(traces("prune", tmp_path, "--keep", "1", "--json").stdout)["kept"] == 1
    assert names(tmp_path) == "c"
    assert traces("list", tmp_path / "nowhere").exit_code == 5


@pytest.mark.parametrize(("width", "left_out"), [(60, {"trades", "max dd", "size"}), (80, {"trades"}), (120, set())])
def test_a_narrow_terminal_loses_columns_before_names_become_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, left_out: set[str]
) -> None:
    crossover_run([100.0, 101.0, 102.0], {1: 1}).write(tmp_path / "trend_2024_a" / "p")
    monkeypatch.setenv("COLUMNS", str(width))
    told = traces("list", tmp_path).stdout
    assert "trend_2024_a" in told
    assert "date (UTC)" in told
    header = told.splitlines()[0]
    assert {name for name in ("size", "max dd", "trades") if name not in header} == left_out
    assert ("too narrow for" in told) == bool(left_out)


def test_only_as_many_as_asked_for_are_opened_and_the_rest_is_counted(tmp_path: Path) -> None:
    runs(tmp_path, "abcd")
    (tmp_path / "a" / "backtest" / "data.meta.json").write_text("damaged")
    found = list_runs(tmp_path, 2)
    assert ([run.workflow_id for run in found.runs], found.older) == (["d", "c"], 2)
    document = json.loads(traces("list", tmp_path, "--limit", "1", "--json").stdout)
    assert ([run["workflow_id"] for run in document["runs"]], document["older"]) == (["d"], 3)


def test_lines_of_something_else_are_no_run(tmp_path: Path) -> None:
    runs(tmp_path, "a")
    for name, data in {"prompts": b'{"prompt": "x"}\n', "noise": b"\x00\xff", "empty": b""}.items():
        (tmp_path / "other" / name).mkdir(parents=True)
        (tmp_path / "other" / name / "training.jsonl").write_bytes(data)
    (tmp_path / "killed" / "backtest").mkdir(parents=True)
    (tmp_path / "killed" / "backtest" / "data.jsonl").write_bytes(b"")  # named as a container's: a run killed at once
    found = list_runs(tmp_path)
    assert {run.workflow_id: run.status for run in found.runs} == {"a": "complete", "killed": "never sealed"}
    assert found.foreign == (str(tmp_path / "other"),)
    assert "no traces: the .jsonl files below" in traces("list", tmp_path).stdout


def test_the_last_phase_is_the_one_that_reaches_furthest_whatever_its_name(tmp_path: Path) -> None:
    for name, closes in {"training": [100.0, 101.0, 102.0], "testing": [100.0, 101.0, 102.0, 90.0]}.items():
        made = crossover_run(closes, {1: 1})
        made.events[PORTFOLIO][-1]["payload"]["metrics"] = {"total_return": len(name) / 100}
        made.write(tmp_path / "wf" / name)
    (run,) = list_runs(tmp_path).runs
    assert run.phases == ("training", "testing")
    assert run.best is not None
    assert run.best.startswith("testing/")


def test_a_pipe_has_no_width(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    crossover_run([100.0, 101.0, 102.0], {1: 1}).write(tmp_path / ("a_name_of_some_length_" * 8) / "p")
    told = traces("list", tmp_path).stdout
    assert "a_name_of_some_length_" * 8 in told
    assert "size" in told
