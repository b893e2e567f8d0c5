"""Strategies made of strategies: what they want follows from what their members want, bar by bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli import features, run_backtest
from admf_cli.config import load_config
from admf_cli.errors import ConfigError
from admf_cli.features import ParameterError
from admf_cli.market.bars import Bars
from admf_cli.strategies.interface import Decisions
from admf_cli.strategies.registry import build
from tests.features.markets import bars_of, random_bars

Block = dict[str, Any]
Wanted = dict[tuple[int, int], float]
UP: Block = {"name": "up", "type": "rules", "params": {"entry": "close > open", "exit": "close < open * 0.998"}}
BOTH: Block = {
    "name": "both",
    "type": "rules",
    "params": {
        "enter_long": "close > lag(high, 1)",
        "exit_long": "close < lag(close, 2)",
        "enter_short": "close < lag(low, 1)",
        "exit_short": "close > lag(close, 2)",
    },
}
CROSS: Block = {"name": "cross", "type": "sma_crossover", "params": {"fast": 2, "slow": 5, "direction": "long_short"}}
MEMBERS = [UP, BOTH, CROSS]


def decided(kind: str, params: Block, bars: Bars, first: int, **others: Block) -> Decisions:
    volume = features.feature("LAG", "volume", timeperiod=1)
    strategy = build(kind, params, {"volume_before": volume}, others)
    columns = features.compute(dict(strategy.required_features()), bars)
    decisions = strategy.decide(bars, columns, first)
    assert set(decisions.rule) <= set(strategy.rules())
    return decisions


def by_place(decisions: Decisions) -> Wanted:
    places = zip(decisions.bar.tolist(), decisions.symbol.tolist(), strict=True)
    return dict(zip(places, decisions.target.tolist(), strict=True))


def of_members(bars: Bars, first: int) -> list[Wanted]:
    return [by_place(decided(member["type"], member["params"], bars, first)) for member in MEMBERS]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_bars=st.integers(1, 80),
    first=st.integers(0, 15),
    method=st.sampled_from(["vote", "weighted", "first"]),
    quorum=st.sampled_from([None, 1, 2, 3]),
    threshold=st.sampled_from([0.25, 0.5, 1.0]),
)
def test_an_ensemble_equals_the_loop_that_asks_each_member_at_each_bar(
    seed: int, n_bars: int, first: int, method: str, quorum: int | None, threshold: float
) -> None:
    bars = random_bars(seed, n_bars, "AB")
    first = min(first, n_bars - 1)
    weights = {"up": 1, "both": 2, "cross": 1}
    params = {"members": MEMBERS, "method": method, "quorum": quorum, "weights": weights, "threshold": threshold}
    decisions = decided("ensemble", params, bars, first)
    members = of_members(bars, first)
    expected: Wanted = {}
    for symbol in range(2):
        wants, together = [0.0, 0.0, 0.0], 0.0
        for t in range(first, n_bars):
            wants = [member.get((t, symbol), want) for member, want in zip(members, wants, strict=True)]
            before = together
            longs, shorts = wants.count(1.0), wants.count(-1.0)
            if method == "vote":
                needed = 2 if quorum is None else quorum
                together = 1.0 if longs >= needed and longs > shorts else 0.0
                together = -1.0 if shorts >= needed and shorts > longs else together
            elif method == "first":
                together = next((want for want in wants if want), 0.0)
            else:
                score = (wants[0] + 2 * wants[1] + wants[2]) / 4
                together = 1.0 if score >= threshold else -1.0 if score <= -threshold else 0.0
            if together != before:
                expected[t, symbol] = together
    assert by_place(decisions) == expected


def test_the_signal_shows_the_votes_and_the_rule_of_who_changed_it() -> None:
    always = {"type": "rules", "params": {"entry": "true"}}
    params = {"members": [{**always, "name": "a"}, {"name": "b", "type": "rules", "params": {"entry": "close > 5"}}]}
    decisions = decided("ensemble", params, bars_of([4, 6]), 0)
    assert decisions.rule == ("b: enter_long",)
    assert {name: values.tolist() for name, values in decisions.evidence.items()} == {
        "a": [1.0], "b": [1.0], "votes_long": [2.0], "votes_short": [0.0]
    }  # fmt: skip


def test_a_weighted_sum_can_be_the_weight_itself() -> None:
    weights = {"name": "w", "type": "target_weights", "params": {"weights": {"X": 0.6}, "rebalance": "every_bar"}}
    rule = {"name": "r", "type": "rules", "params": {"entry": "close > 5", "exit": "close < 5"}}
    params = {"members": [weights, rule], "method": "weighted", "weights": {"w": 3}, "output": "weight"}
    decisions = decided("ensemble", params, bars_of([4, 6, 4]), 0)
    # (3 * 0.6 + 1 * 0) / 4 = 0.45, then (1.8 + 1) / 4 = 0.7
    assert decisions.kind == "weight"
    assert decisions.target.tolist() == pytest.approx([0.45, 0.7, 0.45])


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_bars=st.integers(1, 80),
    first=st.integers(0, 15),
    closed=st.sampled_from(["flat", "hold"]),
    resume=st.booleans(),
    hysteresis=st.booleans(),
    member=st.sampled_from(MEMBERS),
)
def test_a_filter_equals_the_loop_with_a_gate(
    seed: int, n_bars: int, first: int, closed: str, resume: bool, hysteresis: bool, member: Block
) -> None:
    bars = random_bars(seed, n_bars, "AB")
    first = min(first, n_bars - 1)
    params = {"strategy": member, "open_when": "volume_before > 600", "closed": closed, "resume": resume}
    if hysteresis:
        params["close_when"] = "volume_before < 300"
    decisions = decided("filter", params, bars, first)
    wanted = by_place(decided(member["type"], member["params"], bars, first))
    expected: Wanted = {}
    for symbol in range(2):
        before, is_open, want, held = float("nan"), False, 0.0, 0.0
        counts = False  # whether the strategy's last decision may still be taken up
        for t in range(n_bars):
            if np.isnan(bars.close[t, symbol]):
                continue
            if not hysteresis:
                is_open = before > 600
            elif is_open:
                is_open = not before < 300
            else:
                is_open = before > 600
            before = bars.volume[t, symbol]
            if t < first:
                continue
            speaks = (t, symbol) in wanted
            want = wanted.get((t, symbol), want)
            was = held
            if is_open:
                counts = speaks or counts or resume
                if counts:
                    held = want
            elif closed == "flat" or speaks:
                held, counts = 0.0, False
            if held != was:
                expected[t, symbol] = held
    assert by_place(decisions) == expected


def test_the_signal_of_a_filter_says_whether_it_was_the_gate() -> None:
    params = {
        "strategy": {"name": "in", "type": "rules", "params": {"entry": "close > 5"}},
        "open_when": "volume < 10",
    }
    bars = bars_of([6, 6, 6, 6], volume=[50, 5, 50, 5])
    decisions = decided("filter", params, bars, 0)
    assert decisions.bar.tolist() == [1, 2, 3]
    assert decisions.target.tolist() == [1.0, 0.0, 1.0]
    assert decisions.rule == ("gate opens", "gate closes", "gate opens")
    assert decisions.evidence["in"].tolist() == [1.0, 1.0, 1.0]
    assert decisions.evidence["gate"].tolist() == [1.0, 0.0, 1.0]
    assert decisions.evidence["volume"].tolist() == [5.0, 50.0, 5.0]


def test_a_member_can_be_the_name_of_a_strategy_of_the_configuration() -> None:
    bars = random_bars(3, 60, "A", gaps=False)
    by_name = decided("ensemble", {"members": ["mine", UP], "quorum": 1}, bars, 0, mine=CROSS)
    in_place = decided("ensemble", {"members": [{**CROSS, "name": "mine"}, UP], "quorum": 1}, bars, 0)
    assert by_place(by_name) == by_place(in_place)
    assert by_name.rule == in_place.rule


def test_rules_of_members_name_the_members_features() -> None:
    nested = {"name": "inner", "type": "ensemble", "params": {"members": [CROSS, UP]}}
    strategy = build("ensemble", {"members": [nested]}, {})
    assert "inner.cross.fast" in strategy.required_features()
    rules = strategy.rules()
    assert rules["inner: cross: fast crosses above slow"] == "crosses_above(inner.cross.fast, inner.cross.slow)"
    assert rules["inner: up: enter_long"] == "close > open"


SOUND = """\
data: {path: data/sp500_daily.csv, symbols: [SPX]}
features: {rsi: {type: RSI}}
strategies:
  - name: trend
    type: sma_crossover
  - name: both
    type: ensemble
    params:
      members:
        - trend
        - {name: dips, type: rules, params: {entry: rsi < 30, exit: "rsi > 60"}}
  - name: gated
    type: filter
    params: {strategy: both, open_when: rsi > 20}
