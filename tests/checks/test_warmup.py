"""`admf check warmup` measures what a feature needs, against what is known of its formula."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from admf_cli.checks.rendering import warmup_lines
from admf_cli.checks.rerun import Phase, phases_of
from admf_cli.checks.warmup import Warmup, check_warmup
from admf_cli.config import load_config
from tests.cli.test_run_command import admf

EMA = {"ema": {"type": "EMA", "timeperiod": 20}}


def phase_with(start: str | None, features: dict[str, Any]) -> Phase:
    """Return a phase of 1,000 daily bars, or of those from `start` on."""
    config = {
        "data": {"source": "synthetic", "symbols": ["X"], "synthetic": {"bars": 1000}},
        "features": features,
        "workflow": {"phases": [{"name": "p", "start": start}]},
        "strategies": [{"name": "s", "type": "buy_and_hold"}],
        "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
    }
    (phase,) = phases_of(load_config(config))
    return phase


def measure(start: str | None = None, **feature: Any) -> Warmup:
    """Return what a feature needs on 1,000 daily bars, in a phase from `start` on."""
    (row,) = check_warmup(phase_with(start, {"f": feature}), 0.001)
    return row


def test_a_moving_average_is_settled_with_its_first_value() -> None:
    assert measure(type="SMA", timeperiod=20) == Warmup("f", 19, 20, 0)


def test_an_exponential_average_goes_on_settling() -> None:
    row = measure(type="EMA", timeperiod=20)
    # What is left of the first value after n bars is (19/21)^n; a thousandth of it after ln(1000)/0.1 = 69 more.
    assert row.needed is not None
    assert 50 < row.needed < 130
    assert row.unsettled == row.needed - 20  # from the 20th bar of the phase to the one before it is settled


def test_a_phase_that_begins_late_enough_has_settled_features() -> None:
    assert measure("2001-01-01", type="EMA", timeperiod=20).unsettled == 0
    early = measure("2000-02-15", type="EMA", timeperiod=20)  # 31 bars before it
    assert early.needed is not None
    assert early.unsettled == early.needed - 32


def test_a_running_total_never_settles() -> None:
    row = measure("2001-01-01", type="OBV")
    assert row.needed is None
    assert row.unsettled > 700


def test_a_feature_that_has_its_first_value_after_the_data_ends_is_said_to_need_all_of_it() -> None:
    assert measure(type="SMA", timeperiod=1001) == Warmup("f", 1000, 1001, 0)


def test_settled_features_and_none_at_all_come_without_advice() -> None:
    none, settled, early = phase_with(None, {}), phase_with("2001-01-01", EMA), phase_with(None, EMA)
    assert "  no features\n" in warmup_lines([(none, check_warmup(none, 0.001))])
    assert "begin the phase" not in warmup_lines([(settled, check_warmup(settled, 0.001))])
    assert "begin the phase" in warmup_lines([(early, check_warmup(early, 0.001))])


def test_the_command_s_exit_code_and_document(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "data: {source: synthetic, symbols: [X], synthetic: {bars: 600}}\n"
        "features: {rsi: {type: RSI, timeperiod: 14}}\n"
        "strategies: [{name: s, type: buy_and_hold}]\n"
        "risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]\n"
    )
    run = admf(tmp_path, "check", "warmup", "c.yaml")
    assert run.returncode == 1
    assert "bars of the phase are read before" in run.stdout
    late = admf(
        tmp_path, "check", "warmup", "c.yaml", "--json", "--set", "workflow.phases=[{name: p, start: 2001-06-01}]"
    )
    assert late.returncode == 0, late.stdout
    assert json.loads(late.stdout)["phases"][0]["features"][0]["lookback"] == 14
