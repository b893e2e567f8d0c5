"""`admf traces replay`: the same results out of the trace alone, and every one of them missed if it is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commandline import traces
from handmade import EXECUTION, PORTFOLIO, Run, crossover_run, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admf_cli import run_backtest
from admf_cli.traces.rebuild import Ledger, TracedFill
from admf_cli.traces.replay import replay


def run(folder: Path, **changes: Any) -> Path:
    config: dict[str, Any] = {
        "data": {
            "source": "synthetic",
            "symbols": ["A", "B"],
            "timeframe": "5m",
            "synthetic": {"bars": 900, "seed": 5, "volatility": 0.5},
        },
        "strategies": [
            {"name": "t", "type": "sma_crossover", "params": {"fast": 3, "slow": 9, "direction": "long_short"}}
        ],
        "risk_profiles": [
            {"name": "r", "sizing": {"type": "percent_equity", "percent": 0.4}, "stop_loss": 0.01, "take_profit": 0.02}
        ],
        "execution": {
            "commission": {"type": "per_share", "rate": 0.01, "minimum": 1.0},
            "slippage": {"type": "bps", "bps": 3},
            "enable_event_tracing": True,
            "trace_settings": {"max_events": None, "trace_dir": str(folder / "traces")},
        },
        "results": {"dir": str(folder / "results")},
    }
    for path, value in changes.items():
        section, _, key = path.partition("__")
        config.setdefault(section, {})[key] = value
    run_backtest(config, workflow_id="wf")
    return folder / "traces" / "wf"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two symbols with shorts, stops and costs, its traces and its results."""
    place = tmp_path_factory.mktemp("replay")
    run(place)
    return place


def test_a_real_run_is_rebuilt_to_every_metric_and_every_close(folder: Path) -> None:
    (one,) = replay(folder / "traces", results=folder / "results").portfolios
    assert (one.verdict, one.differences, one.lacks) == ("agrees", (), ())
    assert all(figure.agrees for figure in one.figures)
    assert {"sharpe_ratio", "max_drawdown", "turnover", "win_rate", "slippage_paid"} <= {f.name for f in one.figures}
    assert (one.closes, one.fills > 100, one.trades > 50, one.updates > 50) == (900, True, True, True)


def test_one_wrong_equity_in_the_results_is_found_with_its_row(folder: Path, tmp_path: Path) -> None:
    (path,) = (folder / "results").rglob("equity.csv")
    lines = path.read_text().splitlines()
    cells = lines[450].split(",")
    lines[450] = ",".join([cells[0], repr(float(cells[1]) + 0.01), *cells[2:]])
    copy = tmp_path / path.relative_to(folder / "results")
    copy.parent.mkdir(parents=True)
    copy.write_text("\n".join(lines) + "\n")
    (one,) = replay(folder / "traces", results=tmp_path).portfolios
    assert one.verdict == "differs"
    assert [difference.where for difference in one.differences] == [f"{copy}:451: equity"]


def test_results_of_another_length_or_of_no_portfolio_here_are_told(folder: Path, tmp_path: Path) -> None:
    (path,) = (folder / "results").rglob("equity.csv")
    copy = tmp_path / path.relative_to(folder / "results")
    copy.parent.mkdir(parents=True)
    copy.write_text("\n".join(path.read_text().splitlines()[:800]) + "\n")
    (one,) = replay(folder / "traces", results=tmp_path).portfolios
    assert [(part.where, part.reported, part.replayed) for part in one.differences] == [
        (str(copy), "799 bars", "900 bars")
    ]
    copy.unlink()
    (one,) = replay(folder / "traces", results=tmp_path).portfolios
    assert (one.verdict, one.lacks) == ("lacks", (f"no equity.csv of this portfolio below {tmp_path}",))


@pytest.mark.parametrize("multiplier", [1.0, 50.0, 0.1])
def test_a_multiplier_is_learnt_from_the_fills(tmp_path: Path, multiplier: float) -> None:
    directory = run(
        tmp_path,
        instruments__default={"multiplier": multiplier, "lot_size": 0.01},
        data__symbols=["A"],
        data__synthetic={"bars": 200, "seed": 2},
    )
    (one,) = replay(directory, results=tmp_path / "results").portfolios
    assert (one.verdict, one.differences) == ("agrees", ())
    assert one.fills > 10


def altered(tmp_path: Path, change: Callable[[Run], None]) -> Any:
    made = crossover_run([100.0 + (bar % 10) for bar in range(40)], {2: 1, 8: 0, 12: 1, 14: 1, 18: 0})
    change(made)
    (one,) = replay(made.write(tmp_path / "wf" / "backtest")).portfolios
    return one


def put(event_type: str, keys: tuple[Any, ...], value: object, nth: int = 0) -> Callable[[Run], None]:
    def change(made: Run) -> None:
        event = [one for events in made.events.values() for one in events if one["event_type"] == event_type][nth]
        target = event["payload"]
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value

    return change


