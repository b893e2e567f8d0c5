"""What a bar costs a strategy of one's own, beyond its own code: CPU time a bar, against buy_and_hold in the same run.

    python benchmarks/bar_cost.py [BARS]

Prints a table; the least of several interleaved runs counts. Tunes nothing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from admf_cli import run_backtest

REPEAT = 5
CLASSES = """
import numpy as np

class Nothing:
    def on_bar(self, ctx): pass

class Looks:
    def on_bar(self, ctx):
        if ctx.position() > 0 and ctx.price() > 1e12: ctx.close()

class Reads:
    def on_bar(self, ctx): ctx.history("close", last=20)

class Columns:
    def targets(self, bars, features): return np.ones(bars.close.shape)
"""


def config(bars: int, strategy: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": {"source": "synthetic", "symbols": ["X"], "timeframe": "1m", "synthetic": {"bars": bars}},
        "strategies": [{"name": "s", **strategy}],
        "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
        "execution": {"enable_event_tracing": False},
        "results": {"write": False},
    }


def main() -> None:
    """Measure and print."""
    bars = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "classes.py"
        file.write_text(CLASSES)
        strategies = {"buy_and_hold": {"type": "buy_and_hold"}}
        for name in ("Nothing", "Looks", "Reads", "Columns"):
            strategies[name] = {"type": "python", "path": f"{file}:{name}"}
        spent: dict[str, list[float]] = {name: [] for name in strategies}
        for _ in range(REPEAT):
            for name, strategy in strategies.items():
                start = time.process_time()
                run_backtest(config(bars, strategy))
                spent[name].append(time.process_time() - start)
    base = min(spent["buy_and_hold"])
    print(f"{bars:,} bars, least of {REPEAT}; buy_and_hold {base:.3f} s of CPU")
    for name, seconds in spent.items():
        if name != "buy_and_hold":
            print(f"{name:<8} {(min(seconds) - base) / bars * 1e6:6.2f} us a bar beyond it")


if __name__ == "__main__":
    main()
