"""Do a phase's trades add up: signals answered, orders ended once, fills booked, positions and cash as fills make them?

Fed the events of one phase, executions before portfolios. What was dropped, filtered or never traced explains an
absence; nothing else does. Refuses to know how fills come about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import Struct, field

from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.traces.contents import FileContents
from admf_cli.traces.event import BOOKING_TYPES, amount
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.listening import listens_to
from admf_cli.traces.numbers import split_id

ENDING_TYPES = ("CANCEL", "EXPIRE", "REJECT")
ANSWERING_TYPES = ("ORDER", "REJECT", "CANCEL")
_TOLERANCE = 1e-9


class Row(NamedTuple):
    """One event as bookkeeping needs it."""

    line: int
    event_id: str
    sequence: int
    event_type: str
    cause: str | None
    symbol: str | None
    payload: Mapping[str, Any]


class _Fill(NamedTuple):
    file: FileContents
    line: int
    sequence: int
    portfolio: str
    symbol: str | None
    change: float
    cash: float


class _Placed(NamedTuple):
    file: FileContents
    line: int
    sequence: int


class _Order(Struct):
    """What was seen of one order: in whichever file it was read first."""

    filled: float = 0.0
    side: str | None = None
    ended: str | None = None
    placed: _Placed | None = None


class _Money(Struct):
    """One portfolio's state, None or absent where the trace does not reach back far enough."""

    file: FileContents
    whole: bool
    settings: Mapping[str, Any] = field(default_factory=dict)
    cash: float | None = None
    positions: dict[str, float] = field(default_factory=dict)
    trades: int | None = None
    number: int = 0  # of its last event: after a gap nothing is known but what is said next
    counts: dict[str, int] = field(default_factory=lambda: {"orders": 0, "fills": 0})
    answered: dict[str, set[int]] = field(default_factory=dict)


