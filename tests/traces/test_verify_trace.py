"""What `admf traces verify` finds: nothing in sound traces, every changed digit, and books that do not add up."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commandline import traces
from handmade import EXECUTION, PORTFOLIO, STRATEGY, Run, crossover_run, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admf_cli import run_backtest
from admf_cli.traces.verify import verify

EVERY_DIGIT = os.environ.get("ADMF_EVERY_DIGIT")  # the whole of it: `make verify-digits`
SOME_DIGITS = 250


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run of two symbols with stops, costs and rejects."""
    folder = tmp_path_factory.mktemp("real")
    run_backtest(
        {
            "data": {"source": "synthetic", "symbols": ["A", "B"], "synthetic": {"bars": 60, "seed": 3}},
            "strategies": [{"name": "t", "type": "sma_crossover", "params": {"fast": 2, "slow": 5}}],
            "risk_profiles": [
                {"name": "r", "sizing": {"type": "percent_equity", "percent": 0.7}, "stop_loss": 0.03, "cooldown": 3}
            ],
            "execution": {
                "commission": {"type": "percent", "rate": 0.001},
                "slippage": {"type": "bps", "bps": 2},
                "enable_event_tracing": True,
                "trace_settings": {"max_events": None, "trace_dir": str(folder)},
            },
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    return folder / "wf"


def digit_changes(root: Path) -> Iterator[tuple[Path, int]]:
    for path in sorted(root.rglob("*.*")):
        for place, byte in enumerate(path.read_bytes()):
            if 48 <= byte <= 57:
                yield path, place


def test_a_real_run_is_verified(real: Path) -> None:
    answer = verify(real)
    assert answer.faults == ()
    assert answer.verified
    assert answer.phases[0].events > 300


def test_a_changed_digit_anywhere_is_found(real: Path) -> None:
    places = list(digit_changes(real))
    source = random.Random(11)
    for path, place in places if EVERY_DIGIT else source.sample(places, SOME_DIGITS):
        sound = path.read_bytes()
        digit = source.choice([one for one in b"0123456789" if one != sound[place]])
        path.write_bytes(sound[:place] + bytes([digit]) + sound[place + 1 :])
        try:
            assert not verify(real).verified, (path.name, place, sound[place - 30 : place + 30])
        finally:
            path.write_bytes(sound)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_any_other_damage_is_found_and_makes_nothing_fail(real: Path, seed: int) -> None:
    source = random.Random(seed)
    path = source.choice(sorted(real.rglob("*.*")))
    sound = path.read_bytes()
    data = bytearray(sound)
    for _ in range(source.randrange(1, 5)):
        place = source.randrange(len(data))
        match source.randrange(4):
            case 0:
                data[place] = source.randrange(256)
            case 1:
                del data[place : place + source.randrange(1, 60)]
            case 2:
                data[place:place] = source.choice([b"\n", b"\x00", b'"', b"{", b"[" * 1100, b"1e999", b"null"])
            case _:
                del data[place:]
        if not data:
            break
    path.write_bytes(bytes(data))
    try:
        assert verify(real).verified == (bytes(data) == sound)
    finally:
        path.write_bytes(sound)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_events": {"data": 10}},
        {"max_events": {PORTFOLIO: 5}},
        {"max_events": {EXECUTION: 3}},
        {"max_events": {STRATEGY: 2, PORTFOLIO: 9}},
        {"untraced": ["data"]},
        {"untraced": [EXECUTION]},
        {"untraced": [PORTFOLIO]},
        {"untraced": [STRATEGY]},
        {"only": {PORTFOLIO: ["ORDER"], "data": ["PHASE_END"]}},
        {"only": {EXECUTION: ["FILL"]}},
        {"status": "failed"},
        {"status": "recovered"},
    ],
)
def test_what_was_left_out_on_purpose_is_no_fault(tmp_path: Path, options: dict[str, Any]) -> None:
    assert verify(written(tmp_path, **options)).faults == ()


