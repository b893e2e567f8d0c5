"""The books of a portfolio: fills, positions and what hangs on them, interest, marks, limits, and the end.

Refuses to know why an order was sent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from admf_cli.broker.account import Deal
from admf_cli.broker.financing import accrual
from admf_cli.broker.funds import initial_rate
from admf_cli.clock import ACCRUE, MARK, SETTLE
from admf_cli.containers.contents import FillContent
from admf_cli.containers.desk import Desk
from admf_cli.containers.ordering import OrderingContainer
from admf_cli.containers.working import SIGNAL_PURPOSES, STOP_PURPOSES, Working
from admf_cli.events.event import Event
from admf_cli.results import PortfolioResult
from admf_cli.risk.entry import Refusal
from admf_cli.risk.holding import END_OF_DAY, Overdue, checks, closes_today, has_end, next_day_check, overdue
from admf_cli.risk.orders import closing_order
from admf_cli.risk.protection import protective_orders
from admf_cli.risk.watch import Watch


class BooksContainer(OrderingContainer):
    """Books of one account, kept by the events of the execution.

    Args:
        desk: what it trades with.
    """

    def __init__(self, config: Mapping[str, Any], desk: Desk) -> None:
        super().__init__(config, desk)
        self.slippage_paid = 0.0
        self._profile: Mapping[str, Any] = self.settings["risk_profile"]
        self._periods_per_year = desk.periods_per_year
        self._fills_at_close = desk.fills_at_close
        self._last_fill: Event | None = None
        self._opened: dict[int, tuple[int, str | None]] = {}  # symbol -> bar and flow of the entry
        self._cooling_until: dict[int, int] = {}
        self._protected = any(
            self._profile.get(key) is not None for key in ("stop_loss", "take_profit", "trailing_stop")
        )
        self._is_timed = has_end(self._profile)
        self._margin: Mapping[str, Any] = self.settings.get("margin") or {}
        self._financing: Mapping[str, float] | None = self.settings.get("financing")
        self._interest = self._borrow_fees = 0.0
        self._halting: Event | None = None
        self._watch = Watch(
            self._profile,
            self.account,
            self._bars.times,
            self._marks,
            self._instruments,
            self._margin.get("maintenance"),
        )
        self._is_watched: bool = self._watch.is_needed
        self._figures: dict[str, float | int | None] | None = None

    def prepare(self) -> None:
        """Ask to be woken where interest is due, and where a symbol is to be closed for good."""
        if self._financing is not None:
            self.clock.at(self._rank, 1, ACCRUE)
        if self.settings.get("close_at_end"):
            for bar in {self._last_bar(symbol) for symbol in range(self._bars.n_symbols)}:
                self.clock.at(self._rank, bar, SETTLE)

    def on_fill(self, event: Event) -> None:
        """Book a fill, publish what became of the position, and send or withdraw what hangs on it."""
        fill = event.content
        assert isinstance(fill, FillContent)
        clock = self.clock
        assert event.symbol is not None
        symbol = self._symbol_index[event.symbol]
        bar = clock.bar
        if self._is_watched:
            self._watch.catch_up(bar)
        deal = Deal(
            symbol,
            fill.side,
            fill.quantity,
            fill.price,
            fill.commission,
            bar,
            clock.time,
            event.event_id,
            fill.purpose,
        )
        outcome = self.account.apply(deal)
        self.tally.fills += 1
        self.slippage_paid += fill.slippage * fill.quantity * self._instruments[symbol].multiplier
        order_id = fill.order_id
        order = self._working[order_id]
        if fill.remaining == 0.0:
            del self._working[order_id]
        else:
            order.remaining = fill.remaining
        self._publish_position(event, symbol, outcome)
        before, after = outcome.before, outcome.after
        turned = before * after < 0.0
        if before != 0.0 and (after == 0.0 or turned):
            self._opened.pop(symbol, None)
            if fill.purpose in STOP_PURPOSES and self._profile.get("cooldown"):
                self._cooling_until[symbol] = bar + self._profile["cooldown"]
            if self._working:
                self._on_closed(symbol, event, order_id, turned=turned)
        if after != 0.0 and (before == 0.0 or turned or abs(after) > abs(before)):
            self._on_opened(event, fill, order, symbol, deal, after, first=before == 0.0 or turned)
        self._last_fill = event
        # What fills while the bar is met, at its close included, is marked before strategies see the bar.
        decided_now = fill.trigger == "close" and order.parts["order_type"] != "market_on_close"
        clock.at(self._rank, bar, SETTLE if decided_now else MARK)

    def wake(self, bar: int, stage: int) -> None:
        """Book interest, mark positions and watch limits at the close, and close what is to be closed at the end."""
        if stage == ACCRUE:
            self._accrue(bar)
            return
        if stage == SETTLE and self.settings.get("close_at_end"):
            self._close_for_good(bar)
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
            **({} if self._financing is None else {"financing": self._financed()}),
        }

    def _financed(self) -> dict[str, float]:
        return {"interest": self._interest, "borrow_fees": self._borrow_fees}

    def _metrics(self) -> dict[str, float | int | None]:
        if self._figures is None:
            self._figures = self._standing.metrics(
                slippage_paid=self.slippage_paid, periods_per_year=self._periods_per_year
            )
        return self._figures

    def _blocked(self, symbol: int, bar: int) -> Refusal | None:
        halt = self._watch.halted(bar) if self._is_watched else None
        if halt is not None:
            return Refusal(halt.rule, {"limit": halt.limit, "value": halt.value})
        until = self._cooling_until.get(symbol, -1)
        return Refusal("cooldown", {"bars_left": until - bar}) if bar < until else None

    def _on_opened(
        self, event: Event, fill: FillContent, order: Working, symbol: int, deal: Deal, after: float, *, first: bool
    ) -> None:
        if first:
            self._opened[symbol] = (deal.bar, event.correlation_id)
        if first and self._is_timed:
            for due in checks(self._profile, deal.bar, self._bars.times, at_close=self._fills_at_close):
                self.clock.at(self._rank, due, MARK)
            if fill.trigger != "close" and closes_today(self._profile, deal.bar, self._bars.times):
                self._close_by(END_OF_DAY, symbol, event.event_id, event.correlation_id)
        direction = 1 if after > 0.0 else -1
        protection = self._protection(order, direction, deal.price)
        if protection:
            group = f"{event.event_id}/exit"
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
                self._send(payload, event, event.correlation_id, symbol, order.signal_price)

    def _protection(self, order: Working, direction: int, fill_price: float) -> list[dict[str, Any]]:
        """Return the order parts that protect what an order has just opened."""
        if not self._protected:
            return []
        return protective_orders(
            self._profile, direction=direction, fill_price=fill_price, signal_price=order.signal_price
        )

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

    def _accrue(self, bar: int) -> None:
        """Book the interest and the borrow fees of the time since the last bar, on where the account stood then."""
        assert self._financing is not None
        account, times = self.account, self._bars.times
        shorts = -sum(value for value in self._standing.values(bar - 1) if value < 0.0)
        due = accrual(self._financing, account.cash, shorts, int(times[bar] - times[bar - 1]))
        if due.interest or due.borrow_fee:
            if self._is_watched:
                self._watch.catch_up(bar)
                self.clock.at(self._rank, bar, MARK)
            self._interest += due.interest
            self._borrow_fees += due.borrow_fee
            account.accrue(due.interest - due.borrow_fee, bar)
            payload = {"interest": due.interest, "borrow_fee": due.borrow_fee, "cash": account.cash}
            self.publish("FINANCING", payload, cause=self._bar_event(bar))
        self.clock.at(self._rank, bar + 1, ACCRUE)

    def _mark(self, bar: int) -> None:
        fill, self._last_fill = self._last_fill, None
        if fill is not None:
            self._publish_update(fill, bar)
        if self._is_watched:
            self._watch_limits(bar)
        if self._is_timed:
            self._close_overdue(bar)

    def _watch_limits(self, bar: int) -> None:
        for breach in self._watch.check(bar):
            self._halting = self._breach(breach, None, self._bar_event(bar), None, "positions closed, entries halted")
            self._withdraw_entries(self._halting, breach.rule)
        halt = self._watch.halted(bar)
        if halt is not None and self._halting is not None and self.account.held:
            for symbol in self.account.held:
                self._close_position(symbol, self._halting, halt.rule, "market")
            self.clock.at(self._rank, bar + 1, MARK)  # should what closes it be refused, there is another try
        if self.account.held:
            self._watch_margin(bar)
        again = self._watch.next_due(bar)
        if again is not None:
            self.clock.at(self._rank, again, MARK)

    def _watch_margin(self, bar: int) -> None:
        """Answer a margin call: close all positions, or as much of each as restores the initial margin."""
        call = self._watch.margin_call(bar)
        if call is None or any(order.purpose == "liquidation" for order in self._working.values()):
            return
        whole = self._margin["liquidation"] == "all"
        action = "positions closed" if whole else "positions reduced to the initial margin"
        cause = self._breach(call, None, self._bar_event(bar), None, action)
        self._withdraw_entries(cause, call.rule)
        share = 1.0 if whole else max(0.0, 1.0 - call.value / initial_rate(self._margin))
        for symbol in self.account.held:
            self._close_position(symbol, cause, "liquidation", "market", share=share)
        self.clock.at(self._rank, bar + 1, MARK)

    def _close_for_good(self, bar: int) -> None:
        """Close each position whose symbol has its last bar now, at the close of that bar."""
        for symbol in self.account.held:
            if self._last_bar(symbol) == bar:
                opened = self._opened[symbol][1]
                order = closing_order(self.account.positions[symbol].quantity, "close_at_end")
                cause = self._bar_event(bar, symbol)
                self._send(order, cause, opened, symbol, self._standing.mark(bar, symbol))

    def _close_overdue(self, bar: int) -> None:
        for symbol, (opened, flow) in sorted(self._opened.items()):
            due = overdue(self._profile, opened, bar, self._bars.times, at_close=self._fills_at_close)
            if due is not None:
                self.clock.at(self._rank, bar + 1, MARK)  # should what closes it be refused, there is another try
                self._close_by(due, symbol, self._bar_event(bar, symbol), flow)
        again = next_day_check(self._profile, bar, self._bars.times)
        if self._opened and again is not None:
            self.clock.at(self._rank, again, MARK)

    def _close_by(self, due: Overdue, symbol: int, cause: str, flow: str | None) -> None:
        breach = due.breach
        if not self._is_closing(symbol, breach.rule):
            event = self._breach(breach, self._bars.symbols[symbol], cause, flow, "position closed")
            self._close_position(symbol, event, breach.rule, due.order_type)

    def _close_position(self, symbol: int, cause: Event, purpose: str, order_type: str, *, share: float = 1.0) -> None:
        if self._is_closing(symbol, purpose):
            return
        held = self.account.positions[symbol].quantity
        quantity = abs(held)
        if share < 1.0:
            quantity = min(quantity, self._instruments[symbol].lots_for(quantity * share))
        order = closing_order(math.copysign(quantity, held), purpose, order_type)
        flow = self._opened[symbol][1]
        self._send(order, cause, flow, symbol, self._standing.mark(self.clock.bar, symbol))
