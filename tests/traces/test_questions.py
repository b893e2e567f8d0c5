"""`explain` and `why-not` on real runs: complete chains for every fill, the right reason for every refused signal."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from commandline import traces
from handmade import EXECUTION, PORTFOLIO, STRATEGY, Run, crossover_run
from typer.testing import CliRunner

from admf_cli import run_backtest
from admf_cli.cli.app import app
from admf_cli.errors import AdmfError, ConfigError
from admf_cli.traces.archive import Gone
from admf_cli.traces.explain import Explanation, explain
from admf_cli.traces.render.explanation import show_explanation
from admf_cli.traces.render.screen import Screen
from admf_cli.traces.target import NotKeptError
from admf_cli.traces.why_not import Case, why_not

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Return the trace directory and the events of a run in which signals are refused for several reasons."""
    folder = tmp_path_factory.mktemp("traces")
    run_backtest(
        {
            "data": {"path": str(ROOT / "data" / "sp500_daily.csv"), "symbols": ["SPX"], "start": "2000-01-01"},
            "strategies": [{"name": "t", "type": "sma_crossover", "params": {"fast": 5, "slow": 20, "repeat": True}}],
            "risk_profiles": [
                {
                    "name": "r",
                    "sizing": {"type": "percent_equity", "percent": 1.0},
                    "stop_loss": 0.03,
                    "max_holding_period": 15,
                    "cooldown": 10,
                    "max_drawdown": 0.6,
                }
            ],
            "execution": {
                "commission": {"type": "percent", "rate": 0.001},
                "trace_settings": {"max_events": None, "trace_dir": str(folder)},
            },
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    lines = [line for path in (folder / "wf").rglob("*.jsonl") for line in path.read_text().splitlines()]
    return folder / "wf", [json.loads(line) for line in lines]


def ask(*arguments: str) -> str:
    answer = CliRunner().invoke(app, ["traces", *arguments])
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_every_fill_is_explained_back_to_its_signal_and_forward_to_its_position(
    run: tuple[Path, list[dict[str, Any]]],
) -> None:
    directory, events = run
    by_id = {event["event_id"]: event for event in events}
    fills = [event for event in events if event["event_type"] == "FILL"]
    assert {event["payload"]["purpose"] for event in fills} >= {"entry", "stop_loss", "max_holding_period"}
    assert fills[0]["event_id"] in ask("explain", str(directory), fills[0]["event_id"])
    for fill in fills:
        screen = io.StringIO()
        show_explanation(explain(directory, fill["event_id"]), Screen(plain=True, file=screen))
        told = screen.getvalue()
        cause = fill
        while cause is not None:
            assert cause["event_id"] in told
            cause = by_id.get(cause["causation_id"])
        follows = [event["event_id"] for event in events if event["causation_id"] == fill["event_id"]]
        assert follows
        assert all(event_id in told for event_id in follows)


def test_every_refused_signal_s_reason_is_named(run: tuple[Path, list[dict[str, Any]]]) -> None:
    directory, events = run
    refused = [event for event in events if event["event_type"] == "REJECT"]
    reasons = {event["payload"]["reason"] for event in refused}
    assert reasons >= {"no_position", "cooldown", "no_cash"}
    for reason in reasons:
        for event in [one for one in refused if one["payload"]["reason"] == reason][:5]:
            # A signal's own reject is of its day; one at the fill answers the signal of the day before.
            signal = next(one for one in events if one["event_id"] == event["correlation_id"])
            told = ask("why-not", str(directory), "--at", signal["timestamp"][:10], "--json")
            assert f'"{reason}"' in told


def test_a_day_without_a_signal_shows_what_each_rule_lacked(run: tuple[Path, list[dict[str, Any]]]) -> None:
    directory, events = run
    days = {event["timestamp"][:10] for event in events if event["event_type"] == "SIGNAL"}
    quiet = next(event for event in events if event["event_type"] == "BAR" and event["timestamp"][:10] not in days)
    told = ask("why-not", str(directory), "--at", quiet["timestamp"][:10], "--plain")
    assert "no signal" in told
    assert "crosses_above(fast, slow)" in told


# Of a run written by hand, with something odd in it ------------------------------------------------------------------

CLOSES = [100.0 + (bar % 10) for bar in range(40)]


def made() -> Run:
    """Long from bar 2 to 8 and from 12 to 18, each at the next open."""
    return crossover_run(CLOSES, {2: 1, 8: 0, 12: 1, 14: 1, 18: 0})


def events_of(run: Run, event_type: str) -> list[dict[str, Any]]:
    return [event for events in run.events.values() for event in events if event["event_type"] == event_type]


def settings_of(run: Run, container: str) -> dict[str, Any]:
    settings: dict[str, Any] = run.events[container][0]["payload"]["settings"]
    return settings


def told_of(answer: Explanation) -> list[str]:
    return [node.event_id for flow in answer.flows for node in flow.root.walk()]


def test_a_bar_s_signal_and_its_order_are_one_story(tmp_path: Path) -> None:
    answer = explain(made().write(tmp_path / "wf" / "p"), "SPX@2008-01-03")
    assert answer.asked == (f"{STRATEGY}#2", f"{PORTFOLIO}#2")
    assert [flow.title for flow in answer.flows] == ["asked", "exit"]
    told = told_of(answer)
    assert len(told) == len(set(told))


def test_where_no_bar_was_traced_a_signal_s_story_begins_with_what_is_missing(tmp_path: Path) -> None:
    answer = explain(made().write(tmp_path / "wf" / "p", untraced=["data"]), f"{STRATEGY}#2")
    assert not answer.complete
    root = answer.flows[0].root.event
    assert isinstance(root, Gone)
    assert (root.event_id, root.why) == ("data#4", "data was not traced")
    assert {f"{STRATEGY}#2", f"{PORTFOLIO}#2", f"{EXECUTION}#2", f"{PORTFOLIO}#3"} <= set(told_of(answer))


def test_of_an_untraced_portfolio_a_fill_s_story_ends_with_the_fill(tmp_path: Path) -> None:
    answer = explain(made().write(tmp_path / "wf" / "p", untraced=[PORTFOLIO]), f"{EXECUTION}#2")
    assert told_of(answer) == [f"{PORTFOLIO}#2", f"{EXECUTION}#2"]
    assert not answer.complete


def test_a_cause_after_its_effect_is_not_taken_for_one(tmp_path: Path) -> None:
    run = made()
    order = events_of(run, "ORDER")[0]
    order["causation_id"] = "data#40"
    answer = explain(run.write(tmp_path / "wf" / "p"), order["event_id"])
    assert not answer.complete
    root = answer.flows[0].root.event
    assert isinstance(root, Gone)
    assert root.why == "named as the cause, but it did not happen before its effect"


def test_a_story_too_long_for_a_screen_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phase = made().write(tmp_path / "wf" / "p")
    monkeypatch.setattr("admf_cli.traces.explain._MAX_NODES", 5)
    assert explain(phase, f"{STRATEGY}#2").cut
    assert "there is more than is shown here" in ask("explain", str(phase), f"{STRATEGY}#2", "--plain")


def test_strategies_that_name_their_rules_alike_show_each_its_own(tmp_path: Path) -> None:
    run = made()
    for place, event in enumerate(run.events[STRATEGY]):
        if event["event_type"] == "SIGNAL" or not place:
            twin = json.loads(json.dumps(event).replace(STRATEGY, "strategy_other"))
            run.events.setdefault("strategy_other", []).append(twin)
    settings_of(run, "strategy_other")["rules"] = {"enter_long": "close > 1", "exit": "close < 1"}
    told = ask("explain", str(run.write(tmp_path / "wf" / "p")), "SPX@2008-01-03", "--plain")
    assert told.count("rule: close > 1") == told.count("rule: crosses_above(fast, slow)") == 1


@pytest.mark.parametrize(
    ("words", "options", "error", "said"),
    [
        ("features", {}, ConfigError, "'features' names no event; write an event id"),
        ("trade:3", {}, ConfigError, "no such trade on disk; the last one closed is number 2"),
        ("data#5", {"unsealed": ["data"], "max_events": {"data": 10}}, NotKeptError, "before the oldest event on disk"),
        ("data#60", {"unsealed": ["data"]}, NotKeptError, "lost: the trace was never sealed"),
        (f"{PORTFOLIO}#3", {"only": {PORTFOLIO: ["ORDER"]}}, NotKeptError, "filtered out: its type was not recorded"),
        ("last-fill", {"untraced": [EXECUTION]}, ConfigError, "no fill on disk"),
    ],
)
def test_what_is_asked_about_and_not_on_disk_says_why(
    tmp_path: Path, words: str, options: dict[str, Any], error: type[AdmfError], said: str
) -> None:
    with pytest.raises(error, match=re.escape(said)):
        explain(made().write(tmp_path / "wf" / "p", **options), words)


def test_a_trade_without_a_number_is_passed_over_and_the_others_are_found(tmp_path: Path) -> None:
    run = made()
    first, second = events_of(run, "POSITION_CLOSE")
    first["payload"]["trades"][0]["number"] = "one"
    phase = run.write(tmp_path / "wf" / "p")
    assert explain(phase, "trade:2").asked == (second["causation_id"],)
    with pytest.raises(ConfigError, match="no such trade on disk; the last one closed is number 2"):
        explain(phase, "trade:1")


def test_the_last_fill_of_several_runs_is_asked_back(tmp_path: Path) -> None:
    for name in ("wf_a", "wf_b"):
        made().write(tmp_path / name / "p")
    with pytest.raises(ConfigError, match=r"'last-fill' is found in several phases; .*: wf_a/p, wf_b/p"):
        explain(tmp_path, "last-fill")
    assert explain(tmp_path / "wf_b", "last-fill").phase == "wf_b/p"


@pytest.mark.parametrize(("bars", "counted"), [(1, None), (9_000, "8,999"), (12_000, "at least 10,000")])
def test_a_span_of_very_many_bars_is_not_counted_to_its_end(tmp_path: Path, bars: int, counted: str | None) -> None:
    run = Run()
    for bar in range(bars):
        run.add("data", "BAR", bar, 1024, {"close": 1.0}, symbol="SPX")
        run.events["data"][-1]["timestamp"] = f"2008-01-01T{bar // 3600:02d}:{bar // 60 % 60:02d}:{bar % 60:02d}Z"
    answer = explain(run.write(tmp_path / "wf" / "p"), "SPX@2008-01-01")
    assert answer.asked == ("data#1",)
    assert answer.note == (counted and f"{counted} more bars of SPX lie in that span; this is the first")


def test_lines_that_are_no_events_are_stepped_over_in_a_story(tmp_path: Path) -> None:
    phase = made().write(tmp_path / "wf" / "p")
    whole = {words: told_of(explain(phase, words)) for words in ("trade:1", f"{EXECUTION}#2")}
    path = phase / f"{PORTFOLIO}.jsonl"
    odd = b'{"event_id":"x","payload":{"entry_fill":"execution#2"}}\n[{"entry_fill":"execution#2"}]\n'
    path.write_bytes(b"".join(line + odd for line in path.read_bytes().splitlines(keepends=True)))
    assert {words: told_of(explain(phase, words)) for words in whole} == whole


def gate(opens: str, closes: str) -> dict[str, Any]:
    return {"rules": {"gate opens": opens, "gate closes": closes, "enter_long": "fast > 0"}}


OPENED = gate("fast < 104.5", "fast < 102")  # on 2008-01-26 fast is 105
CLOSED = gate("fast < 104.5", "fast > 104.5")
NEVER = gate("fast > 999", "fast > 999")


def asked_at(run: Run, tmp_path: Path, day: str = "2008-01-26", **options: Any) -> Case:
    (case,) = why_not(run.write(tmp_path / "wf" / "p", **options), day).cases
    return case


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({}, "not met", "no signal: no rule held"),
        ({"rules": {"enter_long": "fast > 0"}}, "wanted already", "asks for what the strategy wanted already"),
        ({"symbols": ["NDX"]}, "not its symbol", "does not trade this symbol"),
        ({"symbols": ["NDX", "SPX"]}, "not met", "no rule held"),
        ({"rules": {}}, "no rules", "features: fast 105, slow 104.50"),
        ({"rules": {}, "type": "recorded"}, "not recorded", "the recording that it replays holds none for this bar"),
        ({"rules": {"enter_long": "fast >"}}, "rules unknown", "fast >: can't be read"),
        ({"rules": {"enter_long": "fast > other"}}, "rules unknown", "note: not on disk: other"),
        ({"rules": {"enter_long": "first_bar"}}, "not met", "no  first_bar"),
        (OPENED, "wanted already", "the gate: open (decided 1 bars ago)"),
        (CLOSED, "gate closed", "the gate: closed (decided at this bar)"),
        (NEVER, "gate unknown", "the gate: closed, unless bars long ago opened it"),
        (
            {"params": {"members": ["a", {"name": "b"}], "method": "vote"}},
            "not met",
            "members: a, b; 2 of 2 votes decide\n  last",
        ),
    ],
)
def test_what_a_silent_strategy_lacked_is_told_in_words(
    tmp_path: Path, changes: dict[str, Any], verdict: str, words: str
) -> None:
    run = made()
    settings_of(run, STRATEGY).update(changes)
    case = asked_at(run, tmp_path)
    assert case.verdict == verdict
    assert words in ask("why-not", str(tmp_path / "wf"), "--at", "2008-01-26", "--plain")