@pytest.mark.parametrize("name", ["data", STRATEGY, PORTFOLIO, EXECUTION])
def test_a_container_without_a_seal_is_named(tmp_path: Path, name: str) -> None:
    assert "never-sealed" in verify(written(tmp_path, unsealed=[name])).fault_counts


# Sealed, but wrong ---------------------------------------------------------------------------------------------------


def first(run: Run, event_type: str, nth: int = 0) -> dict[str, Any]:
    return [event for events in run.events.values() for event in events if event["event_type"] == event_type][nth]


def put(event_type: str, key: str, value: object, nth: int = 0) -> Callable[[Run], None]:
    def change(run: Run) -> None:
        first(run, event_type, nth)["payload"][key] = value

    return change


def take_away(container: str, event_type: str) -> Callable[[Run], None]:
    """Replace the last event of a type by one of no consequence, so that no number is missing."""

    def change(run: Run) -> None:
        events = run.events[container]
        place = max(place for place, event in enumerate(events) if event["event_type"] == event_type)
        events[place] = {**events[place], "event_type": "NOTE", "payload": {}}

    return change


def move(event_type: str, key: str, value: object) -> Callable[[Run], None]:
    def change(run: Run) -> None:
        first(run, event_type, 1)[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (put("FILL", "quantity", 11.0), "position"),
        (put("FILL", "price", 90.0), "fill"),
        (put("FILL", "commission", 7.0), "cash"),
        (put("FILL", "slippage", 0.5), "fill"),
        (put("FILL", "side", "sell"), "order"),
        (put("FILL", "side", "hold"), "payload"),
        (put("FILL", "price", None), "payload"),
        (put("FILL", "value", "1"), "payload"),
        (put("FILL", "remaining", 5.0), "no-end"),
        (put("ORDER", "quantity", 4.0), "order"),
        (put("ORDER", "order_id", f"{PORTFOLIO}#9"), "payload"),
        (put("POSITION_OPEN", "cash", 1.0), "cash"),
        (put("POSITION_OPEN", "quantity", 9.0), "position"),
        (put("POSITION_CLOSE", "quantity_before", 9.0), "position"),
        (put("PORTFOLIO_UPDATE", "cash", 1.0), "cash"),
        (put("PORTFOLIO_UPDATE", "positions", {"SPX": 3.0}), "position"),
        (put("PORTFOLIO_UPDATE", "positions", {"SPX": "many"}), "position"),
        (put("PHASE_END", "cash", 1.0, 3), "cash"),
        (put("PHASE_END", "counts", {"fills": 99}, 3), "counts"),
        (put("BAR", "close", "high"), "payload"),
        (put("FEATURE", "fast", [1]), "payload"),
        (take_away(EXECUTION, "FILL"), "no-end"),
        (take_away(PORTFOLIO, "ORDER"), "no-outcome"),
        (take_away(PORTFOLIO, "REJECT"), "no-outcome"),
        (take_away(PORTFOLIO, "POSITION_CLOSE"), "unbooked"),
        (move("BAR", "timestamp", "2008-01-09T00:00:00Z"), "time"),
        (move("BAR", "timestamp", "2008-02-30T00:00:00Z"), "time"),
        (move("FEATURE", "timestamp", "2008-01-02T12:00:00Z"), "time"),
        (move("BAR", "sequence", 5), "sequence"),
        (move("SIGNAL", "causation_id", "data#30"), "cause-order"),
        (move("ORDER", "causation_id", "data#900"), "orphan"),
    ],
)
def test_books_that_do_not_add_up_are_found_although_sealed(
    tmp_path: Path, change: Callable[[Run], None], kind: str
) -> None:
    run = crossover_run([100.0 + (bar % 10) for bar in range(40)], {2: 1, 8: 0, 12: 1, 14: 1, 18: 0})
    change(run)
    phase = run.write(tmp_path / "wf_1" / "backtest")
    answer = verify(phase)
    assert kind in answer.fault_counts, answer.faults
    for fault in answer.faults:
        assert (phase / fault.file).exists()


