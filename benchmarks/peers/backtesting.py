"""The job in backtesting.py, its columns precomputed by NumPy-backed pandas as its documentation shows."""

import sys
import warnings
from pathlib import Path

# This file has the package's own name: keep its directory out of the way of the import.
sys.path.pop(0)
import pandas as pd  # noqa: E402

from backtesting import Backtest, Strategy, __version__  # noqa: E402
from backtesting.lib import crossover  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import job  # noqa: E402


def sma(values, period):
    return pd.Series(values).rolling(period).mean()


class Crossover(Strategy):
    def init(self):
        self.fast = self.I(sma, self.data.Close, job.FAST)
        self.slow = self.I(sma, self.data.Close, job.SLOW)

    def next(self):
        if crossover(self.fast, self.slow):
            if not self.position:
                self.buy(size=job.QUANTITY)
        elif crossover(self.slow, self.fast) and self.position:
            self.position.close()


warnings.simplefilter("ignore")
bars = pd.read_csv(sys.argv[1], index_col="timestamp", parse_dates=True)
bars.columns = [name.capitalize() for name in bars.columns]
stats = Backtest(bars, Crossover, cash=job.CASH, commission=job.COMMISSION).run()

fills = []
strategy = stats["_strategy"]
for trade in [*strategy.closed_trades, *strategy.trades]:
    for bar, side, price in ((trade.entry_bar, "buy", trade.entry_price), (trade.exit_bar, "sell", trade.exit_price)):
        if bar is not None:
            fills.append((int(bar), side, trade.size, price, abs(trade.size) * price * job.COMMISSION))
fills.sort(key=lambda fill: fill[0])
job.report("backtesting.py", __version__, fills, float(stats["Equity Final [$]"]))
