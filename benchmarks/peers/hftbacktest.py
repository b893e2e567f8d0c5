"""The job in hftbacktest: its order book replayed, the strategy compiled by Numba, market orders that arrive at the open.

It replays books, not bars, and no book has its bid and its ask at one price. So a bar is two books: at its open an ask
alone at the open's price, where purchases arrive, and ten nanoseconds later a bid alone at that price, where sales do.
Closes reach the strategy as an array, as the library's examples hand over forecasts; that is cheaper than trade events.
"""

import sys
from pathlib import Path

# This file has the package's own name: keep its directory out of the way of the import.
sys.path.pop(0)
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from hftbacktest import (  # noqa: E402
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    FILLED,
    GTC,
    LOCAL_EVENT,
    MARKET,
    SELL_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    __version__,
)
from hftbacktest.types import event_dtype  # noqa: E402
from numba import njit  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import job  # noqa: E402

TICK = 0.0001
MINUTE_NS, DECIDES_BEFORE_NS, APART_NS = 60_000_000_000, 1_000, 10
ENTRY_LATENCY_NS = DECIDES_BEFORE_NS + APART_NS // 2  # a purchase arrives between the two books of the next bar


def books(opens, begins):
    """Return the events of the two books of every bar, each taking back the one before it."""
    asks = DEPTH_EVENT | SELL_EVENT | EXCH_EVENT | LOCAL_EVENT
    bids = DEPTH_EVENT | BUY_EVENT | EXCH_EVENT | LOCAL_EVENT
    events = np.zeros((len(opens), 4), event_dtype)
    events["ev"] = [bids, asks, asks, bids]
    events["exch_ts"] = begins[:, None] + np.array([0, 0, APART_NS, APART_NS])
    events["local_ts"] = events["exch_ts"]
    events["px"] = opens[:, None]
    events["px"][1:, 0] = opens[:-1]  # the bid that ends
    events["qty"] = [0.0, 1e6, 0.0, 1e6]
    return events.ravel()[1:]


# Not cached: Numba refuses to where a function calls through pointers, as the library does.
@njit
def trade(hbt, closes, decisions, fast_period, slow_period, quantity):
    """Look at every bar just before it ends, at `decisions`; return the bars, sides and prices in ticks of the fills."""
    count = len(closes)
    bars, sides, ticks = np.empty(count, np.int64), np.empty(count, np.int8), np.empty(count, np.int64)
    found = 0
    pending = 0  # the side of an order on its way
    held = False
    fast_sum = slow_sum = 0.0
    fast = slow = 0.0
    for bar in range(count):
        if hbt.elapse(decisions[bar] - hbt.current_timestamp) != 0:
            break
        if pending != 0:
            order = hbt.orders(0).get(bar)
            if order is not None and order.status == FILLED:
                bars[found], sides[found], ticks[found] = bar, pending, order.exec_price_tick
                found += 1
            hbt.clear_inactive_orders(0)
            pending = 0
        fast_sum += closes[bar] - (closes[bar - fast_period] if bar >= fast_period else 0.0)
        slow_sum += closes[bar] - (closes[bar - slow_period] if bar >= slow_period else 0.0)
        fast_before, slow_before = fast, slow
        fast, slow = fast_sum / fast_period, slow_sum / slow_period
        if bar < slow_period or bar + 1 == count:
            continue
        if fast_before <= slow_before and fast > slow and not held:
            hbt.submit_buy_order(0, bar + 1, 0.0, quantity, GTC, MARKET, False)
            held, pending = True, 1
        elif fast_before >= slow_before and fast < slow and held:
            hbt.elapse(APART_NS)
            hbt.submit_sell_order(0, bar + 1, 0.0, quantity, GTC, MARKET, False)
            held, pending = False, -1
    return bars[:found], sides[:found], ticks[:found]


frame = pd.read_csv(sys.argv[1], index_col="timestamp", parse_dates=True)
begins = frame.index.as_unit("ns").asi8
asset = (
    BacktestAsset()
    .data(events := books(frame["open"].to_numpy(), begins))
    .linear_asset(1.0)
    .constant_order_latency(ENTRY_LATENCY_NS, 0)
    .risk_adverse_queue_model()
    .no_partial_fill_exchange()
    .trading_value_fee_model(job.COMMISSION, job.COMMISSION)
    .tick_size(TICK)
    .lot_size(1.0)
)
hbt = HashMapMarketDepthBacktest([asset])
closes = frame["close"].to_numpy()
decisions = begins + (MINUTE_NS - DECIDES_BEFORE_NS)
bars, sides, ticks = trade(hbt, closes, decisions, job.FAST, job.SLOW, float(job.QUANTITY))
state = hbt.state_values(0)
equity = job.CASH + state.balance - state.fee + state.position * float(closes[-1])
fills = []
for bar, side, tick in zip(bars.tolist(), sides.tolist(), ticks.tolist(), strict=True):
    price = round(tick * TICK, 4)
    fills.append((bar, "buy" if side > 0 else "sell", job.QUANTITY, price, job.QUANTITY * price * job.COMMISSION))
job.report("hftbacktest", __version__, fills, equity)
hbt.close()
