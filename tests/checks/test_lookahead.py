"""`admf check lookahead` catches what other frameworks' users were fooled by, and accuses nothing that is sound."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from admf_cli.checks.lookahead import Leak, Verdict, check_lookahead
from admf_cli.checks.rendering import lookahead_document, lookahead_lines
from admf_cli.checks.rerun import phases_of
from admf_cli.config import load_config
from admf_cli.errors import InterruptedRunError, RunFailedError
from admf_cli.printing import prints_go_to_stderr
from tests.cli.test_run_command import EXAMPLES, admf
from tests.python_strategies.conftest import write_days

HEAD = """
import numpy as np, sys, gc

def mean(x, n):
    out = np.full(x.shape, np.nan)
    total = np.cumsum(x, axis=0)
    out[n - 1:] = (total[n - 1:] - np.vstack([np.zeros((1, x.shape[1])), total[:-n]])) / n
    return out

def above(x, y):
    return np.where(np.isnan(x) | np.isnan(y), np.nan, (x > y).astype(float))
"""
CHEATS = {
    "a centred rolling mean": """
        centred = np.roll(mean(bars.close, 11), -5, axis=0)
        return above(bars.close, centred)""",
    "a fit on the whole sample": """
        returns = np.diff(np.log(bars.close), axis=0, prepend=np.nan)
        threshold = np.nanquantile(returns, 0.7)
        return np.where(np.isnan(returns), np.nan, (returns > threshold).astype(float))""",
    "shift(-1)": """
        tomorrow = np.vstack([bars.close[1:], bars.close[-1:]])
        return above(tomorrow, bars.close)""",
    "weeks labelled on the left": """
        weeks = np.arange(len(bars.close)) // 5
        last = np.array([bars.close[weeks == week][-1] for week in np.unique(weeks)])
        week_close = last[weeks]  # from Monday on: Friday's close
        return above(week_close, mean(bars.close, 10))""",
    "divided by the maximum of the series": """
        share = bars.close / bars.close.max()
        return (share > 0.8).astype(float)""",
    "filled backwards": """
        signal = np.where(np.arange(len(bars.close)) % 20 == 0, np.sign(np.sin(bars.close[:, 0] * 99)), np.nan)
        for row in range(len(signal) - 2, -1, -1):
            if np.isnan(signal[row]): signal[row] = signal[row + 1]
        return (signal > 0).astype(float)""",
}
SOUND = """
        fast, slow = mean(bars.close, self.a), mean(bars.close, self.b)
        high = np.maximum.accumulate(bars.high, axis=0)
        z = (bars.close - fast) / np.where(slow > 0, slow, np.nan)
        wanted = above(fast, slow)
        wanted[(z < -self.c) & (bars.close > high * self.d)] = 1
        wanted[(bars.close < high * self.e) & (features["rsi"] < self.f)] = 0
        wanted[:self.g] = np.nan
        return wanted"""


def check(folder: Path, body: str, method: str = "targets(self, bars, features)", **parts: Any) -> Verdict:
    """Return the verdict on a class whose method has this body."""
    init = "    a, b, c, d, e, f, g = 5, 17, 0.01, 0.99, 0.9, 30, 40\n"
    (folder / "my.py").write_text(f"{HEAD}\nclass S:\n{init}    def {method}:{body}\n")
    config = {
        "data": {"source": "synthetic", "symbols": ["X"], "synthetic": {"bars": 400, "volatility": 0.3}},
        "features": {"rsi": {"type": "RSI", "timeperiod": 14}},
        "strategies": [{"name": "s", "type": "python", "path": f"{folder / 'my.py'}:S"}],
        "risk_profiles": [{"name": "r", "sizing": {"type": "percent_equity", "percent": 0.9}, "stop_loss": 0.05}],
        **parts,
    }
    (phase,) = phases_of(load_config(config))
    return check_lookahead(phase, cuts=12)


@pytest.mark.parametrize("body", CHEATS.values(), ids=CHEATS.keys())
def test_a_cheat_is_caught_with_the_event_that_knew(body: str, tmp_path: Path) -> None:
    verdict = check(tmp_path, body)
    assert verdict.leak is not None
    assert verdict.leak.event_type == "SIGNAL"
    assert verdict.leak.container == "strategy_s"
    assert verdict.leak.sees_bars is not None
    assert verdict.leak.sees_bars >= 1
    text = lookahead_lines([verdict])
    assert "LOOK-AHEAD" in text
    assert "what leaked: strategy_s's own computation" in text


@pytest.mark.parametrize(
    ("name", "bars"), [("shift(-1)", 1), ("a centred rolling mean", 5)], ids=["one bar", "five bars"]
)
def test_it_says_how_far_was_seen(name: str, bars: int, tmp_path: Path) -> None:
    verdict = check(tmp_path, CHEATS[name])
    assert verdict.leak is not None
    assert verdict.leak.sees_bars == bars


def test_a_sound_strategy_with_many_parameters_is_not_accused(tmp_path: Path) -> None:
    verdict = check(tmp_path, SOUND)
    assert verdict.leak is None
    assert verdict.failed == ()
    assert verdict.compared > 1000
    assert "no look-ahead" in lookahead_lines([verdict])


def test_a_bar_by_bar_strategy_that_goes_behind_our_back_is_caught(tmp_path: Path) -> None:
    body = """
        close = ctx._Context__past._Past__columns["close"]
        if ctx.bar + 1 < len(close) and close[ctx.bar + 1, 0] > ctx.price() * 1.02:
            ctx.buy(1)"""
    verdict = check(tmp_path, body, "on_bar(self, ctx)")
    assert verdict.leak is not None
    assert verdict.leak.sees_bars == 1
    honest = check(tmp_path, "\n        ctx.history('close')[-1] > 100 and ctx.buy(1)", "on_bar(self, ctx)")
    assert honest.leak is None


def test_a_strategy_that_remembers_an_earlier_run_finds_nothing_to_remember(tmp_path: Path) -> None:
    body = """
        cache = globals().setdefault("cache", {})
        cache.setdefault("whole", bars.close)
        return above(bars.close, mean(bars.close, 9)) if len(cache["whole"]) == len(bars.close) else 1 / 0"""
    verdict = check(tmp_path, body)
    assert verdict.leak is None
    assert verdict.failed == ()


READS = """
        if not hasattr(self, "rows"):
            with open({path!r}) as file:
                self.rows = [float(line.split(",")[4]) for line in file.readlines()[1:]]
        centred = sum(self.rows[max(0, ctx.bar - 5): ctx.bar + 6]) / 11
        if ctx.price() > centred: ctx.buy(1)"""


def test_a_strategy_that_opens_the_bars_by_itself_is_not_called_sound(tmp_path: Path) -> None:
    # A centred mean of rows of its own: no rerun on other bars can tell.
    rows = [(100.0 + row % 7, 110.0, 90.0, 100.0 + row * 37 % 11) for row in range(60)]
    path = write_days(tmp_path / "x.csv", rows)
    data = {"path": str(path), "symbols": ["X"]}
    verdict = check(tmp_path, READS.format(path=str(path)), "on_bar(self, ctx)", data=data)
    assert verdict.leak is None
    assert verdict.data_opened == (str(path),)
    assert not verdict.is_sound
    assert "LOOK-AHEAD cannot be ruled out" in lookahead_lines([verdict])
    other = write_days(tmp_path / "other.csv", rows)
    verdict = check(tmp_path, READS.format(path=str(other)), "on_bar(self, ctx)", data=data)
    assert verdict.is_sound
    assert verdict.files_opened == (str(other),)
    assert f"not covered: files that a strategy opens by itself, which are not cut: {other}" in lookahead_lines(
        [verdict]
    )


def test_a_strategy_that_breaks_off_on_all_other_data_is_no_answer(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    body = f"""
        import pathlib
        pathlib.Path({str(marker)!r}).touch(exist_ok=False)  # the first run only
        return np.ones(bars.close.shape)"""
    with pytest.raises(RunFailedError, match=r"all 24 reruns broke off, the first on data cut at bar 2: .*FileExists"):
        check(tmp_path, body)


def test_an_interrupt_within_a_strategy_ends_the_check(tmp_path: Path) -> None:
    # On less data than all: one of the reruns.
    body = "\n        if bars.n_bars < 400: raise KeyboardInterrupt\n        return np.ones(bars.close.shape)"
    with pytest.raises(InterruptedRunError):
        check(tmp_path, body)


def test_what_a_strategy_prints_is_printed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(tmp_path, "\n        print('targets!')\n        return np.ones(bars.close.shape)")
    assert capsys.readouterr().out == "targets!\n"


def test_where_standard_output_is_closed_prints_go_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def closed(descriptor: int) -> int:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    with prints_go_to_stderr():
        print("targets!")
    assert capsys.readouterr() == ("", "targets!\n")


def test_a_strategy_that_needs_more_bars_than_a_cut_leaves_is_named_not_accused(tmp_path: Path) -> None:
    verdict = check(tmp_path, "\n        assert len(bars.close) > 100\n        return np.ones(len(bars.close))")
    assert verdict.leak is None
    assert verdict.failed
    assert "AssertionError" in verdict.failed[0][1]
    first = f"{len(verdict.failed)} reruns broke off, the first cut at bar {verdict.failed[0][0]}: "
    assert first in lookahead_lines([verdict])


def test_how_far_a_cheat_saw_is_not_said_where_it_breaks_off_on_the_data_between(tmp_path: Path) -> None:
    body = "\n        assert len(bars.close) < 100 or len(bars.close) == 400" + CHEATS["shift(-1)"]
    verdict = check(tmp_path, body)
    assert verdict.leak is not None
    assert (verdict.leak.event_type, verdict.leak.sees_bars) == ("SIGNAL", None)
    text = lookahead_lines([verdict])
    assert "LOOK-AHEAD" in text
    assert "ahead: to" not in text


def test_a_phase_of_two_bars_is_too_short_to_cut(tmp_path: Path) -> None:
    data = {"source": "synthetic", "symbols": ["X"], "synthetic": {"bars": 2}}
    verdict = check(tmp_path, "\n        return np.ones(bars.close.shape)", data=data)
    assert (verdict.cuts, verdict.reruns, verdict.is_sound) == ((), 0, True)
    assert "the phase is too short to cut" in lookahead_lines([verdict])


def test_a_fill_that_knew_the_future_is_named_without_blaming_a_feature_or_a_strategy() -> None:
    leak = Leak(
        "FILL", "execution#7", "execution", None, 4, "2020-01-08T00:00:00Z", (), {"price": 9}, None, "2020-01-08", True
    )
    text = lookahead_lines([Verdict("p", 9, (5,), 2, 11, leak)])
    assert "first event that knew the future: FILL execution#7 at 2020-01-08T00:00:00Z (bar 4)\n" in text
    assert "what leaked" not in text
    assert "data turned to noise after 2020-01-08:  no such event" in text


def test_progress_is_told_before_every_rerun(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text(f"{HEAD}\nclass S:\n    def targets(self, b, f): return np.ones(b.close.shape)\n")
    config = {
        "data": {"source": "synthetic", "symbols": ["X"], "synthetic": {"bars": 30}},
        "strategies": [{"name": "s", "type": "python", "path": f"{tmp_path / 'my.py'}:S"}],
        "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
    }
    (phase,) = phases_of(load_config(config))
    told: list[tuple[int, int]] = []
    verdict = check_lookahead(phase, cuts=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 2 * len(verdict.cuts)) for done in range(verdict.reruns)]
    assert verdict.reruns == 2 * len(verdict.cuts) >= 4


def test_closing_at_the_end_of_a_day_and_a_holding_period_are_no_look_ahead(tmp_path: Path) -> None:
    data = {"source": "synthetic", "symbols": ["X", "Y"], "timeframe": "1h", "synthetic": {"bars": 300}}
    profile = {
        "name": "r",
        "sizing": {"type": "volatility_target", "target": 0.2, "period": 5},
        "end_of_day": True,
        "max_holding_period": 7,
        "trailing_stop": 0.02,
        "daily_loss_limit": 0.01,
    }
    body = "\n        return above(mean(bars.close, 3), mean(bars.close, 8))"
    assert check(tmp_path, body, data=data, risk_profiles=[profile]).leak is None


@pytest.mark.parametrize("config", EXAMPLES, ids=lambda path: path.stem)
def test_no_example_knows_the_future(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config.parents[1])
    for phase in phases_of(load_config(config)):
        assert check_lookahead(phase, cuts=3).leak is None


def test_the_command_s_exit_code_and_document(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text(f"{HEAD}\nclass S:\n    def targets(self, bars, features):{CHEATS['shift(-1)']}\n")
    (tmp_path / "c.yaml").write_text(
        "data: {source: synthetic, symbols: [X], synthetic: {bars: 200}}\n"
        "strategies: [{name: s, type: python, path: my.py:S}]\n"
        "risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]\n"
    )
    run = admf(tmp_path, "check", "lookahead", "c.yaml", "--json", "--cuts", "4")
    assert run.returncode == 1, run.stderr
    document = json.loads(run.stdout)
    assert document["ok"] is False
    assert document["phases"][0]["leak"]["sees_bars"] == 1
    sound = admf(tmp_path, "check", "lookahead", "c.yaml", "--set", "strategies=[{name: s, type: buy_and_hold}]")
    assert (sound.returncode, sound.stderr) == (0, "")
    assert not (tmp_path / "traces").exists()
    assert json.loads(lookahead_document([])) == {"schema_version": 1, "check": "lookahead", "ok": True, "phases": []}