def test_an_order_that_ends_twice_is_found_at_its_second_end(tmp_path: Path) -> None:
    run = crossover_run([100.0 + bar for bar in range(10)], {2: 1})
    order = first(run, "ORDER")
    payload = {"order_id": order["event_id"], "portfolio": PORTFOLIO, "reason": "superseded"}
    end = run.events[PORTFOLIO].pop()
    run.add(PORTFOLIO, "CANCEL", 9, run.next_place(9, 1 << 16), payload, cause=order["event_id"])
    run.events[PORTFOLIO].append({**end, "event_id": f"{PORTFOLIO}#{len(run.events[PORTFOLIO]) + 1}"})
    (fault,) = verify(run.write(tmp_path / "wf" / "backtest")).faults
    assert (fault.kind, fault.line) == ("two-ends", len(run.events[PORTFOLIO]) - 1)


@pytest.mark.parametrize(
    "change",
    [
        {"config_sha256": "e" * 64},
        {"trace_id": "other"},
        {"last_event": "data#1"},
        {"first_timestamp": "2008-01-02T00:00:00Z"},
        {"container_type": "features"},
        {"total": {"published": 43, "written": 43, "filtered": 0, "dropped": 0}},
    ],
)
def test_a_meta_file_that_contradicts_the_others_is_found_although_sealed(
    tmp_path: Path, change: dict[str, object]
) -> None:
    phase = written(tmp_path)
    other = written(tmp_path / "other", meta_changes=change)
    (phase / "data.meta.json").write_bytes((other / "data.meta.json").read_bytes())
    assert "meta" in verify(phase).fault_counts


def test_another_version_is_told_once_a_file_and_faults_of_the_known_keys_are_still_found(tmp_path: Path) -> None:
    def newer() -> Run:
        run = crossover_run([100.0 + (bar % 10) for bar in range(30)], {2: 1, 8: 0})
        for events in run.events.values():
            for event in events:
                event["host"] = "x"  # a key of every line that version 1 doesn't know
        return run

    version = {"schema_version": 2}
    sound = newer().write(tmp_path / "a" / "wf_1" / "backtest", meta_changes=version)
    assert verify(sound).fault_counts == {"other-version": 5}
    bent = newer()
    first(bent, "FILL")["payload"]["price"] += 1.0
    found = verify(bent.write(tmp_path / "b" / "wf_1" / "backtest", meta_changes=version))
    assert {"other-version", "fill"} <= set(found.fault_counts)
    assert "unusual-keys" not in found.fault_counts
    known = verify(newer().write(tmp_path / "c" / "wf_1" / "backtest"))
    assert known.fault_counts["unusual-keys"] == sum(map(len, newer().events.values()))


def test_a_moved_directory_is_verified_with_a_note(tmp_path: Path) -> None:
    phase = written(tmp_path)
    moved = phase.parent.rename(tmp_path / "renamed")
    answer = verify(moved)
    assert answer.verified
    assert any("written as wf_1/backtest" in note for note in answer.notes)


def test_more_files_than_are_looked_at_are_not_called_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phase = written(tmp_path)
    assert verify(phase).verified
    monkeypatch.setattr("admf_cli.tracefile.discovery.MAX_ENTRIES", 8)
    answer = verify(phase)
    assert answer.fault_counts["too-many-files"] == 1
    assert "name one workflow" in next(one.message for one in answer.faults if one.kind == "too-many-files")


def test_a_fill_of_an_order_that_is_over_is_found(tmp_path: Path) -> None:
    run = crossover_run([100.0 + bar for bar in range(10)], {2: 1})
    fill = first(run, "FILL")
    end = run.events[EXECUTION].pop()
    again = {**fill["payload"], "quantity": 0.0, "value": 0.0, "commission": 0.0}
    run.add(EXECUTION, "FILL", 9, run.next_place(9, 1 << 16), again, cause=fill["causation_id"], symbol="SPX")
    run.events[EXECUTION].append({**end, "event_id": f"{EXECUTION}#{len(run.events[EXECUTION]) + 1}"})
    faults = verify(run.write(tmp_path / "wf" / "backtest")).faults
    (fault,) = (one for one in faults if one.kind == "two-ends")
    assert (fault.line, fault.message) == (3, f"{EXECUTION}#3: {PORTFOLIO}#2 was over already, by {EXECUTION}#2")


