"""The portfolio container: turns signals into sized orders, books fills, watches its limits.

Refuses to know how signals come about and how orders are filled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from admf_cli.broker.account import Account, Deal, Outcome
from admf_cli.broker.curves import Curves, curves
from admf_cli.broker.instrument import Instrument
from admf_cli.clock import MARK, SETTLE, SUBMIT
from admf_cli.containers.base import Container
from admf_cli.events.bus import EventBus
from admf_cli.events.event import Event
from admf_cli.market.bars import Bars, FloatArray
from admf_cli.metrics import portfolio_metrics
from admf_cli.results import Holding, PortfolioResult
from admf_cli.risk.limits import Breach, Exposure, allowed_value
from admf_cli.risk.protection import protective_orders, stop_distance
from admf_cli.risk.sizing import Situation, size
from admf_cli.risk.watch import Watch

SIGNAL_PURPOSES = frozenset({"entry", "exit", "reversal", "rebalance"})
_STOP_PURPOSES = frozenset({"stop_loss", "trailing_stop"})


@dataclass(slots=True)
class _Working:
    """An order of ours that has not ended: what a later decision must know of it."""

    order_id: str
    symbol: int
    purpose: str
    flow: str | None
    signal_price: float


@dataclass(slots=True)
class Counts:
    """The funnel of one portfolio."""

    signals: int = 0
    orders: int = 0
    fills: int = 0
    cancelled: int = 0
    expired: int = 0
    rejected: int = 0

    def as_mapping(self, trades: int) -> dict[str, int]:
        """Return them under their printed names."""
        return {
            "signals": self.signals,
            "orders": self.orders,
            "fills": self.fills,
            "trades": trades,
            "cancelled": self.cancelled,
            "expired": self.expired,
            "rejected": self.rejected,
        }


class PortfolioContainer(Container):
    """One strategy under one risk profile, with cash and positions of its own.

    Args:
        account: the money; only this container books into it.
        bars: the phase.
        marks: shape (n_bars, n_symbols), last known closes.
        history: warm-up bars and the phase, for sizes that look back.
        first: index in `history` of the phase's first bar.
        periods_per_year: bars a year.
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
        bar_id: Callable[[int, int], str],
    ) -> None:
        super().__init__(config)
        self.account = account
        self.counts = Counts()
        self.rejects: dict[str, int] = {}
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
        self._bar_id = bar_id
        self._symbol_index = {name: index for index, name in enumerate(bars.symbols)}
        self._queue: list[Event] = []
        self._working: dict[str, _Working] = {}
        self._last_fill: Event | None = None
        self._opened: dict[int, int] = {}
        self._cooling_until: dict[int, int] = {}
        self._protected = any(
            self._profile.get(key) is not None for key in ("stop_loss", "take_profit", "trailing_stop")
        )
        self._watch = Watch(self._profile, account, bars.times, marks, instruments)
        self._drawn: Curves | None = None
        self._figures: dict[str, float | int | None] | None = None

    def listen_to(self, bus: EventBus) -> None:
        """Take the signals published on a strategy's bus."""
        bus.subscribe(self.on_signal, ("SIGNAL",))

    def on_signal(self, event: Event) -> None:
        """Keep a signal until all strategies have spoken."""
        self._queue.append(event)
        self.counts.signals += 1
        self.clock.at(self._rank, self.clock.bar, SUBMIT)

    def on_fill(self, event: Event) -> None:
        """Book a fill, publish what became of the position, and send or withdraw what hangs on it."""
        payload = event.payload
        clock = self.clock
        assert event.symbol is not None
        symbol = self._symbol_index[event.symbol]
        bar = clock.bar
        self._watch.catch_up(bar)
        deal = Deal(
            symbol,
            1 if payload["side"] == "buy" else -1,
            payload["quantity"],
            payload["price"],
            payload["commission"],
            bar,
            clock.time,
            event.event_id,
            payload["purpose"],
        )
        outcome = self.account.apply(deal)
        self.counts.fills += 1
        self.slippage_paid += payload["slippage"] * deal.quantity * self._instruments[symbol].multiplier
        order = self._working[payload["order_id"]]
        if payload["remaining"] == 0.0:
            del self._working[payload["order_id"]]
        self._publish_position(event, symbol, outcome)
        before, after = outcome.before, outcome.after
        turned = before * after < 0.0
        if before != 0.0 and (after == 0.0 or turned):
            self._withdraw(symbol, event, "position_closed", keep=SIGNAL_PURPOSES if turned else frozenset())
            self._opened.pop(symbol, None)
            if payload["purpose"] in _STOP_PURPOSES and self._profile.get("cooldown"):
                self._cooling_until[symbol] = bar + self._profile["cooldown"]
        if after != 0.0 and (before == 0.0 or turned or abs(after) > abs(before)):
            self._on_opened(event, order, symbol, deal, after, first=before == 0.0 or turned)
        self._last_fill = event
        clock.at(self._rank, bar, SETTLE if payload["trigger"] == "close" else MARK)

    def on_end(self, event: Event) -> None:
        """Take note that an order ended without a (further) fill."""
        if self._working.pop(event.payload["order_id"], None) is None:
            return
        if event.event_type == "REJECT":
            self._count_reject(event.payload["reason"])
        elif event.event_type == "EXPIRE":
            self.counts.expired += 1
        else:
            self.counts.cancelled += 1

    def wake(self, bar: int, stage: int) -> None:
        """Mark positions and watch limits at the close; decide on the signals of this bar."""
        if stage == SUBMIT:
            self._submit(bar)
        else:
            self._mark(bar)

    def equity(self, bar: int) -> float:
        """Return cash and positions marked at this bar's close, account currency."""
        account = self.account
        total = account.cash
        for symbol in account.open_symbols():
            mark = float(self._marks[bar, symbol])
            total += account.positions[symbol].quantity * mark * self._instruments[symbol].multiplier
        return total

    def result(self) -> PortfolioResult:
        """Return the whole phase as plain values; to be asked for once the last bar has closed."""
        account, bar = self.account, self.clock.bar
        drawn = self._curves()
        return PortfolioResult(
            portfolio_id=self.container_id,
            strategy=self.settings["strategy"],
            risk_profile=self._profile["name"],
            initial_capital=account.initial_capital,
            final_cash=account.cash,
            final_equity=self.equity(bar),
            times=self._bars.times,
            equity=drawn.equity,
            cash=drawn.cash,
            exposure=drawn.exposure,
            trades=tuple(account.trades),
            holdings=tuple(self._holding(symbol, bar) for symbol in account.open_symbols()),
            metrics=self._metrics(),
            counts=self.counts.as_mapping(len(account.trades)),
            rejects=dict(sorted(self.rejects.items())),
        )

    def summary(self) -> Mapping[str, Any]:
        """Return where the portfolio stands at the end."""
        bar = self.clock.bar
        account = self.account
        return {
            "initial_capital": account.initial_capital,
            "cash": account.cash,
            "equity": self.equity(bar),
            "positions": {
                self._bars.symbols[symbol]: {
                    "quantity": account.positions[symbol].quantity,
                    "average_price": account.positions[symbol].average_price,
                    "last_price": float(self._marks[bar, symbol]),
                }
                for symbol in account.open_symbols()
            },
            "metrics": self._metrics(),
            "counts": self.counts.as_mapping(len(account.trades)),
            "rejects": dict(sorted(self.rejects.items())),
        }

    def _curves(self) -> Curves:
        if self._drawn is None:
            account = self.account
            self._drawn = curves(account.initial_capital, account.steps, self._marks, self._instruments)
        return self._drawn

    def _metrics(self) -> dict[str, float | int | None]:
        if self._figures is None:
            account, drawn = self.account, self._curves()
            self._figures = portfolio_metrics(
                initial_capital=account.initial_capital,
                equity=drawn.equity,
                exposure=drawn.exposure,
                times=self._bars.times,
                trades=account.trades,
                traded_value=account.traded_value,
                commission=account.commission_paid,
                slippage=self.slippage_paid,
                periods_per_year=self._periods_per_year,
            )
        return self._figures

    def _holding(self, symbol: int, bar: int) -> Holding:
        position, account = self.account.positions[symbol], self.account
        last = float(self._marks[bar, symbol])
        return Holding(
            symbol=self._bars.symbols[symbol],
            quantity=position.quantity,
            average_price=position.average_price,
            last_price=last,
            market_value=account.value_of(symbol, position.quantity, last),
            unrealized_pnl=account.value_of(symbol, position.quantity, last - position.average_price),
        )

    # ---------------------------------------------------------------- signals to orders

    def _submit(self, bar: int) -> None:
        queue, self._queue = self._queue, []
        wanted = [order for event in queue if (order := self._answer(event, bar)) is not None]
        if len(wanted) > 1:
            wanted.sort(key=lambda order: order[1]["side"] == "buy")  # what frees cash goes first
        for event, payload in wanted:
            self._send(payload, event, self._symbol_index[event.symbol or ""], event.payload["price"])

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
            return event, self._order(-held, "exit", bar, signal, {"position_before": held, "position_target": 0.0})
        if not is_weight and held * direction > 0.0:
            self._reject(event, "already_in_position", position=held, target=target)
            return None
        blocked = self._blocked(symbol, bar)
        quantity, numbers = 0.0, dict[str, Any]()
        if blocked is None:
            quantity, numbers, blocked = self._sized(event, symbol, direction, bar)
        if blocked is not None:
            self._reject(event, blocked[0], **blocked[1])
            if held * direction >= 0.0 or is_weight:
                return None
            return event, self._order(-held, "exit", bar, signal, {"position_before": held, "position_target": 0.0})
        desired = direction * quantity
        change = desired - held
        numbers.update(position_before=held, position_target=desired)
        if self._instruments[symbol].is_dust(change):
            self._reject(event, "no_change", position=held, target=target)
            return None
        purpose = "entry" if held == 0.0 else "reversal" if held * direction < 0.0 else "rebalance"
        return event, self._order(change, purpose, bar, signal, numbers)

    def _sized(
        self, event: Event, symbol: int, direction: int, bar: int
    ) -> tuple[float, dict[str, Any], tuple[str, dict[str, Any]] | None]:
        """Return quantity and arithmetic of an entry, or the reason code and numbers of why there is none."""
        signal = event.payload
        price = signal["price"]
        instrument = self._instruments[symbol]
        equity = self.equity(bar)
        config = {"type": "target_weights"} if signal["kind"] == "weight" else self._sizing
        situation = Situation(
            equity=equity,
            price=price,
            multiplier=instrument.multiplier,
            stop_distance=stop_distance(self._profile, price) if self._protected else None,
            trades=self.account.trades,
            recent=lambda n: self._recent(symbol, bar, n),
            periods_per_year=self._periods_per_year,
            weight=signal["target"],
        )
        sized = size(config, situation)
        numbers = {"type": config["type"], "equity": equity, "price": price, **sized.numbers}
        if sized.problem is not None:
            return 0.0, {}, (sized.problem, numbers)
        raw = sized.quantity
        breaches: list[Breach] = []
        if self._watch.has_entry_limits:
            unit = price * instrument.multiplier
            allowed, breaches = allowed_value(self._profile, self._exposure(symbol, bar, equity), raw * unit, direction)
            raw = min(raw, allowed / unit)
        quantity = instrument.whole_lots(max(0.0, raw))
        numbers.update(raw_quantity=raw, lot_size=instrument.lot_size, quantity=quantity)
        for breach in breaches:
            self._breach(breach, event.symbol, event, f"cut to {quantity:g}" if quantity else "entry rejected")
        if quantity == 0.0:
            if breaches:
                breach = breaches[-1]
                return 0.0, {}, (breach.rule, {"limit": breach.limit, "value": breach.value})
            return 0.0, {}, ("lot_too_small", {"needed": instrument.lot_size, "available": raw, **numbers})
        return quantity, numbers, None

    def _blocked(self, symbol: int, bar: int) -> tuple[str, dict[str, Any]] | None:
        halt = self._watch.halted(bar)
        if halt is not None:
            return halt.rule, {"limit": halt.limit, "value": halt.value}
        until = self._cooling_until.get(symbol, -1)
        if bar < until:
            return "cooldown", {"bars_left": until - bar}
        return None

    def _order(
        self, change: float, purpose: str, bar: int, signal: Mapping[str, Any], sizing: Mapping[str, Any]
    ) -> dict[str, Any]:
        side = 1 if change > 0.0 else -1
        style = self._exit_style if purpose == "exit" else self._entry_style
        payload: dict[str, Any] = {
            "side": "buy" if side > 0 else "sell",
            "quantity": abs(change),
            "order_type": style.get("type", "market"),
            "time_in_force": style.get("time_in_force", "GTC"),
            "purpose": purpose,
        }
        if style:
            payload.update(_styled(style, side, signal["price"]))
        payload["sizing"] = sizing
        return payload

    def _send(self, payload: Mapping[str, Any], cause: Event, symbol: int, signal_price: float) -> None:
        self.counts.orders += 1
        # The order is among the working ones before anyone hears of it: it may fill before `publish` returns.
        order_id = f"{self.container_id}#{self._published + 1}"
        self._working[order_id] = _Working(order_id, symbol, payload["purpose"], cause.correlation_id, signal_price)
        self.publish(
            "ORDER",
            {"order_id": order_id, **payload},
            symbol=self._bars.symbols[symbol],
            cause=cause.event_id,
            flow=cause.correlation_id,
        )

    # ---------------------------------------------------------------- positions and what hangs on them

    def _publish_position(self, fill: Event, symbol: int, outcome: Outcome) -> None:
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
        if outcome.before == 0.0:
            event_type = "POSITION_OPEN"
        elif outcome.after == 0.0:
            event_type = "POSITION_CLOSE"
        else:
            event_type = "POSITION_CHANGE"
        self.publish(event_type, payload, symbol=fill.symbol, cause=fill.event_id, flow=fill.correlation_id)

    def _on_opened(self, fill: Event, order: _Working, symbol: int, deal: Deal, after: float, *, first: bool) -> None:
        if first:
            self._opened[symbol] = deal.bar
            holding = self._profile.get("max_holding_period")
            if holding is not None:
                self.clock.at(self._rank, max(deal.bar, deal.bar + holding - 1), MARK)
            if self._profile.get("end_of_day"):
                self._plan_end_of_day(deal.bar)
        if self._protected:
            group = f"{fill.event_id}/exit"
            direction = 1 if after > 0.0 else -1
            parts = protective_orders(
                self._profile, direction=direction, fill_price=deal.price, signal_price=order.signal_price
            )
            for part in parts:
                payload = {
                    "side": "sell" if direction > 0 else "buy",
                    "quantity": min(deal.quantity, abs(after)),
                    "time_in_force": "GTC",
                    **part,
                    "parent": order.order_id,
                    "oco": group,
                    "reduce_only": True,
                }
                if self._account_is_flat(symbol):
                    break  # an earlier one of these closed the position before this one was sent
                self._send(payload, fill, symbol, order.signal_price)

    def _account_is_flat(self, symbol: int) -> bool:
        return self.account.positions[symbol].direction == 0

    def _withdraw(self, symbol: int, cause: Event, reason: str, *, keep: frozenset[str]) -> None:
        for order in [o for o in self._working.values() if o.symbol == symbol and o.purpose not in keep]:
            self._cancel(order, cause, reason)

    def _withdraw_superseded(self, symbol: int, signal: Event) -> bool:
        old = [o for o in self._working.values() if o.symbol == symbol and o.purpose in SIGNAL_PURPOSES]
        for order in old:
            self._cancel(order, signal, "superseded")
        return any(order.purpose == "entry" for order in old)

    def _cancel(self, order: _Working, cause: Event, reason: str) -> None:
        if self._working.pop(order.order_id, None) is None:
            return
        self.counts.cancelled += 1
        self.publish(
            "CANCEL",
            {"order_id": order.order_id, "portfolio": self.container_id, "reason": reason},
            symbol=self._bars.symbols[order.symbol],
            cause=cause.event_id,
            flow=order.flow,
        )

    def _plan_end_of_day(self, bar: int) -> None:
        day_us = 86_400_000_000
        times = self._bars.times
        last = int(np.searchsorted(times, (int(times[bar]) // day_us + 1) * day_us)) - 1
        self.clock.at(self._rank, max(bar, last - 1), MARK)

    # ---------------------------------------------------------------- marks and limits

    def _mark(self, bar: int) -> None:
        fill, self._last_fill = self._last_fill, None
        if fill is not None:
            account = self.account
            held = account.open_symbols()
            exposure = 0.0
            for symbol in held:
                worth = account.value_of(symbol, account.positions[symbol].quantity, float(self._marks[bar, symbol]))
                exposure += abs(worth)
            self.publish(
                "PORTFOLIO_UPDATE",
                {
                    "cash": account.cash,
                    "equity": self.equity(bar),
                    "exposure": exposure,
                    "positions": {self._bars.symbols[symbol]: account.positions[symbol].quantity for symbol in held},
                },
                cause=fill.event_id,
                flow=fill.correlation_id,
            )
        if self._watch.is_needed:
            for breach in self._watch.check(bar):
                cause = self._breach(breach, None, None, "positions closed, entries halted")
                for symbol in self.account.open_symbols():
                    self._close_position(symbol, cause, breach.rule)
            again = self._watch.next_due(bar)
            if again is not None:
                self.clock.at(self._rank, again, MARK)
        if self._profile.get("max_holding_period") is not None or self._profile.get("end_of_day"):
            self._close_overdue(bar)

    def _close_overdue(self, bar: int) -> None:
        holding = self._profile.get("max_holding_period")
        for symbol in self.account.open_symbols():
            opened = self._opened.get(symbol, bar)
            if holding is not None and bar >= opened + holding - 1:
                held = bar - opened + 1
                cause = self._breach(
                    Breach("max_holding_period", float(holding), float(held)),
                    self._bars.symbols[symbol],
                    None,
                    "position closed",
                )
                self._close_position(symbol, cause, "max_holding_period")
            elif self._profile.get("end_of_day") and self._is_last_but_one_of_day(bar):
                cause = self._breach(
                    Breach("end_of_day", 0.0, 1.0), self._bars.symbols[symbol], None, "position closed"
                )
                self._close_position(symbol, cause, "end_of_day", order_type="market_on_close")

    def _is_last_but_one_of_day(self, bar: int) -> bool:
        day_us = 86_400_000_000
        times = self._bars.times
        return bar + 2 >= len(times) or int(times[bar + 2]) // day_us != int(times[bar]) // day_us

    def _close_position(self, symbol: int, cause: Event, purpose: str, order_type: str = "market") -> None:
        if any(o.symbol == symbol and o.purpose == purpose for o in self._working.values()):
            return
        quantity = self.account.positions[symbol].quantity
        payload = {
            "side": "sell" if quantity > 0.0 else "buy",
            "quantity": abs(quantity),
            "order_type": order_type,
            "time_in_force": "GTC",
            "purpose": purpose,
            "reduce_only": True,
        }
        self._send(payload, cause, symbol, float(self._marks[self.clock.bar, symbol]))

    def _exposure(self, symbol: int, bar: int, equity: float) -> Exposure:
        account = self.account
        others = [other for other in account.open_symbols() if other != symbol]
        worths = [
            account.value_of(other, account.positions[other].quantity, float(self._marks[bar, other]))
            for other in others
        ]
        return Exposure(equity, sum(map(abs, worths)), sum(worths), len(others))

    def _recent(self, symbol: int, bar: int, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        history = self._history
        stop = self._first + bar + 1
        if history.present is None:
            rows: Any = slice(max(0, stop - count), stop)
        else:
            rows = np.flatnonzero(history.present[:stop, symbol])[-count:]
        return history.high[rows, symbol], history.low[rows, symbol], history.close[rows, symbol]

    def _breach(self, breach: Breach, symbol: str | None, cause: Event | None, action: str) -> Event:
        payload = {"rule": breach.rule, "limit": breach.limit, "value": breach.value, "action": action}
        return self.publish(
            "RISK_BREACH",
            payload,
            symbol=symbol,
            cause=None if cause is None else cause.event_id,
            flow=None if cause is None else cause.correlation_id,
        )

    def _reject(self, signal: Event, reason: str, **numbers: Any) -> None:
        self._count_reject(reason)
        payload = {"reason": reason, "portfolio": self.container_id, **numbers}
        self.publish("REJECT", payload, symbol=signal.symbol, cause=signal.event_id, flow=signal.correlation_id)

    def _count_reject(self, reason: str) -> None:
        self.counts.rejected += 1
        self.rejects[reason] = self.rejects.get(reason, 0) + 1


def _styled(style: Mapping[str, Any], side: int, price: float) -> dict[str, Any]:
    """Return the prices of an order style; offsets are fractions of the signal's close, in the trade's direction."""
    parts: dict[str, Any] = {}
    kind = style.get("type", "market")
    if kind in ("limit", "stop_limit"):
        parts["limit_price"] = price * (1.0 + side * style["limit_offset"])
    if kind in ("stop", "stop_limit"):
        parts["stop_price"] = price * (1.0 + side * style["stop_offset"])
    if kind == "trailing_stop":
        amount = style.get("trail_amount")
        parts["trail"] = {"amount": amount} if amount is not None else {"percent": style["trail_percent"]}
        away = amount if amount is not None else price * style["trail_percent"]
        parts["stop_price"] = price + side * away
    if style.get("good_till"):
        parts["good_till"] = style["good_till"]
    return parts
