"""A new project runs, is checked by its own CI file, and never costs anybody a file."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cli.test_run_command import admf


def test_a_new_project_passes_every_step_of_its_ci_file(tmp_path: Path) -> None:
    made = admf(tmp_path, "init", "research/first")
    assert made.returncode == 0, made.stderr
    project = tmp_path / "research" / "first"
    assert "admf run backtest.yaml" in made.stdout
    steps = yaml.safe_load((project / ".github/workflows/backtest.yml").read_text())["jobs"]["backtest"]["steps"]
    commands = [step["run"] for step in steps if "run" in step and step["run"].startswith("admf ")]
    assert [command.split()[1] for command in commands] == ["config", "check", "check", "run"]
    for command in commands:
        import shlex

        run = admf(project, *shlex.split(command)[1:])
        assert run.returncode == 0, command + run.stderr + run.stdout
    assert "→ " in run.stdout
    assert (project / "README.md").read_text().startswith("# first\n")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    refused = admf(tmp_path, "init", "full")
    assert refused.returncode == 2
    assert "full is not empty (notes.txt)" in refused.stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]
    (tmp_path / "empty").mkdir()
    assert admf(tmp_path, "init", "empty").returncode == 0
    again = admf(tmp_path, "init", "empty")
    assert again.returncode == 2
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    assert admf(tmp_path, "init", "repository").returncode == 0
    (tmp_path / "ignores").mkdir()
    (tmp_path / "ignores" / ".gitignore").write_text("x")
    assert "ignores is not empty (.gitignore)" in admf(tmp_path, "init", "ignores").stderr
    (tmp_path / "file").write_text("x")
    assert admf(tmp_path, "init", "file").returncode == 2
    assert admf(tmp_path, "init", "file/below").returncode == 5