def test_a_signal_is_answered_by_those_who_hear_it_and_not_at_the_end_of_a_killed_run(tmp_path: Path) -> None:
    run = crossover_run([100.0 + (bar % 10) for bar in range(40)], {2: 1, 8: 0})
    heard = first(run, "SIGNAL")["payload"]
    run.add("strategy_other", "PHASE_START", 0, 5, run.events[STRATEGY][0]["payload"])
    run.add("strategy_other", "SIGNAL", 20, 1 << 19, heard, cause="data#22", symbol="SPX")
    run.add("strategy_other", "PHASE_END", 39, (1 << 20) - 1, {"status": "complete"})
    assert verify(run.write(tmp_path / "a" / "backtest")).faults == ()
    killed = crossover_run([100.0 + (bar % 10) for bar in range(40)], {2: 1, 8: 0})
    for events in killed.events.values():
        events.pop()
    killed.add(
        STRATEGY, "SIGNAL", 39, killed.next_place(39, (1 << 18) + (1 << 16)), heard, cause="data#41", symbol="SPX"
    )
    phase = killed.write(tmp_path / "b" / "backtest", unsealed=killed.events)
    assert set(verify(phase).fault_counts) == {"never-sealed"}


def test_a_portfolio_that_ended_without_telling_its_cash_is_judged_by_what_it_told(tmp_path: Path) -> None:
    run = crossover_run([100.0 + (bar % 10) for bar in range(40)], {2: 1, 8: 0})
    del run.events[PORTFOLIO][-1]["payload"]["cash"]
    assert verify(run.write(tmp_path / "a" / "backtest")).faults == ()
    run.events[PORTFOLIO][-1]["payload"]["counts"]["fills"] = 7
    assert verify(run.write(tmp_path / "b" / "backtest")).fault_counts == {"counts": 1}


@pytest.mark.parametrize(
    ("file", "old", "new", "kind"),
    [
        ("data", b'"data#2500","sequence":2619', b'"data#2500","sequence":2519', "sequence"),
        ("data", b'"2014-11-04T', b'"2014-11-31T', "time"),
        ("data", b'"close":107.0,"volume":1000.0', b'"close":"107","volume":1000.0', "payload"),
        ("features", b'"slow":106.5', b'"slow":[106]', "payload"),
    ],
)
def test_dense_lines_are_read_as_the_same_events_as_single_ones(
    tmp_path: Path, file: str, old: bytes, new: bytes, kind: str
) -> None:
    """A blank after the first brace keeps a line out of the columns: what is found must not depend on it."""
    phase = crossover_run([100.0 + (bar % 10) for bar in range(6000)], {2: 1, 9: 0}).write(tmp_path / "wf" / "p")
    assert verify(phase).verified
    path = phase / f"{file}.jsonl"
    usual = path.read_bytes()
    place = usual.index(old, usual.index(b'#2490"'))  # in the second block of three, whose lines are all alike
    usual = usual[:place] + new + usual[place + len(old) :]
    line = usual.count(b"\n", 0, place) + 1
    found = []
    for content in (usual, b"".join(b"{ " + text[1:] for text in usual.splitlines(keepends=True))):
        path.write_bytes(content)
        found.append({(fault.kind, fault.line) for fault in verify(phase).faults if fault.kind != "count"})
    assert found[0] >= {(kind, line), ("changed", None)}
    assert found[0] == found[1]


# The command ---------------------------------------------------------------------------------------------------------


def test_the_command_exits_0_1_or_5(tmp_path: Path) -> None:
    phase = written(tmp_path)
    assert traces("verify", phase).exit_code == 0
    assert json.loads(traces("verify", phase, "--json").stdout)["verified"] is True
    path = phase / "data.jsonl"
    path.write_bytes(path.read_bytes().replace(b"103.0", b"108.0", 1))
    result = traces("verify", phase, "--plain")
    assert result.exit_code == 1
    assert "data.jsonl: its sha256 is" in result.stdout
    assert traces("verify", tmp_path / "nowhere").exit_code == 5
