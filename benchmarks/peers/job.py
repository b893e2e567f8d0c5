"""What every peer's script shares: the job's numbers and the report of what was filled. Knows no engine.

The job: one symbol, one-minute bars, SMA(10)/SMA(30) crossover, long or flat, 100 shares, filled at the next open,
0.1 % commission, cash that never binds.
"""

import hashlib
import json

FAST, SLOW, QUANTITY, COMMISSION, CASH = 10, 30, 100, 0.001, 1_000_000_000.0


def report(peer, version, fills, final_equity):
    """Print the answer as one JSON line.

    Args:
        fills: of (bar index, side, quantity, price, commission), in order; `side` is "buy" or "sell". The digest
            rounds money to 6 decimals: engines multiply in different orders.
    """
    digest = hashlib.sha256()
    paid = 0.0
    for bar, side, quantity, price, commission in fills:
        digest.update(f"{bar} {side} {abs(quantity):.6f} {price:.6f} {commission:.6f}\n".encode())
        paid += commission
    print(
        json.dumps(
            {
                "peer": peer,
                "version": version,
                "fills": len(fills),
                "fills_sha256": digest.hexdigest(),
                "commission": paid,
                "final_equity": final_equity,
            }
        )
    )
