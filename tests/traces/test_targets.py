"""Which event or bar is meant: in several phases, with several portfolios, by trade, time and name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from tests.traces.commandline import traces


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two phases, two portfolios each, that trade often, borrow money and keep few events."""
    folder = tmp_path_factory.mktemp("targets")
    profile = {"sizing": {"type": "percent_equity", "percent": 1.5}, "stop_loss": 0.05}
    run_backtest(
        {
            "workflow": {"phases": [{"name": "first", "end": "2000-12-31"}, {"name": "second", "start": "2001-01-01"}]},
            "data": {"source": "synthetic", "symbols": ["A", "B"], "synthetic": {"bars": 500, "volatility": 0.3}},
            "strategies": [
                {"name": "s", "type": "sma_crossover", "params": {"fast": 3, "slow": 9, "direction": "long_short"}}
            ],
            "risk_profiles": [{"name": "r", **profile}, {"name": "q", **profile, "take_profit": 0.04}],
            "execution": {
                "commission": {"type": "percent", "rate": 0.001},
                "margin": {"leverage": 4, "maintenance": 0.1, "liquidation": "reduce"},
                "financing": {"cash_interest": 0.01, "debit_interest": 0.05, "borrow_fee": 0.02},
                "trace_settings": {
                    "trace_dir": str(folder),
                    "max_events": None,
                    "container_settings": {"strategy": {"max_events": 30}},
                },
            },
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    return folder / "wf"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["explain", "{}", "last-fill", "--phase", "third"],
            2,
            "no phase 'third' here; there are: wf/first, wf/second",
        ),
        (
            ["explain", "{}", "trade:3", "--phase", "first"],
            2,
            "several portfolios; write trade:PORTFOLIO:3 with one of",
        ),
        (["explain", "{}", "trade:portfolio_s_x:3", "--phase", "first"], 2, "no portfolio 'portfolio_s_x'; there are"),
        (["explain", "{}", "trade:portfolio_s_r:99999", "--phase", "first"], 2, "the last one closed is number"),
        (["explain", "{}", "trade:portfolio_s_r:3"], 2, "is found in several phases; choose one with --phase"),
        (["explain", "{}", "nonsense"], 2, "'nonsense' names no event; write an event id"),
        (["explain", "{}", "A@2050-01-01"], 2, "no event of 'A' at that time"),
        (["explain", "{}", "portfolio_s_r#99999"], 2, "it never existed"),
        (["explain", "{}", "portfolio_x#1"], 2, "was not traced"),
        (["explain", "{}", "strategy_s#2", "--phase", "first"], 1, "dropped: only the newest events of strategy_s"),
        (["why-not", "{}", "--at", "2050-01-01"], 2, "no phase has a bar at 2050-01-01; name one with --phase"),
        (["why-not", "{}", "--at", "2000"], 0, ""),
        (["why-not", "{}", "--at", "2001-02-06", "--strategy", "x"], 2, "no strategy 'x' in wf/second; there are"),
        (["show", "{}", "--phase", "third"], 2, "third"),
    ],
)
def test_what_is_not_there_or_not_clear_is_told_with_what_there_is(
    arguments: list[str], code: int, said: str, run: Path
) -> None:
    outcome = traces(*(str(run) if part == "{}" else part for part in arguments))
    assert said in outcome.stderr
    assert outcome.exit_code == code or (code == 1 and outcome.exit_code != 0)


def test_a_trade_is_found_by_its_portfolio_and_number_and_the_last_fill_of_a_run_is_in_its_last_phase(
    run: Path,
) -> None:
    told = traces("explain", run, "trade:portfolio_s_r:2", "--phase", "second", "--json")
    assert told.exit_code == 0, told.stderr
    assert '"number":2' in told.stdout.replace(" ", "").replace("\n", "")
    assert "wf/second" in traces("explain", run, "last-fill").stdout
    named = traces("explain", run, "trade:2", "--portfolio", "portfolio_s_r", "--phase", "wf/second", "--json")
    assert json.loads(named.stdout) == json.loads(told.stdout)


def test_a_span_of_many_bars_is_its_first_and_says_how_many_more_there_are(run: Path) -> None:
    told = traces("explain", run, "A@2001-03", "--phase", "second")
    assert told.exit_code == 0, told.stderr
    assert "more bars of A lie in that span; this is the first" in told.stdout


def tree(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for effect in node["effects"]:
        yield from tree(effect)


def test_a_bar_at_which_several_portfolios_acted_is_told_once_with_all_that_each_did(run: Path) -> None:
    events = [json.loads(line) for path in (run / "second").glob("*.jsonl") for line in path.read_text().splitlines()]
    by_id = {event["event_id"]: event for event in events}
    fills = {event["payload"]["order_id"]: event["event_id"] for event in events if event["event_type"] == "FILL"}
    orders: dict[str, list[str]] = {}
    for event in events:
        if event["event_type"] == "ORDER" and event["causation_id"].startswith("strategy"):
            orders.setdefault(event["causation_id"], []).append(event["event_id"])
    # Of the signals kept, one that both portfolios traded on.
    signal = next(
        by_id[one] for one, made in orders.items() if one in by_id and len(made) == 2 and fills.keys() >= {*made}
    )
    words = f"{signal['symbol']}@{signal['timestamp'][:10]}"
    told = json.loads(traces("explain", run, words, "--phase", "second", "--json").stdout)
    nodes = [node for flow in told["flows"] for node in tree(flow["root"])]
    ids = [node["event"]["event_id"] if "event" in node else node["event_id"] for node in nodes]
    assert len(ids) == len(set(ids))
    assert {signal["event_id"], *orders[signal["event_id"]]} <= set(told["asked"])
    assert {fills[order] for order in orders[signal["event_id"]]} <= set(ids)
    assert {node["event"]["event_id"] for node in nodes if node.get("asked")} == set(told["asked"])


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_interest_and_borrow_fees_are_part_of_the_books(command: str, run: Path) -> None:
    outcome = traces(command, run)
    assert outcome.exit_code == 0, outcome.stdout
    assert any('"FINANCING"' in path.read_text() for path in run.rglob("portfolio_*.jsonl"))


def test_a_changed_interest_is_found(run: Path, tmp_path: Path) -> None:
    for path in (run / "second").iterdir():
        (tmp_path / "wf" / "second").mkdir(parents=True, exist_ok=True)
        (tmp_path / "wf" / "second" / path.name).write_bytes(path.read_bytes())
    lines = tmp_path / "wf" / "second" / "portfolio_s_r.jsonl"
    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    financing = next(row for row in rows if row["event_type"] == "FINANCING")
    financing["payload"]["cash"] += 5.0
    lines.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    verified = traces("verify", tmp_path / "wf")
    assert verified.exit_code == 1
    assert financing["event_id"] in verified.stdout


def test_costs_of_holding_are_counted_by_stats(run: Path) -> None:
    told = json.loads(traces("stats", run, "--json").stdout)
    assert "FINANCING" in json.dumps(told) or "financing" in json.dumps(told) or "interest" in json.dumps(told)
