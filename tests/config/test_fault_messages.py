"""The mistakes that people make, and the whole message they get. Read them aloud: would one know what to do?"""

from __future__ import annotations

from pathlib import Path

import pytest

from admf_cli.config import load_config
from admf_cli.errors import ConfigError

SOUND = """\
data: {path: data/sp500_daily.csv, symbols: [SPX]}
strategies:
  - {name: trend, type: sma_crossover, params: {fast: 10, slow: 30}}
risk_profiles:
  - {name: base, sizing: {type: percent_equity, percent: 0.95}}
"""
TRACING = "tracing belongs under execution.enable_event_tracing and execution.trace_settings"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("", "portfolo: {}"), "c.yaml:6:1: portfolo: unknown key; did you mean portfolio?"),
        (("", "cash: 5000"), "c.yaml:6:1: cash: unknown key; it belongs under portfolio.initial_capital"),
        (("", "commission: 0.1"), "c.yaml:6:1: commission: unknown key; it belongs under execution.commission"),
        (("", "timeframe: 1d"), "c.yaml:6:1: timeframe: unknown key; it belongs under data.timeframe"),
        (
            ("fast: 10", "fast: 50"),
            "c.yaml:3:55: strategies[0].params.fast: must be less than slow (got fast: 50, slow: 30); "
            "lower fast or raise slow",
        ),
        (
            ("fast: 10", "fasst: 10"),
            "c.yaml:3:49: strategies[0].params.fasst: unknown parameter; did you mean fast?",
        ),
        (
            ("sma_crossover", "sma_cross"),
            "c.yaml:3:25: strategies[0].type: must be a strategy that `admf strategies list` shows (got sma_cross); "
            "did you mean sma_crossover?",
        ),
        (
            ("percent: 0.95", "percent: 95"),
            "c.yaml:5:58: risk_profiles[0].sizing.percent: must be at most 1 without margin (got 95); "
            "it is a fraction: write 0.95 for 95 %, or set execution.margin to borrow",
        ),
        (
            ("0.95}", "0.95}, stop_loss: 5%"),
            "c.yaml:5:76: risk_profiles[0].stop_loss: must be a number (got 5%); write 0.05",
        ),
        (
            ("", "portfolio: {initial_capital: 100_000}"),
            "c.yaml:6:30: portfolio.initial_capital: must be a number (got 100_000); write 100000",
        ),
        (
            ("", "execution: {slippage: 2}"),
            "c.yaml:6:23: execution.slippage: must be a mapping with a type: none, bps, fixed, ticks, volume_share, "
            "range_share, installed (got 2); write slippage: {type: bps, bps: 2}",
        ),
        (
            ("symbols: [SPX]", "symbols: [600519]"),
            'c.yaml:1:46: data.symbols[0]: must be text (got 600519); write "600519" in quotes',
        ),
        (("symbols: [SPX]", "symbols: SPX"), "c.yaml:1:45: data.symbols: must be a list (got SPX); write [SPX]"),
        (
            ("[SPX]", "[SPX], start: 20000101"),
            "c.yaml:1:59: data.start: must be a date or a UTC time (got 20000101); write 2000-01-01",
        ),
        (
            ("[SPX]", "[SPX], end: 2018-02-30"),
            "c.yaml:1:57: data.end: must be a date or a UTC time that exists: day is out of range for month "
            "(got 2018-02-30); write a day of the calendar",
        ),
        (
            ("[SPX]", "[SPX], timeframe: 1min"),
            "c.yaml:1:63: data.timeframe: a timeframe is a whole number and s, m, h, d, w or mo (got 1min); write 1m",
        ),
        (
            ("", "results: {write: yes}"),
            "c.yaml:6:18: results.write: must be true or false (got yes); write true",
        ),
        (
            ("", "features:"),
            "c.yaml:6:10: features: must be a mapping (got nothing); remove the key to have its default",
        ),
        (
            ("", "tracing: {enabled: true}"),
            f"c.yaml:6:1: tracing: tracing is not set here: orchestration knows nothing of it; {TRACING}",
        ),
        (
            ("", "workflow: {enable_event_tracing: true}"),
            "c.yaml:6:12: workflow.enable_event_tracing: tracing is not set here: orchestration knows nothing of it; "
            + TRACING,
        ),
        (("", "execution: {tracing: true}"), f"c.yaml:6:13: execution.tracing: unknown key; {TRACING}"),
        (
            ("", "execution: {trace_settings: {container_settings: {portfolios: {max_events: 9}}}}"),
            "c.yaml:6:51: execution.trace_settings.container_settings.portfolios: is no container's id or type, and "
            "a pattern that fits none; did you mean portfolio?",
        ),
        (
            ("", "workflow: {id: a/b}"),
            "c.yaml:6:16: workflow.id: a name becomes a file's name: 1 to 100 of A-Z a-z 0-9 _ . -, a letter or digit "
            "first, no point last (got a/b); write a_b",
        ),
    ],
)
def test_a_mistake_is_answered_in_one_line(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    before, after = change
    (tmp_path / "c.yaml").write_text(SOUND.replace(before, after) if before else SOUND + after + "\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    assert str(caught.value).replace(str(tmp_path) + "/", "") == message


def test_the_sound_configuration_is_sound(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(SOUND)
    assert load_config(tmp_path / "c.yaml").name == "c"
