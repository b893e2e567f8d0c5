"""The portfolio container: turns signals into sized orders. Refuses to know how signals come about and orders fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from admf_cli.clock import SUBMIT
from admf_cli.containers.books import BooksContainer
from admf_cli.containers.contents import SignalContent
from admf_cli.containers.desk import Desk
from admf_cli.containers.working import SIGNAL_PURPOSES
from admf_cli.events.bus import EventBus
from admf_cli.events.event import Event
from admf_cli.market.bars import FloatArray
from admf_cli.risk.entry import Entry, entry_size
from admf_cli.risk.limits import Breach, Exposure
from admf_cli.risk.orders import signal_order
from admf_cli.risk.protection import stop_distance
from admf_cli.risk.sizing import Situation

BY_WEIGHT: Mapping[str, Any] = {"type": "target_weights"}


class PortfolioContainer(BooksContainer):
    """One strategy under one risk profile, with cash and positions of its own.

    Args:
        desk: what it trades with.
    """

    def __init__(self, config: Mapping[str, Any], desk: Desk) -> None:
        super().__init__(config, desk)
        self._history = desk.history
        self._first = desk.first
        self._sizing: Mapping[str, Any] = self._profile["sizing"]
        orders = self.settings.get("orders") or {}
        self._entry_style: Mapping[str, Any] = orders.get("entry") or {}
        self._exit_style: Mapping[str, Any] = orders.get("exit") or {}
        self._queue: list[Event] = []
        self._batch: list[tuple[Event, dict[str, Any]]] = []  # orders of this bar that are about to be sent

    def wake(self, bar: int, stage: int) -> None:
        """Decide on the signals of this bar, or keep the books."""
        if stage == SUBMIT:
            self._submit(bar)
        else:
            super().wake(bar, stage)

    def listen_to(self, bus: EventBus) -> None:
        """Take the signals published on a strategy's bus."""
        bus.subscribe(self.on_signal, ("SIGNAL",))

    def on_signal(self, event: Event) -> None:
        """Keep a signal until all strategies have spoken."""
        self.tally.signals += 1
        if not self._queue:
            self.clock.at(self._rank, self.clock.bar, SUBMIT)
        self._queue.append(event)

    def _submit(self, bar: int) -> None:
        queue, self._queue = self._queue, []
        if len(queue) > 1 and self._watch.has_entry_limits:
            queue.sort(key=lambda event: event.payload["target"] != 0.0)  # what leaves makes room for what enters
        self._batch = wanted = []
        for event in queue:
            order = self._answer(event, bar)
            if order is not None:
                wanted.append(order)
        if len(wanted) > 1:
            wanted.sort(key=lambda order: order[1]["side"] == "buy")  # what frees cash goes first
        for event, parts in wanted:
            symbol = self._symbol_index[event.symbol or ""]
            self._send(parts, event, event.correlation_id, symbol, decided_at(event))
        self._batch = []

    def _answer(self, event: Event, bar: int) -> tuple[Event, dict[str, Any]] | None:
        """Return the order that answers a signal, or None after publishing why there is none."""
        assert event.symbol is not None
        symbol = self._symbol_index[event.symbol]
        signal = event.content
        assert isinstance(signal, SignalContent)
        target = signal.target
        held = self.account.positions[symbol].quantity
        withdrawn = self._withdraw_superseded(symbol, event) if self._working else False
        direction = (target > 0.0) - (target < 0.0)
        is_weight = signal.kind == "weight"
        if direction == 0:
            if held == 0.0:
                self._reject(event, "entry_cancelled" if withdrawn else "no_position", target=target)
                return None
            return event, self._exit(held, signal)
        if not is_weight and held * direction > 0.0:
            self._reject(event, "already_in_position", position=held, target=target)
            return None
        if is_weight and held and signal.drift is not None and self._is_near(event, held, symbol, bar):
            return None
        sizing = BY_WEIGHT if is_weight else self._sizing
        entry = self._entry(event, symbol, direction, bar, sizing, weight=target)
        if entry.refusal is not None:
            self._reject(event, entry.refusal.reason, **entry.refusal.numbers)
            # A reversal that may not be entered still leaves what is held.
            return (event, self._exit(held, signal)) if held * direction < 0.0 and not is_weight else None
        change = direction * entry.quantity - held
        if self._instruments[symbol].is_dust(change):
            self._reject(event, "no_change", position=held, target=target)
            return None
        purpose = "entry" if held == 0.0 else "reversal" if held * direction < 0.0 else "rebalance"
        order = signal_order(change, purpose, self._entry_style, signal.price)
        order["sizing"] = sizing = entry.numbers
        sizing["position_before"] = held
        sizing["position_target"] = held + change
        return event, order

    def _is_near(self, event: Event, held: float, symbol: int, bar: int, *, share: float = 1.0) -> bool:
        """Return whether a weight has not drifted as far as the signal lets it, after publishing so."""
        signal = event.content
        assert isinstance(signal, SignalContent)
        assert signal.drift is not None
        value = held * signal.price * self._instruments[symbol].multiplier
        weight = value / (self._standing.equity(bar) * share)
        near: bool = abs(weight - signal.target) < signal.drift
        if near:
            self._reject(event, "within_drift", limit=signal.drift, value=weight, target=signal.target)
        return near

    def _entry(
        self,
        event: Event,
        symbol: int,
        direction: int,
        bar: int,
        sizing: Mapping[str, Any],
        *,
        weight: float = 1.0,
        stop: float | None = None,
        share: float = 1.0,
        limited: bool = True,
    ) -> Entry:
        """Return the size of an entry, its arithmetic, and why there is none if there is none.

        Args:
            stop: price distance of the stop that will protect it, if not the profile's.
            share: of equity, that it is sized by.
            limited: by what the profile lets an entry add.
        """
        blocked = self._blocked(symbol, bar)
        if blocked is not None:
            return Entry(0.0, {}, refusal=blocked)
        price = decided_at(event)
        if stop is None and self._protected:
            stop = stop_distance(self._profile, price)
        situation = Situation(
            equity=self._standing.equity(bar) * share,
            price=price,
            multiplier=self._instruments[symbol].multiplier,
            stop_distance=stop,
            trades=self.account.trades,
            recent=lambda count: self._recent(symbol, bar, count),
            periods_per_year=self._periods_per_year,
            weight=weight,
        )
        entry = entry_size(
            self._profile,
            sizing,
            situation,
            self._instruments[symbol],
            direction,
            (lambda: self._exposure(symbol, bar, situation.equity))
            if limited and self._watch.has_entry_limits
            else None,
        )
        self._tell_breaches(event, entry.breaches, entry.quantity)
        return entry

    def _tell_breaches(self, event: Event, breaches: Sequence[Breach], left: float) -> None:
        for breach in breaches:
            action = f"cut to {left:g}" if left else "entry rejected"
            self._breach(breach, event.symbol, event.event_id, event.correlation_id, action)

    def _exit(self, held: float, signal: SignalContent) -> dict[str, Any]:
        order = signal_order(-held, "exit", self._exit_style, signal.price)
        order["sizing"] = {"position_before": held, "position_target": 0.0}
        return order

    def _withdraw_superseded(self, symbol: int, signal: Event) -> bool:
        old = [o for o in self._working.values() if o.symbol == symbol and o.purpose in SIGNAL_PURPOSES]
        for order in old:
            self._cancel(order, signal, "superseded")
        return any(order.purpose == "entry" for order in old)

    def _exposure(self, symbol: int, bar: int, equity: float) -> Exposure:
        """Return what is held in other symbols once the orders sent so far have filled."""
        account, standing = self.account, self._standing
        units = {other: account.positions[other].quantity for other in account.held}
        orders = [(order.symbol, order.parts) for order in self._working.values() if order.purpose in SIGNAL_PURPOSES]
        orders += [(self._symbol_index[event.symbol or ""], parts) for event, parts in self._batch]
        for other, parts in orders:
            before, target = units.get(other, 0.0), parts["sizing"]["position_target"]
            is_sure = parts["order_type"] == "market"
            units[other] = target if is_sure or abs(target) > abs(before) else before
        values = [
            account.value_of(other, quantity, standing.mark(bar, other))
            for other, quantity in sorted(units.items())
            if other != symbol and quantity
        ]
        return Exposure(equity, sum(map(abs, values)), sum(values), len(values))

    def _recent(self, symbol: int, bar: int, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        history = self._history
        stop = self._first + bar + 1
        if history.present is None:
            rows: Any = slice(max(0, stop - count), stop)
        else:
            rows = np.flatnonzero(history.present[:stop, symbol])[-count:]
        return history.high[rows, symbol], history.low[rows, symbol], history.close[rows, symbol]

    def _reject(self, signal: Event, reason: str, **numbers: Any) -> None:
        self.tally.reject(reason)
        payload = {"reason": reason, "portfolio": self.container_id, **numbers}
        self.publish("REJECT", payload, symbol=signal.symbol, cause=signal.event_id, flow=signal.correlation_id)


def decided_at(signal: Event) -> float:
    """Return the close at which a signal was decided."""
    content = signal.content
    price: float = content.price if isinstance(content, SignalContent) else signal.payload["price"]
    return price
