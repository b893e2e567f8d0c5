"""A class that is called at every bar: what its orders do, bar by bar, by hand; what it is told; what it may not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admf_cli import run_backtest
from admf_cli.errors import ConfigError, RunFailedError
from admf_cli.results import RunResult

from .conftest import Run, config_of, events_of, write_days

Bar = tuple[float, float, float, float]  # open, high, low, close
FLAT: Bar = (100.0, 100.0, 100.0, 100.0)
END = ("CANCEL", "EXPIRE", "REJECT")


def script(folder: Path, bars: list[Bar], steps: dict[int, str], **parts: Any) -> list[dict[str, Any]]:
    """Run statements at the bars they are numbered with, each seeing `ctx` and `self`; return all events but BARs."""
    body = "".join(f"        if ctx.bar == {bar}: {step}\n" for bar, step in steps.items())
    (folder / "my.py").write_text(f"class S:\n    def on_bar(self, ctx):\n        pass\n{body}")
    config = config_of(folder, "S", **parts)
    config["data"] = {"path": str(write_days(folder / "bars.csv", bars)), "symbols": ["X"], "timeframe": "1d"}
    return [event for event in events_of(run_backtest(config)) if event["event_type"] not in ("BAR", "FEATURE")]


def fills(events: list[dict[str, Any]]) -> list[tuple[int, str, float, float]]:
    """Return (bar, purpose, signed quantity, price) of every fill."""
    return [
        (
            e["sequence"] >> 20,
            e["payload"]["purpose"],
            e["payload"]["quantity"] * (1 if e["payload"]["side"] == "buy" else -1),
            e["payload"]["price"],
        )
        for e in events
        if e["event_type"] == "FILL"
    ]


def ends(events: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    """Return (bar, type, reason) of everything that ended without a fill."""
    return [(e["sequence"] >> 20, e["event_type"], e["payload"]["reason"]) for e in events if e["event_type"] in END]


LATER = [(101.0, 104.0, 97.0, 102.0), (102.0, 106.0, 101.0, 105.0), (100.0, 101.0, 90.0, 91.0)]

ORDERS: dict[str, tuple[str, list[tuple[int, str, float, float]]]] = {
    "market": ("ctx.buy(10)", [(1, "entry", 10, 101.0)]),
    "the profile's size": ("ctx.buy()", [(1, "entry", 10, 101.0)]),
    "short": ("ctx.sell(3)", [(1, "entry", -3, 101.0)]),
    "limit, touched": ("ctx.buy(10, limit=97)", [(1, "entry", 10, 97.0)]),
    "limit, sold": ("ctx.sell(10, limit=106)", [(2, "entry", -10, 106.0)]),
    "stop": ("ctx.buy(10, stop=103)", [(1, "entry", 10, 103.0)]),
    "stop, gapped": ("ctx.sell(10, stop=100.5)", [(1, "entry", -10, 100.5)]),
    "stop-limit": ("ctx.buy(10, stop=103, limit=103.5)", [(1, "entry", 10, 103.0)]),
    # from the close 100, 5 below: 95; closes 102 and 105 lift it to 97 and 100; bar 3 opens at 100
    "trailing stop": ("ctx.sell(10, trail=5)", [(3, "entry", -10, 100.0)]),
    # 4 % below 100, 102, 105: 96, 97.92, 100.8; bar 3 opens below, at 100
    "trailing percent": ("ctx.sell(10, trail_percent=0.04)", [(3, "entry", -10, 100.0)]),
    "at the close": ("ctx.buy(10, at_close=True)", [(1, "entry", 10, 102.0)]),
    "bracket, profit": (
        "ctx.buy(10, stop_loss=95, take_profit=105.5)",
        [(1, "entry", 10, 101.0), (2, "take_profit", -10, 105.5)],
    ),
    "bracket, loss": ("ctx.buy(10, stop_loss=98)", [(1, "entry", 10, 101.0), (1, "stop_loss", -10, 98.0)]),
    "bracket of a short": ("ctx.sell(10, stop_loss=103)", [(1, "entry", -10, 101.0), (1, "stop_loss", 10, 103.0)]),
    "target units": ("ctx.target(quantity=-4)", [(1, "entry", -4, 101.0)]),
    # half of 100,000 at 100 = 500 units
    "target weight": ("ctx.target(weight=0.5)", [(1, "entry", 500, 101.0)]),
    "two at once": (
        "ctx.buy(1, limit=97); ctx.buy(2, limit=95); ctx.sell(3, limit=106)",
        [(1, "entry", 1, 97.0), (2, "entry", -3, 106.0), (3, "entry", 2, 95.0)],
    ),
    "one cancels the other": (
        'ctx.buy(1, limit=97, oco="a"); ctx.buy(2, limit=95, oco="a")',
        [(1, "entry", 1, 97.0)],
    ),
}


@pytest.mark.parametrize(("step", "expected"), ORDERS.values(), ids=ORDERS.keys())
def test_an_order_fills_where_the_rules_say(step: str, expected: list[Any], tmp_path: Path) -> None:
    assert fills(script(tmp_path, [FLAT, *LATER], {0: step})) == expected


ENDINGS: dict[str, tuple[dict[int, str], list[tuple[int, str, str]]]] = {
    "day": ({0: 'ctx.buy(1, limit=92, time_in_force="DAY")'}, [(2, "EXPIRE", "day_end")]),
    "immediate": ({0: 'ctx.buy(1, limit=92, time_in_force="IOC")'}, [(1, "CANCEL", "ioc_unfilled")]),
    "kill": ({0: 'ctx.buy(1, limit=92, time_in_force="FOK")'}, [(1, "CANCEL", "fok_unfilled")]),
    "two bars": ({0: "ctx.buy(1, limit=92, good_till=2)"}, [(3, "EXPIRE", "gtd_reached")]),
    "until": ({0: 'ctx.buy(1, limit=92, good_till="2020-01-02")'}, [(2, "EXPIRE", "gtd_reached")]),
    "the end": ({0: "ctx.buy(1, limit=80)"}, [(3, "EXPIRE", "end_of_data")]),
    "cancelled": ({0: "self.t = ctx.buy(1, limit=92)", 1: "ctx.cancel(self.t)"}, [(1, "CANCEL", "by_strategy")]),
    "cancelled at once": ({0: "ctx.cancel(ctx.buy(1, limit=92))"}, [(0, "CANCEL", "by_strategy")]),
    "cancelled by what works": (
        {0: "ctx.buy(1, limit=92)", 1: "[ctx.cancel(o) for o in ctx.orders()]"},
        [(1, "CANCEL", "by_strategy")],
    ),
    "cancelled with its bracket": (
        {0: "self.t = ctx.buy(1, stop_loss=80, take_profit=120)", 1: "ctx.cancel(self.t)"},
        [(1, "CANCEL", "by_strategy"), (1, "CANCEL", "by_strategy")],
    ),
    "cancelled too late": ({0: "self.t = ctx.buy(1)", 1: "ctx.cancel(self.t)"}, [(1, "REJECT", "no_order")]),
    "nothing to close": ({0: "ctx.close()"}, [(0, "REJECT", "no_position")]),
    "already there": ({0: "ctx.target(quantity=0)"}, [(0, "REJECT", "no_change")]),
    "less than a lot": ({0: "ctx.buy(0.5)"}, [(0, "REJECT", "lot_too_small")]),
    "no cash": ({0: "ctx.buy(5000)"}, [(1, "REJECT", "no_cash")]),
    "reduces what is not there": ({0: "ctx.sell(1, reduce_only=True)"}, [(1, "CANCEL", "nothing_to_close")]),
}


@pytest.mark.parametrize(("steps", "expected"), ENDINGS.values(), ids=ENDINGS.keys())
def test_an_order_ends_with_its_reason(steps: dict[int, str], expected: list[Any], tmp_path: Path) -> None:
    events = script(tmp_path, [FLAT, *LATER], steps)
    assert ends(events) == expected
    _every_request_is_answered_and_every_order_ends_once(events)


def _every_request_is_answered_and_every_order_ends_once(events: list[dict[str, Any]]) -> None:
    answered = {e["causation_id"] for e in events if e["event_type"] in ("ORDER", "CANCEL", "REJECT")}
    assert {e["event_id"] for e in events if e["event_type"] == "SIGNAL"} <= answered
    done = [e["payload"]["order_id"] for e in events if e["event_type"] == "FILL" and not e["payload"]["remaining"]]
    done += [e["payload"]["order_id"] for e in events if e["event_type"] in END and "order_id" in e["payload"]]
    orders = [e["event_id"] for e in events if e["event_type"] == "ORDER"]
    assert sorted(done) == sorted(orders)


def test_working_orders_outlive_a_position_and_protections_do_not(tmp_path: Path) -> None:
    steps = {0: "ctx.buy(10, stop_loss=90, take_profit=120); ctx.buy(5, limit=90.5)", 1: "ctx.close()"}
    events = script(tmp_path, [FLAT, *LATER], steps)
    assert fills(events) == [(1, "entry", 10, 101.0), (2, "exit", -10, 102.0), (3, "entry", 5, 90.5)]
    assert [end[2] for end in ends(events)] == ["position_closed", "position_closed"]


def test_a_stop_loss_is_moved_and_still_hangs_on_its_position_and_its_pair(tmp_path: Path) -> None:
    # in at 101 with 90 and 120; after the close of 102 the stop goes to 100.5: bar 3 opens beyond it, at 100
    move = "[ctx.replace(o, stop=100.5) for o in ctx.orders() if o.purpose == 'stop_loss']"
    steps = {0: "self.t = ctx.buy(10, stop_loss=90, take_profit=120)", 1: move}
    events = script(tmp_path, [FLAT, *LATER], steps)
    assert fills(events) == [(1, "entry", 10, 101.0), (3, "stop_loss", -10, 100.0)]
    assert ends(events) == [(1, "CANCEL", "replaced"), (3, "CANCEL", "position_closed")]
    _every_request_is_answered_and_every_order_ends_once(events)
    orders = [event for event in events if event["event_type"] == "ORDER"]
    old, new = orders[1], orders[3]
    assert (new["payload"]["replaces"], new["correlation_id"]) == (old["event_id"], old["correlation_id"])
    assert {**new["payload"], "order_id": 0, "stop_price": 0, "replaces": 0} == {
        **old["payload"],
        "order_id": 0,
        "stop_price": 0,
        "replaces": 0,
    }


@pytest.mark.parametrize(
    ("steps", "expected", "ended"),
    [
        # a limit raised after the first bar to the low of the second
        ({0: "self.t = ctx.buy(1, limit=92)", 1: "ctx.replace(self.t, limit=101)"}, [(2, "entry", 1, 101.0)], 1),
        # in the same bar, twice: the ticket stays good
        (
            {0: "t = ctx.buy(1, limit=92); ctx.replace(t, limit=95); ctx.replace(t, limit=97.5)"},
            [(1, "entry", 1, 97.5)],
            2,
        ),
        # its lifetime goes on: two bars from the first
        ({0: "self.t = ctx.buy(1, limit=80, good_till=2)", 1: "ctx.replace(self.t, limit=91)"}, [], 2),
        # both prices of a stop-limit
        (
            {0: "self.t = ctx.buy(1, stop=120, limit=121)", 1: "ctx.replace(self.t, stop=104, limit=105)"},
            [(2, "entry", 1, 104.0)],
            1,
        ),
    ],
)
def test_an_order_is_replaced_by_one_of_other_prices(
    steps: dict[int, str], expected: list[Any], ended: int, tmp_path: Path
) -> None:
    events = script(tmp_path, [FLAT, *LATER], steps)
    assert fills(events) == expected
    assert len(ends(events)) == ended
    _every_request_is_answered_and_every_order_ends_once(events)


def test_a_stop_of_the_profile_protects_what_brings_none_of_its_own(tmp_path: Path) -> None:
    profile = {"stop_loss": 0.02, "take_profit": 0.02}
    events = script(tmp_path, [FLAT, *LATER], {0: "ctx.buy(10)"}, profile=profile)
    assert fills(events)[1] == (1, "stop_loss", -10, 101 * 0.98)  # both inside the bar: the stop
    own = script(tmp_path, [FLAT, *LATER], {0: "ctx.buy(10, stop_loss=96)"}, profile=profile)
    assert fills(own)[1] == (1, "take_profit", -10, 101 * 1.02)


def test_prices_go_to_the_tick_grid_no_better_for_stops_no_worse_for_limits(tmp_path: Path) -> None:
    parts = {"instruments": {"X": {"tick_size": 0.5, "lot_size": 2}}}
    step = "ctx.buy(5, limit=97.7); ctx.buy(3, stop=103.2); ctx.sell(5, limit=105.8)"
    events = script(tmp_path, [FLAT, *LATER], {0: step}, **parts)
    assert fills(events) == [(1, "entry", 2, 103.5), (1, "entry", 4, 97.5), (2, "entry", -4, 106.0)]


def test_limits_of_the_profile_cut_or_refuse_what_adds_to_a_position(tmp_path: Path) -> None:
    cut = script(tmp_path, [FLAT, *LATER], {0: "ctx.buy(900)"}, profile={"max_position_size": 0.5})
    assert fills(cut) == [(1, "entry", 500, 101.0)]
    assert [e["payload"]["rule"] for e in cut if e["event_type"] == "RISK_BREACH"] == ["max_position_size"]
    more = script(tmp_path, [FLAT, *LATER], {0: "ctx.buy(400)", 1: "ctx.buy(400)"}, profile={"max_position_size": 0.5})
    # at 102: equity 100,400, half of it over 102 = 492 units in all
    assert [fill[2] for fill in fills(more)] == [400, 92]


def test_a_drawdown_halts_entries_and_withdraws_those_that_wait(tmp_path: Path) -> None:
    steps = {0: "ctx.buy(900); ctx.buy(50, limit=50); ctx.sell(900, stop=40, reduce_only=True)", 3: "ctx.buy(1)"}
    bars = [FLAT, *LATER, (91.0, 91.0, 45.0, 90.0)]
    events = script(tmp_path, bars, steps, profile={"max_drawdown": 0.05})
    assert (3, "CANCEL", "max_drawdown") in ends(events)
    assert (3, "REJECT", "max_drawdown") in ends(events)
    assert fills(events) == [(1, "entry", 900, 101.0), (4, "max_drawdown", -900, 91.0)]


CALLS = """
class S:
    log = []
    def on_start(self, ctx):
        self.log.append(("start", ctx.position(), len(ctx.history("close"))))
    def on_bar(self, ctx):
        if ctx.bar == 0:
            self.ticket = ctx.buy(10, tag="why")
        if ctx.bar == 1:
            self.log.append(("bar", ctx.position(), ctx.average_price(), ctx.cash, ctx.equity, str(ctx.time)))
    def on_fill(self, ctx, fill):
        self.log.append((ctx.bar, fill.side, fill.quantity, fill.price, fill.remaining, fill.ticket == self.ticket))
    def on_end(self, ctx):
        raise ValueError(repr([*self.log, ctx.orders()]))
