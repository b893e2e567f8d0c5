"""Orders sent bar by bar fill as backtrader's and backtesting.py's: scripts of many orders at once, in all three.

Cash is ample, so that fills depend on prices alone. Left out is what docs/parity.md says is ruled otherwise there:
stop-limits, and two orders inside one bar of which one cancels the other.
"""

from __future__ import annotations

import datetime
import json
import os
import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from tests.engine.markets import walk
from tests.engine.reference import Bar
from tests.parity.fills import Fill
from tests.parity.with_admf import run_class, without_last_digits
from tests.parity.with_backtesting import Backtest, Strategy, fills_of
from tests.parity.with_backtrader import KINDS, bt

SCRIPTS = int(os.environ.get("ADMF_PARITY_MARKETS", "4"))
Script = dict[int, list[dict[str, Any]]]
CASH = 1e9
OURS = """
import json

class Scripted:
    def __init__(self, script):
        self.script, self.tickets = json.loads(script), {}

    def on_bar(self, ctx):
        for step in self.script.get(str(ctx.bar), ()):
            if step["do"] == "cancel":
                ctx.cancel(self.tickets[step["id"]])
            elif step["do"] == "close":
                ctx.close()
            else:
                send = getattr(ctx, step["do"])
                self.tickets[step["id"]] = send(step["quantity"], **step["how"])
"""


def market(seed: int, bars: int) -> list[Bar]:
    """Return a generated market in cents."""
    return [tuple(round(value, 2) for value in bar) for bar in walk(seed, bars, 0.01, 0.01)]  # type: ignore[misc]


def many_orders(seed: int, bars: list[Bar]) -> Script:
    """Return a script of market, limit, stop, trailing and closing orders, pairs, lifetimes and cancellations."""
    random = np.random.default_rng(seed)
    script: Script = {}
    sent: list[int] = []
    for bar in range(1, len(bars) - 1):  # backtesting.py does not call a strategy at the first bar
        close = bars[bar][3]
        steps = script.setdefault(bar, [])
        for _ in range(int(random.integers(0, 3))):
            side = str(random.choice(["buy", "sell"]))
            sign = 1 if side == "buy" else -1
            away = float(random.choice([0.003, 0.01, 0.03])) * close
            number = len(sent)
            step = {"do": side, "id": number, "quantity": int(random.integers(1, 20))}
            kind = str(random.choice(["market", "limit", "stop", "trailing_stop", "market_on_close"]))
            lifetime = {"good_till": int(random.integers(1, 6))} if random.random() < 0.3 else {}
            how: dict[str, Any] = {
                "market": {},
                "limit": {"limit": close - sign * away, **lifetime},
                "stop": {"stop": close + sign * away, **lifetime},
                "trailing_stop": {"trail": away},
                "market_on_close": {"at_close": True},
            }[kind]
            steps.append({**step, "kind": kind, "how": how})
            sent.append(number)
        if sent and random.random() < 0.2:
            steps.append({"do": "cancel", "id": int(random.choice(sent))})
    return script


def one_at_a_time(seed: int, bars: list[Bar]) -> Script:
    """Return a script of single positions, each with a stop-loss or a take-profit, closed after a while."""
    random = np.random.default_rng(seed)
    script: Script = {}
    for bar in range(1, len(bars) - 20, 20):
        side = str(random.choice(["buy", "sell"]))
        sign = 1 if side == "buy" else -1
        away = float(random.choice([0.01, 0.03])) * bars[bar][3]
        protection = {"stop_loss": bars[bar][3] - sign * away}
        if random.random() < 0.5:
            protection = {"take_profit": bars[bar][3] + sign * away}
        script[bar] = [{"do": side, "id": bar, "quantity": 10, "kind": "market", "how": protection}]
        script[bar + 15] = [{"do": "close"}]
    return script


def ours(folder: Path, script: Script, bars: list[Bar]) -> list[Fill]:
    frame = pd.DataFrame(bars, columns=["open", "high", "low", "close", "volume"])
    frame.insert(0, "timestamp", pd.date_range("2020-01-01", periods=len(bars), freq="D").strftime("%Y-%m-%d"))
    frame.to_csv(folder / "bars.csv", index=False)
    params = {"script": json.dumps(script)}
    return run_class(folder, OURS, "Scripted", folder / "bars.csv", params, CASH).fills


