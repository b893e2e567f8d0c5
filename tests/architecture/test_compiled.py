"""The compiled event loop: used only where it was made of today's text, and the same to the last byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from admf_cli import compiled

ROOT = Path(__file__).resolve().parents[2]
MODULE = "admf_cli.clock"


def made(directory: Path) -> compiled.CompiledFinder:
    """Return a finder of a directory in which MODULE lies, as if it had been compiled there from its text."""
    for name in (compiled.LIBRARY, MODULE):
        file = directory.joinpath(*name.split(".")).with_suffix(EXTENSION_SUFFIXES[0])
        file.parent.mkdir(exist_ok=True)
        file.touch()
    compiled.write_manifest(str(directory), [MODULE])
    return compiled.CompiledFinder(str(directory))


def manifest(directory: Path) -> Path:
    (found,) = directory.glob("sources.*.json")
    return found


def test_the_sources_are_what_mypyc_can_compile() -> None:
    refused = sorted((ROOT / "admf_cli" / compiled.DIRECTORY_NAME).glob("refused.*.txt"))
    assert [file.read_text() for file in refused] == []


def test_a_module_made_of_today_s_text_is_found(tmp_path: Path) -> None:
    finder = made(tmp_path)
    spec = finder.find_spec(MODULE)
    assert spec is not None
    assert spec.origin == str(tmp_path / "admf_cli" / "clock") + EXTENSION_SUFFIXES[0]
    assert finder.find_spec(compiled.LIBRARY) is not None
    assert finder.find_spec("admf_cli.api") is None
    assert finder.find_spec("json") is None
    assert compiled.is_made_of(str(tmp_path), [MODULE])
    assert not compiled.is_made_of(str(tmp_path), [MODULE, "admf_cli.api"])


@pytest.mark.parametrize("fault", ["other text", "no manifest", "torn manifest", "no library"])
def test_after_an_edit_or_damage_the_sources_run(fault: str, tmp_path: Path) -> None:
    finder = made(tmp_path)
    if fault == "other text":
        manifest(tmp_path).write_text(json.dumps({MODULE: "0" * 64}))
    elif fault == "no manifest":
        compiled.remove_manifest(str(tmp_path))
    elif fault == "torn manifest":
        manifest(tmp_path).write_text('{"admf_cli')
    else:
        (tmp_path / (compiled.LIBRARY + EXTENSION_SUFFIXES[0])).unlink()
    assert finder.find_spec(MODULE) is None


def python(code: str, *arguments: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


IN_USE = "import admf_cli.clock; from admf_cli import compiled; print(compiled.is_in_use(), admf_cli.clock.__file__)"


@pytest.fixture(scope="module")
def _compiled() -> None:
    if python(IN_USE, ADMF_COMPILED="1").split()[0] != "True":
        pytest.skip("not compiled, or of another text by now: make compiled")


@pytest.mark.usefixtures("_compiled")
def test_a_switch_leaves_what_is_compiled_alone() -> None:
    assert python(IN_USE, ADMF_COMPILED="1").strip().endswith(EXTENSION_SUFFIXES[0])
    assert python(IN_USE, ADMF_COMPILED="0").split() == ["False", str(ROOT / "admf_cli" / "clock.py")]


RUNS = """
import hashlib, json, sys
from admf_cli import run_backtest
for line in sys.argv[1:]:
    result = run_backtest(json.loads(line))
    phase = result.phases[0]
    for trace in phase.traces:
        text = "".join(json.dumps(event) for event in trace.events)
        print(trace.container_id, trace.published, trace.dropped, hashlib.sha256(text.encode()).hexdigest())
    for portfolio in phase.portfolios:
        print(hashlib.sha256(portfolio.equity.tobytes()).hexdigest(), portfolio.metrics, portfolio.counts)
        print(portfolio.rejects, portfolio.trades[-1:])
