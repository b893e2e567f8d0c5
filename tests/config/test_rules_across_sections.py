"""What must agree between keys that stand apart."""

from __future__ import annotations

import zoneinfo
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
        ("data={source: parquet, path: a.parquet, delimiter: ;}", "data.delimiter", "no meaning with source: parquet"),
        ("strategies=[{name: s, type: recorded, params: {a: 1}}]", "strategies[0].params", "take no parameters"),
        ("strategies=[{name: s, type: python, path: 5}]", "strategies[0].path", "must be text"),
        (
            "strategies=[{name: s, type: rules, params: {enter_long: max(close, open) > 1}}]",
            "strategies[0].params[open) > 1]",
            "in { } a comma ends a text: put the expression in quotes",
        ),
        (
            "strategies=[{name: a, type: python, path: x.py:S}, {name: a_r, type: buy_and_hold}]",
            "strategies[0].name",
            "with r it makes the container id strategy_a_r, and so does a_r",
        ),
        (
            "execution.commission={type: percent, rate: 0.001, minimum: 5, maximum: 1}",
            "execution.commission",
            "lower minimum or raise maximum",
        ),
        (
            "execution.commission={type: tiered, tiers: [{up_to: 5, rate: 0.1}, {up_to: 3, rate: 0.1}]}",
            "execution.commission",
            "tiers rise by up_to, and only the last has none",
        ),
        ("execution.margin={}", "execution.margin", "write initial: 0.5 or leverage: 2"),
        ("execution.margin={initial: 0.5, leverage: 2}", "execution.margin", "takes either initial or leverage"),
        ("execution.margin={leverage: 4, maintenance: 0.3}", "execution.margin", "above the initial margin of 0.25"),
        ("strategies[0].orders={entry: {type: stop}}", "strategies[0].orders.entry", "write stop_offset: 0.01"),
        (
            "strategies[0].orders={exit: {type: trailing_stop}}",
            "strategies[0].orders.exit",
            "write trail_percent: 0.05",
        ),
        (
            "strategies[0].orders={entry: {good_till: {bars: 3}}}",
            "strategies[0].orders.entry",
            "write both, with good_till: {bars: 5}, or neither",
        ),
        (
            "strategies[0].orders={entry: {time_in_force: GTD, good_till: {bars: 3, until: 2005-01-01}}}",
            "strategies[0].orders.entry.good_till",
            "write good_till: {bars: 5}",
        ),
        ("features={a-b: {type: SMA}}", "features.a-b", "begins with no digit"),
        ("data.symbols=[' A']", "data.symbols[0]", "without spaces around it"),
        ("data.start='20000101'", "data.start", "write 2000-01-01"),
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
        "data={&one path: A, symbols: [*one]}",  # a key may be an anchor
    ],
)
def test_what_agrees_is_taken(override: str) -> None:
    load_config({}, [*SOUND, override])


def test_a_shared_portfolio_and_a_strategy_cannot_have_one_name() -> None:
    strategies = "strategies=[{name: Combined, type: buy_and_hold}]"
    load_config({}, [*SOUND, strategies])
    with pytest.raises(ConfigError, match="may not be named combined here: that is the name of the shared portfolio"):
        load_config({}, [*SOUND, strategies, "portfolio.allocations={Combined: 1}"])


def test_more_portfolios_than_anybody_means_are_refused_as_one_fault() -> None:
    config: dict[str, Any] = {
        "data": {"path": "a.csv"},
        "strategies": [{"name": f"s{number}", "type": "buy_and_hold"} for number in range(101)],
        "risk_profiles": [{"name": f"r{number}", "sizing": {"type": "fixed", "quantity": 1}} for number in range(100)],
    }
    with pytest.raises(ConfigError, match="strategies x risk profiles make at most 10,000 portfolios") as caught:
        load_config(config)
    assert len(caught.value.faults) == 1


def test_where_the_system_knows_no_zones_a_name_of_their_form_is_left_to_the_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", missing)
    monkeypatch.setattr(zoneinfo, "available_timezones", set[str])
    taken = load_config({}, [*SOUND, "data.timezone=America/New_York"])
    assert taken.values["data"]["timezone"] == "America/New_York"
    with pytest.raises(ConfigError, match="a time zone is an IANA name"):
        load_config({}, [*SOUND, "data.timezone=../../etc/passwd"])


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