risk_profiles:
  - {name: base, sizing: {type: percent_equity, percent: 0.95}}
"""


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "- trend\n",
            "- tren\n",
            "c.yaml:10:11: strategies[1].params.members[0]: must be a strategy of this configuration other than itself "
            "(got tren); did you mean trend?",
        ),
        ("- trend\n", "- both\n", "strategies[1].params.members[0]: must be a strategy of this configuration other"),
        (
            "entry: rsi < 30",
            "entry: rsi << 30",
            "c.yaml:11:58: strategies[1].params.members[1].params.entry: '<' is not expected here (got rsi << 30)",
        ),
        (
            "entry: rsi < 30",
            "entry: rsj < 30",
            "c.yaml:11:53: strategies[1].params.members[1].params.entry: 'rsj' is neither a bar column nor a feature "
            "(got rsj < 30); did you mean rsi?",
        ),
        (
            "type: rules, params",
            "type: rule, params",
            "c.yaml:11:30: strategies[1].params.members[1].type: must be a strategy that `admf strategies list` shows "
            "(got rule); did you mean rules?",
        ),
        ("name: dips, type", "nam: dips, type", "members[1].nam: unknown parameter; did you mean name?"),
        ("name: dips, type", "name: trend, type", "members[1]: two members bear the name trend: give one another name"),
        ('exit: "rsi > 60"', 'exiit: "rsi > 60"', "members[1].params.exiit: unknown parameter; did you mean"),
        ("strategy: both", "strategy: 5", "strategies[2].params.strategy: must be a strategy: the name of one"),
        ("strategy: both, ", "", "strategies[2].params.strategy: is required and must be a strategy"),
        ("rsi > 20", "rsi >", "c.yaml:14:46: strategies[2].params.open_when: ends where a value is expected"),
    ],
)
def test_a_mistake_in_a_member_is_answered_at_its_place(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in SOUND
    (tmp_path / "c.yaml").write_text(SOUND.replace(before, after))
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    assert message in str(caught.value).replace(str(tmp_path) + "/", "")


def test_strategies_that_name_each_other_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(SOUND.replace("- trend\n", "- gated\n"))
    with pytest.raises(ConfigError, match="faults of its own"):
        load_config(tmp_path / "c.yaml")


def test_members_of_members_without_end_are_a_fault() -> None:
    others = {
        f"s{level}": {
            "name": f"s{level}",
            "type": "ensemble",
            "params": {
                "members": [
                    {"name": side, "type": "ensemble", "params": {"members": [f"s{level + 1}"]}} for side in ("a", "b")
                ]
            },
        }
        for level in range(40)
    } | {"s40": {"name": "s40", "type": "buy_and_hold"}}
    with pytest.raises(ParameterError, match=r"1,000 members|faults of its own"):
        build("ensemble", others["s0"]["params"], {}, others)


USER = """
import numpy as np