"""


def test_it_is_told_of_start_fills_and_end_in_order(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text(CALLS)
    config = config_of(tmp_path, "S")
    bars = write_days(tmp_path / "bars.csv", [FLAT, *LATER])
    config["data"] = {"path": str(bars), "symbols": ["X"], "timeframe": "1d"}
    with pytest.raises(RunFailedError) as caught:
        run_backtest(config)
    expected = [
        ("start", 0.0, 0),
        (1, "buy", 10.0, 101.0, 0.0, True),
        ("bar", 10.0, 101.0, 98990.0, 100010.0, "2020-01-02 00:00:00+00:00"),  # 100,000 - 10 x 101; + 10 x 102
        (),
    ]
    assert repr(expected) in str(caught.value)


CROSSING = """
class S:
    features = {"fast": {"type": "SMA", "timeperiod": 5}, "slow": {"type": "SMA", "timeperiod": 20}}
    def on_bar(self, ctx):
        fast, slow = ctx.history("fast", last=2), ctx.history("slow", last=2)
        if len(slow) < 2 or np.isnan(slow[0]): return
        if fast[0] <= slow[0] and fast[1] > slow[1]: ctx.buy()
        elif fast[0] >= slow[0] and fast[1] < slow[1] and ctx.position(): ctx.close()
