"""The job in basana: an asynchronous handler a bar, its own CSV source and its decimals, orders met at the next open."""

import asyncio
import sys
from collections import deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

# This file has the package's own name: keep its directory out of the way of the import.
sys.path.pop(0)
import basana as bs  # noqa: E402
from basana.backtesting import exchange as backtesting_exchange  # noqa: E402
from basana.backtesting import fees, liquidity  # noqa: E402
from basana.core.event_sources import csv  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import job  # noqa: E402

MINUTE = timedelta(minutes=1)
PAIR = bs.Pair("X", "USD")


class RowParser(csv.RowParser):
    """Reads a bar as basana's own parser does, but for the name and form of the time."""

    def parse_row(self, row_dict):
        begin = datetime.fromisoformat(row_dict["timestamp"]).replace(tzinfo=UTC)
        prices = (Decimal(row_dict[name]) for name in ("open", "high", "low", "close", "volume"))
        return [bs.BarEvent(begin + MINUTE, bs.Bar(begin, PAIR, *prices, MINUTE))]


class Crossover:
    def __init__(self, exchange):
        self.exchange = exchange
        self.closes = deque(maxlen=job.SLOW)
        self.fast_sum = self.slow_sum = Decimal(0)
        self.averages = None
        self.held = False
        self.begins = []
        self.last_close = Decimal(0)
        self.orders = []

    async def on_bar(self, event):
        bar = event.bar
        self.begins.append(bar.begin)
        self.last_close = bar.close
        closes = self.closes
        self.fast_sum += bar.close - (closes[-job.FAST] if len(closes) >= job.FAST else 0)
        self.slow_sum += bar.close - (closes[0] if len(closes) == job.SLOW else 0)
        closes.append(bar.close)
        if len(closes) < job.SLOW:
            return
        before, self.averages = self.averages, (self.fast_sum / job.FAST, self.slow_sum / job.SLOW)
        if before is None:
            return
        fast, slow = self.averages
        if before[0] <= before[1] and fast > slow and not self.held:
            await self.trade(bs.OrderOperation.BUY)
        elif before[0] >= before[1] and fast < slow and self.held:
            await self.trade(bs.OrderOperation.SELL)

    async def trade(self, operation):
        self.held = operation == bs.OrderOperation.BUY
        self.orders.append(await self.exchange.create_market_order(operation, PAIR, Decimal(job.QUANTITY)))


async def main():
    dispatcher = bs.backtesting_dispatcher()
    exchange = backtesting_exchange.Exchange(
        dispatcher,
        {"USD": Decimal(int(job.CASH))},
        liquidity_strategy_factory=liquidity.InfiniteLiquidity,
        fee_strategy=fees.Percentage(Decimal(str(job.COMMISSION)) * 100),
        default_pair_info=bs.PairInfo(base_precision=0, quote_precision=8),
    )
    strategy = Crossover(exchange)
    exchange.add_bar_source(csv.EventSource(sys.argv[1], RowParser(), sort=False))
    exchange.subscribe_to_bar_events(PAIR, strategy.on_bar)
    await dispatcher.run()

    places = {begin: place for place, begin in enumerate(strategy.begins)}
    fills = []  # dated by the begin of the bar they met
    for order in strategy.orders:
        side = "buy" if order.operation == bs.OrderOperation.BUY else "sell"
        for fill in (await exchange.get_order_info(order.id)).fills:
            paid = float(fill.fees.get("USD", 0))
            fills.append((places[fill.when], side, job.QUANTITY, float(fill.price), abs(paid)))
    cash = (await exchange.get_balance("USD")).total
    held = (await exchange.get_balance("X")).total
    job.report("basana", version("basana"), fills, float(cash + held * strategy.last_close))


asyncio.run(main())
