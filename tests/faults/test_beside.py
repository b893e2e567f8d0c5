"""Whole runs whose dense traces a process beside them writes: the same bytes, whatever ends either of the two."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from admf_cli import run_backtest
from admf_cli.errors import AdmfError
from admf_cli.topology import topology
from tests.faults.invariants import phases, violations
from tests.faults.processes import children, is_alive
from tests.faults.test_disk import ENVIRONMENT, limited_to, nothing_claims_to_be_complete

BARS = 36_000  # dense events are published every 32,768 bars
RUN = (
    "data: {source: synthetic, symbols: [A], timeframe: 1m, synthetic: {bars: %d, volatility: 0.5}}\n"
    "features: {fast: {type: EMA, timeperiod: 50}}\n"
    "strategies: [{name: s, type: %s}]\n"
    "risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]\n"
    "execution: {trace_settings: {max_events: null}}\n"
)
CROSS = "sma_crossover, params: {fast: 200, slow: 500, direction: long_short}"
OWN = 'python, path: "my.py:S"'


START = f"""
from admf_cli.__main__ import main
from admf_cli.topology import topology
topology.ROWS_FOR_A_PROCESS = {2 * BARS}
main()
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", START, "run", "c.yaml", "-q", "--workflow-id", "wf", *arguments]


