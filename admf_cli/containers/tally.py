"""The funnel of one portfolio, counted as it happens. Refuses to know why anything happened."""

from __future__ import annotations


class Tally:
    """Signals, orders, fills, and how orders and signals ended without one.

    Attributes:
        rejects: reason -> count, of signals and orders.
    """

    __slots__ = ("cancelled", "expired", "fills", "orders", "rejects", "signals")

    def __init__(self) -> None:
        self.signals = self.orders = self.fills = self.cancelled = self.expired = 0
        self.rejects: dict[str, int] = {}

    def reject(self, reason: str) -> None:
        """Count one reject."""
        self.rejects[reason] = self.rejects.get(reason, 0) + 1

    def counts(self, trades: int) -> dict[str, int]:
        """Return the counts under their printed names."""
        return {
            "signals": self.signals,
            "orders": self.orders,
            "fills": self.fills,
            "trades": trades,
            "cancelled": self.cancelled,
            "expired": self.expired,
            "rejected": sum(self.rejects.values()),
        }

    def reasons(self) -> dict[str, int]:
        """Return the rejects by reason, sorted by name."""
        return dict(sorted(self.rejects.items()))
