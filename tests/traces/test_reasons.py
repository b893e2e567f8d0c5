"""`why-not` over generated runs: the right reason for every signal that came to nothing, and for every quiet bar."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from admf_cli.strategies.explanation import explain
from admf_cli.strategies.registry import strategy_types
from admf_cli.tracefile.discovery import discover_some
from admf_cli.traces.archive import Archive
from admf_cli.traces.event import TracedEvent
from admf_cli.traces.history import History
from admf_cli.traces.members import gates_of, is_of_gate
from admf_cli.traces.render.refusals import why_not_document
from admf_cli.traces.render.words import reason_in_words
from admf_cli.traces.why_not import why_not

ROOT = Path(__file__).resolve().parents[2]
STOCKS = {
    "path": {name: str(ROOT / "data" / f"{name.lower()}_daily.csv") for name in ("AMZN", "META", "NFLX")},
    "symbols": ["AMZN", "META", "NFLX"],
    "start": "2013-06-01",
    "end": "2015-12-31",
}
INTRADAY = {
    "source": "synthetic",
    "symbols": ["A", "B"],
    "timeframe": "15m",
    "start": "2024-01-02",
    "synthetic": {"bars": 1500, "seed": 7, "volatility": 0.5},
}
REPEATED = {"type": "rules", "params": {"enter_long": "close > sma", "exit_long": "close < sma", "repeat": True}}
QUIET = {"type": "sma_crossover", "params": {"fast": 3, "slow": 9}}
SHARE = {"sizing": {"type": "percent_equity", "percent": 0.3}}


def entry(**order: Any) -> dict[str, Any]:
    return {"type": "sma_crossover", "params": {"fast": 3, "slow": 9}, "orders": {"entry": order}}


# name -> strategy, risk profile, market, execution, and the reasons that must come up
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], set[str]]] = {
    "positions": (REPEATED, SHARE, STOCKS, {}, {"already_in_position", "no_position"}),
    "cash": (QUIET, {"sizing": {"type": "percent_equity", "percent": 1.0}}, STOCKS, {}, {"no_cash", "no_position"}),
    "margin": (
        QUIET,
        {"sizing": {"type": "percent_equity", "percent": 3.0}},
        STOCKS,
        {"margin": {"initial": 0.5}},
        {"no_margin"},
    ),
    "small": (QUIET, {"sizing": {"type": "fixed", "quantity": 0.4}}, STOCKS, {}, {"lot_too_small"}),
    "cooldown": (QUIET, SHARE | {"stop_loss": 0.01, "cooldown": 20}, STOCKS, {}, {"cooldown"}),
    "warm-up": (
        QUIET,
        {"sizing": {"type": "volatility_target", "target": 0.1, "period": 60}},
        INTRADAY,
        {},
        {"warm_up"},
    ),
    "count": (QUIET, SHARE | {"max_open_positions": 1}, STOCKS, {}, {"max_open_positions"}),
    "heat": (QUIET, SHARE | {"max_portfolio_heat": 0.0005}, STOCKS, {}, {"max_portfolio_heat"}),
    "net": (QUIET, SHARE | {"max_net_exposure": 0.0005}, STOCKS, {}, {"max_net_exposure"}),
    "size": (QUIET, SHARE | {"max_position_size": 0.0005}, STOCKS, {}, {"max_position_size"}),
    "drawdown": (QUIET, SHARE | {"max_drawdown": 0.02}, STOCKS, {}, {"max_drawdown"}),
    "day": (QUIET, SHARE | {"daily_loss_limit": 0.001}, INTRADAY, {}, {"daily_loss_limit"}),
    "waiting": (
        entry(type="limit", limit_offset=-0.03),
        SHARE,
        STOCKS,
        {},
        {"entry_cancelled", "superseded"},
    ),
    "day orders": (entry(type="limit", limit_offset=-0.01, time_in_force="DAY"), SHARE, STOCKS, {}, {"day_end"}),
    "dated": (
        entry(type="limit", limit_offset=-0.02, time_in_force="GTD", good_till={"bars": 2}),
        SHARE,
        STOCKS,
        {},
        {"gtd_reached"},
    ),
    "at once": (entry(type="limit", limit_offset=-0.01, time_in_force="IOC"), SHARE, STOCKS, {}, {"ioc_unfilled"}),
    "whole": (entry(type="limit", limit_offset=-0.01, time_in_force="FOK"), SHARE, STOCKS, {}, {"fok_unfilled"}),
    "far": (entry(type="limit", limit_offset=-0.5), SHARE, INTRADAY, {}, {"end_of_data"}),
    "weights": (
        {"type": "target_weights", "params": {"weights": {"AMZN": 0.001, "META": 0.5}, "rebalance": "daily"}},
        {"sizing": {"type": "target_weights"}},
        STOCKS,
        {},
        {"no_change"},
    ),
}
BUILT_IN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sma_crossover": ({"fast": 5, "slow": 20, "direction": "long_short"}, STOCKS),
    "ema_crossover": ({"fast": 5, "slow": 20}, STOCKS),
    "bollinger": ({"mode": "breakout"}, STOCKS),
    "buy_and_hold": ({}, STOCKS),
    "donchian_breakout": ({"direction": "long_short"}, STOCKS),
    "macd": ({}, STOCKS),
    "momentum": ({"lookback": 60}, STOCKS),
    "rsi_mean_reversion": ({}, STOCKS),
    "volatility_breakout": ({}, STOCKS),
    "opening_range_breakout": ({}, INTRADAY),
    "target_weights": ({"weights": {"AMZN": 0.3, "META": 0.2}}, STOCKS),
    "zscore_pairs": ({"first": "AMZN", "second": "META"}, STOCKS),
    "rules": ({"enter_long": "close > sma and rsi < 60", "exit_long": "close < sma"}, STOCKS),
    "ensemble": (
        {
            "members": [
                {"name": "a", "type": "sma_crossover", "params": {"fast": 5, "slow": 20}},
                {"name": "b", "type": "rsi_mean_reversion"},
            ]
        },
        STOCKS,
    ),
    "filter": (
        {
            "strategy": {"name": "a", "type": "sma_crossover", "params": {"fast": 5, "slow": 20}},
            "open_when": "close > sma",
        },
        STOCKS,
    ),
}

HELD = ("wanted already", "outvoted", "gate closed", "gate unknown")


def run(
    folder: Path, strategy: dict[str, Any], profile: dict[str, Any], data: dict[str, Any], execution: dict[str, Any]
) -> list[dict[str, Any]]:
    run_backtest(
        {
            "data": data,
            "features": {"sma": {"type": "SMA", "timeperiod": 20}, "rsi": {"type": "RSI", "timeperiod": 14}},
            "strategies": [{"name": "s", **strategy}],
            "risk_profiles": [{"name": "r", **profile}],
            "execution": {
                "commission": {"type": "percent", "rate": 0.001},
                "trace_settings": {"max_events": None, "trace_dir": str(folder)},
                **execution,
            },
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    lines = [line for file in (folder / "wf").rglob("*.jsonl") for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def outcomes(events: list[dict[str, Any]]) -> dict[str, list[str | None]]:
    """Return each signal's reasons from the lines alone: of a rejection, or of what ended an order; None: filled."""
    answers, ends = defaultdict(list), defaultdict(list)
    for event in sorted(events, key=lambda one: one["sequence"]):
        if event["event_type"] in ("ORDER", "REJECT"):
            answers[event["causation_id"]].append(event)
        if event["event_type"] in ("FILL", "REJECT", "CANCEL", "EXPIRE"):
            ends[event["payload"].get("order_id")].append(event)
    found: dict[str, list[str | None]] = {}
    for signal in (event["event_id"] for event in events if event["event_type"] == "SIGNAL"):
        found[signal] = [
            answer["payload"]["reason"]
            if answer["event_type"] == "REJECT"
            else ends[answer["event_id"]][-1]["payload"].get("reason")
            for answer in answers[signal]
        ]
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_reason_of_every_signal_that_came_to_nothing_is_named(tmp_path: Path, name: str) -> None:
    strategy, profile, data, execution, expected = CASES[name]
    events = run(tmp_path, strategy, profile, data, execution)
    wanted = outcomes(events)
    assert {reason for reasons in wanted.values() for reason in reasons} >= expected
    signals = {event["event_id"]: event for event in events if event["event_type"] == "SIGNAL"}
    refused = [signals[one] for one, reasons in wanted.items() if any(reasons)]
    for signal in random.Random(1).sample(refused, min(40, len(refused))):
        answer = why_not(tmp_path / "wf", signal["timestamp"].removesuffix("Z"), symbol=signal["symbol"])
        (case,) = answer.cases
        told = {one.signal.event_id: [outcome.reason for outcome in one.outcomes] for one in case.signals}
        assert case.verdict == "signal"
        assert told[signal["event_id"]] == wanted[signal["event_id"]]


