"""Signals that cannot be replayed: each is refused by file, line and rule, and nothing waits for a pipe."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from admf_cli.errors import AdmfError, MarketDataError, StorageError
from admf_cli.signals.from_csv import strategy_from_csv
from admf_cli.signals.from_traces import strategy_from_traces
from tests.features.markets import NAN, bars_of_several
from tests.traces.handmade import STRATEGY, line_of, written

TABLE = "timestamp,symbol,direction\n2020-01-02,A,1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs the columns timestamp, symbol"),
        ("timestamp,symbol\n", "direction or weight, one of them"),
        ("timestamp,symbol,direction,weight\n", "one of them"),
        ("timestamp,symbol,direction,price\n", r"columns must be among .* \(got timestamp,symbol,direction,price|got"),
        ("timestamp,symbol,direction,symbol\n", "each once"),
        (TABLE.replace(",1", ",2"), r"line 2: direction: must be 1, 0, -1, long, flat or short \(got '2'\)"),
        (TABLE.replace(",1", ",up"), "line 2: direction: must be"),
        (TABLE.replace("direction", "weight").replace(",1", ",nan"), r"weight: must be a finite number \(got 'nan'\)"),
        (TABLE.replace("2020-01-02", "02/01/2020"), "line 2: timestamp: .* not an ISO date"),
        (TABLE.replace(",1", ""), "line 2"),
        (TABLE + "x,A,1\n" * 20, "and [0-9]+ more"),
        ("strategy," + TABLE.replace("2020", "other,2020"), "no signals of strategy s"),
        (TABLE.replace("A", '"A'), "no CSV file in UTF-8"),
    ],
)
def test_a_table_of_signals_is_refused_by_line_and_rule(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(MarketDataError, match=said):
        strategy_from_csv(tmp_path / "s.csv", "s")


def test_an_empty_line_of_a_table_is_no_decision_and_no_fault(tmp_path: Path) -> None:
    bars = bars_of_several({"A": [1, 2, 3], "B": [1, NAN, 3]})
    days = [str(time.astype("datetime64[us]"))[:10] for time in bars.times]
    (tmp_path / "s.csv").write_text(f"timestamp,symbol,direction\n{days[0]},A,1\n\n{days[1]},A,0\n\n")
    decided = strategy_from_csv(tmp_path / "s.csv", "s").decide(bars, {}, 0)
    assert (decided.bar.tolist(), decided.target.tolist()) == ([0, 1], [1.0, 0.0])
    (tmp_path / "s.csv").write_text(f"timestamp,symbol,direction\n{days[1]},B,1\n")
    with pytest.raises(MarketDataError, match=r"line 2: B at .*: the symbol has no bar at this time"):
        strategy_from_csv(tmp_path / "s.csv", "s").decide(bars, {}, 0)


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_bytes(TABLE.encode() + b"\xff\xfe\n")
    with pytest.raises(MarketDataError, match="no CSV file in UTF-8"):
        strategy_from_csv(tmp_path / "s.csv", "s")
    with pytest.raises(StorageError, match="No such file"):
        strategy_from_csv(tmp_path / "none.csv", "s")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(9 << 30)  # takes no room on the disk
    with pytest.raises(StorageError, match="GiB of signals"):
        strategy_from_csv(tmp_path / "large.csv", "s")


def test_a_pipe_of_signals_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s.csv")
    config = {
        "workflow": {"mode": "signal_replay"},
        "data": {"source": "synthetic", "symbols": ["A"], "synthetic": {"bars": 20}},
        "strategies": [{"name": "s", "type": "buy_and_hold"}],
        "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
        "signals": {"path": str(tmp_path / "s.csv")},
        "execution": {"trace_settings": {"trace_dir": str(tmp_path / "t")}},
        "results": {"write": False},
    }
    with pytest.raises(AdmfError, match=r"s\.csv"):
        run_backtest(config)


def changed(phase: Path, **changes: Any) -> Path:
    """Return the phase with its strategy's first signal changed."""
    path = phase / f"{STRATEGY}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    signal = next(row for row in rows if row["event_type"] == "SIGNAL")
    signal["payload"].update(changes.pop("payload", {}))
    signal.update(changes)
    path.write_bytes(b"".join(map(line_of, rows)))
    return phase


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"symbol": None}, "not a signal: it needs kind, target and symbol"),
        ({"payload": {"target": 7}}, "not a signal"),
        ({"payload": {"target": "long"}}, "not a signal"),
        ({"payload": {"kind": "mood"}}, "not a signal"),
        ({"payload": {"features": [1]}}, "not a signal"),
        ({"payload": {"kind": "weight"}}, "signals of several kinds: direction, weight"),
        ({"payload": {"kind": "order"}}, "called bar by bar"),
    ],
)
def test_signals_in_traces_that_are_none_are_named_by_line(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    phase = changed(written(tmp_path), **changes)
    with pytest.raises(MarketDataError, match=said):
        strategy_from_traces(phase, "trend", "backtest")


def test_lines_that_are_no_events_are_named(tmp_path: Path) -> None:
    phase = written(tmp_path)
    path = phase / f"{STRATEGY}.jsonl"
    path.write_bytes(b"[]\n" + path.read_bytes())
    with pytest.raises(MarketDataError, match="line 1"):
        strategy_from_traces(phase, "trend", "backtest")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"status": "failed"}, "the run that left it is failed, not complete"),
        ({"unsealed": [STRATEGY]}, "the trace was never sealed"),
        ({"max_events": {STRATEGY: 2}}, "signals were kept; run it again"),
        ({"untraced": [STRATEGY]}, "no trace of strategy_trend; there are none of strategies"),
    ],
)
def test_a_trace_that_is_not_whole_is_not_replayed(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(AdmfError, match=said):
        strategy_from_traces(written(tmp_path, **options), "trend", "backtest")


def test_the_only_phase_is_taken_whatever_its_name_and_of_several_the_one_named(tmp_path: Path) -> None:
    phase = written(tmp_path)
    assert strategy_from_traces(phase.parent, "trend", "testing") is not None
    for name in ("other", "third"):
        (phase.parent / name).mkdir()
        for path in phase.iterdir():
            (phase.parent / name / path.name).write_bytes(path.read_bytes())
    assert strategy_from_traces(phase.parent, "trend", "backtest") is not None
    with pytest.raises(StorageError, match=r"0 phases named testing; there are .*; name one directory"):
        strategy_from_traces(phase.parent, "trend", "testing")