"""


def test_the_rules_of_a_built_in_give_its_trades_and_equity(run_class: Run, tmp_path: Path) -> None:
    profile = {"sizing": {"type": "percent_equity", "percent": 0.9}, "stop_loss": 0.05}
    costs = {"commission": {"type": "percent", "rate": 0.001}, "slippage": {"type": "bps", "bps": 2}}
    # A stop may leave the crossing strategy flat where the built-in's signal is an exit of nothing: same trades.
    mine = run_class(CROSSING, profile=profile, execution=costs)
    config = config_of(tmp_path, "S", profile=profile, execution=costs)
    config["strategies"] = [{"name": "s", "type": "sma_crossover", "params": {"fast": 5, "slow": 20}}]
    theirs = run_backtest(config)
    left, right = mine.phases[0].portfolios[0], theirs.phases[0].portfolios[0]
    assert len(left.trades) > 5
    assert [t.pnl for t in left.trades] == [t.pnl for t in right.trades]
    assert left.equity.tobytes() == right.equity.tobytes()


def test_every_portfolio_has_an_instance_and_a_container_of_its_own(tmp_path: Path) -> None:
    source = "class S:\n    def __init__(self): self.n = 0\n    def on_bar(self, ctx):\n        self.n += 1\n"
    (tmp_path / "my.py").write_text(source + "        if self.n == 3: ctx.buy(int(ctx.cash // 1000))\n")
    config = config_of(tmp_path, "S")
    config["risk_profiles"] = [{**config["risk_profiles"][0], "name": name} for name in ("a", "b")]
    events = events_of(run_backtest(config))
    senders = [e["container_id"] for e in events if e["event_type"] == "SIGNAL"]
    assert senders == ["strategy_s_a", "strategy_s_b"]
    orders = [(e["container_id"], e["causation_id"]) for e in events if e["event_type"] == "ORDER"]
    assert orders == [("portfolio_s_a", "strategy_s_a#2"), ("portfolio_s_b", "strategy_s_b#2")]


MISTAKES = {
    "ctx.buy(0)": "quantity must be above 0",
    "ctx.buy(float('nan'))": "quantity must be a finite number",
    "ctx.buy('ten')": "quantity must be a number",
    "ctx.buy(limit=-1)": "limit must be above 0",
    "ctx.buy(limit=100, at_close=True)": "at_close goes with no other price",
    "ctx.buy(trail=1, stop=3)": "takes neither limit nor stop",
    "ctx.buy(trail_percent=2)": "trail_percent must be a fraction",
    "ctx.buy(stop_loss=101, take_profit=99)": "a buy needs stop_loss < entry < take_profit",
    "ctx.sell(limit=100, stop_loss=99)": "a sell needs take_profit < entry < stop_loss",
    "ctx.buy(time_in_force='GTX')": "time_in_force must be one of",
    "ctx.buy(good_till='soon')": "good_till must be a number of bars",
    "ctx.buy(colour='red')": "no such part of an order: colour",
    "ctx.buy(1, 'Y')": "no symbol 'Y'; there are X",
    "ctx.target()": "either quantity=… or weight=…",
    "ctx.buy(1, tag='\\ud800')": "tag must be printable text",
    "ctx.buy(1, oco='')": "oco must be printable text",
    "ctx.cancel('s#1')": "a ticket of its own",
    "ctx.replace('s#1', stop=1)": "a ticket of its own",
    "ctx.replace(ctx.buy(1))": "a new limit, a new stop, or both",
    "ctx.replace(ctx.buy(1), limit=-1)": "limit must be above 0",
    "ctx.value('rsi')": "no feature rsi",
    "ctx.history('close')[0] = 1": "read-only",
    "while True: ctx.buy(1, limit=1)": "more than 10,000 orders and cancellations in one bar",
    "ctx.buy(1, at_close='no')": "at_close must be True or False",
    "ctx.buy(1, reduce_only=0)": "reduce_only must be True or False",
    "ctx.buy(10**400)": "quantity must be a finite number",
    "ctx.history('close', last=0)": "last must be a whole number of bars, 1 or more (got 0)",
    "ctx.history('close', last=2.5)": "last must be a whole number of bars, 1 or more (got 2.5)",
    "ctx.positions": "ctx has no positions; did you mean position?",
    "ctx.symbols = ()": "symbols",
    "raise SystemExit": "sys.exit",
    "1 / 0": "ZeroDivisionError",
    "ctx.bar = 7": "bar",
}


@pytest.mark.parametrize("step", MISTAKES)
def test_a_mistake_ends_the_run_with_its_line_and_bar_and_all_that_was_known(step: str, run_class: Run) -> None:
    source = f"class S:\n    def on_bar(self, ctx):\n        if ctx.bar == 3:\n            {step}\n"
    with pytest.raises(RunFailedError) as caught:
        run_class(source, execution={"trace_settings": {"max_events": 50, "persist_to_disk": False}})
    message = str(caught.value)
    assert MISTAKES[step] in message
    assert "my.py:5 in S.on_bar: " in message
    assert "at bar 3 (2000-01-06T00:00:00Z), strategy_s_r" in message


def test_an_error_in_a_module_beside_the_file_is_told_with_the_line_of_that_module(
    run_class: Run, tmp_path: Path
) -> None:
    (tmp_path / "shares.py").write_text("def part(a):\n    return a / 0  # of nothing\n")
    source = "from shares import part\nclass S:\n    def on_bar(self, ctx): part(ctx.price())\n"
    with pytest.raises(RunFailedError, match=r"shares.py:2 in part: ZeroDiv.*\n    return a / 0  # of nothing\n"):
        run_class(source)


def test_orders_are_refused_from_another_thread(run_class: Run) -> None:
    # When it would run is for the system to say, and so no two runs would be the same.
    source = """