class Rising:
    def targets(self, bars, features):
        wanted = np.full(bars.close.shape, np.nan)
        wanted[1:] = bars.close[1:] > bars.close[:-1]
        return wanted

class Orders:
    def on_bar(self, ctx):
        pass
"""


def with_user_class(tmp_path: Path, name: str) -> Block:
    (tmp_path / "mine.py").write_text(USER)
    return {
        "data": {
            "source": "synthetic", "symbols": ["X"], "start": "2020-01-01", "timeframe": "1d", "synthetic": {"bars": 60}
        },
        "strategies": [
            {"name": "mine", "type": "python", "path": f"{tmp_path}/mine.py:{name}"},
            {
                "name": "rising",
                "type": "rules",
                "params": {"entry": "close > lag(close, 1)", "exit": "close <= lag(close, 1)"},
            },
            {"name": "one", "type": "ensemble", "params": {"members": ["mine"]}},
            {"name": "gated", "type": "filter", "params": {"strategy": "mine", "open_when": "true"}},
        ],
        "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
        "execution": {"trace_settings": {"max_events": None, "persist_to_disk": False}},
        "results": {"write": False},
    }  # fmt: skip


def test_a_class_of_one_s_own_that_decides_over_columns_can_be_a_member(tmp_path: Path) -> None:
    result = run_backtest(with_user_class(tmp_path, "Rising"))
    signals: dict[str, list[Any]] = {}
    for trace in result.phases[0].traces:
        for event in trace.events:
            if event["event_type"] == "SIGNAL":
                said = (event["timestamp"], event["payload"]["target"])
                signals.setdefault(event["payload"]["strategy"], []).append(said)
                if event["payload"]["strategy"] == "one":
                    assert event["payload"]["rule"] == "mine"
    assert len(signals["rising"]) > 10
    assert signals["one"] == signals["gated"] == signals["rising"]
    assert signals["mine"] == signals["rising"]


def test_a_class_that_sends_orders_bar_by_bar_cannot_be_a_member(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a member can name a python strategy that has targets"):
        run_backtest(with_user_class(tmp_path, "Orders"))


def test_defaults_of_members_are_filled_in(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(SOUND)
    members = load_config(tmp_path / "c.yaml").values["strategies"][1]["params"]["members"]
    assert members[0] == "trend"
    assert members[1]["params"]["timezone"] == "UTC"