def test_a_handmade_run_agrees(tmp_path: Path) -> None:
    one = altered(tmp_path, lambda made: None)
    assert (one.verdict, one.differences, one.trades) == ("agrees", (), 2)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (put("PHASE_END", ("cash",), 1.0, 3), f"{PORTFOLIO}#15: cash"),
        (put("PHASE_END", ("equity",), 1.0, 3), f"{PORTFOLIO}#15: equity"),
        (put("PHASE_END", ("positions", "SPX"), {"quantity": 3.0}, 3), f"{PORTFOLIO}#15: SPX quantity"),
        (put("PORTFOLIO_UPDATE", ("equity",), 1.0), f"{PORTFOLIO}#4: equity"),
        (put("PORTFOLIO_UPDATE", ("exposure",), 1.0), f"{PORTFOLIO}#4: exposure"),
        (put("POSITION_CLOSE", ("trades", 0, "pnl"), 1.0), f"{PORTFOLIO}#6: trade 1, pnl"),
        (put("POSITION_CLOSE", ("trades", 0, "direction"), "short"), f"{PORTFOLIO}#6: trade 1, direction"),
        (put("POSITION_CLOSE", ("trades", 0, "number"), 9), f"{PORTFOLIO}#6: trade 9"),
        (put("BAR", ("close",), 99.0, 3), f"{PORTFOLIO}#4: equity"),  # the bar of the first fill
    ],
)
def test_whatever_was_reported_wrongly_is_named(tmp_path: Path, change: Callable[[Run], None], where: str) -> None:
    one = altered(tmp_path, change)
    assert one.verdict == "differs"
    assert where in [difference.where for difference in one.differences]


def test_an_update_after_the_last_bar_is_named(tmp_path: Path) -> None:
    def change(made: Run) -> None:
        end = made.events[PORTFOLIO].pop()
        payload = {"cash": 1.0, "equity": 1.0, "exposure": 0.0, "positions": {}}
        made.add(PORTFOLIO, "PORTFOLIO_UPDATE", 41, 1 << 16, payload)
        made.add(PORTFOLIO, "PHASE_END", 41, (1 << 20) - 1, end["payload"])

    one = altered(tmp_path, change)
    assert [(part.where, part.reported, part.replayed) for part in one.differences] == [
        (f"{PORTFOLIO}#15: bar", "41", "the last one is 39")
    ]


def test_a_portfolio_that_never_ended_is_rebuilt_and_its_figures_are_said_to_lack(tmp_path: Path) -> None:
    one = altered(tmp_path, lambda made: made.events[PORTFOLIO].pop() and None)
    assert (one.verdict, one.differences, one.trades) == ("lacks", (), 2)
    assert one.lacks == ("no PHASE_END: the run broke off, or it was not kept, so no figures were reported",)


def test_a_metric_that_was_reported_wrongly_is_named(tmp_path: Path) -> None:
    one = altered(tmp_path, put("PHASE_END", ("metrics",), {"max_drawdown": 0.9, "trades": 2}, 3))
    judged = {figure.name: figure.agrees for figure in one.figures}
    assert (judged["max_drawdown"], judged["trades"], judged["win_rate"]) == (False, True, None)
    assert one.verdict == "differs"


@pytest.mark.parametrize(
    ("options", "lack"),
    [
        ({"max_events": {"data": 10}}, "31 BARs of data were dropped by max_events"),
        ({"max_events": {EXECUTION: 3}}, "FILLs of execution were dropped"),
        ({"untraced": ["data"]}, "the data container was not traced"),
        ({"untraced": [EXECUTION]}, "the execution container was not traced"),
        ({"only": {PORTFOLIO: ["ORDER"]}}, "neither PHASE_START nor PHASE_END"),
        ({"unsealed": [EXECUTION]}, "execution was never sealed"),
        ({"max_events": {PORTFOLIO: 5}}, "POSITION events were not all kept"),
    ],
)
def test_what_the_trace_does_not_hold_is_said_precisely(tmp_path: Path, options: dict[str, Any], lack: str) -> None:
    (one,) = replay(written(tmp_path, **options)).portfolios
    assert one.verdict == "lacks", one.differences
    assert any(lack in text for text in one.lacks), one.lacks


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_payload_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    made = crossover_run([100.0 + (bar % 10) for bar in range(20)], {2: 1, 8: 0, 12: 1})
    events = [event for events in made.events.values() for event in events]
    values = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False)
    values |= st.text(max_size=3) | st.just([{"number": [1]}]) | st.just({"SPX": None})
    for _ in range(3):
        payload = data.draw(st.sampled_from(events))["payload"]
        if payload:
            payload[data.draw(st.sampled_from(sorted(payload)))] = data.draw(values)
    replay(made.write(tmp_path_factory.mktemp("x") / "wf" / "p"))


@given(
    st.lists(
        st.tuples(st.sampled_from([1, -1]), st.integers(1, 9), st.integers(50, 150), st.integers(0, 5)), max_size=30
    )
)
def test_money_is_neither_made_nor_lost(deals: list[tuple[int, int, int, int]]) -> None:
    """Cash and what is held, at the last price, are the capital and all results, closed and open, less commission."""
    ledger = Ledger(1000.0)
    for number, (sign, quantity, price, commission) in enumerate(deals):
        value = float(quantity * price)
        ledger.book(
            TracedFill(f"e#{number}", number, number, "S", sign, quantity, price, 0.0, float(commission), value)
        )
    held, average = ledger.positions().get("S", (0.0, 0.0))
    assert held == sum(sign * quantity for sign, quantity, _, _ in deals)
    gross = sum(
        (t.exit_price - t.entry_price) * t.quantity * (1 if t.direction == "long" else -1) for t in ledger.trades
    )
    paid = sum(commission for *_, commission in deals)
    assert ledger.cash + held * average == pytest.approx(1000.0 + gross - paid)


def test_the_command_exits_0_when_it_agrees_and_1_when_not(folder: Path, tmp_path: Path) -> None:
    assert traces("replay", folder / "traces", "--results", folder / "results").exit_code == 0
    document = json.loads(traces("replay", folder / "traces", "--json").stdout)
    assert (document["agrees"], document["portfolios"][0]["verdict"]) == (True, "agrees")
    result = traces("replay", written(tmp_path, max_events={"data": 10}), "--plain")
    assert result.exit_code == 1
    assert "lacking: 31 BARs of data were dropped by max_events" in result.stdout
    assert traces("replay", written(tmp_path / "x", untraced=[PORTFOLIO])).exit_code == 1