def test_every_reason_has_words() -> None:
    page = (ROOT / "docs" / "reasons.md").read_text()
    for reason in set(re.findall(r"`([a-z_]+)`", page)):
        assert reason_in_words(reason) != reason.replace("_", " "), reason


def test_every_built_in_strategy_is_asked_here() -> None:
    assert set(BUILT_IN) | {"python", "recorded"} == set(strategy_types())  # these two state no rules


@pytest.mark.parametrize("kind", BUILT_IN)
def test_what_each_condition_lacked_is_told_for_every_strategy(tmp_path: Path, kind: str) -> None:
    params, data = BUILT_IN[kind]
    events = run(tmp_path, {"type": kind, "params": params}, SHARE, data, {})
    signals = [event for event in events if event["event_type"] == "SIGNAL"]
    spoken = {(event["timestamp"], event["symbol"]) for event in signals}
    quiet = [one for one in events if one["event_type"] == "BAR" and (one["timestamp"], one["symbol"]) not in spoken]
    assert signals
    chosen = quiet[3:6] + random.Random(2).sample(quiet, 15)
    for bar in chosen:
        answer = why_not(tmp_path / "wf", bar["timestamp"].removesuffix("Z"), symbol=bar["symbol"])
        (case,) = answer.cases
        assert case.verdict in ("not met", "warming up", *HELD)
        assert case.rules
        assert all(rule.problem is None for rule in case.rules)
        held = any(rule.holds for rule in case.rules if not is_of_gate(rule.name))
        assert (case.verdict in HELD) == held
    (settings,) = (
        event["payload"]["settings"]
        for event in events
        if event["event_type"] == "PHASE_START" and event["container_id"] == "strategy_s"
    )
    with Archive(discover_some(tmp_path / "wf").phases[0]) as archive:
        bars = {(one["timestamp"], one["symbol"]): one["event_id"] for one in events if one["event_type"] == "BAR"}
        for signal in random.Random(3).sample(signals, min(15, len(signals))):
            rule = settings["rules"].get(signal["payload"]["rule"])
            if rule is None or signal["sequence"] >> 20 < 2:
                continue  # a look back beyond the phase's first bar is not on disk
            bar = archive.find(bars[signal["timestamp"], signal["symbol"]])
            assert isinstance(bar, TracedEvent)
            history = History(archive, bar, settings["features"])
            whole = explain(rule, history.value, settings.get("timezone") or "UTC")[0]
            assert whole.holds is True, (signal, rule, whole)