from concurrent.futures import ThreadPoolExecutor
class S:
    def on_bar(self, ctx):
        with ThreadPoolExecutor() as pool:
            assert pool.submit(ctx.price).result() == ctx.price()
            pool.submit(ctx.buy, 1).result()
"""
    with pytest.raises(RunFailedError, match="from the thread that calls on_bar only"):
        run_class(source)


@pytest.mark.parametrize("method", ["on_start", "on_end"])
def test_orders_are_refused_before_the_first_bar_and_after_the_last(method: str, run_class: Run) -> None:
    with pytest.raises(RunFailedError, match="orders can be sent from on_bar and on_fill only"):
        run_class(f"class S:\n    def on_bar(self, ctx): pass\n    def {method}(self, ctx): ctx.buy(1)\n")


def test_a_failed_run_s_trace_is_complete_up_to_the_bar_that_failed(tmp_path: Path) -> None:
    import json

    source = "class S:\n    def on_bar(self, ctx):\n        ctx.buy(1)\n        if ctx.bar == 5: ctx.price('Z')\n"
    (tmp_path / "my.py").write_text(source)
    config = config_of(tmp_path, "S")
    config["execution"]["trace_settings"] = {"trace_dir": str(tmp_path / "traces")}
    with pytest.raises(RunFailedError):
        run_backtest(config, workflow_id="wf")
    folder = tmp_path / "traces" / "wf" / "backtest"
    lines = {p.stem: [json.loads(x) for x in p.read_text().splitlines()] for p in folder.glob("*.jsonl")}
    assert [e["event_type"] for e in lines["data"]] == ["PHASE_START", *["BAR"] * 6]
    assert [e["event_type"] for e in lines["strategy_s_r"]] == ["PHASE_START", *["SIGNAL"] * 6, "ERROR"]
    error = lines["strategy_s_r"][-1]
    assert error["causation_id"] == "data#7"
    assert (error["payload"]["file"], error["payload"]["line"]) == ("my.py", 4)
    assert {json.loads(p.read_text())["status"] for p in folder.glob("*.meta.json")} == {"failed"}


def test_several_symbols_are_named_and_seen_on_their_own_bars(tmp_path: Path) -> None:
    rows = ["timestamp,symbol,open,high,low,close,volume"]
    rows += [f"2020-01-0{day},A,1,1,1,1,5" for day in (1, 2, 4)]
    rows += [f"2020-01-0{day},B,{day},{day},{day},{day},5" for day in (1, 3, 4)]
    (tmp_path / "bars.csv").write_text("\n".join(rows) + "\n")
    source = """
