"""What the shell offers: runs, phases, containers, event ids and trades; nothing where something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from handmade import written

from admf_cli.traces.suggestions import container_ids, event_words, phase_names, run_directories


def offered(folder: Path, *words: str, shell: str = "bash") -> list[str]:
    """Ask as the script does that `admf --install-completion` puts into the shell."""
    environment = {
        **os.environ,
        "_ADMF_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": " ".join(("admf", *words)),
        "COMP_CWORD": str(len(words)),
        "_TYPER_COMPLETE_ARGS": " ".join(("admf", *words)),
    }
    command = [sys.executable, "-c", "from admf_cli.__main__ import main; import sys; sys.argv[0] = 'admf'; main()"]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split("\n") if done.stdout.strip() else []


def test_the_shell_is_offered_event_ids_and_phases_of_the_directory_named_before(tmp_path: Path) -> None:
    written(tmp_path / "traces")
    assert "execution#3" in offered(tmp_path, "traces", "explain", "traces/wf_1", "execution#")
    assert "backtest" in offered(tmp_path, "traces", "why-not", "traces/wf_1", "--phase", "b")
    assert "traces/wf_1" in offered(tmp_path, "traces", "explain", "traces/w")


def test_runs_come_first_and_directories_by_their_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("older", "newer"):
        written(tmp_path / "traces" / name)
    os.utime(tmp_path / "traces" / "older", (1, 1))
    monkeypatch.chdir(tmp_path)
    assert run_directories("", Path("traces")) == ["traces/newer", "traces/older"]
    assert run_directories("traces/o", Path("traces")) == ["traces/older"]
    assert run_directories("./traces/n", Path("traces")) == ["./traces/newer"]
    assert run_directories("tra", Path("traces")) == ["traces"]
    assert run_directories("nowhere/", Path("nowhere")) == []


def test_events_are_offered_by_container_then_by_digit(tmp_path: Path) -> None:
    phase = written(tmp_path)
    assert set(event_words(phase, "")) >= {"last-fill", "trade:", "execution#", "portfolio_trend_base#"}
    assert event_words(phase, "trade:") == ["trade:2", "trade:1"]
    assert event_words(phase, "data#4") == ["data#4", "data#40", "data#41", "data#42"]
    assert event_words(phase, "data#")[:2] == ["data#42", "data#41"]
    assert event_words(phase, "data#999") == event_words(phase, "data#x") == event_words(phase, "nothing#1") == []
    assert phase_names(phase) == ["backtest"]
    assert container_ids(phase, "portfolio") == ["portfolio_trend_base"]
