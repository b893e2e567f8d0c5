"""What a bar costs beyond the strategy's own code, counted in calls: the same on every machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from admf_cli import run_backtest

from .conftest import config_of


def calls(folder: Path, bars: int) -> int:
    """Return the calls, of Python and of C, in a run with a strategy that does nothing."""
    config = config_of(folder, "S", data={"synthetic": {"bars": bars}}, execution={"enable_event_tracing": False})
    count = 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        run_backtest(config)
    finally:
        sys.setprofile(None)
    return count


def test_a_bar_on_which_a_strategy_does_nothing_takes_a_dozen_calls(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text("class S:\n    def on_bar(self, ctx): pass\n")
    calls(tmp_path, 300)  # whatever happens once only
    fewer, more = calls(tmp_path, 1000), calls(tmp_path, 3000)
    assert (more - fewer) / 2000 < 12
