"""The directories of runs: claimed before anything runs, shared by none, gone again where nothing was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from admf_cli.directories import RunDirectories
from admf_cli.errors import ConfigError, StorageError


def claim(
    traces: Path | None, results: Path | None, name: str | None = "wf", overwrite: bool = False
) -> RunDirectories:
    return RunDirectories(workflow_id=name, fallback="made", trace_dir=traces, results_dir=results, overwrite=overwrite)


def test_traces_and_results_have_a_directory_each(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("same")
    for traces, results in (("same", "same"), ("a/../same", "same"), ("link", "same")):
        with pytest.raises(ConfigError, match=r"would share .*--results-dir"):
            claim(tmp_path / traces, tmp_path / results)
    assert [entry.name for entry in tmp_path.iterdir()] == ["link"]


def test_what_was_made_in_vain_is_removed_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match=r"file/wf: cannot create.*--trace-dir"):
        claim(tmp_path / "traces", tmp_path / "file")
    with claim(tmp_path / "traces", tmp_path / "results"):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_name_made_for_a_run_is_never_one_that_is_taken(tmp_path: Path) -> None:
    with claim(tmp_path, None, None) as first, claim(tmp_path, None, None) as second:
        assert (first.workflow_id, second.workflow_id) == ("made", "made-2")


def test_a_workflows_directory_that_is_a_link_is_neither_used_nor_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces" / "wf").symlink_to("../elsewhere")
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="is taken"):
            claim(tmp_path / "traces", None, overwrite=overwrite)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_what_a_kill_left_in_mid_write_is_replaced_with_its_run(tmp_path: Path) -> None:
    phase = tmp_path / "wf" / "backtest"
    phase.mkdir(parents=True)
    for name in ("data.jsonl", "data.jsonl.tmp", "data.meta.json.tmp", "mine.tmp"):
        (phase / name).write_bytes(b"")
    claim(tmp_path, None, overwrite=True)
    assert [entry.name for entry in phase.iterdir()] == ["mine.tmp"]


def test_results_that_a_kill_cut_short_are_replaced_and_those_of_others_are_not(tmp_path: Path) -> None:
    mine, other = tmp_path / "wf" / "backtest" / "mine", tmp_path / "wf" / "backtest" / "other"
    for folder, names in ((mine, ("trades.csv", ".equity.csv.77.tmp")), (other, ("trades.csv", "notes.txt"))):
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text("x")
    (tmp_path / "wf" / ".summary.json.77.tmp").write_text("x")
    claim(None, tmp_path, overwrite=True)
    assert not mine.exists()
    assert sorted(entry.name for entry in other.iterdir()) == ["notes.txt", "trades.csv"]
    assert [entry.name for entry in (tmp_path / "wf").iterdir()] == ["backtest"]
    (tmp_path / "wf" / "summary.json").write_text('{"workflow_id": "another"}')
    mine.mkdir()
    (mine / "trades.csv").write_text("x")
    claim(None, tmp_path, overwrite=True)
    assert (mine / "trades.csv").exists()


def test_a_link_among_the_traces_of_a_run_that_is_replaced_stays(tmp_path: Path) -> None:
    phase = tmp_path / "wf" / "p"
    phase.mkdir(parents=True)
    for name in ("data", "mine"):
        (phase / f"{name}.meta.json").write_text('{"workflow_id": "wf"}')
    (phase / "data.jsonl").write_text("")
    (tmp_path / "elsewhere.jsonl").write_text("of somebody else")
    (phase / "mine.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    with claim(tmp_path, None, overwrite=True):
        assert sorted(path.name for path in phase.iterdir()) == ["mine.jsonl", "mine.meta.json"]
    assert (tmp_path / "elsewhere.jsonl").read_text() == "of somebody else"
