"""What a run costs, counted in calls of functions, which no other work on the machine changes.

The bounds lay about a quarter above what was counted when they were set. Whoever has a good reason to do more raises
them here, on purpose; seconds are measured by `make bench`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from admf_cli import compiled
from admf_cli.api import run_backtest
from admf_cli.results import PortfolioResult

if compiled.is_in_use():  # tests/architecture/test_compiled.py runs this file from the sources
    pytest.skip("compiled functions cannot be counted", allow_module_level=True)

OFF: dict[str, Any] = {"enable_event_tracing": False}


def config(
    bars: int, strategy: Mapping[str, Any], execution: Mapping[str, Any], *, portfolios: int = 1, symbols: int = 1
) -> dict[str, Any]:
    return {
        "name": "counted",
        "data": {
            "source": "synthetic",
            "symbols": [f"S{number}" for number in range(symbols)],
            "timeframe": "1m",
            "synthetic": {"bars": bars, "seed": 1},
        },
        "strategies": [{"name": "s", **strategy}],
        "risk_profiles": [
            {"name": f"p{number}", "sizing": {"type": "fixed", "quantity": 1 + number}} for number in range(portfolios)
        ],
        "portfolio": {"initial_capital": 1_000_000},
        "results": {"write": False},
        "execution": dict(execution),
    }


CROSS = {"type": "sma_crossover", "params": {"fast": 10, "slow": 30, "direction": "long_flat"}}
HOLD = {"type": "buy_and_hold"}


@pytest.fixture(autouse=True)
def _no_pulses_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what a run does every half second: a slower machine would do more of it."""
    monkeypatch.setattr("admf_cli.clock._PULSE_S", 1e9)


class Count:
    """Calls of Python and built-in functions while a configuration runs."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.calls = 0
        self.called: set[str] = set()  # files of Python functions that were called
        short = {**settings, "data": {**settings["data"], "synthetic": {"bars": 50, "seed": 1}}}
        run_backtest(short, workflow_id="counted", overwrite=True)  # so that imports are not counted
        before = sys.getprofile()
        sys.setprofile(self._on_event)
        try:
            result = run_backtest(settings, workflow_id="counted", overwrite=True)
        finally:
            sys.setprofile(before)
        self.portfolios: tuple[PortfolioResult, ...] = result.phases[0].portfolios

    @property
    def orders(self) -> int:
        return sum(portfolio.counts["orders"] for portfolio in self.portfolios)

    def _on_event(self, frame: FrameType, event: str, argument: object) -> None:
        self.calls += event in ("call", "c_call")
        if event == "call":
            self.called.add(frame.f_code.co_filename)


def traced(folder: Path, max_events: int | None) -> dict[str, Any]:
    settings = {"trace_dir": str(folder), "max_events": max_events}
    return {"enable_event_tracing": True, "trace_settings": settings}


def calls_an_order(execution: Mapping[str, Any]) -> float:
    few, many = (Count(config(bars, CROSS, execution)) for bars in (4_000, 40_000))
    assert many.orders - few.orders > 1_000
    return (many.calls - few.calls) / (many.orders - few.orders)


def test_an_order_from_signal_to_fill_costs_so_many_calls() -> None:
    assert calls_an_order(OFF) <= 145  # 124 by the last count


@pytest.mark.parametrize(("max_events", "bound"), [(1_000, 205), (None, 225)])  # 181 and 220 by the last count
def test_an_order_that_is_traced_costs_so_many_calls(tmp_path: Path, max_events: int | None, bound: int) -> None:
    assert calls_an_order(traced(tmp_path, max_events)) <= bound


def test_without_tracing_nothing_that_traces_is_called(tmp_path: Path) -> None:
    def tracing(count: Count) -> set[str]:
        names = ("events/tracer.py", "tracefile/encoder.py", "tracefile/blocks.py", "tracefile/writer.py")
        return {name for name in names if any(Path(file).as_posix().endswith(name) for file in count.called)}

    assert not tracing(Count(config(2_000, CROSS, OFF)))
    assert len(tracing(Count(config(2_000, CROSS, traced(tmp_path, None))))) == 4


def test_bars_at_which_nothing_happens_cost_no_calls() -> None:
    few, many = (Count(config(bars, HOLD, OFF)) for bars in (10_000, 200_000))
    assert many.calls - few.calls <= 300  # none when this was written, of 190,000 bars more


def test_dense_events_are_written_without_a_call_for_each(tmp_path: Path) -> None:
    few, many = (Count(config(bars, HOLD, traced(tmp_path, None))) for bars in (10_000, 200_000))
    assert (many.calls - few.calls) / 190_000 <= 0.09  # 0.067


def test_dense_events_that_are_pushed_out_are_never_made_into_text(tmp_path: Path) -> None:
    few, many = (Count(config(bars, HOLD, traced(tmp_path, 1_000))) for bars in (10_000, 200_000))
    assert (many.calls - few.calls) / 190_000 <= 0.001  # 0.0003


def test_another_portfolio_costs_its_own_events_only() -> None:
    one, ten = (Count(config(20_000, CROSS, OFF, portfolios=number)) for number in (1, 10))
    assert ten.orders == 10 * one.orders
    assert ten.calls / one.calls <= 9.5  # 7.9


def test_another_symbol_costs_what_happens_on_it() -> None:
    one, ten = (Count(config(5_000, CROSS, OFF, symbols=number)) for number in (1, 10))
    assert (ten.calls - one.calls) / (ten.orders - one.orders) <= 145  # 116
