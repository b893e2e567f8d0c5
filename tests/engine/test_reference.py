"""The next-event engine gives the events of the plain bar-by-bar loop, on generated markets and parameters."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admf_cli import run_backtest
from tests.engine.conftest import write_bars
from tests.engine.reference import Reference, market


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    bars=st.integers(3, 260),
    tick=st.sampled_from([0.01, 0.5, 2.0]),
    volatility=st.sampled_from([0.003, 0.02]),
    periods=st.sampled_from([(1, 2), (2, 5), (3, 8), (5, 20)]),
    side=st.sampled_from(["long_flat", "long_short"]),
    stop=st.sampled_from([None, 0.01, 0.05]),
    target=st.sampled_from([None, 0.02, 0.1]),
    percent=st.sampled_from([0.5, 0.95, 1.0]),
)
def test_the_engine_equals_the_reference_event_for_event(
    configure: Callable[..., dict[str, Any]],
    seed: int,
    bars: int,
    tick: float,
    volatility: float,
    periods: tuple[int, int],
    side: str,
    stop: float | None,
    target: float | None,
    percent: float,
) -> None:
    columns = market(seed, bars, tick, volatility)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.csv"
        write_bars(path, columns)
        config = configure(
            path,
            params={"fast": periods[0], "slow": periods[1], "direction": side},
            profile={
                "sizing": {"type": "percent_equity", "percent": percent},
                "stop_loss": stop,
                "take_profit": target,
            },
            commission={"type": "percent", "rate": 0.001},
            slippage={"type": "bps", "bps": 2},
        )
        result = run_backtest(config)
    expected = Reference(10_000.0, 0.001, 2.0, percent, stop, target)
    expected.run(*(column.tolist() for column in columns), *periods, side)
    events = sorted((event for trace in result.phases[0].traces for event in trace.events), key=lambda e: e["sequence"])
    found: list[tuple[object, ...]] = []
    for event in events:
        bar, payload = event["sequence"] >> 20, event["payload"]
        if event["event_type"] == "SIGNAL":
            found.append(("SIGNAL", bar, payload["target"]))
        elif event["event_type"] == "FILL":
            side_sign = 1.0 if payload["side"] == "buy" else -1.0
            found.append(("FILL", bar, side_sign, payload["quantity"], payload["price"], payload["commission"]))
        elif event["event_type"] == "REJECT" and event["container_id"] == "execution":
            found.append(("REJECT", bar))
    assert [row[:2] for row in found] == [row[:2] for row in expected.events]
    for mine, theirs in zip(found, expected.events, strict=True):
        assert mine[2:] == pytest.approx(theirs[2:], rel=1e-12)
    portfolio = result.phases[0].portfolios[0]
    assert portfolio.equity.tolist() == pytest.approx(expected.equity, rel=1e-12)
    assert portfolio.final_equity == portfolio.equity[-1]
