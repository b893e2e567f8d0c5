"""The job in backtrader, with its own CSV reader, its C-like `runonce` mode and nothing plotted or printed."""

import sys
from pathlib import Path

# This file has the package's own name: keep its directory out of the way of the import.
sys.path.pop(0)
import backtrader as bt  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import job  # noqa: E402


class Crossover(bt.Strategy):
    def __init__(self):
        self.fills = []
        self.fast = bt.indicators.SMA(period=job.FAST)
        self.slow = bt.indicators.SMA(period=job.SLOW)

    def next(self):
        # Both averages must be defined on the bar before, too: a crossing takes two bars.
        if len(self) <= job.SLOW:
            return
        if self.fast[-1] <= self.slow[-1] and self.fast[0] > self.slow[0]:
            if not self.position:
                self.buy(size=job.QUANTITY)
        elif self.fast[-1] >= self.slow[-1] and self.fast[0] < self.slow[0] and self.position:
            self.close()

    def notify_order(self, order):
        if order.status == order.Completed:
            done = order.executed
            side = "buy" if order.isbuy() else "sell"
            self.fills.append((len(self) - 1, side, done.size, done.price, done.comm))


cerebro = bt.Cerebro(stdstats=False)
cerebro.adddata(
    bt.feeds.GenericCSVData(
        dataname=sys.argv[1],
        dtformat="%Y-%m-%dT%H:%M:%S",
        timeframe=bt.TimeFrame.Minutes,
        openinterest=-1,
    )
)
cerebro.addstrategy(Crossover)
cerebro.broker.setcash(job.CASH)
cerebro.broker.setcommission(commission=job.COMMISSION)
strategy = cerebro.run()[0]
job.report("backtrader", bt.__version__, strategy.fills, cerebro.broker.getvalue())
