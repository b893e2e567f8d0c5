"""What tests of a user's own strategies share: a file of strategies, a configuration, and runs of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admf_cli import run_backtest
from admf_cli.results import RunResult

Run = Callable[..., RunResult]


def config_of(folder: Path, name: str, **parts: Any) -> dict[str, Any]:
    """Return a configuration that runs class `name` of my.py on one synthetic symbol, traced in memory."""
    data = {"source": "synthetic", "symbols": ["X"], "synthetic": {"bars": 300, "seed": 5, "volatility": 0.3}}
    profile = {"name": "r", "sizing": {"type": "fixed", "quantity": 10}, **parts.pop("profile", {})}
    strategy = {"name": "s", "type": "python", "path": f"{folder / 'my.py'}:{name}", "params": parts.pop("params", {})}
    return {
        "data": {**data, **parts.pop("data", {})},
        "features": parts.pop("features", {}),
        "strategies": [strategy],
        "risk_profiles": [profile],
        "execution": {"trace_settings": {"max_events": None, "persist_to_disk": False}, **parts.pop("execution", {})},
        "results": {"write": False},
        **parts,
    }


@pytest.fixture
def run_class(tmp_path: Path) -> Run:
    """Return what runs a class, given as source text, and returns the result."""

    def run(source: str, **parts: Any) -> RunResult:
        (tmp_path / "my.py").write_text("import numpy as np\n" + source)
        return run_backtest(config_of(tmp_path, "S", **parts))

    return run


def events_of(result: RunResult) -> list[dict[str, Any]]:
    """Return every event of the first phase in the order of `sequence`."""
    traces = result.phases[0].traces
    return sorted((event for trace in traces for event in trace.events), key=lambda event: event["sequence"])


def signals_of(result: RunResult) -> list[tuple[int, float]]:
    """Return (bar, target) of every SIGNAL."""
    return [(e["sequence"] >> 20, e["payload"]["target"]) for e in events_of(result) if e["event_type"] == "SIGNAL"]


def write_days(path: Path, rows: list[tuple[float, float, float, float]]) -> Path:
    """Write open, high, low, close as daily bars from 2020-01-01."""
    days = np.datetime64("2020-01-01") + np.arange(len(rows)).astype("timedelta64[D]")
    body = "".join(f"{day},{o},{h},{low},{c},1000\n" for day, (o, h, low, c) in zip(days, rows, strict=True))
    path.write_text("timestamp,open,high,low,close,volume\n" + body)
    return path