"""


def various() -> list[Mapping[str, object]]:
    """Return configurations that between them reach every rule of the event loop."""
    sizings = [
        {"type": "fixed", "quantity": 33},
        {"type": "percent_equity", "percent": 0.95},
        {"type": "fixed_value", "value": 5000},
        {"type": "volatility_target", "target": 0.2},
        {"type": "kelly", "minimum_trades": 3},
    ]
    protections: list[Mapping[str, object]] = [
        {},
        {"stop_loss": 0.01, "take_profit": 0.02, "cooldown": 5},
        {"trailing_stop": {"amount": 0.4}, "max_drawdown": 0.2},
        {"max_holding_period": 3, "max_position_size": 0.4, "daily_loss_limit": 0.01},
        {"end_of_day": True, "max_portfolio_heat": 0.7},
    ]
    styles: list[Mapping[str, object] | None] = [
        None,
        {"entry": {"type": "limit", "limit_offset": -0.001, "time_in_force": "GTC"}},
        {"entry": {"type": "stop", "stop_offset": 0.001, "time_in_force": "GTD", "good_till": {"bars": 5}}},
        {"entry": {"type": "stop_limit", "stop_offset": 0.001, "limit_offset": 0.0005, "time_in_force": "DAY"}},
        {"entry": {"type": "market_on_close"}, "exit": {"type": "trailing_stop", "trail_percent": 0.004}},
    ]
    costs: list[Mapping[str, object]] = [
        {"commission": {"type": "percent", "rate": 0.001}},
        {"commission": {"type": "per_share", "rate": 0.01, "minimum": 1.0}, "slippage": {"type": "bps", "bps": 2}},
        {"slippage": {"type": "range_share", "share": 0.1}, "fill_price": "close"},
        {"participation": 0.1, "slippage": {"type": "volume_share", "impact": 0.1}},
        {"margin": {"initial": 0.5}, "commission": {"type": "maker_taker", "maker": 0.0001, "taker": 0.0005}},
    ]
    return [
        {
            "data": {
                "source": "synthetic",
                "symbols": ["A", "B", "C"][: 1 + number % 3],
                "timeframe": "1h" if number % 2 else "5m",
                "synthetic": {"bars": 600, "seed": number},
            },
            "strategies": [
                {
                    "name": "s",
                    "type": "sma_crossover",
                    "params": {"fast": 2, "slow": 8, "direction": "long_short"},
                    "orders": styles[number * 2 % 5],
                }
            ],
            "risk_profiles": [{"name": "r", "sizing": sizings[number % 5], **protections[number * 3 % 5]}],
            "portfolio": {"initial_capital": 10_000},
            "instruments": {"default": {"lot_size": 0.01, "tick_size": 0.01}} if number % 4 == 1 else {},
            "execution": {
                "trace_settings": {"persist_to_disk": False, "max_events": 500 if number % 3 == 0 else None},
                **costs[number * 4 % 5],
            },
            "results": {"write": False},
        }
        for number in range(10)
    ]


@pytest.mark.usefixtures("_compiled")
def test_compiled_and_from_the_sources_a_run_is_the_same_to_the_last_byte() -> None:
    lines = [json.dumps(config) for config in various()]
    from_sources = python(RUNS, *lines, ADMF_COMPILED="0")
    assert from_sources.count("\n") > 50
    assert python(RUNS, *lines, ADMF_COMPILED="1") == from_sources


@pytest.mark.usefixtures("_compiled")
def test_the_work_that_the_sources_do_is_counted_too() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/engine/test_counted_work.py"],
        cwd=ROOT,
        env={**os.environ, "ADMF_COMPILED": "0"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert "skipped" not in run.stdout


def test_only_a_directory_with_a_manifest_is_looked_into_and_with_the_switch_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_DIRECTORY", str(tmp_path))
    others = [finder for finder in sys.meta_path if not isinstance(finder, compiled.CompiledFinder)]
    monkeypatch.setattr(sys, "meta_path", list(others))
    monkeypatch.setenv("ADMF_COMPILED", "1")
    compiled.install()
    assert (sys.meta_path, compiled.is_in_use()) == (others, False)
    made(tmp_path)
    monkeypatch.setenv("ADMF_COMPILED", "0")
    compiled.install()
    assert (sys.meta_path, compiled.is_in_use()) == (others, False)
    monkeypatch.setenv("ADMF_COMPILED", "1")
    compiled.install()
    (finder, *rest) = sys.meta_path
    assert isinstance(finder, compiled.CompiledFinder)
    assert (rest, finder.modules) == (others, {MODULE})
    manifest(tmp_path).unlink()
    compiled.remove_manifest(str(tmp_path))  # there is none any more, which is no fault
    assert compiled.is_in_use()  # what a process has found once holds for all of it: it is all of the modules or none
    assert compiled.CompiledFinder(str(tmp_path)).modules == frozenset()


def test_a_refusal_of_the_compiler_is_left_in_words_until_it_compiles_again(tmp_path: Path) -> None:
    for _ in range(2):
        compiled.note_refusal(str(tmp_path / "new"), "mypyc refused the sources")
        (note,) = (tmp_path / "new").glob("refused.*.txt")
        assert note.read_text() == "mypyc refused the sources"
        compiled.note_refusal(str(tmp_path / "new"), None)
        compiled.note_refusal(str(tmp_path / "new"), None)
        assert list((tmp_path / "new").iterdir()) == []
