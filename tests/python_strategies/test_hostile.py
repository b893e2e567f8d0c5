"""`admf run` with strategies that print, exit, fork, hang or are interrupted: exit codes, output, traces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_run_command import admf

CONFIG = """
data: {source: synthetic, symbols: [X], synthetic: {bars: 300}}
strategies: [{name: s, type: python, path: my.py:S}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]
"""
BODIES = {
    "prints": ('print("noise", flush=True); os.system("echo noise of a child")', 0, "noise of a child"),
    "exits": ("sys.exit(0)", 4, "sys.exit"),
    "exits at once": ("raise SystemExit", 4, "sys.exit"),
    "forks": ("pid = os.fork(); pid and os.waitpid(pid, 0)", 0, "forked by the strategy came back"),
    "hangs": ("n = 0\n        while True: n += 1", 4, "my.py:5 in S.targets: --timeout: still running after 0.3 s"),
    "sleeps": ("time.sleep(1000)", 4, "--timeout: still running"),
    "hangs stubbornly": (
        "while True:\n            try: time.sleep(0.01)\n            except Exception: pass",
        4,
        "--timeout",
    ),
    "catches everything": (
        "while True:\n            try: time.sleep(0.01)\n            except: pass",
        4,
        "S.targets: --timeout: still running after 0.3 s, and the strategy catches every error",
    ),
    "recurses": ("return self.targets(bars, features)", 4, "my.py:4 in S.targets: RecursionError"),
    "interrupts": ("raise KeyboardInterrupt", 130, "interrupted"),
}


@pytest.mark.parametrize(("body", "code", "message"), BODIES.values(), ids=BODIES.keys())
def test_the_run_ends_as_it_should_and_stdout_stays_the_result_s(
    body: str, code: int, message: str, tmp_path: Path
) -> None:
    lines = ["import os, sys, time, numpy as np", "class S:", "    def targets(self, bars, features):"]
    source = "\n".join([*lines, f"        {body}", "        return np.zeros(300)", ""])
    (tmp_path / "my.py").write_text(source)
    (tmp_path / "c.yaml").write_text(CONFIG)
    limit = ("--timeout", "0.3") if "time" in message or "--timeout" in message else ()
    run = admf(tmp_path, "run", "c.yaml", "--json", "--workflow-id", "wf", *limit)
    assert run.returncode == code, run.stderr
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert (json.loads(run.stdout)["workflow_id"] == "wf") if code == 0 else run.stdout == ""
    meta = json.loads((tmp_path / "traces/wf/backtest/strategy_s.meta.json").read_text())
    assert meta["status"] == {0: "complete", 4: "failed", 130: "interrupted"}[code]
    last = (tmp_path / "traces/wf/backtest/strategy_s.jsonl").read_text().splitlines()[-1]
    if "catches" in message:
        return  # it lets nobody tell the trace of its error
    if code == 4:
        error = json.loads(last)
        assert (error["event_type"], error["payload"]["file"]) == ("ERROR", "my.py")
        assert str(tmp_path) not in last


def test_a_strategy_that_hangs_at_a_bar_is_ended_with_its_line_and_bar(tmp_path: Path) -> None:
    source = "class S:\n    def on_bar(self, ctx):\n        while ctx.bar == 7: pass\n"
    (tmp_path / "my.py").write_text(source)
    (tmp_path / "c.yaml").write_text(CONFIG)
    run = admf(tmp_path, "run", "c.yaml", "--timeout", "0.3", "--workflow-id", "wf")
    assert run.returncode == 4
    assert "my.py:3 in S.on_bar: --timeout: still running after 0.3 s" in run.stderr
    assert "at bar 7 (" in run.stderr
    bars = (tmp_path / "traces/wf/backtest/data.jsonl").read_text().splitlines()
    assert len(bars) == 1 + 8  # PHASE_START and the bars 0 to 7


def test_a_file_that_is_never_done_loading_is_ended_even_if_it_catches_everything(tmp_path: Path) -> None:
    source = "import time\nwhile True:\n    try: time.sleep(1)\n    except BaseException: pass\nclass S: pass\n"
    (tmp_path / "my.py").write_text(source)
    (tmp_path / "c.yaml").write_text(CONFIG)
    run = admf(tmp_path, "run", "c.yaml", "--timeout", "0.2")
    assert run.returncode == 4
    assert "in the file: --timeout: still running after 0.2 s, and the strategy catches" in run.stderr


def test_a_thread_that_a_strategy_leaves_running_does_not_keep_the_process(tmp_path: Path) -> None:
    # Without an end of its own it would be waited for until somebody kills the process.
    source = (
        "import threading\nclass S:\n    def on_bar(self, ctx): pass\n"
        "    def on_end(self, ctx): threading.Thread(target=threading.Event().wait, name='feed').start()\n"
    )
    (tmp_path / "my.py").write_text(source)
    (tmp_path / "c.yaml").write_text(CONFIG)
    run = admf(tmp_path, "run", "c.yaml", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["phases"]
    assert "the strategy left threads running, and they were ended: feed" in run.stderr


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("import os\nos.chdir('/')\nclass S:\n    def on_bar(self, ctx): pass\n", "my.py:3 in the file"),
        ("import os\nclass S:\n    def on_bar(self, ctx): os.chdir('/')\n", "my.py:2 in on_bar()"),
        (
            "import os\nclass S:\n    def targets(self, b, f): os.chdir('/'); return b.close * 0\n",
            "my.py:2 in targets()",
        ),
        ("import os\nclass S:\n    def on_bar(self, ctx): os.chdir('/'); 1 / 0\n", "my.py:3 in S.on_bar: ZeroDivision"),
    ],
)
def test_a_strategy_that_leaves_the_working_directory_is_told_and_the_traces_stay(
    source: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / "my.py").write_text(source)
    (tmp_path / "c.yaml").write_text(CONFIG)
    run = admf(tmp_path, "run", "c.yaml", "--workflow-id", "wf")
    assert run.returncode == 4
    assert place in run.stderr
    assert "ZeroDivision" in place or "must leave the working directory as it is" in run.stderr
    sealed = [json.loads(path.read_text())["status"] for path in tmp_path.glob("traces/wf/*/*.meta.json")]
    assert sealed == ([] if "the file" in place else ["failed"] * 5)


def test_a_second_interrupt_ends_a_strategy_that_never_comes_back(tmp_path: Path) -> None:
    source = "import os, signal\nclass S:\n    def on_bar(self, ctx):\n"
    # The first only asks the run to stop, at a bar's edge that never comes; the second raises where it is.
    (tmp_path / "my.py").write_text(source + "        while True: os.kill(os.getpid(), signal.SIGINT)\n")
    (tmp_path / "c.yaml").write_text(CONFIG)
    run = admf(tmp_path, "run", "c.yaml", "--workflow-id", "wf")
    assert run.returncode == 130
    assert "interrupted" in run.stderr
    meta = json.loads((tmp_path / "traces/wf/backtest/strategy_s_r.meta.json").read_text())
    assert meta["status"] == "interrupted"
