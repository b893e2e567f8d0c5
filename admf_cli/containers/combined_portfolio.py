"""The portfolio that several strategies feed: each is sized by its share of equity, the order changes the sum.

Refuses to know how the strategies decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admf_cli.containers.contents import FillContent, SignalContent
from admf_cli.containers.desk import Desk
from admf_cli.containers.portfolio import BY_WEIGHT, PortfolioContainer, decided_at
from admf_cli.containers.working import SIGNAL_PURPOSES, Working
from admf_cli.events.event import Event
from admf_cli.risk.allocation import Targets, whole
from admf_cli.risk.entry import Refusal
from admf_cli.risk.limits import allowed_value
from admf_cli.risk.orders import signal_order


class CombinedPortfolioContainer(PortfolioContainer):
    """Keeps a target for each strategy and symbol; of each symbol one order works at a time."""

    def __init__(self, config: Mapping[str, Any], desk: Desk) -> None:
        super().__init__(config, desk)
        self._targets = Targets(self.settings["allocations"])
        self._styles: Mapping[str, Any] = self.settings["orders"] or {}

    def on_fill(self, event: Event) -> None:
        """Book a fill; what a stop or a limit closes is closed for every strategy alike."""
        assert event.symbol is not None
        symbol = self._symbol_index[event.symbol]
        before = self.account.positions[symbol].quantity
        super().on_fill(event)
        fill = event.content
        assert isinstance(fill, FillContent)
        if fill.purpose not in SIGNAL_PURPOSES and before:
            self._targets.scale(symbol, self.account.positions[symbol].quantity / before)

    def on_end(self, event: Event) -> None:
        """Forget what an order would still have bought or sold: no later order takes it up."""
        order = self._working.get(event.payload["order_id"])
        super().on_end(event)
        if order is not None and event.payload["reason"] != "replaced":
            self._give_up(order, event.payload["remaining"])

    def _cancel(self, order: Working, cause: Event, reason: str) -> None:
        super()._cancel(order, cause, reason)
        if reason != "superseded":  # then the order that comes instead takes it up
            self._give_up(order, order.remaining)

    def _give_up(self, order: Working, remaining: float) -> None:
        strategy = order.parts.get("sizing", {}).get("strategy")
        if strategy is not None:
            side = 1.0 if order.parts["side"] == "buy" else -1.0
            self._targets.set(strategy, order.symbol, self._targets.of(strategy, order.symbol) - side * remaining)

    def _answer(self, event: Event, bar: int) -> None:
        """Answer one signal; its order is sent before the next is looked at, which may be of the same symbol."""
        assert event.symbol is not None
        signal = event.content
        assert isinstance(signal, SignalContent)
        symbol, targets = self._symbol_index[event.symbol], self._targets
        strategy, wanted = signal.strategy, signal.target
        own, direction = targets.of(strategy, symbol), (wanted > 0.0) - (wanted < 0.0)
        is_weight = signal.kind == "weight"
        if direction == 0 and own == 0.0:
            self._reject(event, "no_position", target=wanted)
            return
        if not is_weight and own * direction > 0.0:
            self._reject(event, "already_in_position", position=own, target=wanted)
            return
        share = targets.shares[strategy]
        if is_weight and own and signal.drift is not None and self._is_near(event, own, symbol, bar, share=share):
            return
        held, instrument = self.account.positions[symbol].quantity, self._instruments[symbol]
        numbers: dict[str, Any] = {"strategy": strategy, "allocation": share}
        target = 0.0
        if direction:
            entry = self._entry(
                event,
                symbol,
                direction,
                bar,
                BY_WEIGHT if is_weight else self._sizing,
                weight=wanted,
                share=share,
                limited=False,
            )
            refusal = entry.refusal
            if refusal is None:
                target = direction * entry.quantity
                numbers |= entry.numbers
                target, refusal = self._within_limits(event, strategy, symbol, target, bar)
            if refusal is not None:
                self._reject(event, refusal.reason, **refusal.numbers)
                if own * direction >= 0.0:
                    return
        withdrawn = self._withdraw_superseded(symbol, event)
        targets.set(strategy, symbol, target)
        net = whole(targets.others(strategy, symbol) + target, instrument)
        if instrument.is_dust(net - held):
            self._reject(event, "entry_cancelled" if withdrawn else "no_change", position=held, target=net)
            return
        purpose = _purpose(held, net)
        style = (self._styles.get(strategy) or {}).get("exit" if direction == 0 else "entry") or {}
        order = signal_order(net - held, purpose, style, signal.price)
        order["sizing"] = {**numbers, "strategy_target": target, "position_before": held, "position_target": net}
        self._send(order, event, event.correlation_id, symbol, signal.price)

    def _within_limits(
        self, event: Event, strategy: str, symbol: int, target: float, bar: int
    ) -> tuple[float, Refusal | None]:
        """Return a strategy's target, cut so that the sum of all keeps within the profile's limits."""
        others = self._targets.others(strategy, symbol)
        net = others + target
        if not self._watch.has_entry_limits or abs(net) <= abs(others):
            return target, None
        unit = decided_at(event) * self._instruments[symbol].multiplier
        exposure = self._exposure(symbol, bar, self._standing.equity(bar))
        sign = 1 if net > 0.0 else -1
        allowed, breaches = allowed_value(self._profile, exposure, abs(net) * unit, sign)
        if not breaches:
            return target, None
        cut = whole(sign * allowed / unit, self._instruments[symbol]) - others
        cut = cut if cut * target > 0.0 else 0.0
        self._tell_breaches(event, breaches, abs(cut))
        last = breaches[-1]
        return cut, None if cut else Refusal(last.rule, {"limit": last.limit, "value": last.value})


def _purpose(held: float, net: float) -> str:
    if held == 0.0:
        return "entry"
    if net == 0.0:
        return "exit"
    return "reversal" if held * net < 0.0 else "rebalance"
