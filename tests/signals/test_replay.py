"""A run's two halves, one after the other, give what the whole run gives; and what cannot be replayed is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from admf_cli.errors import AdmfError, ConfigError, MarketDataError, StorageError
from admf_cli.results import RunResult

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = "class S:\n    kind = 'weight'\n    def targets(self, bars, features):\n        import numpy as np\n"
WEIGHTS += "        wanted = np.full(bars.close.shape, np.nan)\n        wanted[::25] = 0.3\n"
WEIGHTS += "        wanted[::40, 0] = features['rsi'][::40, 0] / 200\n        return wanted\n"


def config(folder: Path, **parts: Any) -> dict[str, Any]:
    """Return a configuration of two symbols, two strategies and two profiles in two phases, traced on disk."""
    (folder / "my.py").write_text(WEIGHTS)
    return {
        "workflow": {"phases": [{"name": "a", "end": "2000-12-31"}, {"name": "b", "start": "2001-01-01"}]},
        "data": {"source": "synthetic", "symbols": ["A", "B"], "synthetic": {"bars": 500}},
        "features": {"rsi": {"type": "RSI", "timeperiod": 5}},
        "strategies": [
            {"name": "cross", "type": "sma_crossover", "params": {"fast": 3, "slow": 9, "direction": "long_short"}},
            {"name": "mine", "type": "python", "path": f"{folder / 'my.py'}:S"},
        ],
        "risk_profiles": [
            {"name": "r", "sizing": {"type": "percent_equity", "percent": 0.3}, "stop_loss": 0.03},
            {"name": "q", "sizing": {"type": "target_weights"}, "max_drawdown": 0.1},
        ],
        "execution": {"commission": {"type": "percent", "rate": 0.001}, "trace_settings": {"trace_dir": str(folder)}},
        "results": {"write": False},
        **parts,
    }


def run(folder: Path, workflow_id: str, mode: str = "backtest", *overrides: str, **parts: Any) -> RunResult:
    modes = (f"workflow.mode={mode}", "execution.trace_settings.max_events=null")
    return run_backtest(config(folder, **parts), overrides=(*modes, *overrides), workflow_id=workflow_id)


def lines(folder: Path, workflow_id: str, pattern: str) -> dict[str, list[bytes]]:
    """Return the lines of each trace but its first, which names the mode and what features were read."""
    found = sorted((folder / workflow_id).rglob(pattern))
    return {f"{path.parent.name}/{path.name}": path.read_bytes().splitlines()[1:] for path in found}


def test_signals_replayed_under_the_same_profiles_give_the_whole_run_byte_for_byte(tmp_path: Path) -> None:
    whole = run(tmp_path, "whole")
    generated = run(tmp_path, "generated", "signal_generation")
    replayed = run(tmp_path, "replayed", "signal_replay", f"signals.path={tmp_path / 'generated'}")
    assert all(phase.portfolios == () for phase in generated.phases)
    for pattern in ("strategy_*.jsonl", "data.jsonl", "features.jsonl"):
        # The last line's number goes by the container's rank, and there is no execution before it.
        left, right = (
            {k: v[:-1] for k, v in lines(tmp_path, name, pattern).items()} for name in ("generated", "whole")
        )
        assert left == right
    for pattern in ("portfolio_*.jsonl", "execution.jsonl", "strategy_*.jsonl"):
        theirs = lines(tmp_path, "whole", pattern)
        assert lines(tmp_path, "replayed", pattern) == theirs
        assert all(len(rows) > 10 for rows in theirs.values())
    for mine, theirs_too in zip(replayed.phases, whole.phases, strict=True):
        for left, right in zip(mine.portfolios, theirs_too.portfolios, strict=True):
            assert left.equity.tobytes() == right.equity.tobytes()
            assert left.trades == right.trades


STRATEGIES: dict[str, list[dict[str, Any]]] = {
    "weights that may drift": [
        {
            "name": "s",
            "type": "target_weights",
            "params": {"weights": {"A": 0.5, "B": 0.3}, "rebalance": "daily", "drift": 0.02},
        }
    ],
    "pairs": [{"name": "s", "type": "zscore_pairs", "params": {"first": "A", "second": "B", "lookback": 20}}],
    "the best": [{"name": "s", "type": "momentum", "params": {"mode": "cross_section", "lookback": 20}}],
    "repeated": [{"name": "s", "type": "bollinger", "params": {"repeat": True, "direction": "long_short"}}],
    "limits, stops and trailing stops": [
        {
            "name": "a",
            "type": "macd",
            "orders": {
                "entry": {"type": "limit", "limit_offset": -0.01, "time_in_force": "GTD", "good_till": {"bars": 3}}
            },
        },
        {"name": "b", "type": "macd", "orders": {"entry": {"type": "stop", "stop_offset": 0.005}}},
        {"name": "c", "type": "macd", "orders": {"entry": {"type": "trailing_stop", "trail_percent": 0.02}}},
        {"name": "d", "type": "macd", "orders": {"entry": {"type": "market_on_close"}}},
    ],
    "weighted": [
        {
            "name": "s",
            "type": "ensemble",
            "params": {"method": "weighted", "output": "weight", "members": [{"type": "macd"}, {"type": "bollinger"}]},
        }
    ],
}
PROFILES: list[dict[str, Any]] = [
    {"name": "f", "sizing": {"type": "fixed", "quantity": 10}, "trailing_stop": 0.05},
    {"name": "v", "sizing": {"type": "volatility_target", "target": 0.1, "period": 20}, "max_drawdown": 0.1},
    {"name": "k", "sizing": {"type": "risk_per_trade", "percent": 0.01}, "stop_loss": 0.04, "take_profit": 0.1},
    {"name": "e", "sizing": {"type": "kelly"}, "max_holding_period": 9},
]


@pytest.mark.parametrize("strategies", STRATEGIES.values(), ids=STRATEGIES.keys())
def test_every_kind_of_decision_is_replayed_under_every_way_to_size_and_send_it(
    strategies: list[dict[str, Any]], tmp_path: Path
) -> None:
    parts = {"strategies": strategies, "risk_profiles": PROFILES, "workflow": {}}
    run(tmp_path, "whole", **parts)
    run(tmp_path, "generated", "signal_generation", **parts)
    run(tmp_path, "replayed", "signal_replay", f"signals.path={tmp_path / 'generated'}", **parts)
    for pattern in ("portfolio_*.jsonl", "execution.jsonl"):
        theirs = lines(tmp_path, "whole", pattern)
        assert sum(map(len, theirs.values())) > 20
        assert lines(tmp_path, "replayed", pattern) == theirs


def test_a_whole_run_s_signals_can_be_replayed_too_under_other_costs(tmp_path: Path) -> None:
    whole = run(tmp_path, "whole")
    path = f"signals.path={tmp_path / 'whole'}"
    free = run(tmp_path, "free", "signal_replay", path, "execution.commission={type: none}")
    dear = run(tmp_path, "dear", "signal_replay", path, "execution.commission.rate=0.01")
    finals = [r.phases[0].portfolios[0].final_equity for r in (free, whole, dear)]
    assert finals == sorted(finals, reverse=True)
    assert len(set(finals)) == 3


def test_a_replay_computes_no_feature_and_loads_no_class(tmp_path: Path) -> None:
    run(tmp_path, "generated", "signal_generation")
    parts = config(tmp_path)
    parts["workflow"] = {**parts["workflow"], "mode": "signal_replay"}
    parts["signals"] = {"path": str(tmp_path / "generated")}
    (tmp_path / "my.py").write_text("raise SystemExit\nclass S: ...\n")
    run_backtest(parts, workflow_id="replayed")
    features = (tmp_path / "replayed" / "a" / "features.jsonl").read_text()
    assert '"event_type":"FEATURE"' not in features


def test_generation_keeps_every_signal_unless_told_otherwise(tmp_path: Path) -> None:
    parts = config(tmp_path)
    parts["execution"]["trace_settings"]["max_events"] = 5
    run_backtest(parts, overrides=("workflow.mode=signal_generation",), workflow_id="all")
    meta = json.loads((tmp_path / "all" / "a" / "strategy_cross.meta.json").read_text())
    assert meta["events"]["SIGNAL"]["dropped"] == 0
    parts["execution"]["trace_settings"]["container_settings"] = {"strategy": {"max_events": 5}}
    run_backtest(parts, overrides=("workflow.mode=signal_generation",), workflow_id="five")
    with pytest.raises(
        MarketDataError, match=r"only \d of \d+ signals were kept; run it again with .*max_events: null"
    ):
        run(tmp_path, "r", "signal_replay", f"signals.path={tmp_path / 'five'}")


def table(folder: Path, text: str, **parts: Any) -> RunResult:
    """Replay a table of signals on five daily bars of X at 100."""
    days = "".join(f"2020-01-0{day},100,100,100,100,1\n" for day in (1, 2, 3, 6, 7))
    (folder / "bars.csv").write_text("timestamp,open,high,low,close,volume\n" + days)
    (folder / "s.csv").write_text(text)
    return run_backtest(
        {
            "workflow": {"mode": "signal_replay"},
            "signals": {"path": str(folder / "s.csv")},
            "data": {"path": str(folder / "bars.csv"), "symbols": ["X"], "timeframe": "1d"},
            "strategies": [{"name": "s", "type": "recorded"}],
            "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 7}}],
            "execution": {"trace_settings": {"persist_to_disk": False}},
            "results": {"write": False},
            **parts,
        }
    )


def fills(result: RunResult) -> list[tuple[int, str, float]]:
    events = [e for trace in result.phases[0].traces for e in trace.events if e["event_type"] == "FILL"]
    return [(e["sequence"] >> 20, e["payload"]["side"], e["payload"]["quantity"]) for e in events]


def test_a_table_of_directions_is_traded_at_the_next_bars(tmp_path: Path) -> None:
    text = "symbol,timestamp,direction\nX,2020-01-03,short\nX,2020-01-01,1\nX,1999-01-01,1\n"
    assert fills(table(tmp_path, text)) == [(1, "buy", 7.0), (3, "sell", 14.0)]


def test_a_table_of_weights_and_several_strategies(tmp_path: Path) -> None:
    text = "timestamp,symbol,weight,strategy\n2020-01-01,X,0.5,s\n2020-01-01T00:00:00Z,X,0.25,t\n2020-01-02,X,0,\n"
    assert fills(table(tmp_path, text)) == [(1, "buy", 500.0), (2, "sell", 500.0)]


FAULTS = {
    "timestamp,symbol\n": "needs the columns timestamp, symbol, and direction or weight",
    "timestamp,symbol,direction,weight\n": "one of them",
    "timestamp,symbol,direction,colour\n": "columns must be among",
    "": "needs the columns",
    "timestamp,symbol,direction\n": "no signals of strategy s",
    "timestamp,symbol,direction\n2020-01-01,X,2\n": "line 2: direction: must be 1, 0, -1, long, flat or short .got '2'",
    "timestamp,symbol,weight\n2020-01-01,X,nan\n": "weight: must be a finite number",
    "timestamp,symbol,direction\nyesterday,X,1\n": "line 2: timestamp: 'yesterday' is not an ISO date",
    "timestamp,symbol,direction\n2020-01-01,X\n": "line 2: 2 values, where the header names 3 columns",
    "timestamp,symbol,weight\n2020-01-01,X,1_0\n": "line 2: weight: must be a finite number .got '1_0'",
    "timestamp,symbol,direction\n2020-01-04,X,1\n": "X at 2020-01-04T00:00:00Z: the symbol has no bar at this time",
    "timestamp,symbol,direction\n2020-01-01,Y,1\n": "no such symbol among the bars: there are X",
    "timestamp,symbol,direction\n2020-01-01,X,1\n2020-01-01,X,0\n": "line 3: X .* a second decision",
    "\0": "CSV|columns",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_table_that_cannot_be_traded_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match=FAULTS[text]):
        table(tmp_path, text)


def test_what_is_not_there_or_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"signals.path: no such directory or file: nowhere"):
        run(tmp_path, "r1", "signal_replay", "signals.path=nowhere")
    run(tmp_path, "generated", "signal_generation")
    lines_of = tmp_path / "generated" / "a" / "strategy_cross.jsonl"
    meta = lines_of.with_name("strategy_cross.meta.json")
    kept = meta.read_bytes()
    meta.unlink()
    with pytest.raises(MarketDataError, match="never sealed"):
        run(tmp_path, "r2", "signal_replay", f"signals.path={tmp_path / 'generated'}")
    meta.write_bytes(kept)
    lines_of.write_bytes(lines_of.read_bytes()[:-10])
    with pytest.raises(MarketDataError, match="torn"):
        run(tmp_path, "r3", "signal_replay", f"signals.path={tmp_path / 'generated'}")
    lines_of.unlink()
    with pytest.raises(StorageError, match=r"no trace of strategy_cross; there are .*strategy_mine"):
        run(tmp_path, "r4", "signal_replay", f"signals.path={tmp_path / 'generated'}")


def test_a_strategy_that_is_called_bar_by_bar_has_no_signals_of_its_own(tmp_path: Path) -> None:
    source = "class S:\n    def on_bar(self, ctx): ctx.bar == 1 and ctx.buy(1, 'A')\n"
    parts = config(tmp_path)
    (tmp_path / "my.py").write_text(source)
    with pytest.raises(ConfigError, match="strategy mine is called bar by bar"):
        run_backtest(parts, overrides=("workflow.mode=signal_generation",), workflow_id="g")
    with pytest.raises(ConfigError, match="mine is called bar by bar with a portfolio of its own in view"):
        run_backtest(parts, overrides=("portfolio.allocations={mine: 0.5}",), workflow_id="g")
    run_backtest(parts, workflow_id="whole")
    (tmp_path / "whole" / "a" / "strategy_mine_r.jsonl").rename(tmp_path / "whole" / "a" / "strategy_mine.jsonl")
    (tmp_path / "whole" / "a" / "strategy_mine_r.meta.json").rename(
        tmp_path / "whole" / "a" / "strategy_mine.meta.json"
    )
    with pytest.raises(MarketDataError, match="line 2: a strategy that is called bar by bar"):
        run_backtest(parts, overrides=("workflow.mode=signal_replay", f"signals.path={tmp_path / 'whole'}"))


RULES = {
    "workflow.mode=signal_replay": "signals: is required with workflow.mode: signal_replay",
    "signals.path=x": "signals: has no meaning with workflow.mode: backtest",
    "strategies[0]={name: cross, type: recorded}": "recorded decisions are read with workflow.mode: signal_replay",
}


@pytest.mark.parametrize("override", RULES)
def test_modes_and_what_belongs_to_them_are_checked(override: str, tmp_path: Path) -> None:
    with pytest.raises(AdmfError, match=RULES[override]):
        run_backtest(config(tmp_path), overrides=(override,))
    untraced = ("workflow.mode=signal_generation", "execution.enable_event_tracing=false")
    with pytest.raises(ConfigError, match="leaves nothing but traces"):
        run_backtest(config(tmp_path), overrides=untraced)
