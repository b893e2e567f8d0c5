"""`admf traces diff`: the first event at which two runs part, however they were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commandline import traces
from handmade import EXECUTION, PORTFOLIO, STRATEGY, Run, crossover_run, line_of
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli.errors import ConfigError
from admf_cli.tracefile.lookup import TraceLookup
from admf_cli.traces.alignment import differences
from admf_cli.traces.diff import PhaseDiff, diff

CLOSES = [100.0 + (bar % 10) for bar in range(40)]
TARGETS = {2: 1, 8: 0, 12: 1, 14: 1, 18: 0}


def made(targets: dict[int, int] = TARGETS, closes: list[float] = CLOSES, **options: Any) -> Run:
    return crossover_run(closes, targets, **options)


def compared(tmp_path: Path, a: Run, b: Run, *, options: Any = None, tolerance: float = 0.0) -> PhaseDiff:
    left = a.write(tmp_path / "a" / "backtest", **(options or ({}, {}))[0])
    right = b.write(tmp_path / "b" / "backtest", **(options or ({}, {}))[1])
    (phase,) = diff(left, right, tolerance=tolerance).phases
    return phase


def test_two_recordings_of_one_run_differ_in_headers_only(tmp_path: Path) -> None:
    phase = compared(tmp_path, made(), made(), options=({}, {"meta_changes": {"admf_version": "0.2.0"}}))
    assert phase.same
    assert {field.path for field in phase.headers} == {"workflow_id", "admf_version"}
    assert (phase.types, phase.metrics, phase.notes, phase.ids_only) == ((), (), (), 0)


def test_the_first_different_event_is_shown_with_its_causes_on_both_sides(tmp_path: Path) -> None:
    phase = compared(tmp_path, made(), made(quantity=11.0))
    assert phase.parting is not None
    pair = phase.parting.pair
    assert (phase.parting.container, pair.a and pair.a.event_id, pair.b and pair.b.event_id) == (
        PORTFOLIO,
        f"{PORTFOLIO}#2",
        f"{PORTFOLIO}#2",
    )
    assert next((field.path, field.a, field.b) for field in pair.fields) == ("quantity", 10.0, 11.0)
    for causes in (phase.parting.causes_a, phase.parting.causes_b):
        assert [cause.event_id for cause in causes] == [f"{STRATEGY}#2", "data#4"]
    fills = next(one for one in phase.types if one.event_type == "FILL")
    assert (fills.container, fills.changed, fills.only_a, fills.only_b) == (EXECUTION, 4, 0, 0)


def test_an_event_more_shifts_ids_and_is_no_difference_of_the_others(tmp_path: Path) -> None:
    more = {**TARGETS, 16: 1}  # already long: a signal and a reject more, and every later id one higher
    phase = compared(tmp_path, made(), made(more))
    assert phase.parting is not None
    assert (phase.parting.container, phase.parting.pair.a) == (STRATEGY, None)
    assert phase.parting.pair.b is not None
    assert phase.parting.pair.b.bar == 16
    counts = {(one.event_type, one.changed, one.only_a, one.only_b) for one in phase.types}
    assert counts == {("SIGNAL", 0, 0, 1), ("REJECT", 0, 0, 1), ("PHASE_END", 1, 0, 0)}
    assert phase.ids_only > 0


def test_other_bars_are_found_first_and_followed_into_the_results(tmp_path: Path) -> None:
    closes = [*CLOSES[:5], 999.0, *CLOSES[6:]]
    phase = compared(tmp_path, made(), made(closes=closes))
    assert phase.parting is not None
    assert (phase.parting.container, phase.parting.pair.fields[0].path) == ("data", "high")
    assert phase.parting.pair.a is not None
    assert phase.parting.pair.a.bar == 5


def test_a_tolerance_takes_small_numbers_for_the_same(tmp_path: Path) -> None:
    b = made()
    for event in b.events["data"]:
        if "close" in event["payload"]:
            event["payload"]["close"] *= 1 + 1e-12
    assert not compared(tmp_path / "x", made(), b).same
    assert compared(tmp_path / "y", made(), b, tolerance=1e-9).same


def test_a_configuration_that_changes_nothing_that_happens_is_told_and_is_no_difference(tmp_path: Path) -> None:
    b = made()
    b.events[PORTFOLIO][0]["payload"]["settings"] = {"initial_capital": 10_000.0, "max_drawdown": 0.5}
    phase = compared(tmp_path, made(), b)
    assert phase.same
    assert [(field.path, field.a, field.b) for field in phase.settings[PORTFOLIO]] == [("max_drawdown", None, 0.5)]


@pytest.mark.parametrize(
    ("options", "note"),
    [
        (({}, {"untraced": ["data"]}), "data: only A traced it"),
        (({"untraced": [EXECUTION]}, {}), "execution: only B traced it"),
        (({}, {"max_events": {"data": 10}}), "data: B kept the newest events only"),
        (({"max_events": {PORTFOLIO: 5}}, {"max_events": {PORTFOLIO: 9}}), "compared from bar"),
        (({"only": {PORTFOLIO: ["ORDER"]}}, {}), f"{PORTFOLIO}: A did not record"),
        (({}, {"unsealed": ["data"]}), "data: B was never sealed"),
    ],
)
def test_only_what_both_sides_kept_is_compared(tmp_path: Path, options: Any, note: str) -> None:
    phase = compared(tmp_path / "same", made(), made(), options=options)
    assert phase.same, phase.parting
    assert any(note in text for text in phase.notes), phase.notes
    assert not compared(tmp_path / "other", made(), made({**TARGETS, 30: 1, 32: 0}), options=options).same


def test_a_run_that_was_killed_is_the_same_as_far_as_it_came(tmp_path: Path) -> None:
    a = made().write(tmp_path / "a" / "backtest")
    b = made().write(tmp_path / "b" / "backtest", unsealed=["data"])
    path = b / "data.jsonl"
    path.write_bytes(path.read_bytes()[:4000])
    assert diff(a, b).same


def newer(**options: Any) -> Run:
    """The same run as a later version may write it: more keys, also deep ones, and a type of its own."""
    run = made(**options)
    for events in run.events.values():
        for event in events:
            event["payload"]["note"] = "x"
            for trade in event["payload"].get("trades", ()):
                trade["mae"] = 0.5
            if "metrics" in event["payload"]:
                event["payload"]["metrics"]["ulcer"] = 0.25
    run.add(PORTFOLIO, "HEARTBEAT", 39, (1 << 20) - 1, {"n": 1})
    return run


NEWER = ({}, {"meta_changes": {"admf_version": "0.2.0"}})


def test_keys_and_types_that_only_one_version_writes_are_listed_once_and_no_difference(tmp_path: Path) -> None:
    phase = compared(tmp_path, made(), newer(), options=NEWER)
    assert phase.same, phase.parting
    assert (phase.types, phase.metrics) == ((), ())
    keys = {(one.event_type, one.path, one.only) for one in phase.recording[PORTFOLIO]}
    assert {
        ("ORDER", "note", "B"),
        ("POSITION_CLOSE", "trades.*.mae", "B"),
        ("PHASE_END", "metrics.ulcer", "B"),
    } <= keys
    assert {one.path for one in phase.recording["data"]} == {"note"}
    assert any("only B's version writes HEARTBEAT" in note for note in phase.notes)
    turned = compared(tmp_path / "turned", newer(), made(), options=NEWER[::-1])
    assert turned.same
    assert {one.only for one in turned.recording["data"]} == {"A"}


def test_what_happened_otherwise_is_still_found_between_two_versions(tmp_path: Path) -> None:
    plain = compared(tmp_path / "plain", made(), made(quantity=11.0))
    phase = compared(tmp_path / "newer", made(), newer(quantity=11.0), options=NEWER)
    assert phase.parting is not None
    assert plain.parting is not None
    assert phase.parting.pair.sequence == plain.parting.pair.sequence
    assert phase.parting.pair.fields == plain.parting.pair.fields
    assert phase.types == plain.types


def test_a_key_that_the_other_version_writes_sometimes_is_a_difference(tmp_path: Path) -> None:
    a, b = made(), made()
    for run, marked in ((a, slice(1)), (b, slice(None))):
        orders = [one for one in run.events[PORTFOLIO] if one["event_type"] == "ORDER"]
        for order in orders[marked]:
            order["payload"]["limit_price"] = 99.0
    phase = compared(tmp_path, a, b, options=NEWER)
    assert phase.recording == {}
    assert [(one.event_type, one.changed) for one in phase.types] == [("ORDER", 3)]


def test_a_symbol_that_only_one_version_held_is_a_difference(tmp_path: Path) -> None:
    b = made()
    for event in b.events[PORTFOLIO]:
        if event["event_type"] == "PORTFOLIO_UPDATE":
            event["payload"]["positions"]["XYZ"] = 5.0
    assert not compared(tmp_path, made(), b, options=NEWER).same


def test_phases_are_paired_by_name_and_one_more_is_a_difference(tmp_path: Path) -> None:
    for name, phases in (("a", ("testing", "training")), ("b", ("training", "validation"))):
        for phase in phases:
            made().write(tmp_path / name / phase)
    answer = diff(tmp_path / "a", tmp_path / "b")
    assert [phase.same for phase in answer.phases] == [True]
    assert (answer.same, answer.only_a, answer.only_b) == (False, ("testing",), ("validation",))
    assert diff(tmp_path / "a", tmp_path / "b", phase="training").same


def test_runs_without_a_phase_in_common_are_not_compared(tmp_path: Path) -> None:
    for name, phases in (("a", ("one", "two")), ("b", ("three", "four"))):
        for phase in phases:
            made().write(tmp_path / name / phase)
    with pytest.raises(ConfigError, match="no phase is on both sides: one, two and four, three"):
        diff(tmp_path / "a", tmp_path / "b")


def test_phases_without_a_container_in_common_are_not_compared(tmp_path: Path) -> None:
    a = made().write(tmp_path / "a" / "backtest", untraced=[STRATEGY, PORTFOLIO, EXECUTION])
    b = made().write(tmp_path / "b" / "backtest", untraced=["data", "features", PORTFOLIO])
    with pytest.raises(ConfigError, match=r"no container in common: data, features; execution, strategy_trend"):
        diff(a, b)


@pytest.mark.parametrize("place", [5, 20])
def test_lines_that_are_no_events_are_counted_and_no_difference(tmp_path: Path, place: int) -> None:
    phases = [made().write(tmp_path / name / "backtest") for name in "ab"]
    for phase, lines_more in zip(phases, ([b"junk\n"], [b"junk\n", b"more junk\n"]), strict=True):
        lines = (phase / "data.jsonl").read_bytes().splitlines(keepends=True)
        (phase / "data.jsonl").write_bytes(b"".join([*lines[:place], *lines_more, *lines[place:]]))
    (phase_diff,) = diff(*phases).phases
    assert phase_diff.same
    (note,) = phase_diff.notes
    assert note.startswith("data: ")
    assert note.endswith(" lines are no events and were not compared")


def test_the_same_events_in_another_order_within_a_bar_are_no_difference(tmp_path: Path) -> None:
    b = made()
    opened, update = b.events[PORTFOLIO][2:4]
    assert (opened["event_type"], update["event_type"]) == ("POSITION_OPEN", "PORTFOLIO_UPDATE")
    for key in ("event_type", "payload", "symbol"):
        opened[key], update[key] = update[key], opened[key]
    phase = compared(tmp_path, made(), b)
    assert (phase.same, phase.types) == (True, ())
    assert phase.ids_only > 0


def test_a_metric_that_only_one_version_reports_is_no_difference_and_another_value_is(tmp_path: Path) -> None:
    def reporting(run: Run, sharpe: float) -> Run:
        run.events[PORTFOLIO][-2 if run.events[PORTFOLIO][-1]["event_type"] == "HEARTBEAT" else -1]["payload"][
            "metrics"
        ].update({"sharpe_ratio": sharpe})
        return run

    phase = compared(tmp_path / "same", reporting(made(), 1.5), reporting(newer(), 1.5), options=NEWER)
    assert (phase.same, phase.metrics) == (True, ())
    assert ("PHASE_END", "metrics.ulcer", "B") in {
        (one.event_type, one.path, one.only) for one in phase.recording[PORTFOLIO]
    }
    phase = compared(tmp_path / "other", reporting(made(), 1.5), reporting(newer(), 1.25), options=NEWER)
    assert [(one.name, one.a, one.b) for one in phase.metrics] == [("sharpe_ratio", 1.5, 1.25)]


def test_a_folder_of_many_workflows_is_no_run(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made().write(tmp_path / name / "backtest")
    with pytest.raises(ConfigError, match="holds 2 workflows"):
        diff(tmp_path, tmp_path / "a")


@settings(max_examples=50, deadline=None)
@given(
    change=st.sampled_from(["drop", "payload", "nothing"]), place=st.integers(1, 41), where=st.sampled_from([0, 1, 2])
)
def test_the_parting_is_where_a_plain_comparison_of_lines_finds_it(
    tmp_path_factory: pytest.TempPathFactory, change: str, place: int, where: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("x")
    b = made()
    container = ("data", "features", PORTFOLIO)[where]
    events = b.events[container]
    event = events[min(place, len(events) - 1)]
    if change == "payload":
        event["payload"]["note"] = "changed"
    elif change == "drop":
        events.remove(event)
    phase = compared(tmp_path, made(), b)
    if change == "nothing":
        assert phase.same
    elif not (container == "features" and change == "payload"):
        assert phase.parting is not None
        assert phase.parting.container == container
        assert phase.parting.pair.sequence == event["sequence"]
        assert sum(one.changed + one.only_a + one.only_b for one in phase.types) == 1


@settings(max_examples=100, deadline=None)
@given(
    common=st.lists(st.integers(0, 9), max_size=40),
    tails=st.tuples(st.lists(st.integers(0, 9), max_size=5), st.lists(st.integers(0, 9), max_size=5)),
)
def test_common_whole_lines_are_counted_in_bytes(
    tmp_path_factory: pytest.TempPathFactory, common: list[int], tails: tuple[list[int], list[int]]
) -> None:
    folder = tmp_path_factory.mktemp("x")
    lines = [[line_of({"n": "x" * one}) for one in (*common, *tail)] for tail in tails]
    for name, content in zip("ab", lines, strict=True):
        (folder / name).write_bytes(b"".join(content))
    expected = 0
    for one, other in zip(*lines, strict=False):
        if one != other:
            break
        expected += len(one)
    with TraceLookup(folder / "a") as a, TraceLookup(folder / "b") as b:
        assert a.same_as(b, 0, 0) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_a_value_is_itself_and_no_other_shape(value: Any) -> None:
    assert list(differences({"k": value}, {"k": value}, 0.0)) == []
    (found,) = differences({"k": value}, {"k": [value, value, value, value]}, 0.0)
    assert (found.path, found.a) == ("k", value)
    assert list(differences({"order_id": value}, {"order_id": [value]}, 0.0)) == []


@pytest.mark.parametrize("options", [[], ["--plain"], ["--json"]])
def test_the_command_exits_0_or_1_and_prints_no_escape(tmp_path: Path, options: list[str]) -> None:
    evil = "\x1b[31m[red]x[/red]"
    a, b = made(), made()
    for event in b.events[PORTFOLIO]:
        if event["event_type"] == "ORDER":
            event["payload"][evil] = evil
    left, right = a.write(tmp_path / "a" / "backtest"), b.write(tmp_path / "b" / "backtest")
    assert traces("diff", left, left, *options).exit_code == 0
    result = traces("diff", left, right, *options)
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert "[red]x[/red]" in result.stdout.replace("\n", "").replace(" ", "")
    assert traces("diff", left, tmp_path / "nowhere").exit_code == 5
    assert traces("diff", left, right, "--tolerance", "2").exit_code == 2