def test_at_the_first_bar_a_rule_waits_for_its_features_and_a_calendar_rule_knows_where_it_is(tmp_path: Path) -> None:
    for warmup, verdict in ((0, "warming up"), (None, "rules unknown")):
        run = made()
        settings_of(run, STRATEGY)["rules"] = {"enter_long": "fast > lag(fast, 1)"}
        if warmup is not None:
            settings_of(run, "data")["warmup_bars"] = warmup
        assert asked_at(run, tmp_path / verdict, "2008-01-01").verdict == verdict
    run = made()
    settings_of(run, STRATEGY)["rules"] = {"enter_long": "slow > 0"}  # null at the first bar
    assert asked_at(run, tmp_path / "null", "2008-01-01").verdict == "warming up"
    run = made()
    settings_of(run, STRATEGY)["rules"] = {"enter_long": "first_bar"}
    assert asked_at(run, tmp_path / "whole", "2008-01-01").verdict == "wanted already"
    cut = asked_at(run, tmp_path / "cut", "2008-01-05", max_events={"data": 37})  # the oldest bar on disk
    assert (cut.verdict, [rule.holds for rule in cut.rules]) == ("rules unknown", [None])


def test_a_gate_that_no_bar_opened_since_the_run_began_was_closed(tmp_path: Path) -> None:
    run = made()
    settings_of(run, STRATEGY).update(NEVER)
    settings_of(run, "data")["warmup_bars"] = 0
    assert asked_at(run, tmp_path).verdict == "gate closed"
    told = ask("why-not", str(tmp_path / "wf"), "--at", "2008-01-26", "--plain")
    assert "no signal: a rule held, but its gate was closed" in told
    assert "the gate: closed (it begins so, and no bar has opened it yet)" in told


