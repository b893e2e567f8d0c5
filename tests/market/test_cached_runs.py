"""Whole runs that read a file again: the same trace and results to the byte, wherever the tables are kept or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_run_command import ROOT
from tests.market.test_cache import minutes

CONFIG = """
data: {source: csv, path: b.csv, timeframe: 1m}
strategies: [{name: s, type: buy_and_hold}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]
portfolio: {initial_capital: 100000}
execution: {trace_settings: {max_events: 2000}}
"""


def admf(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "admf_cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, name: str, **environment: str) -> dict[str, bytes]:
    """Run under that id, and return what was written by name of file, without the id, and what was printed."""
    process = admf(folder, "run", "c.yaml", "--json", "--workflow-id", name, **environment)
    return written(folder, name, process)


def written(folder: Path, name: str, process: subprocess.Popen[str]) -> dict[str, bytes]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    files = [path for place in ("traces", "results") for path in (folder / place / name).rglob("*") if path.is_file()]
    found = {str(path.relative_to(folder)).replace(name, "ID"): path.read_bytes() for path in files}
    found |= {"stdout": out.encode(), "stderr": err.encode()}
    # The id is in the meta files, and so in their seals; traces are without it.
    return {key: data if key.endswith(".jsonl") else without(data, name) for key, data in found.items()}


def without(data: bytes, name: str) -> bytes:
    lines = data.replace(name.encode(), b"ID").splitlines()
    return b"\n".join(line for line in lines if b'"seal"' not in line)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.yaml").write_text(CONFIG)
    minutes(tmp_path / "b.csv")
    return tmp_path


def test_a_later_run_writes_the_very_same_and_another_file_of_that_name_other_bars(folder: Path) -> None:
    plain = run(folder, "run0", ADMF_CACHE_DIR="")
    cache = folder / "home" / ".cache" / "admf"
    for name in ("run1", "run2"):
        environment = {
            key: value for key, value in os.environ.items() if key not in ("ADMF_CACHE_DIR", "XDG_CACHE_HOME")
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "admf_cli", "run", "c.yaml", "--json", "--workflow-id", name],
            cwd=folder,
            env={**environment, "PYTHONPATH": str(ROOT), "HOME": str(folder / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert written(folder, name, process) == plain
        (entry,) = cache.iterdir() if sys.platform != "darwin" else (folder / "home/Library/Caches/admf").iterdir()
        assert entry.suffix == ".bars"
    assert sorted(path.name for path in folder.iterdir()) == ["b.csv", "c.yaml", "home", "results", "traces"]
    if sys.platform == "darwin":
        return

    text = (folder / "b.csv").read_text()
    before = (folder / "b.csv").stat()
    (folder / "b.csv").write_text(text.replace(",90.0,", ",89.5,"))
    os.utime(folder / "b.csv", ns=(before.st_atime_ns, before.st_mtime_ns))
    changed = run(folder, "run3", ADMF_CACHE_DIR=str(cache))
    assert changed != plain
    assert changed == run(folder, "run4", ADMF_CACHE_DIR="")
    assert len(list(cache.iterdir())) == 2


def test_two_runs_at_once_may_read_and_keep_the_same_file(folder: Path) -> None:
    plain = run(folder, "run0", ADMF_CACHE_DIR="")
    for first, second in (("run1", "run2"), ("run3", "run4")):
        started = {
            name: admf(folder, "run", "c.yaml", "--json", "--workflow-id", name, ADMF_CACHE_DIR=str(folder / "cache"))
            for name in (first, second)
        }
        assert [written(folder, name, process) for name, process in started.items()] == [plain, plain]
    assert [path.suffix for path in (folder / "cache").iterdir()] == [".bars"]


@pytest.mark.parametrize("place", ["/proc/self/nowhere", "b.csv", "cache"])
def test_where_nothing_can_be_kept_the_run_is_none_the_wiser(place: str, folder: Path) -> None:
    plain = run(folder, "run0", ADMF_CACHE_DIR="")
    (folder / "cache").mkdir(mode=0o500)
    (folder / "cache").chmod(0o500)
    before = (folder / "b.csv").read_bytes()
    assert run(folder, "run1", ADMF_CACHE_DIR=place) == plain
    assert (folder / "b.csv").read_bytes() == before
    if os.geteuid() != 0:  # whom no permission stops
        assert not list((folder / "cache").iterdir())


def test_a_run_without_a_home_keeps_nothing(folder: Path) -> None:
    environment = {
        key: value for key, value in os.environ.items() if not key.endswith(("CACHE_DIR", "CACHE_HOME", "HOME"))
    }
    ended = subprocess.run(
        [sys.executable, "-m", "admf_cli", "run", "c.yaml", "-q", "--workflow-id", "wf"],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert ended.stderr == b""
    assert sorted(path.name for path in folder.iterdir()) == ["b.csv", "c.yaml", "results", "traces"]


def test_a_run_that_is_told_to_stop_ends_with_its_own_exit_code(folder: Path) -> None:
    (folder / "stopping.py").write_text(
        "import os, signal\nclass S:\n    def on_bar(self, ctx):\n"
        "        if ctx.bar == 100: os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    (folder / "c.yaml").write_text(
        CONFIG.replace(
            "type: buy_and_hold",
            "type: python, path: 'stopping.py:S'",
        )
    )
    process = admf(folder, "run", "c.yaml", "-q", "--workflow-id", "wf", ADMF_CACHE_DIR=str(folder / "cache"))
    process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert all(path.suffix in (".bars", ".tmp") for path in (folder / "cache").glob("*"))


def test_a_check_reads_what_was_kept_and_keeps_what_it_read(folder: Path) -> None:
    (folder / "c.yaml").write_text(CONFIG + "results: {write: false}\n")
    answers = []
    for directory in ("", str(folder / "cache"), str(folder / "cache")):
        process = admf(folder, "check", "lookahead", "c.yaml", "--cuts", "1", "--json", ADMF_CACHE_DIR=directory)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        answers.append(out)
    assert len(set(answers)) == 1
    assert len(list((folder / "cache").iterdir())) == 1
