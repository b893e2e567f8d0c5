"""What a strategy may ask for: orders that contradict themselves end the run with the rule and the strategy's line."""

from __future__ import annotations

from pathlib import Path

import pytest

from admf_cli import run_backtest
from admf_cli.errors import AdmfError

CONFIG = {
    "data": {"source": "synthetic", "symbols": ["A", "B"], "synthetic": {"bars": 30}},
    "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
    "execution": {"enable_event_tracing": False},
    "results": {"write": False},
}


def run(source: str, folder: Path) -> None:
    (folder / "my.py").write_text(source)
    run_backtest({**CONFIG, "strategies": [{"name": "s", "type": "python", "path": f"{folder / 'my.py'}:S"}]})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("ctx.sell(1, symbol='A', trail=1, trail_percent=0.1)", "either trail or trail_percent"),
        ("ctx.buy(1, symbol='A', at_close=True, limit=5)", "at_close goes with no other price"),
        ("ctx.buy(1, symbol='A', trail=1, limit=5)", "a trailing stop takes neither limit nor stop"),
        ("ctx.buy(1, symbol='A', time_in_force='GTX')", "time_in_force must be one of"),
        ("ctx.buy(1, symbol='A', time_in_force='GTD')", "GTD and good_till belong together"),
        ("ctx.buy(1, symbol='A', time_in_force='DAY', good_till=3)", "GTD and good_till belong together"),
        ("ctx.buy(1, symbol='A', good_till=0)", "good_till must be at least 1 bar"),
        ("ctx.buy(1, symbol='A', good_till='soon')", "good_till must be a number of bars, a datetime or an ISO time"),
        ("ctx.buy(1, symbol='A', good_till=[1])", "good_till must be a number of bars"),
        ("ctx.buy(1, symbol='A', good_till=True)", "good_till must be a number of bars"),
        ("ctx.buy(0, symbol='A')", "above 0"),
        ("ctx.buy(-1, symbol='A')", "above 0"),
        ("ctx.buy(float('nan'), symbol='A')", "finite"),
        ("ctx.buy(float('inf'), symbol='A')", "finite"),
        ("ctx.buy('1', symbol='A')", "number"),
        ("ctx.buy(1, symbol='C')", "C"),
        ("ctx.buy(1)", "symbol"),
        ("ctx.orders('C')", "no symbol 'C'"),
        ("ctx.buy(1, symbol='A', limit=-5)", "above 0"),
        ("ctx.buy(1, symbol='A', at_close='no')", "must be True or False"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused_with_the_strategy_s_line(
    call: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(AdmfError, match=said) as caught:
        run(f"class S:\n    def on_bar(self, ctx):\n        {call}\n", tmp_path)
    assert caught.value.exit_code == 4
    assert "my.py:3" in str(caught.value)


def test_the_bracket_of_a_target_may_lie_either_way_and_orders_are_asked_for_by_symbol(tmp_path: Path) -> None:
    # Whether it buys or sells is known only when it meets the position, so neither price can be on the wrong side yet.
    body = """
        if ctx.bar == 0:
            ctx.target('A', quantity=2, stop_loss=1e6, take_profit=1e-6)
            assert [order.symbol for order in ctx.orders('A')] == []
        if ctx.bar == 1: ctx.buy(1, symbol='B', limit=1e-6)
        if ctx.bar == 2: assert [order.symbol for order in ctx.orders('B')] == ['B'] and ctx.orders('A') == ()
"""
    run(f"class S:\n    def on_bar(self, ctx):{body}", tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("features = 5", "features must be a mapping of name to section"),
        ("features = {'x': 5}", r"must be a mapping such as"),
        ("features = {'x': {'type': 'NOPE'}}", "features"),
        ("features = {'x': {'type': 'SMA', 'timeperiod': -1}}", "features"),
    ],
)
def test_features_of_its_own_must_be_sections_of_a_configuration(line: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AdmfError, match=said):
        run(f"class S:\n    {line}\n    def on_bar(self, ctx):\n        pass\n", tmp_path)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("np.zeros(7)", "shape"),
        ("np.zeros((30, 3))", "shape"),
        ("np.full((30, 2), 'x')", "number|numeric|float"),
        ("None", "must return shape"),
        ("np.full((30, 2), np.inf)", "finite|inf"),
        ("np.full((30, 2), 7.0)", "7|-1, 0"),
        ("bars.close.__setitem__(0, 5)", "read-only"),
        ("features['x'].__setitem__(0, 5)", "x|read-only"),
    ],
)
def test_columns_of_the_wrong_shape_or_kind_and_changed_inputs_end_the_run(
    returned: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(AdmfError, match=said) as caught:
        run(
            f"import numpy as np\nclass S:\n    def targets(self, bars, features):\n        return {returned}\n",
            tmp_path,
        )
    assert caught.value.exit_code == 4
    assert "my.py" in str(caught.value)
