"""The job in nautilus_trader: a Cython engine driven by events, one handler a bar.

Its bars fill at their close, the moment they are known. So each open is a trade tick of its own, execution listens to
ticks only, and orders arrive a nanosecond late: at the next open. Money has 8 decimals, as its own dollars round to cents.
"""

import sys
import warnings
from decimal import Decimal
from pathlib import Path

# This file has the package's own name: keep its directory out of the way of the import.
sys.path.pop(0)
import pandas as pd  # noqa: E402
from nautilus_trader import __version__  # noqa: E402
from nautilus_trader.backtest.config import BacktestEngineConfig  # noqa: E402
from nautilus_trader.backtest.engine import BacktestEngine  # noqa: E402
from nautilus_trader.backtest.models import LatencyModel  # noqa: E402
from nautilus_trader.config import LoggingConfig, RiskEngineConfig  # noqa: E402
from nautilus_trader.indicators import SimpleMovingAverage  # noqa: E402
from nautilus_trader.model.currencies import Currency  # noqa: E402
from nautilus_trader.model.data import BarType  # noqa: E402
from nautilus_trader.model.enums import AccountType, CurrencyType, OmsType, OrderSide  # noqa: E402
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue  # noqa: E402
from nautilus_trader.model.instruments import CurrencyPair  # noqa: E402
from nautilus_trader.model.objects import Money, Price, Quantity  # noqa: E402
from nautilus_trader.persistence.wranglers import BarDataWrangler, TradeTickDataWrangler  # noqa: E402
from nautilus_trader.trading.strategy import Strategy  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import job  # noqa: E402

MINUTE_NS = 60_000_000_000


class Crossover(Strategy):
    def __init__(self, instrument, bar_type):
        super().__init__()
        self.instrument, self.bar_type = instrument, bar_type
        self.fast, self.slow = SimpleMovingAverage(job.FAST), SimpleMovingAverage(job.SLOW)
        self.before = None
        self.held = False
        self.fills = []

    def on_start(self):
        self.register_indicator_for_bars(self.bar_type, self.fast)
        self.register_indicator_for_bars(self.bar_type, self.slow)
        self.subscribe_bars(self.bar_type)

    def on_bar(self, bar):
        if not self.slow.initialized:
            return
        before, self.before = self.before, (self.fast.value, self.slow.value)
        if before is None:
            return
        fast, slow = self.before
        if before[0] <= before[1] and fast > slow and not self.held:
            self.trade(OrderSide.BUY)
        elif before[0] >= before[1] and fast < slow and self.held:
            self.trade(OrderSide.SELL)

    def trade(self, side):
        self.held = side == OrderSide.BUY
        self.submit_order(self.order_factory.market(self.instrument.id, side, Quantity.from_int(job.QUANTITY)))

    def on_order_filled(self, event):
        side = "buy" if event.order_side == OrderSide.BUY else "sell"
        filled = (event.ts_event, side, float(event.last_qty), float(event.last_px), float(event.commission))
        self.fills.append(filled)


venue = Venue("SIM")
money = Currency("DLR", 8, 0, "Dollars of 8 decimals", CurrencyType.CRYPTO)
stock = Currency("STK", 0, 0, "A stock", CurrencyType.CRYPTO)
instrument = CurrencyPair(
    instrument_id=InstrumentId(Symbol("STK/DLR"), venue),
    raw_symbol=Symbol("STK/DLR"),
    base_currency=stock,
    quote_currency=money,
    price_precision=4,
    size_precision=0,
    price_increment=Price.from_str("0.0001"),
    size_increment=Quantity.from_int(1),
    ts_event=0,
    ts_init=0,
    maker_fee=Decimal(str(job.COMMISSION)),
    taker_fee=Decimal(str(job.COMMISSION)),
)
bar_type = BarType.from_str(f"{instrument.id}-1-MINUTE-LAST-EXTERNAL")

warnings.simplefilter("ignore")
frame = pd.read_csv(sys.argv[1], index_col="timestamp", parse_dates=True).tz_localize("UTC")
opens = pd.DataFrame({"price": frame["open"], "quantity": 1_000_000, "trade_id": range(len(frame)), "buyer_maker": False})
begins = frame.index.as_unit("ns").asi8
ticks = TradeTickDataWrangler(instrument).process(opens)
# A bar is known at its end, just before the next one's open.
frame.index = frame.index.as_unit("ns") + pd.Timedelta(MINUTE_NS - 1_000, "ns")
bars = BarDataWrangler(bar_type, instrument).process(frame)

engine = BacktestEngine(
    BacktestEngineConfig(
        logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True), run_analysis=False
    )
)
engine.add_venue(
    venue,
    OmsType.NETTING,
    AccountType.CASH,
    [Money(job.CASH, money), Money(0, stock)],
    latency_model=LatencyModel(base_latency_nanos=1),
    bar_execution=False,
)
engine.add_instrument(instrument)
engine.add_data(ticks, sort=False)
engine.add_data(bars, sort=False)
engine.sort_data()
strategy = Crossover(instrument, bar_type)
engine.add_strategy(strategy)
engine.run()

account = engine.cache.account_for_venue(venue)
places = {int(moment): place for place, moment in enumerate(begins)}
fills = [(places[moment], *rest) for moment, *rest in strategy.fills]
cash, held = (float(account.balance_total(currency)) for currency in (money, stock))
job.report("nautilus_trader", __version__, fills, cash + held * float(frame["close"].iloc[-1]))
