"""The portfolio container: turns signals into sized orders, books fills, watches its limits.

Refuses to know how signals come about and how orders are filled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from admf_cli.broker.account import Account, Deal, Outcome
from admf_cli.broker.instrument import Instrument
from admf_cli.broker.standing import Standing
from admf_cli.clock import MARK, SETTLE, SUBMIT
from admf_cli.containers.base import Container
from admf_cli.containers.tally import Tally
from admf_cli.events.bus import EventBus
from admf_cli.events.event import Event
from admf_cli.market.bars import Bars, FloatArray
from admf_cli.results import PortfolioResult
from admf_cli.risk.entry import Entry, Refusal, entry_size
from admf_cli.risk.holding import END_OF_DAY, Overdue, checks, closes_today, has_end, overdue
from admf_cli.risk.limits import Breach, Exposure
from admf_cli.risk.orders import closing_order, signal_order
from admf_cli.risk.protection import protective_orders, stop_distance
from admf_cli.risk.sizing import Situation
from admf_cli.risk.watch import Watch

SIGNAL_PURPOSES = frozenset({"entry", "exit", "reversal", "rebalance"})
_BY_WEIGHT: Mapping[str, Any] = {"type": "target_weights"}
_STOP_PURPOSES = frozenset({"stop_loss", "trailing_stop"})


@dataclass(slots=True)
class Working:
    """An order of ours that has not ended: what a later decision must know of it.

    Attributes:
        flow: the SIGNAL that began it.
        parts: the ORDER's own.
        remaining: units still open.
        stays: it outlives the position that it was sent beside.
    """

    order_id: str
    symbol: int
    purpose: str
    flow: str | None
    signal_price: float
    parts: Mapping[str, Any]
    remaining: float
    stays: bool


class PortfolioContainer(Container):
    """One strategy under one risk profile, with cash and positions of its own.

    Args:
        account: the money; only this container books into it.
        bars: the phase.
        marks: shape (n_bars, n_symbols), last known closes.
        history: warm-up bars and the phase, for sizes that look back.
        first: index in `history` of the phase's first bar.
        periods_per_year: bars a year.
        fills_at_close: market orders fill at the close of the bar they are decided on.
        bar_id: bar, symbol index -> id of the BAR event.
    """

    container_type = "portfolio"

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        account: Account,
        bars: Bars,
        marks: FloatArray,
        history: Bars,
        first: int,
        instruments: Sequence[Instrument],
        periods_per_year: float,
        fills_at_close: bool,
        bar_id: Callable[[int, int], str],
    ) -> None:
        super().__init__(config)
        self.account = account
        self.tally = Tally()
        self.slippage_paid = 0.0
        self._profile: Mapping[str, Any] = self.settings["risk_profile"]
        self._sizing: Mapping[str, Any] = self._profile["sizing"]
        self._entry_style: Mapping[str, Any] = (self.settings.get("orders") or {}).get("entry") or {}
        self._exit_style: Mapping[str, Any] = (self.settings.get("orders") or {}).get("exit") or {}
        self._bars = bars
        self._marks = marks
        self._history = history
        self._first = first
        self._instruments = instruments
        self._periods_per_year = periods_per_year
        self._fills_at_close = fills_at_close
        self._bar_id = bar_id
        self._symbol_index = {name: index for index, name in enumerate(bars.symbols)}
        self._queue: list[Event] = []
        self._working: dict[str, Working] = {}
        self._last_fill: Event | None = None
        self._opened: dict[int, tuple[int, str | None]] = {}  # symbol -> bar and flow of the entry
        self._cooling_until: dict[int, int] = {}
        self._protected = any(
            self._profile.get(key) is not None for key in ("stop_loss", "take_profit", "trailing_stop")
        )
        self._is_timed = has_end(self._profile)
        self._watch = Watch(self._profile, account, bars.times, marks, instruments)
        self._standing = Standing(account, bars, marks, instruments)
        self._figures: dict[str, float | int | None] | None = None

    def listen_to(self, bus: EventBus) -> None:
        """Take the signals published on a strategy's bus."""
        bus.subscribe(self.on_signal, ("SIGNAL",))

    def on_signal(self, event: Event) -> None:
        """Keep a signal until all strategies have spoken."""
        self.tally.signals += 1
        if not self._queue:
            self.clock.at(self._rank, self.clock.bar, SUBMIT)
        self._queue.append(event)

    def on_fill(self, event: Event) -> None:
        """Book a fill, publish what became of the position, and send or withdraw what hangs on it."""
        payload = event.payload
        clock = self.clock
        assert event.symbol is not None
        symbol = self._symbol_index[event.symbol]
        bar = clock.bar
        if self._watch.is_needed:
            self._watch.catch_up(bar)
        quantity = payload["quantity"]
        deal = Deal(
            symbol,
            1 if payload["side"] == "buy" else -1,
            quantity,
            payload["price"],
            payload["commission"],
            bar,
            clock.time,
            event.event_id,
            payload["purpose"],
        )
        outcome = self.account.apply(deal)
        self.tally.fills += 1
        self.slippage_paid += payload["slippage"] * quantity * self._instruments[symbol].multiplier
        order_id = payload["order_id"]
        order = self._working[order_id]
        if payload["remaining"] == 0.0:
            del self._working[order_id]
        else:
            order.remaining = payload["remaining"]
        self._publish_position(event, symbol, outcome)
        before, after = outcome.before, outcome.after
        turned = before * after < 0.0
        if before != 0.0 and (after == 0.0 or turned):
            self._opened.pop(symbol, None)
            if payload["purpose"] in _STOP_PURPOSES and self._profile.get("cooldown"):
                self._cooling_until[symbol] = bar + self._profile["cooldown"]
            if self._working:
                self._on_closed(symbol, event, order_id, turned=turned)
        if after != 0.0 and (before == 0.0 or turned or abs(after) > abs(before)):
            self._on_opened(event, order, symbol, deal, after, first=before == 0.0 or turned)
        self._last_fill = event
        clock.at(self._rank, bar, SETTLE if payload["trigger"] == "close" else MARK)

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

    def wake(self, bar: int, stage: int) -> None:
        """Mark positions and watch limits at the close; decide on the signals of this bar."""
        if stage == SUBMIT:
            self._submit(bar)
        else:
            self._mark(bar)

    def result(self) -> PortfolioResult:
        """Return the whole phase as plain values; to be asked for once the last bar has closed."""
        account, bar = self.account, self.clock.bar
        drawn = self._standing.curves()
        return PortfolioResult(
            portfolio_id=self.container_id,
            strategy=self.settings["strategy"],
            risk_profile=self._profile["name"],
            initial_capital=account.initial_capital,
            final_cash=account.cash,
            final_equity=self._standing.equity(bar),
            times=self._bars.times,
            equity=drawn.equity,
            cash=drawn.cash,
            exposure=drawn.exposure,
            trades=tuple(account.trades),
            holdings=self._standing.holdings(bar),
            metrics=self._metrics(),
            counts=self.tally.counts(len(account.trades)),
            rejects=self.tally.reasons(),
        )

    def summary(self) -> Mapping[str, Any]:
        """Return where the portfolio stands at the end."""
        bar = self.clock.bar
        account = self.account
        return {
            "initial_capital": account.initial_capital,
            "cash": account.cash,
            "equity": self._standing.equity(bar),
            "positions": {
                holding.symbol: {
                    "quantity": holding.quantity,
                    "average_price": holding.average_price,
                    "last_price": holding.last_price,
                }
                for holding in self._standing.holdings(bar)
            },
            "metrics": self._metrics(),
            "periods_per_year": self._periods_per_year,
            "counts": self.tally.counts(len(account.trades)),
            "rejects": self.tally.reasons(),
        }

    def _metrics(self) -> dict[str, float | int | None]:
        if self._figures is None:
            self._figures = self._standing.metrics(
                slippage_paid=self.slippage_paid, periods_per_year=self._periods_per_year
            )
        return self._figures

    # ---------------------------------------------------------------- signals to orders

    def _submit(self, bar: int) -> None:
        queue, self._queue = self._queue, []
        wanted = [order for event in queue if (order := self._answer(event, bar)) is not None]
        if len(wanted) > 1:
            wanted.sort(key=lambda order: order[1]["side"] == "buy")  # what frees cash goes first
        for event, parts in wanted:
            symbol = self._symbol_index[event.symbol or ""]
            self._send(parts, event, event.correlation_id, symbol, event.payload["price"])

    def _answer(self, event: Event, bar: int) -> tuple[Event, dict[str, Any]] | None:
        """Return the order that answers a signal, or None after publishing why there is none."""
        assert event.symbol is not None
        symbol = self._symbol_index[event.symbol]
        signal = event.payload
        target = signal["target"]
        held = self.account.positions[symbol].quantity
        withdrawn = self._withdraw_superseded(symbol, event) if self._working else False
        direction = (target > 0.0) - (target < 0.0)
        is_weight = signal["kind"] == "weight"
        if direction == 0:
            if held == 0.0:
                self._reject(event, "entry_cancelled" if withdrawn else "no_position", target=target)
                return None
            return event, self._exit(held, signal)
        if not is_weight and held * direction > 0.0:
            self._reject(event, "already_in_position", position=held, target=target)
            return None
        if is_weight and held and "drift" in signal and self._is_near(event, held, symbol, bar):
            return None
        sizing = _BY_WEIGHT if is_weight else self._sizing
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
        order = signal_order(change, purpose, self._entry_style, signal["price"])
        order["sizing"] = sizing = entry.numbers
        sizing["position_before"] = held
        sizing["position_target"] = held + change
        return event, order

    def _is_near(self, event: Event, held: float, symbol: int, bar: int) -> bool:
        """Return whether a weight has not drifted as far as the signal lets it, after publishing so."""
        signal = event.payload
        value = held * signal["price"] * self._instruments[symbol].multiplier
        weight = value / self._standing.equity(bar)
        near: bool = abs(weight - signal["target"]) < signal["drift"]
        if near:
            self._reject(event, "within_drift", limit=signal["drift"], value=weight, target=signal["target"])
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
    ) -> Entry:
        """Return the size of an entry, its arithmetic, and why there is none if there is none.

        Args:
            stop: price distance of the stop that will protect it, if not the profile's.
        """
        blocked = self._blocked(symbol, bar)
        if blocked is not None:
            return Entry(0.0, {}, refusal=blocked)
        price = event.payload["price"]
        if stop is None and self._protected:
            stop = stop_distance(self._profile, price)
        situation = Situation(
            equity=self._standing.equity(bar),
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
            (lambda: self._exposure(symbol, bar, situation.equity)) if self._watch.has_entry_limits else None,
        )
        for breach in entry.breaches:
            action = f"cut to {entry.quantity:g}" if entry.quantity else "entry rejected"
            self._breach(breach, event.symbol, event.event_id, event.correlation_id, action)
        return entry

    def _exit(self, held: float, signal: Mapping[str, Any]) -> dict[str, Any]:
        order = signal_order(-held, "exit", self._exit_style, signal["price"])
        order["sizing"] = {"position_before": held, "position_target": 0.0}
        return order

    def _blocked(self, symbol: int, bar: int) -> Refusal | None:
        halt = self._watch.halted(bar) if self._watch.is_needed else None
        if halt is not None:
            return Refusal(halt.rule, {"limit": halt.limit, "value": halt.value})
        until = self._cooling_until.get(symbol, -1)
        return Refusal("cooldown", {"bars_left": until - bar}) if bar < until else None

    def _send(
        self,
        parts: Mapping[str, Any],
        cause: Event,
        flow: str | None,
        symbol: int,
        signal_price: float,
        *,
        stays: bool = False,
    ) -> None:
        self.tally.orders += 1
        # The order is among the working ones before anyone hears of it: it may fill before `publish` returns.
        order_id = f"{self.container_id}#{self._published + 1}"
        self._working[order_id] = Working(
            order_id, symbol, parts["purpose"], flow, signal_price, parts, parts["quantity"], stays
        )
        self.publish(
            "ORDER",
            {"order_id": order_id, **parts},
            symbol=self._bars.symbols[symbol],
            cause=cause.event_id,
            flow=flow,
        )

    # ---------------------------------------------------------------- positions and what hangs on them

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
        payload: dict[str, Any] = {
            "quantity": outcome.after,
            "quantity_before": outcome.before,
            "average_price": position.average_price,
            "realized_pnl": outcome.realized_pnl,
            "cash": self.account.cash,
        }
        if outcome.trades:
            payload["trades"] = [
                {
                    "number": trade.number,
                    "direction": trade.direction,
                    "quantity": trade.quantity,
                    "entry_price": trade.entry_price,
                    "exit_price": trade.exit_price,
                    "entry_fill": trade.entry_fill,
                    "pnl": trade.pnl,
                    "return": trade.return_fraction,
                }
                for trade in outcome.trades
            ]
        self.publish(event_type, payload, symbol=fill.symbol, cause=fill.event_id, flow=fill.correlation_id)

    def _on_opened(self, fill: Event, order: Working, symbol: int, deal: Deal, after: float, *, first: bool) -> None:
        if first:
            self._opened[symbol] = (deal.bar, fill.correlation_id)
        if first and self._is_timed:
            for due in checks(self._profile, deal.bar, self._bars.times, at_close=self._fills_at_close):
                self.clock.at(self._rank, due, MARK)
            if fill.payload["trigger"] != "close" and closes_today(self._profile, deal.bar, self._bars.times):
                self._close_by(END_OF_DAY, symbol, fill.event_id, fill.correlation_id)
        direction = 1 if after > 0.0 else -1
        protection = self._protection(order, direction, deal.price)
        if protection:
            group = f"{fill.event_id}/exit"
            for part in protection:
                payload = {
                    "side": "sell" if direction > 0 else "buy",
                    "quantity": min(deal.quantity, abs(after)),
                    "time_in_force": "GTC",
                    **part,
                    "parent": order.order_id,
                    "oco": group,
                    "reduce_only": True,
                }
                if not self.account.positions[symbol].direction:
                    break  # an earlier one of these closed the position before this one was sent
                self._send(payload, fill, fill.correlation_id, symbol, order.signal_price)

    def _protection(self, order: Working, direction: int, fill_price: float) -> list[dict[str, Any]]:
        """Return the order parts that protect what an order has just opened."""
        if not self._protected:
            return []
        return protective_orders(
            self._profile, direction=direction, fill_price=fill_price, signal_price=order.signal_price
        )

    def _withdraw_asked(self, cause: Event, reason: str) -> None:
        for order in [o for o in self._working.values() if o.stays and not o.parts.get("reduce_only")]:
            self._cancel(order, cause, reason)

    def _on_closed(self, symbol: int, fill: Event, filled: str, *, turned: bool) -> None:
        """Withdraw what hung on a position that is no more; of a reversal, what would have been opened is left."""
        others = [o for o in self._working.values() if o.symbol == symbol and o.order_id != filled and not o.stays]
        for order in others:
            if order.purpose not in SIGNAL_PURPOSES:
                self._cancel(order, fill, "position_closed")
            elif not turned and order.purpose == "reversal" and self._blocked(symbol, self.clock.bar) is None:
                sizing = {**order.parts["sizing"], "position_before": 0.0}
                entry = {
                    **order.parts,
                    "quantity": abs(sizing["position_target"]),
                    "purpose": "entry",
                    "replaces": order.order_id,
                    "sizing": sizing,
                }
                self._send(entry, fill, order.flow, symbol, order.signal_price)
            elif not turned:
                self._cancel(order, fill, "position_closed")

    def _withdraw_superseded(self, symbol: int, signal: Event) -> bool:
        old = [o for o in self._working.values() if o.symbol == symbol and o.purpose in SIGNAL_PURPOSES]
        for order in old:
            self._cancel(order, signal, "superseded")
        return any(order.purpose == "entry" for order in old)

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

    # ---------------------------------------------------------------- marks and limits

    def _mark(self, bar: int) -> None:
        fill, self._last_fill = self._last_fill, None
        if fill is not None:
            self._publish_update(fill, bar)
        if self._watch.is_needed:
            for breach in self._watch.check(bar):
                cause = self._breach(breach, None, self._bar_event(bar), None, "positions closed, entries halted")
                self._withdraw_asked(cause, breach.rule)
                for symbol in self.account.held:
                    self._close_position(symbol, cause, breach.rule, "market")
            again = self._watch.next_due(bar)
            if again is not None:
                self.clock.at(self._rank, again, MARK)
        if self._is_timed:
            self._close_overdue(bar)

    def _publish_update(self, fill: Event, bar: int) -> None:
        if not self.bus.listeners("PORTFOLIO_UPDATE"):
            self.pass_over()
            return
        payload = {
            "cash": self.account.cash,
            "equity": self._standing.equity(bar),
            "exposure": self._standing.exposure(bar),
            "positions": self._standing.quantities(),
        }
        self.publish("PORTFOLIO_UPDATE", payload, cause=fill.event_id, flow=fill.correlation_id)

    def _close_overdue(self, bar: int) -> None:
        for symbol, (opened, flow) in sorted(self._opened.items()):
            due = overdue(self._profile, opened, bar, self._bars.times, at_close=self._fills_at_close)
            if due is not None:
                self.clock.at(self._rank, bar + 1, MARK)  # should what closes it be refused, there is another try
                self._close_by(due, symbol, self._bar_event(bar, symbol), flow)

    def _close_by(self, due: Overdue, symbol: int, cause: str, flow: str | None) -> None:
        breach = due.breach
        if not self._is_closing(symbol, breach.rule):
            event = self._breach(breach, self._bars.symbols[symbol], cause, flow, "position closed")
            self._close_position(symbol, event, breach.rule, due.order_type)

    def _is_closing(self, symbol: int, purpose: str) -> bool:
        return any(order.symbol == symbol and order.purpose == purpose for order in self._working.values())

    def _close_position(self, symbol: int, cause: Event, purpose: str, order_type: str) -> None:
        if self._is_closing(symbol, purpose):
            return
        order = closing_order(self.account.positions[symbol].quantity, purpose, order_type)
        flow = self._opened[symbol][1]
        self._send(order, cause, flow, symbol, self._standing.mark(self.clock.bar, symbol))

    def _bar_event(self, bar: int, symbol: int = 0) -> str:
        """Return the id of the symbol's BAR, or of another symbol's if it has none now: one of them always has."""
        present = self._bars.present
        if present is not None and not present[bar, symbol]:
            symbol = int(present[bar].argmax())
        return self._bar_id(bar, symbol)

    def _exposure(self, symbol: int, bar: int, equity: float) -> Exposure:
        values = [worth.value for worth in self._standing.worths(bar) if worth.symbol != symbol]
        return Exposure(equity, sum(map(abs, values)), sum(values), len(values))

    def _recent(self, symbol: int, bar: int, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        history = self._history
        stop = self._first + bar + 1
        if history.present is None:
            rows: Any = slice(max(0, stop - count), stop)
        else:
            rows = np.flatnonzero(history.present[:stop, symbol])[-count:]
        return history.high[rows, symbol], history.low[rows, symbol], history.close[rows, symbol]

    def _breach(self, breach: Breach, symbol: str | None, cause: str, flow: str | None, action: str) -> Event:
        payload = {"rule": breach.rule, "limit": breach.limit, "value": breach.value, "action": action}
        return self.publish("RISK_BREACH", payload, symbol=symbol, cause=cause, flow=flow)

    def _reject(self, signal: Event, reason: str, **numbers: Any) -> None:
        self.tally.reject(reason)
        payload = {"reason": reason, "portfolio": self.container_id, **numbers}
        self.publish("REJECT", payload, symbol=signal.symbol, cause=signal.event_id, flow=signal.correlation_id)
