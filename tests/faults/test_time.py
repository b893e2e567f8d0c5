"""Time at its edges: nanosecond limits, leap days, clock changes, a wall clock that goes back, one bar and none."""

from __future__ import annotations

import json
import os
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from admf_cli.errors import MarketDataError
from tests.faults.invariants import violations
from tests.traces.commandline import traces

HEAD = "timestamp,open,high,low,close,volume\n"


def bars(times: list[str]) -> str:
    """Return bars whose closes rise and fall by turns of three."""
    return HEAD + "".join(f"{one},{10 + i % 3},20,5,{10 + (i + 1) % 3},5\n" for i, one in enumerate(times))


def run(folder: Path, text: str, name: str = "wf", **parts: Any) -> Path:
    """Run a crossover on a file of bars; return its only phase."""
    (folder / "b.csv").write_text(text)
    run_backtest(
        {
            "data": {"path": str(folder / "b.csv"), "symbols": ["A"], **parts.pop("data", {})},
            "strategies": [
                {"name": "s", "type": "sma_crossover", "params": {"fast": 1, "slow": 2, "direction": "long_short"}}
            ],
            "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
            "execution": {"trace_settings": {"trace_dir": str(folder / "t"), "max_events": None}},
            "results": {"dir": str(folder / "r")},
            **parts,
        },
        workflow_id=name,
    )
    return folder / "t" / name / "backtest"


@pytest.mark.parametrize("first", ["0001-01-01", "1600-02-27", "1677-09-20", "1969-12-28", "2262-04-09", "9999-12-20"])
def test_any_year_of_the_calendar_is_run_traced_and_exported(first: str, tmp_path: Path) -> None:
    days = [str(date.fromisoformat(first) + timedelta(days=day)) for day in range(12)]
    phase = run(tmp_path, bars(days))
    assert violations(phase) == []
    lines = [json.loads(line) for line in (phase / "data.jsonl").read_text().splitlines()]
    assert [row["timestamp"] for row in lines if row["event_type"] == "BAR"] == [f"{day}T00:00:00Z" for day in days]
    for command in ("verify", "replay", "stats", "show", "inspect"):
        assert traces(command, phase).exit_code == 0
    assert traces("why-not", phase, "--at", days[5]).exit_code == 0
    for target in ("perfetto", "otlp", "parquet", "csv"):
        exported = traces("export", phase, "--to", target, "--output", tmp_path / target)
        assert exported.exit_code == 0
        # OTLP counts whole nanoseconds from 1970 in 64 bits, and says what it could not hold.
        outside = target == "otlp" and not "1970" <= first < "2554"
        assert ("without a time from 1970 to 2554" in exported.stdout + exported.stderr) == outside


def test_a_leap_day_is_a_day(tmp_path: Path) -> None:
    phase = run(tmp_path, bars(["2020-02-27", "2020-02-28", "2020-02-29", "2020-03-01", "2020-03-02"]))
    shown = traces("show", phase, "--type", "BAR", "--from", "2020-02-29", "--json")
    assert '"timestamp":"2020-02-29T00:00:00Z"' in shown.stdout
    assert traces("verify", phase).exit_code == 0


def test_hours_around_both_clock_changes_are_the_moments_they_were(tmp_path: Path) -> None:
    hours = ["2020-03-08 01:00:00", "2020-03-08 03:00:00", "2020-11-01 00:00:00", "2020-11-01 02:00:00"]
    phase = run(tmp_path, bars(hours), data={"timezone": "America/New_York"})
    lines = [json.loads(line) for line in (phase / "data.jsonl").read_text().splitlines()]
    assert [row["timestamp"] for row in lines if row["event_type"] == "BAR"] == [
        "2020-03-08T06:00:00Z",  # 01:00 EST, UTC-5
        "2020-03-08T07:00:00Z",  # 03:00 EDT, UTC-4: an hour later
        "2020-11-01T04:00:00Z",  # 00:00 EDT
        "2020-11-01T07:00:00Z",  # 02:00 EST: three hours later, because 01:00 came twice
    ]


@pytest.mark.parametrize(
    ("hour", "said"), [("2020-03-08 02:00:00", "does not exist"), ("2020-11-01 01:00:00", "stands for two moments")]
)
def test_an_hour_that_is_none_or_two_ends_the_run_before_anything_is_written(
    hour: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(MarketDataError, match=f"row 3, column timestamp: {said} in America/New_York"):
        run(tmp_path, bars(["2020-01-02 10:00:00", hour]), data={"timezone": "America/New_York"})
    assert not (tmp_path / "t").exists()
    assert not (tmp_path / "r").exists()


def test_a_phase_of_one_bar_is_run_and_read(tmp_path: Path) -> None:
    phase = run(tmp_path, bars(["2020-01-02"]))
    assert violations(phase) == []
    for command in ("verify", "replay", "stats", "show", "inspect"):
        assert traces(command, phase).exit_code == 0, command
    assert traces("explain", phase, "last-fill").exit_code == 2
    summary = json.loads((tmp_path / "r" / "wf" / "summary.json").read_text())
    assert "NaN" not in json.dumps(summary)


def test_a_phase_without_a_bar_says_which_bars_there_are_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(
        MarketDataError, match=r"no bars from 2021-01-01 .*; the data has 2020-01-02T00:00:00 to 2020-01-03"
    ):
        run(
            tmp_path,
            bars(["2020-01-02", "2020-01-03"]),
            workflow={"phases": [{"name": "later", "start": "2021-01-01"}]},
        )
    assert not list(tmp_path.rglob("summary.json"))


def test_a_wall_clock_that_goes_back_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = [str(date(2020, 1, 1) + timedelta(days=day)) for day in range(60)]
    sound = run(tmp_path, bars(days), "sound")
    now = [time.time()]

    def back() -> float:
        now[0] -= 3600.0
        return now[0]

    monkeypatch.setattr(time, "time", back)
    monkeypatch.setattr(time, "time_ns", lambda: int(back() * 1e9))
    other = run(tmp_path, bars(days), "other")
    for path in sound.glob("*.jsonl"):
        assert path.read_bytes() == (other / path.name).read_bytes()


def test_files_from_the_future_and_from_before_1970_are_listed_and_not_pruned_by_age(tmp_path: Path) -> None:
    for name, moment in (("future", 4_102_444_800), ("past", -86_400)):
        phase = run(tmp_path, bars(["2020-01-02", "2020-01-03"]), name)
        for path in [*phase.iterdir(), phase, phase.parent]:
            os.utime(path, (moment, moment))
    listed = traces("list", tmp_path / "t")
    assert listed.exit_code == 0
    assert listed.stdout.index("future") < listed.stdout.index("past")
    assert traces("prune", tmp_path / "t", "--older-than", "7d", "--dry-run").exit_code == 0
    assert "past" in traces("prune", tmp_path / "t", "--older-than", "7d").stdout
    assert (tmp_path / "t" / "future").exists()
