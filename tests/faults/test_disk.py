"""Full, failing and vanishing disks: exit 5 with path and remedy, what was written readable, no result that claims."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from admf_cli.errors import StorageError
from admf_cli.tracefile.writer import TraceFile
from tests.faults.invariants import phases, violations
from tests.faults.kills import ROOT

RUN = """
data: {source: synthetic, symbols: [A, B], timeframe: 1m, synthetic: {bars: %d, volatility: 2.0}}
features: {fast: {type: EMA, timeperiod: 5}}
strategies: [{name: s, type: sma_crossover, params: {fast: 2, slow: 3, direction: long_short}}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]
execution: {trace_settings: {max_events: %s}}
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "admf_cli", *arguments]


def run(folder: Path, *arguments: str, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("run", "c.yaml", "-q", "--workflow-id", "wf", *arguments),
        cwd=folder,
        # Under a limit on files' sizes what counts covered lines could not write its own.
        env={name: value for name, value in ENVIRONMENT.items() if before is None or not name.startswith("COVERAGE")},
        capture_output=True,
        text=True,
        preexec_fn=before,
        timeout=120,
    )


def nothing_claims_to_be_complete(folder: Path) -> None:
    assert not (folder / "results" / "wf" / "summary.json").exists()
    assert not list(folder.rglob("*.tmp"))
    assert not list(folder.rglob(".*.tmp"))
    for phase in phases(folder / "traces"):
        assert violations(phase) == []
        for meta in phase.glob("*.meta.json"):
            assert '"status": "complete"' not in meta.read_text()


def limited_to(size: int) -> Callable[[], None]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("max_events", ["null", "5000"])
def test_a_full_disk_ends_the_run_with_path_and_remedy_and_leaves_whole_lines(max_events: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(RUN % (4_000, max_events))
    ended = run(tmp_path, before=limited_to(200_000))
    assert ended.returncode == 5, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "traces/wf/backtest/" in ended.stderr
    assert "--trace-dir" in ended.stderr
    nothing_claims_to_be_complete(tmp_path)
    told = subprocess.run(
        command("traces", "inspect", "traces/wf", "--json"), cwd=tmp_path, env=ENVIRONMENT, capture_output=True
    )
    assert told.returncode == 1, told.stderr


def test_results_that_cannot_be_written_are_no_results(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(RUN % (4_000, "null"))
    ended = run(tmp_path, "--no-trace", before=limited_to(20_000))
    assert ended.returncode == 5, ended.stderr
    assert "results/wf/backtest/" in ended.stderr
    assert "--results-dir" in ended.stderr
    nothing_claims_to_be_complete(tmp_path)


@pytest.mark.parametrize("name", ["traces", "results", "traces/wf", "results/wf"])
def test_a_directory_that_is_a_file_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(RUN % (50, "null"))
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    ended = run(tmp_path)
    assert ended.returncode == (2 if "/" in name else 5), ended.stderr
    assert name in ended.stderr
    assert "--" in ended.stderr  # an option that helps
    assert (tmp_path / name).read_text() == "mine"
    nothing_claims_to_be_complete(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "arguments",
    [["run", "c.yaml", "--no-trace"], ["run", "c.yaml", "--no-trace", "--json"], ["config", "schema"]],
    ids=["screen", "json", "schema"],
)
def test_a_full_standard_output_is_told_and_is_no_fault_of_ours(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(RUN % (50, "null"))
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            command(*arguments), cwd=tmp_path, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 5, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "No space left" in ended.stderr


def test_a_trace_directory_removed_in_mid_run_ends_it_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "removing.py").write_text(
        "import os\n\n\nclass Removing:\n    def on_bar(self, ctx):\n"
        "        if ctx.bar == 50:\n            os.rename('traces', 'gone')\n"
    )
    (tmp_path / "c.yaml").write_text(
        "data: {source: synthetic, symbols: [A], synthetic: {bars: 200}}\n"
        "strategies: [{name: s, type: python, path: removing.py:Removing}]\n"
        "risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]\n"
    )
    removed = run(tmp_path)
    assert removed.returncode == 5, removed.stderr
    assert "traces/wf/backtest/" in removed.stderr
    assert "Traceback" not in removed.stderr
    assert not (tmp_path / "results" / "wf" / "summary.json").exists()
    assert all(violations(phase) == [] for phase in phases(tmp_path / "gone"))


@pytest.mark.parametrize("number", [5, 28, 122, 30], ids=["EIO", "ENOSPC", "EDQUOT", "EROFS"])
def test_a_write_that_fails_at_a_byte_leaves_the_lines_before_and_nothing_after(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, left, write = b'{"n":1}\n', [20], os.write

    def failing(descriptor: int, data: bytes) -> int:
        size = min(len(data), left[0])
        if not size:
            raise OSError(number, os.strerror(number))
        left[0] -= size
        return write(descriptor, bytes(data[:size]))

    file = TraceFile(tmp_path / "wf" / "p" / "c.jsonl")
    monkeypatch.setattr(os, "write", failing)
    with pytest.raises(StorageError, match=rf"c\.jsonl: cannot write .*{os.strerror(number)}; .*--trace-dir"):
        file.append(line * 5)
    left[0] = 1_000  # the disk has room again: nothing may follow the torn line
    with pytest.raises(StorageError):
        file.append(line)
    with pytest.raises(StorageError):
        file.seal({})
    file.close()
    assert (tmp_path / "wf" / "p" / "c.jsonl").read_bytes() == (line * 5)[:20]
    assert [entry.name for entry in (tmp_path / "wf" / "p").iterdir()] == ["c.jsonl"]


def test_of_two_runs_at_once_with_one_id_one_runs_and_the_other_says_why(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(RUN % (2_000, "null"))
    both = [
        subprocess.Popen(
            command("run", "c.yaml", "-q", "--workflow-id", "wf"),
            cwd=tmp_path,
            env=ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], said
    assert any("workflow id 'wf' is taken" in text for text in said)
    assert [violations(phase) for phase in phases(tmp_path / "traces")] == [[]]


def test_two_runs_at_once_in_one_directory_are_not_mixed_up(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(RUN % (2_000, "null"))
    both = [
        subprocess.Popen(command("run", "c.yaml", "-q", "--workflow-id", name), cwd=tmp_path, env=ENVIRONMENT)
        for name in ("a", "b")
    ]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    for path in (tmp_path / "traces" / "a").rglob("*.jsonl"):
        other = tmp_path / "traces" / "b" / path.relative_to(tmp_path / "traces" / "a")
        assert path.read_bytes() == other.read_bytes()
    assert all(violations(phase) == [] for phase in phases(tmp_path / "traces"))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT], ids=["SIGHUP", "SIGINT twice"])
def test_a_terminal_that_hangs_up_or_asks_twice_leaves_no_claim(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(RUN % (200_000, "null"))
    process = subprocess.Popen(
        command("run", "c.yaml", "-q", "--workflow-id", "wf"),
        cwd=tmp_path,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = tmp_path / "traces" / "wf" / "backtest" / "execution.jsonl"
    while process.poll() is None and not (lines.exists() and lines.stat().st_size):
        pass
    process.send_signal(number)
    if number == signal.SIGINT:
        process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + number, said
    assert "Traceback" not in said
    nothing_claims_to_be_complete(tmp_path)
