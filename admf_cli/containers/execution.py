"""The execution container: holds working orders until a bar meets them. Refuses to know why they were sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any, Final

from admf_cli.broker.account import Account
from admf_cli.broker.commission import commission_model
from admf_cli.broker.funds import Shortfall, cash_shortfall, initial_rate, margin_shortfall
from admf_cli.broker.instrument import Instrument
from admf_cli.broker.lifetime import dead_bar
from admf_cli.broker.matching import AT_CLOSE, AT_OPEN, IN_RANGE, TRIGGERS, Match, meet
from admf_cli.broker.order import Order
from admf_cli.broker.quotes import Quotes, by_symbol
from admf_cli.broker.slippage import Tape, slippage_model
from admf_cli.broker.touch import Touches
from admf_cli.clock import MEET
from admf_cli.containers.base import Container
from admf_cli.containers.contents import FillContent, OrderContent
from admf_cli.events.bus import EventBus, Handler
from admf_cli.events.event import Event
from admf_cli.market.bars import Bars, FloatArray

_by_number = attrgetter("number")
_KIND_RANK: Final = {"market": 0, "stop": 1, "trailing_stop": 1, "stop_limit": 1, "limit": 2, "market_on_close": 3}


class ExecutionContainer(Container):
    """Fills, expires, cancels and rejects orders, each at the first bar that can.

    An order is looked at only when it is due: on submission the columns are searched for the first bar that touches
    it, and the clock is asked to be woken there.

    Args:
        bars: the phase.
        accounts: portfolio id -> its account, read to see what it can pay; only the portfolio changes it.
        marks: shape (n_bars, n_symbols), last known closes.
        bar_id: bar, symbol index -> id of the BAR event that a fill names.
    """

    container_type = "execution"

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        bars: Bars,
        instruments: Sequence[Instrument],
        accounts: Mapping[str, Account],
        marks: FloatArray,
        bar_id: Callable[[int, int], str],
    ) -> None:
        super().__init__(config)
        settings = self.settings
        self._bars = bars
        self._instruments = instruments
        self._accounts = accounts
        self._bar_id = bar_id
        self._touches = Touches(bars)
        self._quotes = Quotes(bars)
        self._mark = by_symbol(marks)
        self._commission = commission_model(settings.get("commission") or {})
        self._slippage = slippage_model(settings.get("slippage") or {}, settings.get("half_spread_bps") or 0.0)
        self._participation: float | None = settings.get("participation")
        margin = settings.get("margin")
        self._initial_margin = initial_rate(margin) if margin else None
        self._fill_at_close = settings.get("fill_price") == "close"
        self._symbol_index = {name: index for index, name in enumerate(bars.symbols)}
        self._orders: dict[str, Order] = {}
        self._groups: dict[str, list[Order]] = {}
        self._due: dict[int, list[Order]] = {}
        self._n_bars = bars.n_bars
        self._present = bars.present
        self._symbols = bars.symbols
        self._met: list[tuple[int, int, Order, Match]] = []  # a heap by what goes first and by number
        self._meeting = False
        self._moment = AT_OPEN
        self._taken: dict[tuple[str, int], float] = {}
        self._taken_bar = -1
        self._submitted = 0

    def take_orders_from(self, bus: EventBus) -> None:
        """Accept the orders and cancellations published on a portfolio's bus."""
        bus.subscribe(self.on_order, ("ORDER",))
        bus.subscribe(self.on_cancel, ("CANCEL",))

    def report_to(self, portfolio_id: str, on_fill: Handler, on_end: Handler) -> None:
        """Tell a portfolio of its own fills, and of its orders that ended without one."""
        self.bus.subscribe(on_fill, ("FILL",), topic=portfolio_id)
        self.bus.subscribe(on_end, ("CANCEL", "EXPIRE", "REJECT"), topic=portfolio_id)

    def tell_fills(self, portfolio_id: str, on_fill: Handler) -> None:
        """Tell one more of a portfolio's fills, after the portfolio has booked each."""
        self.bus.subscribe(on_fill, ("FILL",), topic=portfolio_id)

    def on_order(self, event: Event) -> None:
        """Take a new order; one that is sent while a bar is being met may still meet that bar."""
        bar = self.clock.bar
        order = self._accept(event, bar if self._meeting and self._moment != AT_CLOSE else bar + 1)
        if self._meeting and order.first_bar == bar:
            order.after_open = self._moment == IN_RANGE
            self._offer(order, bar)
        elif self._fills_now(order, bar):
            self._fill(order, Match(self._quotes.close[order.symbol][bar], AT_CLOSE, True), bar)
            if order.working:
                self._carry_over(order, bar)
        else:
            self._schedule(order, order.first_bar)

    def _fills_now(self, order: Order, bar: int) -> bool:
        at_close = (self._fill_at_close or order.purpose == "close_at_end") and bar < order.dead_bar
        return at_close and order.order_type == "market" and not self._meeting and self._has_bar(bar, order)

    def on_cancel(self, event: Event) -> None:
        """Forget an order that its portfolio cancelled."""
        order = self._orders.pop(event.payload["order_id"], None)
        if order is not None:
            order.working = False

    def wake(self, bar: int, stage: int) -> None:
        """Meet the bar: what has expired goes first, then the open, then the range, then the close."""
        self._meeting, self._moment = True, AT_OPEN
        due = self._due.pop(bar, [])
        if len(due) > 1:
            due.sort(key=_by_number)
        for order in due:
            if bar >= order.dead_bar and order.working:
                self._end(order, "EXPIRE", "gtd_reached" if order.time_in_force == "GTD" else "day_end")
        for order in due:
            if order.working:
                self._offer(order, bar)
        while self._met:
            _, _, order, match = self._met.pop() if len(self._met) == 1 else heappop(self._met)
            if order.working:
                self._moment = match.moment
                self._fill(order, match, bar)
                if order.working:
                    self._carry_over(order, bar)
        self._meeting = False

    def finish(self) -> None:
        """Expire what is still working: there are no more bars."""
        for order in list(self._orders.values()):
            self._end(order, "EXPIRE", "end_of_data")

    def _accept(self, event: Event, first_bar: int) -> Order:
        content = event.content
        assert isinstance(content, OrderContent)
        assert event.symbol is not None
        parts = content.parts
        self._submitted += 1
        symbol = self._symbol_index[event.symbol]
        time_in_force = parts["time_in_force"]
        quantity = parts["quantity"]
        order = Order(
            event.event_id,
            event.container_id,
            symbol,
            1 if parts["side"] == "buy" else -1,
            quantity,
            parts["order_type"],
            time_in_force,
            parts["purpose"],
            event.correlation_id,
            first_bar,
            self._n_bars
            if time_in_force == "GTC"
            else dead_bar(self._bars, symbol, first_bar, time_in_force, parts.get("good_till")),
            self._submitted,
        )
        if order.order_type != "market" or "reduce_only" in parts or "oco" in parts:
            self._detail(order, parts)
        self._orders[order.order_id] = order
        if "replaces" in parts:
            self._take_over(order, parts["replaces"])
        return order

    def _detail(self, order: Order, parts: Mapping[str, Any]) -> None:
        order.limit, order.stop = parts.get("limit_price"), parts.get("stop_price")
        trail = parts.get("trail")
        if trail is not None:
            order.trail_amount, order.trail_percent = trail.get("amount"), trail.get("percent")
        order.reduce_only = parts.get("reduce_only", False)
        order.oco = parts.get("oco")
        if order.oco is not None:
            self._groups.setdefault(order.oco, []).append(order)

    def _take_over(self, order: Order, replaced: str) -> None:
        """End the order that this one replaces, and go on from where it was."""
        old = self._orders.get(replaced)
        if old is not None:
            order.dead_bar, order.triggered = old.dead_bar, old.triggered
            if order.order_type == "trailing_stop":
                order.stop = self._touches.trail_level(old, order.first_bar)
            self._end(old, "CANCEL", "replaced", cause=order.order_id)

    def _has_bar(self, bar: int, order: Order) -> bool:
        present = self._present
        return present is None or bool(present[bar, order.symbol])

    def _schedule(self, order: Order, start: int) -> None:
        # An order that was dead before it could meet a bar expires at the first that it would have met.
        bar = max(start, min(self._touches.first(order, start), order.dead_bar))
        if bar < self._n_bars:
            due = self._due.get(bar)
            if due is None:
                self._due[bar] = [order]
                self.clock.at(self._rank, bar, MEET)
            else:
                due.append(order)

    def _offer(self, order: Order, bar: int) -> None:
        """Put an order among those that this bar fills, or let it wait for a later one."""
        match = None
        if self._has_bar(bar, order):
            match = meet(order, self._quotes, bar, after_open=order.after_open and bar == order.first_bar)
        if match is None:
            self._carry_over(order, bar)
            return
        place = match.moment * 100 + (order.side + 1) * 10 + _KIND_RANK[order.order_type]
        met = (place, order.number, order, match)
        if self._met:
            heappush(self._met, met)
        else:
            self._met.append(met)

    def _carry_over(self, order: Order, bar: int) -> None:
        if order.time_in_force in ("IOC", "FOK") and self._has_bar(bar, order):
            self._end(order, "CANCEL", "ioc_unfilled" if order.time_in_force == "IOC" else "fok_unfilled")
            return
        self._touches.move_trail(order, bar)
        self._schedule(order, bar + 1)

    def _fill(self, order: Order, match: Match, bar: int) -> None:
        symbol = order.symbol
        account = self._accounts[order.portfolio]
        instrument = self._instruments[symbol]
        quantity = order.remaining
        if order.reduce_only:
            quantity = min(quantity, max(0.0, -order.side * account.positions[symbol].quantity))
            if instrument.is_dust(quantity):
                self._end(order, "CANCEL", "nothing_to_close")
                return
        asked = quantity
        if self._participation is not None:
            quantity = min(quantity, self._liquidity(order, bar))
            if instrument.is_dust(quantity) or (order.time_in_force == "FOK" and quantity < asked):
                return
        price = self._price(order, match, bar, quantity)
        value = quantity * price * instrument.multiplier
        filled, value_filled = order.filled + quantity, order.value_filled + value
        commission = self._commission(filled, value_filled, not match.slips) - order.commission_paid
        shortfall = self._shortfall(account, order, quantity, price, value, commission, bar)
        if shortfall is not None:
            self._refuse(order, shortfall, quantity, price, commission)
            return
        order.filled, order.value_filled = filled, value_filled
        order.commission_paid += commission
        order.remaining -= quantity
        if (order.reduce_only and quantity == asked) or instrument.is_dust(order.remaining):
            order.remaining = 0.0
            order.working = False
            del self._orders[order.order_id]
        if self._participation is not None:
            key = (order.portfolio, symbol)
            self._taken[key] = self._taken.get(key, 0.0) + quantity
        fill = FillContent(
            order.order_id,
            order.portfolio,
            order.side,
            quantity,
            price,
            match.price,
            commission,
            value,
            order.remaining,
            bar,
            symbol,
            self._bar_id,
            TRIGGERS[match.moment],
            order.purpose,
        )
        name = self._symbols[symbol]
        event = self.publish("FILL", fill, symbol=name, cause=order.order_id, flow=order.flow, topic=order.portfolio)
        if order.oco is not None and not (order.reduce_only and order.working):
            for other in self._groups.pop(order.oco, ()):
                if other is not order and other.working:
                    self._end(other, "CANCEL", "oco_filled", cause=event.event_id)

    def _liquidity(self, order: Order, bar: int) -> float:
        assert self._participation is not None
        if self._taken_bar != bar:
            self._taken.clear()
            self._taken_bar = bar
        share = self._participation * self._quotes.volume[order.symbol][bar]
        left = share - self._taken.get((order.portfolio, order.symbol), 0.0)
        return self._instruments[order.symbol].whole_lots(max(0.0, left))

    def _price(self, order: Order, match: Match, bar: int, quantity: float) -> float:
        if not match.slips:
            return match.price
        symbol = order.symbol
        instrument = self._instruments[symbol]
        if self._slippage is None:
            # The level of a trailing stop follows closes, off the grid.
            is_level = match.moment == IN_RANGE and instrument.tick_size is not None
            return instrument.adverse_tick(match.price, order.side) if is_level else match.price
        quotes = self._quotes
        tape = Tape(
            match.price,
            quantity,
            quotes.high[symbol][bar],
            quotes.low[symbol][bar],
            quotes.volume[symbol][bar],
            instrument.tick_size or 0.0,
        )
        slip = self._slippage(tape)
        if not slip and match.moment != IN_RANGE:
            return match.price
        return max(0.0, instrument.adverse_tick(match.price + order.side * slip, order.side))

    def _shortfall(
        self, account: Account, order: Order, quantity: float, price: float, value: float, commission: float, bar: int
    ) -> Shortfall | None:
        if self._initial_margin is None:
            return cash_shortfall(account.cash, order.side, value, commission)
        held = account.positions[order.symbol].quantity
        after = held + order.side * quantity
        if abs(after) <= abs(held) and after * held >= 0.0:
            return None  # what only reduces the exposure needs no margin
        equity, exposure = account.cash, 0.0
        for symbol in account.held:
            mark = price if symbol == order.symbol else self._mark[symbol][bar - 1 if self._meeting else bar]
            worth = account.value_of(symbol, account.positions[symbol].quantity, mark)
            equity += worth
            exposure += 0.0 if symbol == order.symbol else abs(worth)
        exposure += abs(account.value_of(order.symbol, after, price))
        return margin_shortfall(equity, exposure, commission, self._initial_margin)

    def _refuse(self, order: Order, shortfall: Shortfall, quantity: float, price: float, commission: float) -> None:
        reason = "no_cash" if self._initial_margin is None else "no_margin"
        self._end(
            order,
            "REJECT",
            reason,
            needed=shortfall.needed,
            available=shortfall.available,
            quantity=quantity,
            price=price,
            commission=commission,
        )

    def _end(self, order: Order, event_type: str, reason: str, *, cause: str | None = None, **numbers: float) -> None:
        order.working = False
        self._orders.pop(order.order_id, None)
        payload = {
            "order_id": order.order_id,
            "portfolio": order.portfolio,
            "reason": reason,
            "remaining": order.remaining,
            **numbers,
        }
        self.publish(
            event_type,
            payload,
            symbol=self._bars.symbols[order.symbol],
            cause=cause or order.order_id,
            flow=order.flow,
            topic=order.portfolio,
        )