class ScriptedTrader(bt.Strategy):
    params = (("script", {}),)

    def __init__(self) -> None:
        self.fills: list[Fill] = []
        self.sent: dict[int, bt.Order] = {}

    def notify_order(self, order: bt.Order) -> None:
        if order.status == order.Completed:
            bar = (bt.num2date(order.executed.dt) - datetime.datetime(2020, 1, 1)).days
            side = 1 if order.isbuy() else -1
            self.fills.append(Fill(bar, side, abs(order.executed.size), order.executed.price, 0.0))

    def next(self) -> None:
        for step in self.p.script.get(len(self) - 1, ()):
            if step["do"] == "cancel":
                self.cancel(self.sent[step["id"]])
                continue
            how, kind = step["how"], step["kind"]
            parts: dict[str, Any] = {"exectype": KINDS[kind], "price": how.get("limit", how.get("stop"))}
            if kind == "trailing_stop":
                parts |= {"price": self.data.close[0], "trailamount": how["trail"]}
            if "good_till" in how:
                parts["valid"] = self.data.datetime.datetime() + datetime.timedelta(days=how["good_till"])
            self.sent[step["id"]] = (self.buy if step["do"] == "buy" else self.sell)(size=step["quantity"], **parts)


def theirs_backtrader(script: Script, bars: list[Bar]) -> list[Fill]:
    index = pd.date_range("2020-01-01", periods=len(bars), freq="D")
    frame = pd.DataFrame(bars, columns=["open", "high", "low", "close", "volume"], index=index)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(ScriptedTrader, script=script)
    cerebro.broker.setcash(CASH)
    cerebro.broker.set_checksubmit(False)
    return without_last_digits(cerebro.run()[0].fills)


class ScriptedTesting(Strategy):
    script: ClassVar[Script] = {}

    def init(self) -> None:
        self.sent: dict[int, Any] = {}

    def next(self) -> None:
        for step in self.script.get(len(self.data) - 1, ()):
            if step["do"] == "cancel":
                order = self.sent[step["id"]]
                if order in self.orders:
                    order.cancel()
            elif step["do"] == "close":
                self.position.close()
            else:
                names = {"limit": "limit", "stop": "stop", "stop_loss": "sl", "take_profit": "tp"}
                prices = {names[name]: price for name, price in step["how"].items()}
                send = self.buy if step["do"] == "buy" else self.sell
                self.sent[step["id"]] = send(size=step["quantity"], **prices)


def theirs_backtesting(script: Script, bars: list[Bar]) -> list[Fill]:
    index = pd.date_range("2020-01-01", periods=len(bars), freq="D")
    frame = pd.DataFrame(bars, columns=["Open", "High", "Low", "Close", "Volume"], index=index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = Backtest(frame, ScriptedTesting, cash=CASH, finalize_trades=False).run(script=script)
    return without_last_digits(fills_of(stats["_strategy"]))


def _without(script: Script, *kinds: str) -> Script:
    """Return a script without some kinds of order, lifetimes, and what cancels them."""
    gone = {step.get("id") for steps in script.values() for step in steps if step.get("kind") in kinds}
    kept: Script = {}
    for bar, steps in script.items():
        kept[bar] = [step for step in steps if step.get("id") not in gone and "good_till" not in step.get("how", {})]
    left = {step["id"] for steps in kept.values() for step in steps if step["do"] in ("buy", "sell")}
    return {bar: [s for s in steps if s["do"] != "cancel" or s["id"] in left] for bar, steps in kept.items()}


def _same(left: list[Fill], right: list[Fill]) -> None:
    assert len(left) > 5
    assert [fill[:3] for fill in left] == [fill[:3] for fill in right]
    assert [fill.price for fill in left] == pytest.approx([fill.price for fill in right], rel=1e-12)


@pytest.mark.parametrize("seed", range(SCRIPTS))
def test_scripts_of_many_orders_fill_as_in_backtrader(seed: int, tmp_path: Path) -> None:
    bars = market(seed, 150)
    script = many_orders(seed, bars)
    _same(ours(tmp_path, script, bars), theirs_backtrader(script, bars))


@pytest.mark.parametrize("seed", range(SCRIPTS))
def test_scripts_of_many_orders_fill_as_in_backtesting(seed: int, tmp_path: Path) -> None:
    bars = market(seed, 150)
    script = _without(many_orders(seed, bars), "trailing_stop", "market_on_close")
    _same(ours(tmp_path, script, bars), theirs_backtesting(script, bars))


@pytest.mark.parametrize("seed", range(SCRIPTS))
def test_protected_positions_fill_as_in_backtesting(seed: int, tmp_path: Path) -> None:
    bars = market(seed, 400)
    script = one_at_a_time(seed, bars)
    _same(ours(tmp_path, script, bars), theirs_backtesting(script, bars))
