"""What engine tests share: a configuration as a mapping, and bars written to a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def write_bars(path: Path, columns: tuple[np.ndarray, ...]) -> None:
    """Write open, high, low, close as daily bars from 2020-01-01."""
    days = np.datetime64("2020-01-01") + np.arange(len(columns[0]))
    rows = zip(days.astype(str), *(column.tolist() for column in columns), strict=True)
    body = "\n".join(f"{row[0]},{row[1]!r},{row[2]!r},{row[3]!r},{row[4]!r},1000" for row in rows)
    path.write_text(f"timestamp,open,high,low,close,volume\n{body}\n")


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return what makes a configuration of one file, with traces in memory and no results on disk."""

    def make(path: Path, *, params: dict[str, Any], profile: dict[str, Any], **execution: Any) -> dict[str, Any]:
        return {
            "data": {"path": str(path), "symbols": ["X"], "timeframe": "1d"},
            "strategies": [{"name": "s", "type": "sma_crossover", "params": params}],
            "risk_profiles": [{"name": "r", **profile}],
            "portfolio": {"initial_capital": 10_000},
            "execution": {"trace_settings": {"max_events": None, "persist_to_disk": False}, **execution},
            "results": {"write": False},
        }

    return make