class S:
    def on_bar(self, ctx):
        if ctx.bar == 2:
            seen = (ctx.symbols, ctx.has_bar("A"), ctx.has_bar("B"), list(ctx.history("close", "A")), ctx.price("B"))
            assert seen == (("A", "B"), False, True, [1, 1], 3), seen
            assert [list(row) for row in np.nan_to_num(ctx.matrix("close"))] == [[1, 1], [1, 0], [0, 3]]
            ctx.buy(1, "A")
        if ctx.bar == 1:
            try: ctx.price()
            except ValueError as error: assert "name the symbol: there are A, B" in str(error)
"""
    (tmp_path / "my.py").write_text("import numpy as np\n" + source)
    config = config_of(tmp_path, "S")
    config["data"] = {"path": str(tmp_path / "bars.csv"), "timeframe": "1d"}
    result: RunResult = run_backtest(config)
    events = events_of(result)
    signal = next(e for e in events if e["event_type"] == "SIGNAL")
    bars = {e["event_id"]: e for e in events if e["event_type"] == "BAR"}
    assert bars[signal["causation_id"]]["symbol"] == "B"  # A has no bar then
    assert fills(events) == [(3, "entry", 1, 1.0)]


def test_a_strategy_of_some_symbols_sees_and_trades_those_only(tmp_path: Path) -> None:
    source = """