class Bookkeeping:
    """The books of one phase; whatever does not add up goes into `faults`."""

    def __init__(self, faults: FaultLog) -> None:
        self._faults = faults
        self._orders: dict[str, _Order] = {}
        self._fills: dict[str, _Fill] = {}
        self._money: dict[str, _Money] = {}
        self._signals: dict[str, tuple[FileContents, list[tuple[int, int, int]]]] = {}
        self._multipliers: dict[str | None, float] = {}

    def take(self, file: FileContents, row: Row) -> None:
        """Book one event."""
        kind = row.event_type
        if file.container.container_id.startswith("portfolio"):
            self._forget_over_gaps(file, row)
        if kind == "FILL":
            self._take_fill(file, row)
        elif kind in BOOKING_TYPES:
            self._take_position(file, row)
        elif kind == "ORDER":
            self._take_order(file, row)
        elif kind in ENDING_TYPES:
            self._take_end(file, row)
        elif kind == "SIGNAL":
            parts = split_id(row.event_id)
            signals = self._signals.setdefault(file.container.container_id, (file, []))[1]
            signals.append((parts[1] if parts else 0, row.sequence, row.line))
        elif kind == "PORTFOLIO_UPDATE":
            self._take_update(file, row)
        elif kind == "FINANCING":
            self._take_financing(file, row)
        elif kind == "PHASE_START":
            self._take_start(file, row)
        elif kind == "PHASE_END":
            self._take_phase_end(file, row)

    def close(self, files: Mapping[str, FileContents], firsts: Mapping[str, int], last_bar: int) -> None:
        """Name what has no end, no answer, no booking.

        Args:
            firsts: container -> sequence of its first event on disk.
            last_bar: of the phase; in a run that broke off, what happened then may have no answer.
        """
        executions = [file for one, file in files.items() if one.partition("_")[0] == "execution"]
        for order_id, order in self._orders.items():
            if order.placed is None or order.ended is not None:
                continue
            own = order.placed.file
            excused = not executions or _broke_off(own) or _lacks(own, "CANCEL", firsts, order.placed.sequence)
            excused = excused or any(
                _broke_off(file) or _lacks(file, kind, firsts, order.placed.sequence)
                for file in executions
                for kind in ("FILL", *ENDING_TYPES)
            )
            if not excused:
                text = f"{order_id} was neither filled nor cancelled, expired or rejected"
                self._faults.add("no-end", own.name, order.placed.line, text)
        for fill_id, fill in self._fills.items():
            booking = files.get(fill.portfolio)
            if booking is None or _broke_off(booking):
                continue
            if not any(_lacks(booking, kind, firsts, fill.sequence) for kind in BOOKING_TYPES):
                text = f"{fill_id} was never booked by {fill.portfolio}"
                self._faults.add("unbooked", fill.file.name, fill.line, text)
        for strategy, (file, signals) in self._signals.items():
            self._judge_signals(strategy, file, signals, firsts, last_bar)

    def _forget_over_gaps(self, file: FileContents, row: Row) -> None:
        money, parts = self._of(file), split_id(row.event_id)
        number = parts[1] if parts else 0
        if number != money.number + 1:
            money.whole, money.cash, money.trades = False, None, None
            money.positions.clear()
        money.number = number

    # ---------------------------------------------------------------- orders

    def _take_order(self, file: FileContents, row: Row) -> None:
        self._note_answer(file, row)
        order_id, payload = row.payload["order_id"], row.payload
        if order_id != row.event_id:
            self._fault("payload", file, row, "its order_id is not its own id")
        self._of(file).counts["orders"] += 1
        order = self._orders.setdefault(row.event_id, _Order())
        order.placed = _Placed(file, row.line, row.sequence)
        quantity = payload["quantity"]
        if order.side is not None and order.side != payload["side"]:
            self._fault("order", file, row, f"it is to {payload['side']}, its fill says {order.side}")
        if order.filled > quantity + _slack(quantity, order.filled):
            self._fault("order", file, row, f"of {quantity:g} were filled {order.filled:g}")

    def _take_fill(self, file: FileContents, row: Row) -> None:
        payload = row.payload
        order = self._orders.setdefault(payload["order_id"], _Order())
        if order.ended is not None:
            self._fault("two-ends", file, row, f"{payload['order_id']} was over already, by {order.ended}")
        if payload["remaining"] == 0.0:
            order.ended = row.event_id
        quantity, price, value = payload["quantity"], payload["price"], payload["value"]
        sign = 1.0 if payload["side"] == "buy" else -1.0
        order.filled += quantity
        order.side = payload["side"]
        if row.cause != payload["order_id"]:
            self._fault("payload", file, row, "the order that it fills is not what it answers")
        slip = (price - payload["reference_price"]) * sign
        if abs(slip - payload["slippage"]) > _slack(price, payload["reference_price"]):
            self._fault("fill", file, row, f"slippage {payload['slippage']:g} is not price less reference price")
        self._judge_value(file, row, quantity, price, value)
        cash = -(sign * value + payload["commission"])
        self._fills[row.event_id] = _Fill(
            file, row.line, row.sequence, payload["portfolio"], row.symbol, sign * quantity, cash
        )

    def _judge_value(self, file: FileContents, row: Row, quantity: float, price: float, value: float) -> None:
        if not quantity > 0 or not price * quantity or not value:
            return
        multiplier = self._multipliers.setdefault(row.symbol, value / (price * quantity))
        if abs(value - price * quantity * multiplier) > _slack(value):
            text = f"value {value:g} is not price x quantity x {multiplier:g}, as in the symbol's first fill"
            self._fault("fill", file, row, text)

    def _take_end(self, file: FileContents, row: Row) -> None:
        self._note_answer(file, row)
        order_id = row.payload.get("order_id")
        if not isinstance(order_id, str):
            return
        order = self._orders.setdefault(order_id, _Order())
        if order.ended is not None:
            self._fault("two-ends", file, row, f"{order_id} was over already, by {order.ended}")
        order.ended = row.event_id

    # ---------------------------------------------------------------- positions and cash

    def _take_start(self, file: FileContents, row: Row) -> None:
        settings = row.payload["settings"]
        if file.container.container_id.startswith("portfolio"):
            money = self._of(file)
            money.settings = settings
            money.cash = amount(settings, "initial_capital")

    def _take_position(self, file: FileContents, row: Row) -> None:
        money, payload, symbol = self._of(file), row.payload, row.symbol or ""
        money.counts["fills"] += 1
        known = money.positions.get(symbol, 0.0 if money.whole else None)
        before, after, cash = payload["quantity_before"], payload["quantity"], payload["cash"]
        if known is not None and abs(before - known) > _slack(known):
            self._fault("position", file, row, f"quantity_before is {before:g}, the position was {known:g}")
        fill = self._fills.pop(row.cause or "", None)
        if fill is not None:
            if fill.portfolio != file.container.container_id or fill.symbol != row.symbol:
                self._fault("position", file, row, f"it answers a fill of {fill.portfolio}, {fill.symbol}")
            elif abs(after - (before + fill.change)) > _slack(before, after, fill.change):
                text = f"quantity {after:g} is not {before:g} and the fill's {fill.change:+g}"
                self._fault("position", file, row, text)
            self._judge_cash(file, row, fill.cash)
        money.cash = cash
        money.positions[symbol] = after
        self._judge_trades(file, row, money)

    def _judge_cash(self, file: FileContents, row: Row, change: float) -> None:
        cash, known = row.payload["cash"], self._of(file).cash
        if known is not None and abs(cash - (known + change)) > _slack(cash, known, change):
            text = f"cash is {cash!r}, but {known!r} and what changed it make {known + change!r}"
            self._fault("cash", file, row, text)

    def _judge_trades(self, file: FileContents, row: Row, money: _Money) -> None:
        trades = row.payload.get("trades")
        for trade in trades if isinstance(trades, list) else ():
            number = trade.get("number") if isinstance(trade, dict) else None
            expected = money.trades + 1 if money.trades is not None else 1 if money.whole else number
            if number != expected or not isinstance(number, int):
                self._fault("trade", file, row, f"trade number {number}, expected {expected}")
            money.trades = number if isinstance(number, int) else money.trades

    def _take_update(self, file: FileContents, row: Row) -> None:
        money, held = self._of(file), row.payload["positions"]
        self._judge_state(file, row, money, {name: amount(held, name) for name in held})

    def _take_financing(self, file: FileContents, row: Row) -> None:
        interest, fee = (amount(row.payload, key) or 0.0 for key in ("interest", "borrow_fee"))
        self._judge_cash(file, row, interest - fee)
        self._of(file).cash = row.payload["cash"]

    def _take_phase_end(self, file: FileContents, row: Row) -> None:
        if not file.container.container_id.startswith("portfolio"):
            return
        money, payload = self._of(file), row.payload
        held = payload.get("positions")
        quantities = {
            name: amount(one, "quantity") if isinstance(one, dict) else None
            for name, one in (held.items() if isinstance(held, dict) else ())
        }
        if "cash" in payload:
            self._judge_state(file, row, money, quantities)
        counts = payload.get("counts")
        if money.whole and isinstance(counts, dict):
            for key, seen in (*money.counts.items(), ("trades", money.trades or 0)):
                if counts.get(key, seen) != seen:
                    self._fault("counts", file, row, f"{counts[key]} {key} reported, {seen} in the trace")

    def _judge_state(self, file: FileContents, row: Row, money: _Money, positions: Mapping[str, float | None]) -> None:
        cash = amount(row.payload, "cash")
        if cash is None or (money.cash is not None and abs(cash - money.cash) > _slack(cash, money.cash)):
            self._fault("cash", file, row, f"cash is {cash!r}, but it was {money.cash!r}")
        for symbol, known in money.positions.items():
            said = positions.get(symbol, 0.0)
            if said is None or abs(said - known) > _slack(known):
                self._fault("position", file, row, f"{symbol}: {said} held, but it was {known:g}")
        for symbol in positions:
            if money.whole and symbol not in money.positions:
                self._fault("position", file, row, f"{symbol} is held, but was never bought or sold")

    # ---------------------------------------------------------------- signals

    def _note_answer(self, file: FileContents, row: Row) -> None:
        parts = split_id(row.cause) if row.cause is not None else None
        if parts is not None and parts[0].startswith("strategy"):
            self._of(file).answered.setdefault(parts[0], set()).add(parts[1])

    def _judge_signals(
        self,
        strategy: str,
        file: FileContents,
        signals: list[tuple[int, int, int]],
        firsts: Mapping[str, int],
        last_bar: int,
    ) -> None:
        for portfolio, money in self._listeners(strategy):
            answered = money.answered.get(strategy, set())
            for number, sequence, line in signals:
                if number in answered or any(_lacks(money.file, one, firsts, sequence) for one in ANSWERING_TYPES):
                    continue
                if _broke_off(money.file) and sequence >> BAR_SHIFT >= last_bar:
                    continue
                text = f"{strategy}#{number} has no order, reject or cancel of {portfolio} in answer"
                self._faults.add("no-outcome", file.name, line, text)

    def _listeners(self, strategy: str) -> Iterator[tuple[str, _Money]]:
        for portfolio, money in self._money.items():
            if portfolio.startswith("portfolio") and listens_to(portfolio, money.settings, strategy):
                yield portfolio, money

    def _of(self, file: FileContents) -> _Money:
        container_id = file.container.container_id
        money = self._money.get(container_id)
        if money is None:
            total = file.meta.total if file.meta else None
            # Without a seal the head is there if the first event is; whether something was filtered shows in gaps only.
            whole = not (total.dropped or total.filtered) if total else file.numbers.first == 1
            money = self._money[container_id] = _Money(file, whole)
        return money

    def _fault(self, kind: str, file: FileContents, row: Row, text: str) -> None:
        self._faults.add(kind, file.name, row.line, f"{row.event_id}: {text}")


def _broke_off(file: FileContents) -> bool:
    return file.meta is None or file.meta.status != "complete"


def _lacks(file: FileContents, event_type: str, firsts: Mapping[str, int], sequence: int) -> bool:
    """Return whether an event of this type at or after `sequence` may be missing for a reason that the seal gives."""
    if file.meta is None or file.meta.status == "recovered":
        return True
    tally = file.meta.events.get(event_type)
    if tally is not None and tally.filtered:
        return True
    total = file.meta.total
    return bool(total and total.dropped) and firsts.get(file.container.container_id, 1 << 62) > sequence


def _slack(*sizes: float) -> float:
    return _TOLERANCE * max(1.0, *map(abs, sizes))
