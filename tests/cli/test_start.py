"""What starting a run loads: nothing that it does not use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CONFIG = {
    "data": {"source": "csv", "path": "bars.csv", "symbols": ["X"]},
    "strategies": [{"name": "s", "type": "sma_crossover", "params": {"fast": 2, "slow": 3}}],
    "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
    "execution": {"trace_settings": {"trace_dir": "traces"}},
    "results": {"write": False},
}
PROBE = """
import sys
from admf_cli.__main__ import main
try:
    main()
finally:
    print("loaded:", *(name for name in sys.modules))
"""
# Others' that take their time, then ours that few runs need.
HEAVY = {"polars", "talib", "pandas", "rich", "duckdb", "numpy.ma", "numpy.random", "numpy.fft", "numpy.polynomial"}
RARE = {
    "signals",
    "reports",
    "checks",
    "traces.query",
    "cli.check",
    "cli.strategies",
    "containers.bar_by_bar",
    "containers.asked_portfolio",
    "containers.combined_portfolio",
    "python_strategies.user_class",
    "tracefile.reader",
}


def test_a_traced_run_of_a_csv_file_loads_only_what_it_uses(tmp_path: Path) -> None:
    # Event numbers and volumes of one and two digits, so that lines of several lengths are formatted.
    rows = [f"2020-01-{day:02d},1,1.5,0.5,{1 + day % 3 / 10},{day}" for day in range(1, 31)]
    (tmp_path / "bars.csv").write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    (tmp_path / "config.yaml").write_text(json.dumps(CONFIG))
    command = [sys.executable, "-c", PROBE, "run", "config.yaml", "-q"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.partition("loaded:")[2].split())
    assert {"admf_cli.events.tracer", "numpy"} <= loaded
    assert loaded & (HEAVY | {f"admf_cli.{name}" for name in RARE}) == set()
