"""Hand-computed cases of units, prices on the grid, reversals, who comes first, and what follows a stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from tests.engine.table import FLAT, Bar, entry, fills, limit, of_type, run

UP: Bar = (110.0, 110.0, 110.0, 110.0)
DOWN: Bar = (90.0, 90.0, 90.0, 90.0)


def rules(**params: str | bool) -> dict[str, Any]:
    return {"type": "rules", "params": params}


def python(folder: Path, on_bar: str) -> dict[str, Any]:
    (folder / "my.py").write_text(f"class S:\n    def on_bar(self, ctx):\n        {on_bar}\n")
    return {"type": "python", "path": f"{folder / 'my.py'}:S"}


def test_a_reversal_is_one_order_that_pays_its_minimum_once(tmp_path: Path) -> None:
    # 0.1 % of 10 x 100 is 1, so 3; the reversal sells 20 at 110: 2.2, so 3 again, not 6
    costs = {"commission": {"type": "percent", "rate": 0.001, "minimum": 3}}
    both = rules(enter_long="close == 100", enter_short="close == 110")
    found = of_type(run(tmp_path, [FLAT, FLAT, UP, UP], strategy=both, **costs), "FILL")
    assert [(fill["purpose"], fill["quantity"], fill["price"], fill["commission"]) for fill in found] == [
        ("entry", 10.0, 100.0, 3.0),
        ("reversal", 20.0, 110.0, 3.0),
    ]


def test_the_first_in_line_gets_the_cash(tmp_path: Path) -> None:
    # 1,500 pay for 10 x 100 of A; 500 are left for B, which needs 1,000
    events = run(tmp_path, [FLAT, FLAT], capital=1_500.0, symbols=["A", "B"])
    (reject,) = of_type(events, "REJECT")
    assert [event["symbol"] for event in events if event["event_type"] == "FILL"] == ["A"]
    assert (reject["reason"], reject["needed"], reject["available"]) == ("no_cash", 1_000.0, 500.0)


def test_a_sale_pays_for_a_purchase_at_the_same_open_though_it_was_sent_later(tmp_path: Path) -> None:
    step = "ctx.buy(10, 'A') if ctx.bar == 0 else [ctx.buy(10, 'B'), ctx.sell(10, 'A')] if ctx.bar == 1 else None"
    events = run(tmp_path, [FLAT] * 3, capital=1_000.0, symbols=["A", "B"], strategy=python(tmp_path, step))
    filled = [(event["symbol"], event["payload"]["side"]) for event in events if event["event_type"] == "FILL"]
    assert filled == [("A", "buy"), ("A", "sell"), ("B", "buy")]


def test_a_short_position_gains_what_the_price_loses(tmp_path: Path) -> None:
    # sold 10 at 100: cash 11,000; at 90 the position is worth -900: equity 10,100; bought back at 90: the same in cash
    short = rules(enter_short="close == 100", exit_short="close == 90")
    events = run(tmp_path, [FLAT, FLAT, DOWN, DOWN], strategy=short)
    assert [update["equity"] for update in of_type(events, "PORTFOLIO_UPDATE")] == [10_000.0, 10_100.0]
    (trade,) = of_type(events, "POSITION_CLOSE")[0]["trades"]
    assert (trade["direction"], trade["pnl"], trade["return"]) == ("short", 100.0, pytest.approx(0.1))


def test_a_point_of_a_future_is_worth_its_multiplier(tmp_path: Path) -> None:
    # 10 x 100 x 50 = 50,000, of which 0.1 % are 50; a point more: 10 x 1 x 50 = 500 of gain
    costs = {"commission": {"type": "percent", "rate": 0.001}}
    bars = [FLAT, (100.0, 101.0, 100.0, 101.0)]
    events = run(tmp_path, bars, capital=100_000.0, instrument={"multiplier": 50.0}, **costs)
    (fill,) = of_type(events, "FILL")
    assert (fill["value"], fill["commission"]) == (50_000.0, 50.0)
    assert of_type(events, "PHASE_END")[-1]["equity"] == 100_450.0


@pytest.mark.parametrize(
    ("bars", "parts", "expected"),
    [
        # a stop-loss of 5.1 % under 100 is 94.9: 94.75, the next tick that is worse
        ([FLAT, FLAT, (100, 100, 94, 95)], {"profile": {"stop_loss": 0.051}}, [(2, "stop_loss", 94.75)]),
        # low 94.8 meets 94.9, and not 94.75
        ([FLAT, FLAT, (100, 100, 94.8, 95)], {"profile": {"stop_loss": 0.051}}, []),
        # a take-profit of 5.1 % is 105.1: 105.25, no worse than asked for
        ([FLAT, FLAT, (100, 106, 100, 105)], {"profile": {"take_profit": 0.051}}, [(2, "take_profit", 105.25)]),
        # trailing 5 %: 95 at first, 103.3 x 0.95 = 98.135 after the close of 103.3, met at 98
        (
            [FLAT, (100, 104, 100, 103.3), (103, 103, 97, 99)],
            {"profile": {"trailing_stop": 0.05}},
            [(2, "trailing_stop", 98.0)],
        ),
    ],
)
def test_prices_of_protection_lie_on_the_tick_grid(
    tmp_path: Path, bars: list[Bar], parts: dict[str, Any], expected: list[Any]
) -> None:
    found = fills(run(tmp_path, bars, instrument={"tick_size": 0.25}, **parts))
    assert found == [(1, "entry", 100.0), *expected]


def test_prices_of_entries_lie_on_the_tick_grid(tmp_path: Path) -> None:
    # 2.1 % under 100 is 97.9: a limit of 97.75
    order = {**limit()["entry"], "limit_offset": -0.021}
    events = run(tmp_path, [FLAT, (98, 98, 97, 98)], orders={"entry": order}, instrument={"tick_size": 0.25})
    assert fills(events) == [(1, "entry", 97.75)]


def test_quantities_have_eight_decimals_where_lots_do(tmp_path: Path) -> None:
    # 1 % of 10,000 at 33,333 = 0.0030000300003…: rounded down to 0.00300003
    price = 33_333.0
    sizing = {"sizing": {"type": "percent_equity", "percent": 0.01}}
    events = run(tmp_path, [(price,) * 4] * 2, profile=sizing, instrument={"lot_size": 1e-8})
    assert [fill["quantity"] for fill in of_type(events, "FILL")] == [0.00300003]


def test_a_weight_trades_the_difference_to_what_is_held(tmp_path: Path) -> None:
    weights = {"type": "target_weights", "params": {"weights": {"X": 0.5}, "rebalance": "daily"}}
    high: Bar = (125.0, 125.0, 125.0, 125.0)
    events = run(tmp_path, [FLAT, high, FLAT, FLAT], strategy=weights)
    # decided at 100: 50 % of 10,000 are 50 units, bought at 125: cash 3,750, equity 10,000 at that close;
    # 5,000 / 125 = 40, so 10 are sold, at 100: cash 4,750, equity 8,750; 4,375 / 100 = 43 whole lots, so 3 are bought
    assert [(fill["side"], fill["quantity"], fill["price"]) for fill in of_type(events, "FILL")] == [
        ("buy", 50.0, 125.0),
        ("sell", 10.0, 100.0),
        ("buy", 3.0, 100.0),
    ]


def test_after_a_stop_entries_wait_for_the_cooldown(tmp_path: Path) -> None:
    # stopped at bar 2; two bars without entries: the signals of bars 2 and 3 are refused, that of bar 4 fills at 5
    profile = {"stop_loss": 0.05, "cooldown": 2}
    always = rules(enter_long="close >= 90", repeat=True)
    bars: list[Bar] = [FLAT, FLAT, DOWN, DOWN, DOWN, DOWN]
    events = run(tmp_path, bars, strategy=always, profile=profile)
    assert fills(events) == [(1, "entry", 100.0), (2, "stop_loss", 90.0), (5, "entry", 90.0)]
    left = [reject["bars_left"] for reject in of_type(events, "REJECT") if reject["reason"] == "cooldown"]
    assert left == [2, 1]


@pytest.mark.parametrize(
    ("lifetime", "filled", "reason"),
    [
        # 0.4 % of a volume of 1,000 are 4 of 10 a bar
        ("GTC", [4.0, 4.0, 2.0], None),
        ("DAY", [4.0], "day_end"),
        ("IOC", [4.0], "ioc_unfilled"),
        ("FOK", [], "fok_unfilled"),
    ],
)
def test_what_exceeds_the_volume_ends_by_its_time_in_force(
    tmp_path: Path, lifetime: str, filled: list[float], reason: str | None
) -> None:
    events = run(tmp_path, [FLAT] * 5, participation=0.004, orders=entry(type="market", time_in_force=lifetime))
    assert [fill["quantity"] for fill in of_type(events, "FILL")] == filled
    ended = of_type(events, "CANCEL") + of_type(events, "EXPIRE")
    assert [(end["reason"], end["remaining"]) for end in ended] == ([(reason, 10.0 - sum(filled))] if reason else [])


def test_a_trailing_reversal_whose_position_is_stopped_out_goes_on_trailing_as_an_entry(tmp_path: Path) -> None:
    # Bought 10 % over 100, at 110; at 112 a reversal is sent, 10 % under it: 100.8; the stop-loss at 104.5 comes first.
    # What it would have opened trails on from 100.8, not from 10 % under the close of 104, which 100 would not meet.
    bars = [FLAT, (106, 112, 106, 112), (106, 106, 104, 104), (104, 104, 100, 100)]
    orders = {"entry": {"type": "trailing_stop", "trail_percent": 0.1}}
    both = rules(enter_long="close == 100 and first_bar", enter_short="close == 112")
    events = run(tmp_path, bars, strategy=both, orders=orders, profile={"stop_loss": 0.05})
    assert [(bar, purpose, round(price, 9)) for bar, purpose, price in fills(events)] == [
        (1, "entry", 110.0),
        (2, "stop_loss", 104.5),
        (3, "entry", 100.8),
    ]
    assert of_type(events, "PHASE_END")[-1]["positions"]["X"]["quantity"] == -10.0


def test_a_size_by_volatility_is_measured_on_the_symbol_s_own_bars(tmp_path: Path) -> None:
    closes = [100.0, 103.0, 99.0, 104.0, 98.0, 105.0, 101.0]
    rows = [f"2020-01-{day:02d},{close},{close},{close},{close},1000\n" for day, close in enumerate(closes, start=1)]
    other = [f"2020-01-{day:02d},50,51,49,50,1000\n" for day in (1, 2, 5, 9, 10, 12, 13)]
    head = "timestamp,open,high,low,close,volume\n"
    (tmp_path / "A.csv").write_text(head + "".join(rows))
    (tmp_path / "B.csv").write_text(head + "".join(other))

    def bought(*symbols: str) -> list[float]:
        result = run_backtest(
            {
                "data": {"path": {name: str(tmp_path / f"{name}.csv") for name in symbols}, "periods_per_year": 252},
                "strategies": [{"name": "s", "symbols": ["A"], **rules(enter_long="close == 105")}],
                "risk_profiles": [{"name": "r", "sizing": {"type": "volatility_target", "target": 0.2, "period": 4}}],
                "execution": {"trace_settings": {"persist_to_disk": False}},
                "results": {"write": False},
            }
        )
        traced = [event for trace in result.phases[0].traces for event in trace.events]
        return [event["payload"]["quantity"] for event in traced if event["event_type"] == "FILL"]

    assert bought("A", "B") == bought("A") != []
