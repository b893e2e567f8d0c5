"""The job in vectorbt: `Portfolio.from_orders` on shifted signals at the open. Argument: numba (default) or rust."""

import sys
from pathlib import Path

# This file has the package's own name: keep its directory out of the way of the import.
sys.path.pop(0)
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import vectorbt as vbt  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import job  # noqa: E402

engine = sys.argv[2] if len(sys.argv) > 2 else "numba"
vbt.settings["engine"] = engine

bars = pd.read_csv(sys.argv[1], index_col="timestamp", parse_dates=True)
fast = vbt.MA.run(bars["close"], job.FAST)
slow = vbt.MA.run(bars["close"], job.SLOW)
# A crossing is decided at the close and traded at the next bar's open.
entries = np.concatenate([[False], fast.ma_crossed_above(slow).to_numpy().ravel()[:-1]])
exits = np.concatenate([[False], fast.ma_crossed_below(slow).to_numpy().ravel()[:-1]])
portfolio = vbt.Portfolio.from_signals(
    bars["close"],
    pd.Series(entries, index=bars.index),
    pd.Series(exits, index=bars.index),
    price=bars["open"],
    size=job.QUANTITY,
    fees=job.COMMISSION,
    init_cash=job.CASH,
    freq="1min",
)
records = portfolio.orders.values
sides = np.where(records["side"] == 0, "buy", "sell")
fills = [
    (int(bar), str(side), float(size), float(price), float(fee))
    for bar, side, size, price, fee in zip(
        records["idx"], sides, records["size"], records["price"], records["fees"], strict=True
    )
]
job.report(f"vectorbt ({engine})", vbt.__version__, fills, float(portfolio.final_value()))
