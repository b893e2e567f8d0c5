"""How answers read: a size's arithmetic, sentences that a terminal has no room for."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from admf_cli import run_backtest
from admf_cli.traces.event import TracedEvent
from admf_cli.traces.faults import TraceFault
from admf_cli.traces.prune import PrunedRun, Pruning
from admf_cli.traces.render.arithmetic import sizing
from admf_cli.traces.render.document import document
from admf_cli.traces.render.listing import show_pruning
from admf_cli.traces.render.screen import Screen
from admf_cli.traces.render.words import details, headline

OUT = {"raw_quantity": 2.5, "lot_size": 1.0, "quantity": 2.0, "position_before": 0.0, "position_target": 2.0}
END = " = 2.50, in lots of 1: 2; position 0 to 2"


@pytest.mark.parametrize(
    ("numbers", "told", "multiplier"),
    [
        ({"type": "fixed_value", "equity": 1e3, "price": 10.0, "wanted": 25.0}, "sized fixed_value: 25 at 10", 1.0),
        (
            {"type": "percent_equity", "equity": 100.0, "price": 10.0, "percent": 0.25},
            "sized percent_equity: 0.25 of equity 100 at 10",
            1.0,
        ),
        (
            {"type": "target_weights", "equity": 100.0, "price": 10.0, "weight": 0.25},
            "sized target_weights: weight 0.25 of equity 100 at 10",
            1.0,
        ),
        (  # 0.3 / 0.6 = 0.5 of 100 are 50: two and a half contracts of 4 times 5
            {"type": "volatility_target", "equity": 100.0, "price": 5.0, "target": 0.3, "volatility": 0.6},
            "sized volatility_target: wanted volatility 0.30 / measured 0.60 = 0.50 of equity 100 at 5 x 4",
            4.0,
        ),
        (  # 1 % of 1,000 are 10: at 2 x 2 a contract two and a half
            {"type": "risk_per_trade", "equity": 1e3, "price": 5, "percent": 0.01, "at_risk": 10, "stop_distance": 2},
            "sized risk_per_trade: 0.01 of equity 1,000 = 10 at risk / stop distance 2 x 2",
            2.0,
        ),
        ({"type": "of_another_version", "knob": 3}, "sized of_another_version: knob 3", 1.0),
    ],
)
def test_a_size_is_told_as_the_arithmetic_it_was(numbers: dict[str, Any], told: str, multiplier: float) -> None:
    assert sizing({**numbers, **OUT}, multiplier) == told + END


def test_a_size_that_a_limit_cut_is_told_from_one_that_a_multiplier_made_smaller() -> None:
    cut = {**OUT, "type": "percent_equity", "equity": 100.0, "price": 10.0, "percent": 0.5}  # 5 at a multiplier of 1
    assert "0.50 of equity 100 at 10 = 5, cut by a limit to 2.50, in lots of 1: 2" in sizing(cut, 1.0)
    assert "0.50 of equity 100 at 10 x 2 = 2.50, in lots of 1: 2" in sizing(cut, 2.0)
    assert "at 10 = 5, after the contract's multiplier or a limit 2.50, in lots of 1: 2" in sizing(cut)
    assert sizing({**OUT, "type": "fixed"}) == "sized fixed: 2.50, in lots of 1: 2; position 0 to 2"


def test_a_shared_portfolio_says_whose_part_it_is() -> None:
    part = {"strategy": "revert", "allocation": 0.4, "type": "fixed", "strategy_target": 2.0}
    told = sizing({**part, **OUT, "position_before": 5.0, "position_target": 7.0})
    assert "0.40 of the portfolio's that revert has, it aims at 2, all strategies together at 7" in told


COMPUTED: dict[str, Callable[..., float]] = {  # from the numbers in the sentence, in their order, up to the quantity
    "fixed_value": lambda value, price, multiplier: value / price / multiplier,
    "percent_equity": lambda percent, equity, price, multiplier: percent * equity / price / multiplier,
    "volatility_target": lambda wanted, had, _weight, equity, price, unit: wanted / had * equity / price / unit,
    "risk_per_trade": lambda percent, equity, _risk, stop, unit: percent * equity / stop / unit,
}
SIZINGS = [
    {"type": "fixed_value", "value": 30_000},
    {"type": "percent_equity", "percent": 0.5},
    {"type": "volatility_target", "target": 0.1, "period": 20},
    {"type": "risk_per_trade", "percent": 0.01},
]


def test_every_size_of_a_real_run_comes_out_of_the_arithmetic_that_is_shown(tmp_path: Path) -> None:
    run_backtest(
        {
            "data": {"source": "synthetic", "symbols": ["X"], "synthetic": {"bars": 300, "seed": 4}},
            "strategies": [{"name": "s", "type": "sma_crossover", "params": {"fast": 3, "slow": 9}}],
            "risk_profiles": [
                {"name": f"r{place}", "sizing": one, "stop_loss": 0.05} for place, one in enumerate(SIZINGS)
            ],
            "instruments": {"X": {"multiplier": 3}},
            "execution": {
                "enable_event_tracing": True,
                "trace_settings": {"max_events": None, "trace_dir": str(tmp_path)},
            },
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    lines = [line for file in tmp_path.rglob("portfolio_*.jsonl") for line in file.read_text().splitlines()]
    sizes = [one for one in (json.loads(line)["payload"].get("sizing") for line in lines) if one and "type" in one]
    assert {one["type"] for one in sizes} == COMPUTED.keys()
    for one in sizes:
        told = sizing(one, 3.0).partition(": ")[2].partition(", in lots")[0]
        *inputs, quantity = (float(found.replace(",", "")) for found in re.findall(r"[0-9][0-9,.]*", told))
        assert COMPUTED[one["type"]](*inputs) == pytest.approx(quantity, rel=1e-3), told


def event(kind: str, **payload: Any) -> TracedEvent:
    return TracedEvent("s#1", 1, kind, "2020-01-01T00:00:00Z", "s", None, None, "X", payload)


def test_signals_and_limits_say_nothing_twice() -> None:
    assert headline(event("SIGNAL", action="enter_long", rule="enter_long", target=1, price=2)) == (
        "signal: enter long (target 1) at the close 2"
    )
    asked = {"side": None, "order_type": "market", "time_in_force": "GTC", "close": True}
    assert headline(event("SIGNAL", action="order", order=asked, price=2)) == (
        "signal: order: close the position, market GTC at the close 2"
    )
    assert headline(event("RISK_BREACH", rule="end_of_day", limit=0, value=1, action="position closed")) == (
        "risk: end_of_day: position closed"
    )


def test_what_an_event_does_not_say_is_left_out() -> None:
    done = {"side": "buy", "quantity": 2.0, "price": 3.0, "commission": 0.5, "value": 6.0, "remaining": 1.0}
    assert headline(event("FILL", **done, reference_price=3.0)) == (
        "fill: bought 2 at 3 (reference 3, commission 0.50, value 6); 1 still working"
    )
    asked = {"order_type": "trailing_stop", "side": "sell", "quantity": 2.0, "time_in_force": "GTC"}
    assert headline(event("ORDER", **asked, trail={"percent": 0.05})) == (
        "order: sell 2 at trailing stop, trailing by percent 0.05, GTC"
    )
    trade = {"number": 3, "direction": "long", "quantity": 2.0, "entry_price": 3.0, "exit_price": 4.0}
    assert details(event("POSITION_CLOSE", trades=[trade])) == ["trade 3: long 2, 3 to 4"]
    assert details(event("POSITION_CLOSE", trades=[{**trade, "pnl": -1.5}])) == ["trade 3: long 2, 3 to 4: lost 1.50"]


def test_an_answer_is_json_whatever_text_and_nesting_is_in_it() -> None:
    deep: Any = "at the bottom"
    for _ in range(300):
        deep = [deep]
    half = "half a pair \ud800"  # such as a file name that is no UTF-8
    fault = TraceFault("not-json", half, 3, "bad")
    told = json.loads(document({half: [half, 1.5, None], "deep": deep, "faults": (fault,)}, verified=False))
    assert told.pop("deep")
    assert told == {
        "schema_version": 1,
        "verified": False,
        "half a pair \\ud800": ["half a pair \\ud800", 1.5, None],
        "faults": [{"kind": "not-json", "file": "half a pair \\ud800", "line": 3, "message": "bad"}],
    }
    assert "(nested too deeply)" in document({"deep": deep})
    assert json.loads(document(fault))["file"] == "half a pair \\ud800"


@pytest.mark.parametrize(
    ("size", "said"), [(999, "999 B"), (12_345, "12.3 kB"), (999_000_000, "999 MB"), (5_400_000_000_000, "5.4 TB")]
)
def test_a_size_has_three_digits_and_its_unit(size: int, said: str) -> None:
    run = PrunedRun("wf", "/traces/wf", 0.0, size, None)
    file = io.StringIO()
    show_pruning(Pruning("/traces", False, (run,), (), 1, size), Screen(plain=True, file=file))
    assert f"freed {said}; 1 run kept" in file.getvalue()


def test_a_terminal_breaks_sentences_at_words_and_goes_on_further_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    file = io.StringIO()
    assert Console(file=file).is_terminal
    Screen(file=file).line("  " + "a long sentence of words " * 5)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()).splitlines()
    assert [len(line) <= 60 for line in lines] == [True] * len(lines)
    assert [len(line) - len(line.lstrip()) for line in lines] == [2] + [8] * (len(lines) - 1)
    assert " ".join(line.strip() for line in lines) == ("a long sentence of words " * 5).strip()
