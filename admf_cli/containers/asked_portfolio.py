"""The portfolio of a strategy that is called bar by bar: answers each request by an order, a cancel or a reject.

Refuses to know how the strategy decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from admf_cli.containers.portfolio import PortfolioContainer
from admf_cli.containers.working import Working
from admf_cli.events.event import Event
from admf_cli.python_strategies.context import WorkingOrder
from admf_cli.risk.asked import Aim, aim_of, asked_order, bracket_orders, in_lots, opens, purpose_of, replaced_prices
from admf_cli.risk.entry import Entry, Refusal
from admf_cli.risk.protection import protective_orders


class AskedPortfolioContainer(PortfolioContainer):
    """Takes SIGNALs of kind order. Several orders of a symbol may work at once; none supersedes another."""

    @property
    def cash(self) -> float:
        """Account currency."""
        return self.account.cash

    def equity(self) -> float:
        """Return cash and positions at the last closes."""
        return self._standing.equity(self.clock.bar)

    def position(self, symbol: int) -> tuple[float, float]:
        """Return signed units and their average price."""
        position = self.account.positions[symbol]
        return position.quantity, position.average_price

    def working_orders(self) -> Sequence[WorkingOrder]:
        """Return the orders that have not ended, oldest first."""
        return [
            WorkingOrder(
                order_id=order.order_id,
                ticket=order.flow,
                symbol=self._bars.symbols[order.symbol],
                side=order.parts["side"],
                remaining=order.remaining,
                order_type=order.parts["order_type"],
                purpose=order.purpose,
                limit_price=order.parts.get("limit_price"),
                stop_price=order.parts.get("stop_price"),
            )
            for order in self._working.values()
        ]

    def _answer(self, event: Event, bar: int) -> None:
        """Answer one request; its order is sent before the next is looked at, so that the next may cancel it."""
        assert event.symbol is not None
        symbol = self._symbol_index[event.symbol]
        asked: Mapping[str, Any] = event.payload["order"]
        if event.payload["action"] == "cancel":
            self._cancel_asked(event, asked)
            return
        if event.payload["action"] == "replace":
            self._replace_asked(event, symbol, asked)
            return
        held = self.account.positions[symbol].quantity
        if asked.get("close") and held == 0.0:
            self._reject(event, "no_position", position=held)
            return
        entry, wanted = self._wanted(event, asked, symbol, held, bar)
        if entry.refusal is not None:
            self._reject(event, entry.refusal.reason, **entry.refusal.numbers)
            return
        change = in_lots(held, wanted, self._instruments[symbol])
        if isinstance(change, Refusal):
            self._reject(event, change.reason, **change.numbers)
            return
        price = event.payload["price"]
        purpose = "exit" if asked.get("reduce_only") else purpose_of(held, wanted)
        order = asked_order(asked, change, purpose, price, self._instruments[symbol], event.container_id)
        order["sizing"] = {**entry.numbers, "position_before": held, "position_target": held + change}
        self._send(order, event, event.correlation_id, symbol, price, stays=True)

    def _wanted(
        self, event: Event, asked: Mapping[str, Any], symbol: int, held: float, bar: int
    ) -> tuple[Entry, float]:
        """Return the signed units that a request would lead to, with the arithmetic, or why it may not."""
        aim: Aim = aim_of(asked, held)
        numbers: dict[str, Any] = {}
        wanted = aim.position
        if wanted is None:
            sizing = {"type": "target_weights"} if aim.weight is not None else self._sizing
            entry = self._entry(
                event,
                symbol,
                aim.direction,
                bar,
                sizing,
                weight=aim.weight or 1.0,
                stop=_distance_to_stop(asked, event.payload["price"]),
            )
            if entry.refusal is not None:
                return entry, 0.0
            numbers = entry.numbers
            wanted = aim.direction * entry.quantity + (0.0 if aim.weight is not None else held)
        if asked.get("reduce_only") or not opens(held, wanted) or (not held and numbers):
            return Entry(abs(wanted), numbers), wanted
        direction = 1 if wanted > 0.0 else -1
        entry = self._entry(event, symbol, direction, bar, {"type": "fixed", "quantity": abs(wanted)})
        return Entry(entry.quantity, {**entry.numbers, **numbers}, refusal=entry.refusal), direction * entry.quantity

    def _cancel_asked(self, event: Event, asked: Mapping[str, Any]) -> None:
        if "order_id" in asked:
            meant = [self._working[asked["order_id"]]] if asked["order_id"] in self._working else []
        else:
            meant = [order for order in self._working.values() if order.flow == asked["ticket"]]
        if not meant:
            self._reject(event, "no_order", **asked)
        for order in meant:
            self._cancel(order, event, "by_strategy")

    def _replace_asked(self, event: Event, symbol: int, asked: Mapping[str, Any]) -> None:
        old = self._working.get(asked["order_id"]) if "order_id" in asked else self._first_of(asked["ticket"])
        if old is None:
            self._reject(event, "no_order", **asked)
            return
        prices = replaced_prices(asked, old.parts)
        if prices is None:
            self._reject(event, "no_such_price", **asked, order_type=old.parts["order_type"])
            return
        parts = {**old.parts, "quantity": old.remaining, **prices, "replaces": old.order_id}
        self._send(parts, event, old.flow, symbol, old.signal_price, stays=old.stays)

    def _first_of(self, ticket: str) -> Working | None:
        """Return the order that a ticket was given for, not what protects its fills, if it works."""
        orders = (order for order in self._working.values() if order.flow == ticket and order.stays)
        return next(orders, None)

    def _protection(self, order: Working, direction: int, fill_price: float) -> list[dict[str, Any]]:
        """Return the order's own bracket, and what the risk profile has beyond it."""
        bracket: Mapping[str, float] | None = order.parts.get("bracket")
        if bracket is None:
            return super()._protection(order, direction, fill_price)
        rest = {name: rule for name, rule in self._profile.items() if name not in bracket}
        return bracket_orders(bracket) + protective_orders(
            rest, direction=direction, fill_price=fill_price, signal_price=order.signal_price
        )


def _distance_to_stop(asked: Mapping[str, Any], price: float) -> float | None:
    """Return how far a request's own stop-loss lies from the price at which it would be entered, or None."""
    stop = asked.get("bracket", {}).get("stop_loss")
    if stop is None:
        return None
    entered = asked.get("limit_price") or asked.get("stop_price") or price
    return abs(float(entered) - float(stop))