def run(folder: Path, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    # Under a limit on files' sizes what counts covered lines could not write its own.
    own = {name: value for name, value in ENVIRONMENT.items() if before is None or not name.startswith("COVERAGE")}
    return subprocess.run(
        command(), cwd=folder, env=own, capture_output=True, text=True, preexec_fn=before, timeout=120
    )


def prepare(folder: Path, body: str | None = None) -> None:
    """Write a configuration, of a strategy with this code for each bar where there is some."""
    (folder / "c.yaml").write_text(RUN % (BARS, CROSS if body is None else OWN))
    (folder / "my.py").write_text(
        f"import os, sys, time\nclass S:\n    def on_bar(self, ctx):\n        {body or 'pass'}\n"
    )


def started(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], int]:
    """Start a run, and return it with the process beside it once that has written."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    lines = folder / "traces" / "wf" / "backtest" / "features.jsonl"
    while process.poll() is None and not (lines.exists() and lines.stat().st_size):
        pass
    assert process.poll() is None, process.communicate()
    [beside] = children(process.pid)
    return process, beside


@pytest.mark.parametrize(
    ("body", "last_bar", "status"),
    [
        (None, BARS - 1, "complete"),
        ("1 / (ctx.bar < 34_000)", 34_000, "failed"),
        ("if ctx.bar == 33_000: raise KeyboardInterrupt", 33_000, "interrupted"),
    ],
    ids=["to its end", "raises", "interrupts"],
)
def test_a_run_leaves_the_same_bytes_with_and_without_a_process_beside_it(
    body: str | None, last_bar: int, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = []
    for name, rows in (("beside", 2 * BARS), ("alone", 2 * BARS + 1)):
        folder = tmp_path / name
        folder.mkdir()
        prepare(folder, body)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(topology, "ROWS_FOR_A_PROCESS", rows)
        try:
            run_backtest("c.yaml", workflow_id="wf")
        except (AdmfError, KeyboardInterrupt):
            assert body is not None
        traces = folder / "traces" / "wf" / "backtest"
        left.append({path.name: path.read_bytes() for path in traces.iterdir()})
        assert (traces / "data.jsonl").read_bytes().count(b'"BAR"') == last_bar + 1
        assert violations(traces) == []
    assert left[0] == left[1]
    assert {json.loads(data)["status"] for name, data in left[0].items() if "meta" in name} == {status}
    assert not children(os.getpid())


def test_a_killed_run_leaves_whole_lines_and_nobody(tmp_path: Path) -> None:
    prepare(tmp_path, "while ctx.bar == 33_000: time.sleep(1)")
    process, beside = started(tmp_path)
    process.kill()
    process.communicate()
    while is_alive(beside):
        pass
    nothing_claims_to_be_complete(tmp_path)
    [phase] = phases(tmp_path / "traces")
    for name in ("data", "features"):
        assert (phase / f"{name}.jsonl").read_bytes().endswith(b"\n")  # it wrote what it had taken on


def test_a_killed_process_beside_is_told_and_the_other_traces_are_sealed(tmp_path: Path) -> None:
    prepare(tmp_path, "while os.path.exists('wait'): pass")
    (tmp_path / "wait").touch()
    (tmp_path / "my.py").write_text((tmp_path / "my.py").read_text().replace("while", "while ctx.bar == 33_000 and"))
    process, beside = started(tmp_path)
    os.kill(beside, signal.SIGKILL)
    (tmp_path / "wait").unlink()
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 5, said
    assert said.count("\n") == 1
    assert "s.jsonl: cannot write this trace file: the process beside the run" in said.replace("data.", "features.")
    assert "was ended by signal 9" in said
    nothing_claims_to_be_complete(tmp_path)
    [phase] = phases(tmp_path / "traces")
    assert {path.name for path in phase.glob("*.meta.json")} >= {"execution.meta.json", "strategy_s_r.meta.json"}
    assert not (phase / "data.meta.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_them_still_seals_the_traces(number: signal.Signals, tmp_path: Path) -> None:
    prepare(tmp_path, "while ctx.bar == 33_000 and os.path.exists('wait'): pass")
    (tmp_path / "wait").touch()
    process, beside = started(tmp_path)
    for group in (process.pid, beside):
        os.killpg(group, number)
    (tmp_path / "wait").unlink()
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + number, said
    assert not is_alive(beside)
    [phase] = phases(tmp_path / "traces")
    assert violations(phase) == []
    assert {json.loads(path.read_text())["status"] for path in phase.glob("*.meta.json")} == {"interrupted"}


@pytest.mark.parametrize(
    "body",
    [
        "while ctx.bar == 33_000: pass",
        "while ctx.bar == 33_000:\n            try: time.sleep(0.01)\n            except: pass",
    ],
    ids=["hangs", "catches everything"],
)
def test_a_run_whose_time_is_up_leaves_sealed_traces_and_nobody(body: str, tmp_path: Path) -> None:
    prepare(tmp_path, body)
    process, beside = started(tmp_path, "--timeout", "8")
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 4, said
    while is_alive(beside):
        pass
    [phase] = phases(tmp_path / "traces")
    assert violations(phase) == []
    assert (phase / "data.jsonl").read_bytes().count(b'"BAR"') == 33_001
    assert {json.loads(path.read_text())["status"] for path in phase.glob("*.meta.json")} == {"failed"}


def test_a_full_disk_is_told_as_if_the_run_wrote_by_itself(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "c.yaml").write_text((tmp_path / "c.yaml").read_text().replace("[A]", "[A, B, C]"))
    ended = run(tmp_path, before=limited_to(17_000_000))  # a little more than what both processes share
    assert ended.returncode == 5, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "traces/wf/backtest/" in ended.stderr
    assert "cannot write this trace file: File too large; free the space" in ended.stderr
    assert "--trace-dir" in ended.stderr
    nothing_claims_to_be_complete(tmp_path)


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def test_where_no_more_files_can_be_open_the_run_writes_by_itself(tmp_path: Path) -> None:
    prepare(tmp_path)
    ended = run(tmp_path, before=few_files)
    assert ended.returncode == 0, ended.stderr
    [phase] = phases(tmp_path / "traces")
    assert violations(phase) == []


def test_a_strategy_that_forks_and_prints_disturbs_nothing(tmp_path: Path) -> None:
    prepare(tmp_path, "ctx.bar == 33_000 and (os.fork() or os.waitpid(-1, 0)); ctx.bar % 10_000 or print('noise')")
    ended = run(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "forked by the strategy came back" in ended.stderr
    [phase] = phases(tmp_path / "traces")
    assert violations(phase) == []