def test_values_that_were_dropped_or_only_read_to_warm_up_are_said_not_to_be_on_disk(tmp_path: Path) -> None:
    run = made()
    settings_of(run, STRATEGY)["rules"] = {"enter_long": "fast > lag(fast, 3)"}
    phase = run.write(tmp_path / "wf" / "p", max_events={"data": 20})
    (case,) = why_not(phase, "2008-01-22").cases
    assert case.notes[0].startswith("not on disk: fast")
    assert "older events of data were dropped (max_events: 20)" in case.notes[1]
    settings_of(run, "data")["warmup_bars"] = 50
    (case,) = why_not(run.write(tmp_path / "warm" / "p"), "2008-01-02").cases
    assert case.notes == ("not on disk: fast of bars before the phase: 50 were read to warm up, none is traced",)


def test_where_a_strategy_s_first_event_is_gone_its_rules_are_unknown(tmp_path: Path) -> None:
    case = asked_at(made(), tmp_path, max_events={STRATEGY: 3})
    assert (case.verdict, len(case.notes)) == ("rules unknown", 1)
    assert case.notes[0].startswith(f"its rules stood in {STRATEGY}#1: dropped: only the newest events")
    (case,) = why_not(tmp_path / "wf" / "p", "2008-01-06").cases  # before all that is kept of it
    assert case.verdict == "not kept"
    assert f"older events of {STRATEGY} were dropped (max_events: 3)" in case.notes[0]


