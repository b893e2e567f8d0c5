"""What a new project holds, path by path. Refuses to know where it goes."""

from __future__ import annotations

CONFIG = """\
# Run it:           admf run backtest.yaml
# Check it:         admf config check backtest.yaml
# Look ahead?       admf check lookahead backtest.yaml
# Explain a trade:  admf traces explain traces/WORKFLOW_ID last-fill

data:
  path: data/sample.csv                   # timestamp,open,high,low,close,volume; a random walk, replace it by your own
  symbols: [SAMPLE]
  timeframe: 1d

strategies:
  - name: breakout
    type: python
    path: my_strategies.py:Breakout
    params: {channel: 20}

risk_profiles:
  - name: base
    sizing: {type: percent_equity, percent: 0.5}
    max_drawdown: 0.3                     # close everything and halt

portfolio: {initial_capital: 100000}

execution:
  commission: {type: percent, rate: 0.0005}
  slippage: {type: bps, bps: 1}
"""

STRATEGY = '''\
"""Strategies of this project; admf's docs/writing-a-strategy.md says all that they can do."""

from dataclasses import dataclass


@dataclass
class Breakout:
    """Buys a close above the highest high of the bars before, with a bracket around the entry."""

    channel: int = 20
    stop: float = 0.04
    target: float = 0.1

    def features(self):
        return {"upper": {"type": "DONCHIAN", "timeperiod": self.channel, "output": "upper"}}

    def on_bar(self, ctx):
        price = ctx.price()
        if ctx.position() == 0 and not ctx.orders() and price > ctx.value("upper"):
            ctx.buy(stop_loss=price * (1 - self.stop), take_profit=price * (1 + self.target), tag="new high")
'''

CI = """\
# Every push runs the backtest; the last step fails the build if a figure is out of bounds.
name: backtest
on: [push, pull_request]

jobs:
  backtest:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - run: pip install admf
      - run: admf config check backtest.yaml
      - run: admf check lookahead backtest.yaml
      - run: admf check determinism backtest.yaml
      - run: admf run backtest.yaml --timeout 600 --fail-if 'max_drawdown > 30%' --fail-if 'trades < 1'
"""

README = """\
# {name}

    admf run backtest.yaml                     # results on the screen, in results/ and, event by event, in traces/
    admf traces explain traces/ID last-fill    # why the last trade was made
    admf check lookahead backtest.yaml         # nothing in it knows the future

| file | what |
|---|---|
| `backtest.yaml` | data, strategy, risk, costs |
| `my_strategies.py` | the strategy |
| `data/sample.csv` | a random walk to begin with |
| `.github/workflows/backtest.yml` | runs it on every push, and fails where a figure is out of bounds |
"""

IGNORE = """\
traces/
results/
__pycache__/
"""
