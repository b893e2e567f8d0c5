"""The job in bt: one algo that transacts on signals precomputed by pandas and shifted to the bar that trades them.

bt knows one price a bar, which here is the open; so the last equity is marked at the last close by this script.
"""

import sys
from pathlib import Path

# This file has the package's own name: keep its directory out of the way of the import.
sys.path.pop(0)
import bt  # noqa: E402
import pandas as pd  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import job  # noqa: E402


class Trade(bt.Algo):
    """Buys and sells where it was told to, at this bar's price."""

    def __init__(self, entries, exits):
        super().__init__()
        self.entries, self.exits = set(entries), set(exits)
        self.fills = []

    def __call__(self, target):
        now = target.now
        if now in self.entries and not self.held(target):
            self.transact(target, job.QUANTITY)
        elif now in self.exits and self.held(target):
            self.transact(target, -job.QUANTITY)
        return True

    def held(self, target):
        return "X" in target.children and target.children["X"].position > 0

    def transact(self, target, quantity):
        target.transact(quantity, child="X")
        self.fills.append((target.now, quantity, target.children["X"].price))


bars = pd.read_csv(sys.argv[1], index_col="timestamp", parse_dates=True)
fast = bars["close"].rolling(job.FAST).mean()
slow = bars["close"].rolling(job.SLOW).mean()
known = slow.shift(1).notna()
above = (known & (fast > slow) & (fast.shift(1) <= slow.shift(1))).shift(1, fill_value=False)
below = (known & (fast < slow) & (fast.shift(1) >= slow.shift(1))).shift(1, fill_value=False)
trade = Trade(bars.index[above], bars.index[below])
backtest = bt.Backtest(
    bt.Strategy("crossover", [trade]),
    bars[["open"]].rename(columns={"open": "X"}),
    initial_capital=job.CASH,
    commissions=lambda quantity, price: abs(quantity) * price * job.COMMISSION,
)
# As `Backtest.run`, without the statistics: they assume daily prices and cost more than the run.
strategy = trade  # the algo is copied with the strategy, so its fills are read from the copy
backtest.run()
strategy = backtest.strategy
trade = strategy.stack.algos[0]
places = {moment: place for place, moment in enumerate(bars.index)}
fills = [
    (places[moment], "buy" if quantity > 0 else "sell", quantity, price, abs(quantity) * price * job.COMMISSION)
    for moment, quantity, price in trade.fills
]
held = strategy.children["X"].position
job.report("bt", bt.__version__, fills, float(strategy.capital + held * bars["close"].iloc[-1]))
