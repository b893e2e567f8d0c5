"""What every peer's script shares: the job's numbers and the report of what was filled. Knows no engine.

The job: one symbol, one-minute bars, SMA(10)/SMA(30) crossover, long or flat, 100 shares, filled at the next open,
0.1 % commission, cash that never binds.
"""

import hashlib
import json
from datetime import datetime

START = datetime(2010, 1, 4)
FAST, SLOW, QUANTITY, COMMISSION, CASH = 10, 30, 100, 0.001, 1_000_000_000.0


def fills_digest(fills: list[tuple[int, str, float, float, float]]) -> str:
    """Return the SHA-256 of fills, each (bar index, side, quantity, price, commission), in order.

    Money is rounded to 6 decimals: engines multiply in different orders.
    """
    digest = hashlib.sha256()
    for bar, side, quantity, price, commission in fills:
        digest.update(f"{bar} {side} {abs(quantity):.6f} {price:.6f} {commission:.6f}\n".encode())
    return digest.hexdigest()


def report(
    peer: str, version: str, fills: list[tuple[int, str, float, float, float]], final_equity: float
) -> None:
    """Print the answer as one JSON line; for `fills` see `fills_digest`, `side` is "buy" or "sell"."""
    print(
        json.dumps(
            {
                "peer": peer,
                "version": version,
                "fills": len(fills),
                "fills_sha256": fills_digest(fills),
                "final_equity": final_equity,
            }
        )
    )
