"""Every reason code of docs/reasons.md is produced by a run, and no run here produces another."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.table import FLAT, LIMIT, Bar, entry, run

ROOT = Path(__file__).parents[2]
Events = list[dict[str, Any]]
UP: Bar = (110.0, 110.0, 110.0, 110.0)
DOWN: Bar = (90.0, 90.0, 90.0, 90.0)


def rules(**params: Any) -> dict[str, Any]:
    return {"strategy": {"type": "rules", "params": params}}


def weights(**params: Any) -> dict[str, Any]:
    params = {"weights": {"X": 0.5}, "rebalance": "daily", **params}
    return {"strategy": {"type": "target_weights", "params": params}}


def limited(**profile: Any) -> dict[str, Any]:
    return {"profile": profile}


def python(on_bar: str, series: list[Bar] | None = None, **parts: Any) -> Callable[[Path], Events]:
    """Return the run of a strategy called bar by bar."""

    def scenario(folder: Path) -> Events:
        source = f"class S:\n    def on_bar(self, ctx):\n        {on_bar}\n"
        (folder / "my.py").write_text(source)
        strategy = {"type": "python", "path": f"{folder / 'my.py'}:S"}
        return run(folder, series or [FLAT] * 4, **{"capital": 10_000.0, "strategy": strategy, **parts})

    return scenario


def bars(series: list[Bar], **parts: Any) -> Callable[[Path], Events]:
    return lambda folder: run(folder, series, **{"capital": 10_000.0, **parts})


RISK = {"type": "risk_per_trade", "percent": 0.01, "atr_period": 1}
SCENARIOS: dict[str, Callable[[Path], Events]] = {
    "already_in_position": bars([FLAT] * 3, **rules(enter_long="close == 100", repeat=True)),
    "no_position": bars([FLAT, FLAT, UP], **rules(enter_long="close == 100", exit_long="close == 110"), capital=500.0),
    "entry_cancelled": bars([FLAT, UP], **rules(enter_long="close == 100", exit_long="close == 110"), orders=LIMIT),
    "no_change": bars([FLAT] * 3, **weights()),
    "within_drift": bars([FLAT, FLAT, (101, 101, 101, 101)], **weights(drift=0.05)),
    "lot_too_small": bars([FLAT], **limited(sizing={"type": "fixed_value", "value": 50})),
    "size_undefined": bars(
        [FLAT] * 4,
        **rules(enter_long="day == 4"),
        **limited(sizing={"type": "volatility_target", "target": 0.1, "period": 2}),
    ),
    "warm_up": bars([FLAT], **limited(sizing={"type": "volatility_target", "target": 0.1})),
    "no_stop_distance": bars([FLAT] * 3, **rules(enter_long="day == 3"), **limited(sizing=RISK)),
    "cooldown": bars(
        [FLAT, FLAT, DOWN, FLAT],
        **rules(enter_long="close == 100", exit_long="close == 90"),
        **limited(stop_loss=0.05, cooldown=5),
    ),
    "max_position_size": bars([FLAT], **limited(max_position_size=0.001)),
    "max_portfolio_heat": bars([FLAT], **limited(max_portfolio_heat=0.001)),
    "max_net_exposure": bars([FLAT], **limited(max_net_exposure=0.001)),
    "max_drawdown": bars(
        [FLAT, FLAT, DOWN, UP],
        **rules(enter_long="close >= 100", exit_long="close == 90"),
        **limited(max_drawdown=0.005),
    ),
    "max_open_positions": bars([FLAT], symbols=["A", "B"], **limited(max_open_positions=1)),
    "daily_loss_limit": bars(
        [FLAT, FLAT, DOWN, DOWN, UP],
        times=[f"2020-01-02T{hour}:00" for hour in range(10, 15)],
        **rules(enter_long="close >= 100", exit_long="close == 90"),
        **limited(daily_loss_limit=0.005),
    ),
    "equity": bars(
        [FLAT, FLAT, (40, 40, 40, 40), (41, 41, 41, 41)],
        **rules(enter_long="close == 100 or close == 41", exit_long="close == 40"),
        **limited(max_position_size=50),
        capital=500.0,
        margin={"initial": 0.5},
    ),
    "maintenance_margin": python(
        "[ctx.buy(10), ctx.buy(1, limit=10)] if ctx.bar == 0 else None",
        [FLAT, FLAT, (60, 60, 60, 60), FLAT],
        capital=500.0,
        margin={"initial": 0.5, "maintenance": 0.25},
    ),
    "nothing_to_close": python(
        "ctx.buy(1) if ctx.bar == 0 else [ctx.sell(1, reduce_only=True) for _ in '12'] if ctx.bar == 1 else None"
    ),
    "no_order": python(
        "setattr(self, 't', ctx.buy(1)) if ctx.bar == 0 else ctx.cancel(self.t) if ctx.bar == 2 else None"
    ),
    "no_such_price": python("ctx.replace(ctx.buy(1, limit=50), stop=60) if ctx.bar == 0 else None"),
    "no_cash": bars([FLAT, FLAT], capital=999.0),
    "no_margin": bars([FLAT, FLAT], capital=499.0, margin={"initial": 0.5}),
    "superseded": bars([FLAT, UP], **rules(enter_long="close == 100", enter_short="close == 110"), orders=LIMIT),
    "position_closed": bars([FLAT, FLAT, DOWN], **limited(stop_loss=0.05, take_profit=0.5)),
    "ioc_unfilled": bars([FLAT, FLAT], orders={"entry": {**LIMIT["entry"], "time_in_force": "IOC"}}),
    "fok_unfilled": bars([FLAT, FLAT], orders=entry(time_in_force="FOK"), participation=0.001),
    "by_strategy": python("ctx.cancel(ctx.buy(1, limit=50)) if ctx.bar == 0 else None"),
    "oco_filled": python("[ctx.buy(1, limit=100, oco='a'), ctx.buy(1, limit=50, oco='a')] if ctx.bar == 0 else None"),
    "day_end": bars([FLAT] * 3, orders={"entry": {**LIMIT["entry"], "time_in_force": "DAY"}}),
    "gtd_reached": bars(
        [FLAT] * 3, orders={"entry": {**LIMIT["entry"], "time_in_force": "GTD", "good_till": {"bars": 1}}}
    ),
    "end_of_data": bars([FLAT]),
    "replaced": bars(
        [FLAT, (100, 100, 99, 100), UP, (100, 106, 90, 95)],
        **rules(enter_long="day == 1", enter_short="close == 110"),
        **limited(stop_loss=0.05),
        orders=entry(type="limit", limit_offset=-0.005),
    ),
}


def test_each_documented_reason_has_its_run() -> None:
    documented = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "reasons.md").read_text(), re.MULTILINE)
    assert {code for cell in documented for code in re.findall(r"`(\w+)`", cell)} == set(SCENARIOS)


def reasons(events: Events) -> set[str]:
    return {e["payload"]["reason"] for e in events if e["event_type"] in ("REJECT", "CANCEL", "EXPIRE")}


@pytest.mark.parametrize("reason", SCENARIOS)
def test_a_reason_is_given(tmp_path: Path, reason: str) -> None:
    assert reason in reasons(SCENARIOS[reason](tmp_path))
