"""What containers say in their commonest events, as plain classes. Refuses to know who says it and who listens.

Hundreds of thousands of these are made a run, and of most nobody ever reads more than a few values. So they hold their
values as they are, and become the mapping that a trace shows only when that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from admf_cli.events.event import Content
from admf_cli.results import Trade


class SignalContent(Content):
    """A decision over whole columns.

    Attributes:
        kind: "direction" or "weight".
        target: +1.0, 0.0 or -1.0, or the signed weight.
        price: the close it was decided at.
        names, evidence: the features it was decided by, and their values, None where a recorded one is not known.
        drift: how far a weight may be off before it is traded, or None.
    """

    __slots__ = ("action", "drift", "evidence", "kind", "names", "price", "rule", "strategy", "target")

    def __init__(
        self,
        strategy: str,
        kind: str,
        target: float,
        action: str,
        price: float,
        rule: str | None,
        names: tuple[str, ...],
        evidence: tuple[float | None, ...],
        drift: float | None,
    ) -> None:
        self.strategy = strategy
        self.kind = kind
        self.target = target
        self.action = action
        self.price = price
        self.rule = rule
        self.names = names
        self.evidence = evidence
        self.drift = drift

    def as_mapping(self) -> dict[str, Any]:
        """Return the payload of a SIGNAL."""
        payload: dict[str, Any] = {
            "strategy": self.strategy,
            "kind": self.kind,
            "target": self.target,
            "action": self.action,
            "price": self.price,
            "rule": self.rule,
            "features": {name: self.evidence[place] for place, name in enumerate(self.names)},
        }
        if self.drift is not None:
            payload["drift"] = self.drift
        return payload


class OrderContent(Content):
    """What is asked of the execution.

    Attributes:
        parts: side, quantity, type, prices, lifetime and why, under the keys that a trace shows.
    """

    __slots__ = ("order_id", "parts")

    def __init__(self, order_id: str, parts: dict[str, Any]) -> None:
        self.order_id = order_id
        self.parts = parts

    def as_mapping(self) -> dict[str, Any]:
        """Return the payload of an ORDER."""
        return {"order_id": self.order_id, **self.parts}


class FillContent(Content):
    """Units bought or sold at a price.

    Attributes:
        side: +1 bought, -1 sold.
        slippage: how much worse than the reference price, a unit.
        value: quantity x price x multiplier.
        remaining: units of the order still open.
        bar, symbol: indices of the bar that filled it; `bar_id` returns its BAR's id.
        trigger: "open", "range" or "close".
    """

    __slots__ = (
        "bar",
        "bar_id",
        "commission",
        "order_id",
        "portfolio",
        "price",
        "purpose",
        "quantity",
        "reference_price",
        "remaining",
        "side",
        "slippage",
        "symbol",
        "trigger",
        "value",
    )

    def __init__(
        self,
        order_id: str,
        portfolio: str,
        side: int,
        quantity: float,
        price: float,
        reference_price: float,
        commission: float,
        value: float,
        remaining: float,
        bar: int,
        symbol: int,
        bar_id: Callable[[int, int], str],
        trigger: str,
        purpose: str,
    ) -> None:
        self.order_id = order_id
        self.portfolio = portfolio
        self.side = side
        self.quantity = quantity
        self.price = price
        self.reference_price = reference_price
        self.slippage = (price - reference_price) * side
        self.commission = commission
        self.value = value
        self.remaining = remaining
        self.bar = bar
        self.symbol = symbol
        self.bar_id = bar_id
        self.trigger = trigger
        self.purpose = purpose

    def as_mapping(self) -> dict[str, Any]:
        """Return the payload of a FILL."""
        return {
            "order_id": self.order_id,
            "portfolio": self.portfolio,
            "side": "buy" if self.side > 0 else "sell",
            "quantity": self.quantity,
            "price": self.price,
            "reference_price": self.reference_price,
            "slippage": self.slippage,
            "commission": self.commission,
            "value": self.value,
            "remaining": self.remaining,
            "bar": self.bar_id(self.bar, self.symbol),
            "trigger": self.trigger,
            "purpose": self.purpose,
        }


class PositionContent(Content):
    """What a fill made of a position.

    Attributes:
        quantity, quantity_before: signed units.
        realized_pnl: of the lots closed, less the fill's commission.
        cash: the account's, after the fill.
        trades: the lots closed.
    """

    __slots__ = ("average_price", "cash", "quantity", "quantity_before", "realized_pnl", "trades")

    def __init__(
        self,
        quantity: float,
        quantity_before: float,
        average_price: float,
        realized_pnl: float,
        cash: float,
        trades: Sequence[Trade],
    ) -> None:
        self.quantity = quantity
        self.quantity_before = quantity_before
        self.average_price = average_price
        self.realized_pnl = realized_pnl
        self.cash = cash
        self.trades = trades

    def as_mapping(self) -> dict[str, Any]:
        """Return the payload of a POSITION_OPEN, POSITION_CHANGE or POSITION_CLOSE."""
        payload: dict[str, Any] = {
            "quantity": self.quantity,
            "quantity_before": self.quantity_before,
            "average_price": self.average_price,
            "realized_pnl": self.realized_pnl,
            "cash": self.cash,
        }
        if self.trades:
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
                for trade in self.trades
            ]
        return payload


class UpdateContent(Content):
    """Where a portfolio stands at a close, account currency.

    Attributes:
        exposure: gross market value of the positions.
        positions: symbol -> signed units.
    """

    __slots__ = ("cash", "equity", "exposure", "positions")

    def __init__(self, cash: float, equity: float, exposure: float, positions: Mapping[str, float]) -> None:
        self.cash = cash
        self.equity = equity
        self.exposure = exposure
        self.positions = positions

    def as_mapping(self) -> dict[str, Any]:
        """Return the payload of a PORTFOLIO_UPDATE."""
        return {"cash": self.cash, "equity": self.equity, "exposure": self.exposure, "positions": self.positions}
