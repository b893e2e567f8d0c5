"""What must agree between keys that stand apart."""

from __future__ import annotations

from typing import Any

import pytest

from admf_cli.config import load_config
from admf_cli.errors import ConfigError

SOUND = [
    "data={path: a.csv, symbols: [A, B], start: 2001-01-01, end: 2009-12-31}",
    "strategies=[{name: s, type: buy_and_hold}]",
    "risk_profiles=[{name: r, sizing: {type: fixed, quantity: 1}}]",
]


@pytest.mark.parametrize(
    ("override", "path", "words"),
    [
        ("data.source=synthetic", "data.path", "no meaning with source: synthetic"),
        ("data.synthetic.bars=5", "data.synthetic", "no meaning with source: csv"),
        ("data.path=null", "data.path", "is required"),
        ("data.path={A: a.csv}", "data.symbols[1]", "no file for it"),
        ("data.path=x/{sym}.csv", "data.path", "{sym} stands for nothing"),
        ("data={path: 'x/{symbol}.csv'}", "data.symbols", "is required where path holds {symbol}"),
        ("data={path: 'x/{symbol}.csv', symbols: [../../etc/passwd]}", "data.symbols[0]", "plain file name"),
        ("data={path: 'x/{symbol}.csv', symbols: ['..']}", "data.symbols[0]", "plain file name"),
        ("data.symbols=[A, A]", "data.symbols[1]", "twice"),
        ("data.columns={open: X, close: X}", "data.columns.close", "already our open"),
        ("strategies[0].symbols=[C]", "strategies[0].symbols[0]", "must be one of data.symbols: A, B"),
        ("instruments={C: {lot_size: 2}}", "instruments.C", "must be default or one of data.symbols"),
        ("data.end=2000-12-31", "data.end", "before start"),
        ("workflow.phases=[{name: p, end: 2000-12-31}]", "workflow.phases[0].end", "before data.start"),
        ("workflow.phases=[{name: p, start: 2010-01-01}]", "workflow.phases[0].start", "after data.end"),
        ("workflow.phases=[{name: p}, {name: P}]", "workflow.phases[1].name", "only by case"),
        (
            "strategies=[{name: s, type: buy_and_hold}, {name: s, type: buy_and_hold}]",
            "strategies[1].name",
            "used twice",
        ),
        ("risk_profiles[0].sizing={type: percent_equity, percent: 2}", "risk_profiles[0].sizing.percent", "margin"),
        (
            "risk_profiles[0].sizing={type: risk_per_trade, percent: 0.01}",
            "risk_profiles[0].sizing",
            "distance of a stop",
        ),
        (
            "risk_profiles[0].sizing={type: risk_per_trade, percent: 0.01, atr_multiple: 2}",
            "risk_profiles[0].sizing.atr_multiple",
            "needs atr_period",
        ),
        ("execution.slippage={type: ticks, ticks: 1}", "execution.slippage", "needs a tick_size"),
        ("features={f: {type: SMA, timeperiod: 0}}", "features.f.timeperiod", "must be 1 to"),
        ("features={f: {type: SMAA}}", "features.f.type", "must be a feature"),
        ("features={f: {type: EMA, input: clse}}", "features.f.input", "must be one of open"),
        ("features={f: {type: EMA, input: g}, g: {type: EMA, input: f}}", "features.f.input", "reads itself"),
        ("strategies[0].orders={entry: {type: market, limit_offset: 0.1}}", "strategies[0].orders.entry", "no meaning"),
        (
            "risk_profiles[0].trailing_stop={percent: 0.1, from: close}",
            "risk_profiles[0].trailing_stop.from",
            "unknown",
        ),
    ],
)
def test_a_disagreement_is_a_fault_of_the_key_to_change(override: str, path: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({}, [*SOUND, override])
    fault = caught.value.faults[0]
    assert fault.path == path
    assert words in str(fault)


@pytest.mark.parametrize(
    "override",
    [
        "strategies[0].symbols=[B]",
        "instruments={default: {tick_size: 0.01}, A: {lot_size: 2}}",
        "workflow.phases=[{name: p, end: 2005-12-31}, {name: q, start: 2005-01-01}]",
        "workflow.phases=[{name: p, start: 2009-12-31T12:00:00Z}]",  # data.end is the whole of that day
        "data={path: 'x/{symbol}.csv', symbols: [BRK.B, ^GSPC]}",
        "execution={margin: {initial: 0.5}}",
        "features={f: {type: EMA, input: g}, g: {type: EMA, input: close}}",
    ],
)
def test_what_agrees_is_taken(override: str) -> None:
    load_config({}, [*SOUND, override])


def test_ids_of_containers_that_two_pairs_of_names_would_make_are_refused() -> None:
    config: dict[str, Any] = {
        "data": {"path": "a.csv"},
        "strategies": [{"name": "a", "type": "buy_and_hold"}, {"name": "a_b", "type": "buy_and_hold"}],
        "risk_profiles": [
            {"name": "b_c", "sizing": {"type": "fixed", "quantity": 1}},
            {"name": "c", "sizing": {"type": "fixed", "quantity": 1}},
        ],
    }
    with pytest.raises(ConfigError, match="portfolio_a_b_c"):
        load_config(config)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "a/b", "a\\b", "/etc", "a\nb", "a\x1b[0m", "aux", "COM1.x", "a.", ".a", "-a", "a" * 101),
        *("a b", "\u0430", "\uff41", "a\u202eb", "x.jsonl", "x.tmp", "a:b", "a*", "~"),
    ],
)
def test_a_name_that_could_leave_its_directory_or_be_mistaken_is_refused(name: str) -> None:
    config: dict[str, Any] = {
        "data": {"path": "a.csv"},
        "workflow": {"id": name},
        "strategies": [{"name": name, "type": "buy_and_hold"}],
        "risk_profiles": [{"name": name, "sizing": {"type": "fixed", "quantity": 1}}],
    }
    with pytest.raises(ConfigError) as caught:
        load_config(config)
    assert {fault.path for fault in caught.value.faults} == {
        "workflow.id",
        "strategies[0].name",
        "risk_profiles[0].name",
    }
    assert all(character.isprintable() or character == "\n" for character in str(caught.value))
