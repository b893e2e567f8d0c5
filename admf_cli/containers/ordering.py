"""What a portfolio publishes: its orders and cancellations, what became of positions, breaches of its limits.

Refuses to know when any of it is due.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from admf_cli.broker.account import Outcome
from admf_cli.broker.standing import Standing
from admf_cli.containers.base import Container
from admf_cli.containers.contents import OrderContent, PositionContent, UpdateContent
from admf_cli.containers.desk import Desk
from admf_cli.containers.tally import Tally
from admf_cli.containers.working import Working
from admf_cli.events.event import Event
from admf_cli.risk.limits import Breach


class OrderingContainer(Container):
    """Sends the orders of one account, and keeps those that have not ended.

    Args:
        desk: what it trades with; only this container books into its account.
    """

    container_type = "portfolio"

    def __init__(self, config: Mapping[str, Any], desk: Desk) -> None:
        super().__init__(config)
        bars = desk.bars
        self.account = desk.account
        self.tally = Tally()
        self._bars = bars
        self._marks = desk.marks
        self._instruments = desk.instruments
        self._bar_id = desk.bar_id
        self._symbols = bars.symbols
        self._symbol_index = {name: index for index, name in enumerate(bars.symbols)}
        self._working: dict[str, Working] = {}
        self._standing = Standing(desk.account, bars, desk.marks, desk.instruments)

    def on_end(self, event: Event) -> None:
        """Take note that an order ended without a (further) fill."""
        if self._working.pop(event.payload["order_id"], None) is None:
            return
        if event.event_type == "REJECT":
            self.tally.reject(event.payload["reason"])
        elif event.event_type == "EXPIRE":
            self.tally.expired += 1
        else:
            self.tally.cancelled += 1

    def _send(
        self,
        parts: dict[str, Any],
        cause: Event | str,
        flow: str | None,
        symbol: int,
        signal_price: float,
        *,
        stays: bool = False,
    ) -> None:
        self.tally.orders += 1
        instrument = self._instruments[symbol]
        if instrument.tick_size is not None:
            parts = instrument.on_grid(parts)
        # The order is among the working ones before anyone hears of it: it may fill before `publish` returns.
        order_id = self.next_id()
        self._working[order_id] = Working(order_id, symbol, flow, signal_price, parts, stays=stays)
        self.publish(
            "ORDER",
            OrderContent(order_id, parts),
            symbol=self._symbols[symbol],
            cause=cause if isinstance(cause, str) else cause.event_id,
            flow=flow,
            event_id=order_id,
        )

    def _cancel(self, order: Working, cause: Event, reason: str) -> None:
        if self._working.pop(order.order_id, None) is None:
            return
        self.tally.cancelled += 1
        self.publish(
            "CANCEL",
            {"order_id": order.order_id, "portfolio": self.container_id, "reason": reason},
            symbol=self._bars.symbols[order.symbol],
            cause=cause.event_id,
            flow=order.flow,
        )

    def _withdraw_entries(self, cause: Event, reason: str) -> None:
        """Cancel every working order that might open something."""
        for order in list(self._working.values()):
            if order.purpose != "exit" and not order.parts.get("reduce_only"):
                self._cancel(order, cause, reason)

    def _is_closing(self, symbol: int, purpose: str) -> bool:
        return any(order.symbol == symbol and order.purpose == purpose for order in self._working.values())

    def _publish_position(self, fill: Event, symbol: int, outcome: Outcome) -> None:
        if outcome.before == 0.0:
            event_type = "POSITION_OPEN"
        elif outcome.after == 0.0:
            event_type = "POSITION_CLOSE"
        else:
            event_type = "POSITION_CHANGE"
        if not self.bus.listeners(event_type):
            self.pass_over()
            return
        position = self.account.positions[symbol]
        content = PositionContent(
            outcome.after,
            outcome.before,
            position.average_price,
            outcome.realized_pnl,
            self.account.cash,
            outcome.trades,
        )
        self.publish(event_type, content, symbol=fill.symbol, cause=fill.event_id, flow=fill.correlation_id)

    def _publish_update(self, fill: Event, bar: int) -> None:
        if not self.bus.listeners("PORTFOLIO_UPDATE"):
            self.pass_over()
            return
        standing = self._standing
        content = UpdateContent(self.account.cash, standing.equity(bar), standing.exposure(bar), standing.quantities())
        self.publish("PORTFOLIO_UPDATE", content, cause=fill.event_id, flow=fill.correlation_id)

    def _breach(self, breach: Breach, symbol: str | None, cause: str, flow: str | None, action: str) -> Event:
        payload = {"rule": breach.rule, "limit": breach.limit, "value": breach.value, "action": action}
        return self.publish("RISK_BREACH", payload, symbol=symbol, cause=cause, flow=flow)

    def _bar_event(self, bar: int, symbol: int = 0) -> str:
        """Return the id of the symbol's BAR, or of another symbol's if it has none now: one of them always has."""
        present = self._bars.present
        if present is not None and not present[bar, symbol]:
            symbol = int(present[bar].argmax())
        return self._bar_id(bar, symbol)

    def _last_bar(self, symbol: int) -> int:
        present = self._bars.present
        return self._bars.n_bars - 1 if present is None else int(np.flatnonzero(present[:, symbol])[-1])
