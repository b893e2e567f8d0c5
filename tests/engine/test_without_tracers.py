"""Tracing switched off executes what a build executes in which tracers do not exist, but for a few lines once a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_tracing_off_costs_a_few_lines_a_run_and_none_an_event() -> None:
    script = str(ROOT / "benchmarks" / "without_tracers.py")
    command = [sys.executable, script, "--lines-only", "--rows", "5000"]
    counted = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    ours, without = counted["ours"], counted["without"]
    assert ours["equity"] == without["equity"]
    assert ours["orders"] == without["orders"] >= 100
    more = ours["lines"] - without["lines"]
    # Five containers, each asking some ten times whether it has a tracer; 165 when this was written. One line an order
    # more would be another 100, and 1 % of the run is some 800.
    assert 0 <= more <= 250, f"{more} lines more than {without['lines']}"