class S:
    def on_bar(self, ctx):
        if ctx.bar == 3:
            assert ctx.symbols == ("B",) and ctx.matrix("close").shape == (4, 1)
            assert ctx.price() == ctx.history("close", "B")[-1] == ctx.matrix("close")[-1, 0]
            ctx.buy(2)
        if ctx.bar == 4: ctx.buy(1, "A")
"""
    (tmp_path / "my.py").write_text(source)
    config = config_of(tmp_path, "S", data={"symbols": ["A", "B", "C"]})
    config["strategies"][0]["symbols"] = ["B"]
    with pytest.raises(RunFailedError, match="no symbol 'A'; there are B"):
        run_backtest(config)
    (tmp_path / "my.py").write_text(source.replace('"A"', '"B"'))
    filled = [e["symbol"] for e in events_of(run_backtest(config)) if e["event_type"] == "FILL"]
    assert filled == ["B", "B"]


def test_orders_of_the_configuration_mean_nothing_to_it(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text("class S:\n    def on_bar(self, ctx): pass\n")
    config = config_of(tmp_path, "S")
    config["strategies"][0]["orders"] = {"entry": {"type": "market"}}
    with pytest.raises(ConfigError, match="orders has no meaning where on_bar sends them"):
        run_backtest(config)


def test_messages_that_cannot_be_shown_or_written_do_no_harm(run_class: Run) -> None:
    nasty = "class E(Exception):\n    def __str__(self): raise E2()\nclass E2(Exception): pass\n"
    with pytest.raises(RunFailedError, match=r"E: <exception str\(\) failed>"):
        run_class(f"{nasty}class S:\n    def on_bar(self, ctx): raise E()\n")
    with pytest.raises(RunFailedError, match=r"ValueError: \\ud800 and more"):
        run_class("class S:\n    def on_bar(self, ctx): raise ValueError('\\ud800 and more')\n")