def test_each_rule_reads_the_clock_of_its_own_zone(tmp_path: Path) -> None:
    def opens_at(name: str, zone: str) -> dict[str, Any]:
        params = {
            "enter_long": 'time_between("09:30", "09:45")',
            "exit_long": 'time_between("12:00", "12:15")',
            "timezone": zone,
        }
        return {"name": name, "type": "rules", "params": params}

    gated = {
        "name": "late",
        "type": "filter",
        "params": {"strategy": opens_at("tokyo", "Asia/Tokyo"), "open_when": "hour >= 0", "timezone": "Europe/London"},
    }
    strategy = {"type": "ensemble", "params": {"members": [opens_at("york", "America/New_York"), gated]}}
    run(tmp_path, strategy, SHARE, INTRADAY, {})
    # In January 09:30 in New York is 14:30 UTC and 12:00 is 17:00; in Tokyo they are 00:30 and 03:00.
    holding = {
        "2024-01-04T14:30": "york: enter_long",
        "2024-01-04T17:00": "york: exit_long",
        "2024-01-04T00:30": "late: tokyo: enter_long",
        "2024-01-04T03:00": "late: tokyo: exit_long",
    }
    for time, name in holding.items():
        (case,) = why_not(tmp_path / "wf", time, symbol="A").cases
        told = [rule.name for rule in case.rules if rule.holds and "gate" not in rule.name]
        assert told == [name], time


CROSS = {"name": "cross", "type": "sma_crossover", "params": {"fast": 3, "slow": 9}}


def test_a_decision_that_a_closed_gate_kept_back_is_told_as_that(tmp_path: Path) -> None:
    gate = {"open_when": "close > sma and rsi < 70", "close_when": "close < sma * 0.98"}
    bare = run(tmp_path / "bare", CROSS, SHARE, STOCKS, {})
    gated = run(tmp_path / "gated", {"type": "filter", "params": {"strategy": CROSS, **gate}}, SHARE, STOCKS, {})
    spoken = {(one["timestamp"], one["symbol"]) for one in gated if one["event_type"] == "SIGNAL"}
    silent = [
        one
        for one in bare
        if one["event_type"] == "SIGNAL" and (one["timestamp"], one["symbol"]) not in spoken and one["sequence"] >> 29
    ]
    told = set()
    for signal in silent[:40]:
        (case,) = why_not(tmp_path / "gated" / "wf", signal["timestamp"][:-1], symbol=signal["symbol"]).cases
        ((name, is_open),) = ((one.name, one.is_open) for one in case.gates)
        assert name == ""
        assert case.verdict == ("wanted already" if is_open else "gate closed")
        told.add(case.verdict)
    assert "gate closed" in told


