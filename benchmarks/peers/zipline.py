"""The job in zipline-reloaded: `handle_data` at every minute of its round-the-clock calendar.

It names a minute by its end. Its own slippage models fill at the next minute's close; this one says the open. The bars
come from a reader in memory, which is less work than its way of ingesting a bundle first; no metrics are computed.
"""

import math
import sys
import warnings
from collections import deque
from pathlib import Path

# This file has the package's own name: keep its directory out of the way of the import.
sys.path.pop(0)
import pandas as pd  # noqa: E402
import sqlalchemy  # noqa: E402
from zipline import __version__  # noqa: E402
from zipline.algorithm import TradingAlgorithm  # noqa: E402
from zipline.assets import AssetDBWriter, AssetFinder  # noqa: E402
from zipline.data.bar_reader import BarReader  # noqa: E402
from zipline.data.data_portal import DataPortal  # noqa: E402
from zipline.finance.commission import PerDollar  # noqa: E402
from zipline.finance.slippage import SlippageModel  # noqa: E402
from zipline.finance.trading import SimulationParameters  # noqa: E402
from zipline.utils.calendar_utils import get_calendar  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import job  # noqa: E402

MINUTE_NS = 60_000_000_000


class Minutes(BarReader):
    """The file's bars, by the nanosecond of a minute's end."""

    data_frequency = "minute"
    trading_calendar = first_trading_day = last_available_dt = None  # set by the constructor

    def __init__(self, frame, calendar):
        self.trading_calendar = calendar
        self.first_trading_day = frame.index[0].normalize()
        self.last_available_dt = (frame.index[-1] + pd.Timedelta(minutes=1)).tz_localize("UTC")
        self.first_ns = frame.index.as_unit("ns").asi8[0] + MINUTE_NS
        self.columns = {name: frame[name].tolist() for name in ("open", "high", "low", "close", "volume")}
        self.count = len(frame)

    def get_value(self, sid, dt, field):
        place = (dt.value - self.first_ns) // MINUTE_NS
        if place < self.count:
            return self.columns[field][place]
        return 0 if field == "volume" else math.nan

    def get_last_traded_dt(self, asset, dt):
        return min(dt, self.last_available_dt)

    def load_raw_arrays(self, columns, start_date, end_date, assets):
        raise NotImplementedError("the job asks for no history")


class NextOpen(SlippageModel):
    """Fills whole orders at the open of the minute that meets them."""

    def __init__(self):
        super().__init__()
        self.filled = []  # (end of the minute, order, price)

    def process_order(self, data, order):
        price = data.current(order.asset, "open")
        self.filled.append((data.current_dt, order, price))
        return price, order.amount


def initialize(context):
    context.asset = context.sid(1)
    context.set_slippage(slippage)
    context.set_commission(PerDollar(job.COMMISSION))
    context.closes = deque(maxlen=job.SLOW)
    context.fast_sum = context.slow_sum = 0.0
    context.averages = None
    context.held = False
    context.seen = 0


def handle_data(context, data):
    context.seen += 1
    if context.seen > bars:
        return  # the rest of the last day
    close = data.current(context.asset, "close")
    if context.seen == bars:
        context.final_equity = context.portfolio.portfolio_value
    closes = context.closes
    context.fast_sum += close - (closes[-job.FAST] if len(closes) >= job.FAST else 0)
    context.slow_sum += close - (closes[0] if len(closes) == job.SLOW else 0)
    closes.append(close)
    if len(closes) < job.SLOW:
        return
    before, context.averages = context.averages, (context.fast_sum / job.FAST, context.slow_sum / job.SLOW)
    if before is None or context.seen == bars:
        return
    fast, slow = context.averages
    if before[0] <= before[1] and fast > slow and not context.held:
        context.held = True
        context.order(context.asset, job.QUANTITY)
    elif before[0] >= before[1] and fast < slow and context.held:
        context.held = False
        context.order(context.asset, -job.QUANTITY)


warnings.simplefilter("ignore")
frame = pd.read_csv(sys.argv[1], index_col="timestamp", parse_dates=True)
bars = len(frame)
first, last = frame.index[0].normalize(), frame.index[-1].normalize()
calendar = get_calendar("24/7", start=first - pd.Timedelta(days=1), end=last + pd.Timedelta(days=2))
engine = sqlalchemy.create_engine("sqlite://")
listed = {"symbol": "X", "asset_name": "X", "start_date": first, "end_date": last, "exchange": "SIM"}
AssetDBWriter(engine).write(
    equities=pd.DataFrame([listed], index=[1]),
    exchanges=pd.DataFrame([{"exchange": "SIM", "canonical_name": "SIM", "country_code": "US"}]),
)
reader = Minutes(frame, calendar)
portal = DataPortal(AssetFinder(engine), calendar, reader.first_trading_day, equity_minute_reader=reader)
slippage = NextOpen()
algorithm = TradingAlgorithm(
    sim_params=SimulationParameters(
        start_session=first,
        end_session=last,
        trading_calendar=calendar,
        capital_base=job.CASH,
        data_frequency="minute",
    ),
    data_portal=portal,
    trading_calendar=calendar,
    initialize=initialize,
    handle_data=handle_data,
    metrics_set=set(),
    benchmark_returns=pd.Series(0.0, index=calendar.sessions),
)
algorithm.run()

fills = []
for moment, order, price in slippage.filled:
    place = (moment.value - reader.first_ns) // MINUTE_NS
    fills.append((place, "buy" if order.amount > 0 else "sell", order.amount, float(price), float(order.commission)))
job.report("zipline-reloaded", __version__, fills, float(algorithm.final_equity))
