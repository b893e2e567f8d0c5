"""Strategies as users of backtesting.py write them, beside what one would write for ADMF, on real data."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.parity.with_admf import run_class, without_last_digits
from tests.parity.with_backtesting import Backtest, Strategy, fills_of

DATA = sorted((Path(__file__).parents[2] / "data").glob("*.csv"))
BEGIN = 60  # backtesting.py calls a strategy once its indicators are defined, ADMF from the first bar on


def mean(values: Any, count: int) -> Any:
    return pd.Series(values).rolling(count).mean()


class Pyramid(Strategy):
    """Up to three trades at once, each with a stop-loss and a take-profit of its own."""

    def init(self) -> None:
        self.mean = self.I(mean, self.data.Close, 20)

    def next(self) -> None:
        before, now = self.data.Close[-2:]
        if len(self.data) > BEGIN and now > self.mean[-1] and before <= self.mean[-2] and self.position.size < 30:
            self.buy(size=10, sl=now * 0.95, tp=now * 1.08)


class Reversing(Strategy):
    """Always in the market, long or short."""

    def init(self) -> None:
        self.fast, self.slow = self.I(mean, self.data.Close, 10), self.I(mean, self.data.Close, 30)

    def next(self) -> None:
        if len(self.data) <= BEGIN:
            return
        if self.fast[-1] > self.slow[-1] and self.fast[-2] <= self.slow[-2]:
            self.position.close()
            self.buy(size=15)
        elif self.fast[-1] < self.slow[-1] and self.fast[-2] >= self.slow[-2]:
            self.position.close()
            self.sell(size=15)


class MovedStop(Strategy):
    """A stop-loss that is pulled up behind the price."""

    def init(self) -> None:
        self.mean = self.I(mean, self.data.Close, 50)

    def next(self) -> None:
        close = self.data.Close[-1]
        if len(self.data) > BEGIN and not self.position and close > self.mean[-1]:
            self.buy(size=10, sl=close * 0.9)
        for trade in self.trades:
            trade.sl = max(trade.sl, close * 0.9)


class Breakout(Strategy):
    """A stop order above the last highs, half of it closed later, and all of it later still."""

    def init(self) -> None:
        pass

    def next(self) -> None:
        bars = len(self.data)
        if bars <= BEGIN:
            return
        if bars % 10 == 0 and not self.position and not self.orders:
            self.buy(size=20, stop=float(max(self.data.High[-10:])))
        if self.position and bars % 13 == 0:
            self.position.close(0.5)
        if self.position and bars % 31 == 0:
            self.position.close()


OURS = """
BEGIN = 60


class Pyramid:
    def features(self):
        return {"mean": {"type": "SMA", "timeperiod": 20}}

    def on_bar(self, ctx):
        means, (*_, before, now) = ctx.history("mean", last=2), (0, *ctx.history("close", last=2))
        if ctx.bar >= BEGIN and now > means[-1] and before <= means[-2] and ctx.position() < 30:
            ctx.buy(10, stop_loss=now * 0.95, take_profit=now * 1.08)


class Reversing:
    def features(self):
        return {"fast": {"type": "SMA", "timeperiod": 10}, "slow": {"type": "SMA", "timeperiod": 30}}

    def on_bar(self, ctx):
        fast, slow = ctx.history("fast", last=2), ctx.history("slow", last=2)
        if ctx.bar < BEGIN:
            return
        if fast[-1] > slow[-1] and fast[-2] <= slow[-2]:
            ctx.target(quantity=15)
        elif fast[-1] < slow[-1] and fast[-2] >= slow[-2]:
            ctx.target(quantity=-15)


class MovedStop:
    def features(self):
        return {"mean": {"type": "SMA", "timeperiod": 50}}

    def on_bar(self, ctx):
        close = ctx.price()
        if ctx.bar >= BEGIN and not ctx.position() and close > ctx.value("mean"):
            ctx.buy(10, stop_loss=close * 0.9)
        for order in ctx.orders():
            if order.purpose == "stop_loss" and close * 0.9 > order.stop_price:
                ctx.replace(order, stop=close * 0.9)


class Breakout:
    def on_bar(self, ctx):
        bars, held = ctx.bar + 1, ctx.position()
        if bars <= BEGIN:
            return
        if bars % 10 == 0 and not held and not ctx.orders():
            ctx.buy(20, stop=float(max(ctx.history("high", last=10))))
        if held and bars % 13 == 0:
            ctx.sell(max(1, round(held * 0.5)), reduce_only=True)
        if held and bars % 31 == 0:
            ctx.close()
"""


@dataclass(frozen=True)
class Terms:
    """The same costs and fills in the words of both."""

    name: str
    theirs: dict[str, Any]
    ours: dict[str, Any]


FREE = Terms("free", {}, {})
COSTLY = Terms("a commission", {"commission": 0.001}, {"commission": {"type": "percent", "rate": 0.001}})
AT_CLOSE = Terms("at the close", {"trade_on_close": True}, {"fill_price": "close"})
CASES = [(peer, terms) for peer in (Pyramid, Reversing, MovedStop) for terms in (FREE, COSTLY, AT_CLOSE)]
CASES += [(Breakout, FREE), (Breakout, COSTLY)]  # at the close a stop that is gapped fills at its price there


@pytest.mark.parametrize("file", DATA, ids=lambda file: file.stem)
@pytest.mark.parametrize(
    ("peer", "terms"), CASES, ids=lambda part: getattr(part, "name", getattr(part, "__name__", ""))
)
def test_a_strategy_fills_as_in_backtesting(peer: type[Strategy], terms: Terms, file: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(file)
    days = pd.to_datetime(frame.iloc[:, 0])
    frame = frame[["open", "high", "low", "close", "volume"]].set_index(days).rename(columns=str.title)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = Backtest(frame, peer, cash=1e6, finalize_trades=False, **terms.theirs).run()
    found = run_class(tmp_path, OURS, peer.__name__, file, {}, 1e6, **terms.ours)
    expected = without_last_digits(fills_of(stats["_strategy"]))
    assert len(found.fills) > 40
    assert [fill[:3] for fill in found.fills] == [fill[:3] for fill in expected]
    assert [fill.price for fill in found.fills] == pytest.approx([fill.price for fill in expected], rel=1e-9)
    assert found.final_equity == pytest.approx(stats["Equity Final [$]"], rel=1e-9)