def test_a_gate_s_state_is_the_one_that_the_run_saw(tmp_path: Path) -> None:
    gate = {"open_when": "close > sma and rsi < 60", "close_when": "close < sma * 0.99"}
    events = run(tmp_path, {"type": "filter", "params": {"strategy": CROSS, **gate}}, SHARE, STOCKS, {})
    (settings,) = (one["payload"]["settings"] for one in events if one["event_id"] == "strategy_s#1")
    bars = {(one["timestamp"], one["symbol"]): one["event_id"] for one in events if one["event_type"] == "BAR"}
    signals = [one for one in events if one["event_type"] == "SIGNAL"][20:80]
    seen = set()
    with Archive(discover_some(tmp_path / "wf").phases[0]) as archive:
        for signal in signals:
            bar = archive.find(bars[signal["timestamp"], signal["symbol"]])
            assert isinstance(bar, TracedEvent)
            history = History(archive, bar, settings["features"])

            def holds(name: str, text: str, lag: int, history: History = history) -> bool | None:
                return explain(text, lambda read, ago: history.value(read, ago + lag))[0].holds

            (found,) = gates_of(settings["rules"], holds)
            assert found.is_open == bool(signal["payload"]["features"]["gate"]), signal
            seen.add(found.is_open)
    assert seen == {True, False}


def test_what_the_members_of_an_ensemble_wanted_is_told(tmp_path: Path) -> None:
    members = [CROSS, {"name": "slow", "type": "sma_crossover", "params": {"fast": 10, "slow": 40}}]
    events = run(tmp_path, {"type": "ensemble", "params": {"members": members, "quorum": 2}}, SHARE, STOCKS, {})
    signals = [one for one in events if one["event_type"] == "SIGNAL" and one["symbol"] == "AMZN"]
    for first, second in list(itertools.pairwise(signals))[:10]:
        between = [
            one
            for one in events
            if (one["event_type"], one["symbol"]) == ("BAR", "AMZN")
            and first["sequence"] < one["sequence"]
            and one["timestamp"] < second["timestamp"]
        ]
        for bar in between[:1]:
            answer = why_not(tmp_path / "wf", bar["timestamp"][:-1], symbol="AMZN")
            (case,) = answer.cases
            assert case.members is not None
            assert (case.members.names, case.members.method, case.members.needed) == (("cross", "slow"), "vote", 2)
            for wants, signal in ((case.members.before, first), (case.members.after, second)):
                assert wants == {name: signal["payload"]["features"][name] for name in ("cross", "slow")}
            assert "members: cross, slow; 2 of 2 votes decide" in why_not_document(answer)["cases"][0]["words"]


def test_each_shared_portfolio_s_own_reason_is_named(tmp_path: Path) -> None:
    run_backtest(
        {
            "data": STOCKS,
            "features": {"sma": {"type": "SMA", "timeperiod": 20}},
            "strategies": [{"name": "a", **REPEATED}, {"name": "b", **QUIET}],
            "risk_profiles": [
                {"name": "r", **SHARE, "max_open_positions": 1},
                {"name": "q", **SHARE, "cooldown": 10, "stop_loss": 0.02},
            ],
            "portfolio": {"allocations": {"a": 0.5, "b": 0.5}},
            "execution": {"trace_settings": {"max_events": None, "trace_dir": str(tmp_path)}},
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    lines = [line for file in (tmp_path / "wf").rglob("*.jsonl") for line in file.read_text().splitlines()]
    events = [json.loads(line) for line in lines]
    wanted = {name: sorted(map(str, reasons)) for name, reasons in outcomes(events).items()}
    assert {one for reasons in wanted.values() for one in reasons} >= {"max_open_positions", "cooldown", "no_position"}
    signals = {event["event_id"]: event for event in events if event["event_type"] == "SIGNAL"}
    for signal in random.Random(1).sample([*signals.values()], 30):
        answer = why_not(tmp_path / "wf", signal["timestamp"].removesuffix("Z"), symbol=signal["symbol"])
        told = {
            one.signal.event_id: sorted(str(outcome.reason) for outcome in one.outcomes)
            for case in answer.cases
            for one in case.signals
        }
        assert told[signal["event_id"]] == wanted[signal["event_id"]]