def test_no_bar_at_the_time_shows_the_nearest_or_that_there_is_none(tmp_path: Path) -> None:
    phase = made().write(tmp_path / "wf" / "p", max_events={"data": 20})
    told = ask("why-not", str(phase), "--at", "2008-01-05T12:00", "--plain")
    assert "the bar before: none on disk" in told
    assert "the next bar: 2008-01-22" in told
    assert "note: 22 older events of data were dropped (max_events: 20)" in told
    bare = made().write(tmp_path / "bare" / "p", untraced=["data"])
    answer = why_not(bare, "2009")
    assert (answer.bars, answer.previous_bar, answer.next_bar) == (0, None, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "2008-01-21"], "several phases hold that time; choose one with --phase: wf/a, wf/b"),
        (["--at", "2008-01-21", "--phase", "c"], "no strategy was traced in wf/c, so there is nothing to ask it"),
        (["--at", "2008-01-21", "--phase", "c", "--strategy", "trend"], "no strategy 'trend' in wf/c; there are: none"),
    ],
)
def test_who_is_asked_must_be_there_and_be_one(tmp_path: Path, arguments: list[str], said: str) -> None:
    for name in ("a", "b", "c"):
        made().write(tmp_path / "wf" / name, untraced=[STRATEGY] if name == "c" else [])
    told = traces("why-not", tmp_path / "wf", *arguments)
    assert told.exit_code == 2
    assert said in told.stderr


def test_a_strategy_goes_by_its_id_or_its_name(tmp_path: Path) -> None:
    phase = made().write(tmp_path / "wf" / "p")
    answers = [why_not(phase, "2008-01-21", strategy=name) for name in (None, STRATEGY, "trend")]
    assert answers[0] == answers[1] == answers[2]


def test_a_signal_whose_answer_or_end_was_dropped_is_not_said_to_be_unanswered(tmp_path: Path) -> None:
    run = made()
    phase = run.write(tmp_path / "wf" / "p", max_events={PORTFOLIO: 3, EXECUTION: 1})
    (case,) = why_not(phase, "2008-01-03").cases
    assert [one.verdict for one in case.signals[0].outcomes] == ["not kept"]
    phase = run.write(tmp_path / "other" / "p", max_events={EXECUTION: 1})
    (case,) = why_not(phase, "2008-01-03").cases
    (outcome,) = case.signals[0].outcomes
    assert (outcome.verdict, outcome.order and outcome.order.event_id) == ("not kept", f"{PORTFOLIO}#2")
