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
import dataclasses, sys
made, make = [], dataclasses._process_class
def note(cls, *options, **more):
    made.append(f"{cls.__module__}.{cls.__qualname__}")
    return make(cls, *options, **more)
dataclasses._process_class = note
from admf_cli.__main__ import main
try:
    main()
finally:
    print("dataclasses:", *(name for name in made if name.startswith("admf_cli.")))
    print("loaded:", *sys.modules)
"""
# Others' that take their time, then ours that few runs need.
HEAVY = {
    "polars",
    "talib",
    "pandas",
    "rich",
    "duckdb",
    "importlib.metadata",
    "gzip",
    "numpy.ma",
    "numpy.random",
    "numpy.fft",
    "numpy.polynomial",
}
RARE = {
    "signals",
    "reports",
    "market.csv_rows",
    "market.parquet_file",
    "market.parse",
    "market.synthetic",
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

MOST_OF_OURS = 165  # modules of a plain run; each takes a thousandth of its start


def started(directory: Path, *arguments: str) -> tuple[set[str], set[str]]:
    """Return the modules that a command loads, and the dataclasses of ours that it makes."""
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    made, _, loaded = done.stdout.partition("dataclasses:")[2].partition("loaded:")
    return set(loaded.split()), set(made.split())


def test_a_traced_run_of_a_csv_file_loads_only_what_it_uses(tmp_path: Path) -> None:
    # Event numbers and volumes of one and two digits, so that lines of several lengths are formatted.
    rows = [f"2020-01-{day:02d},1,1.5,0.5,{1 + day % 3 / 10},{day}" for day in range(1, 31)]
    (tmp_path / "bars.csv").write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    (tmp_path / "config.yaml").write_text(json.dumps(CONFIG))
    loaded, dataclasses_made = started(tmp_path, "run", "config.yaml", "-q")
    assert {"admf_cli.events.tracer", "numpy"} <= loaded
    assert loaded & (HEAVY | {f"admf_cli.{name}" for name in RARE}) == set()
    assert len([name for name in loaded if name.startswith("admf_cli.")]) <= MOST_OF_OURS
    assert dataclasses_made == set()  # each costs as much as forty structs


def test_help_loads_neither_structs_nor_models(tmp_path: Path) -> None:
    assert started(tmp_path, "--help")[0] & {"msgspec", "pydantic", "yaml", "orjson", *HEAVY} == set()
