"""What a bar-by-bar strategy sees and does. Refuses to know how orders are sized, checked and filled."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import get_ident
from typing import Any, NoReturn, Protocol, Unpack

from msgspec import Struct

from admf_cli.features.parameters import did_you_mean
from admf_cli.market.bars import FloatArray
from admf_cli.python_strategies.columnar import NoFeatureError, missing_feature
from admf_cli.python_strategies.past import Now, Past
from admf_cli.python_strategies.requests import How, label, new_prices, number, order_request, quantity_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_REQUESTS = 10_000  # a bar; who asks for more is caught in a loop

Send = Callable[[int, str, Mapping[str, Any], str | None], str]
"""(symbol, action, what is asked for, tag) -> id of the SIGNAL."""


class WorkingOrder(Struct, frozen=True):
    """An order that has not ended.

    Attributes:
        order_id: id of the ORDER event.
        ticket: what `buy`, `sell`, `target` or `close` returned for it; its bracket's orders share it.
        side: "buy" or "sell".
        remaining: units still open.
        purpose: entry, exit, reversal, stop_loss, take_profit, trailing_stop, …
        stop_price: where a trailing stop began.
    """

    order_id: str
    ticket: str | None
    symbol: str
    side: str
    remaining: float
    order_type: str
    purpose: str
    limit_price: float | None = None
    stop_price: float | None = None


class Fill(Struct, frozen=True):
    """One fill of one of its own orders, as `on_fill` gets it.

    Attributes:
        ticket: what `buy`, `sell`, `target` or `close` returned for the order; its bracket's orders share it.
        price: after slippage.
        remaining: units of the order still open; 0.0 when it is done.
    """

    order_id: str
    ticket: str | None
    symbol: str
    side: str
    quantity: float
    price: float
    commission: float
    purpose: str
    remaining: float


class Book(Protocol):
    """The portfolio that a strategy trades for, as it stands now."""

    @property
    def cash(self) -> float:
        """Account currency."""
        ...

    def equity(self) -> float:
        """Return cash and positions at the last closes."""
        ...

    def position(self, symbol: int) -> tuple[float, float]:
        """Return signed units and their average price."""
        ...

    def working_orders(self) -> Sequence[WorkingOrder]:
        """Return the orders that have not ended, oldest first."""
        ...


class Context:
    """The market up to now, the portfolio as it stands, and orders; the same object at every bar.

    Wherever `symbol` is left out, the strategy must have one symbol only.

    Args:
        symbols: the symbols it may see and trade -> their places among all.
    """

    __slots__ = (
        "__asked",
        "__asked_bar",
        "__book",
        "__now",
        "__open",
        "__past",
        "__places",
        "__read",
        "__send",
        "__symbols",
        "__thread",
        "__tickets",
    )

    def __init__(self, past: Past, symbols: Mapping[str, int], now: Now, book: Book, send: Send) -> None:
        self.__symbols = tuple(symbols)
        self.__places = symbols
        self.__past = past
        self.__now = now
        self.__book = book
        self.__send = send
        self.__read: dict[str, None] = {}
        self.__tickets: dict[str, int] = {}
        self.__asked = 0
        self.__asked_bar = -1
        self.__open = False
        self.__thread = get_ident()

    def __getattr__(self, name: str) -> NoReturn:
        near = did_you_mean(name, [known for known in dir(Context) if not known.startswith("_")]).replace('"', "")
        raise AttributeError(f"ctx has no {name}{near}")

    # ---------------------------------------------------------------- the market

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that it may see and trade."""
        return self.__symbols

    @property
    def bar(self) -> int:
        """Index of the current bar in its phase."""
        return self.__now.bar

    @property
    def time(self) -> datetime:
        """Time of the current bar, UTC."""
        return _EPOCH + timedelta(microseconds=self.__now.time)

    def history(self, name: str, symbol: str | None = None, last: int | None = None) -> FloatArray:
        """Return a column of one symbol up to now, oldest first, over the bars that the symbol has.

        Args:
            name: open, high, low, close, volume, or a feature.
            last: only so many of the newest, 1 or more; fewer where there are fewer.

        Returns:
            Shape (n,), read-only; bars before the phase are included where the data has them.
        """
        series = self.__past.series(self.__known(name), self.__index(symbol))
        if last is None:
            return series
        try:
            count = operator.index(last)
        except TypeError:
            count = 0
        if count < 1:
            raise ValueError(f"last must be a whole number of bars, 1 or more (got {last!r:.60})")
        return series[-count:]

    def matrix(self, name: str) -> FloatArray:
        """Return a column of all symbols up to now, shape (n, n_symbols), nan where a symbol has no bar; read-only."""
        table = self.__past.table(self.__known(name))
        if len(self.__symbols) == table.shape[1]:
            return table
        own = table[:, list(self.__places.values())]
        own.flags.writeable = False
        return own

    def value(self, name: str, symbol: str | None = None) -> float:
        """Return a column's last value, nan where it is undefined."""
        return self.__past.value(self.__known(name), self.__index(symbol))

    def price(self, symbol: str | None = None) -> float:
        """Return the last close."""
        return self.__past.value("close", self.__index(symbol))

    def has_bar(self, symbol: str | None = None) -> bool:
        """Return whether a symbol has a bar now; some may not, where symbols trade at different times."""
        return self.__past.has_bar(self.__index(symbol))

    # ---------------------------------------------------------------- the portfolio

    @property
    def cash(self) -> float:
        """Account currency."""
        return self.__book.cash

    @property
    def equity(self) -> float:
        """Cash and positions at the last closes, account currency."""
        return self.__book.equity()

    def position(self, symbol: str | None = None) -> float:
        """Return the units held: negative when short, 0.0 when flat."""
        return self.__book.position(self.__index(symbol))[0]

    def average_price(self, symbol: str | None = None) -> float:
        """Return the mean price of the units held; 0.0 when flat."""
        return self.__book.position(self.__index(symbol))[1]

    def orders(self, symbol: str | None = None) -> tuple[WorkingOrder, ...]:
        """Return the orders that have not ended, oldest first: all, or those of one symbol."""
        if symbol is not None:
            self.__index(symbol)
        return tuple(order for order in self.__book.working_orders() if symbol in (None, order.symbol))

    # ---------------------------------------------------------------- orders

    def buy(
        self, quantity: float | None = None, symbol: str | None = None, *, tag: str | None = None, **how: Unpack[How]
    ) -> str:
        """Send a buy order; it meets the symbol's next bar at the earliest.

        Args:
            quantity: units; None: as the risk profile sizes an entry.
            tag: a name for the trace.
            how: see `How`; none of it: a market order, good till cancelled.

        Returns:
            A ticket, for `cancel`.

        Raises:
            ValueError: what is asked for is no order.
        """
        return self.__order({"side": "buy", "quantity": quantity_of(quantity)}, symbol, tag, how)

    def sell(
        self, quantity: float | None = None, symbol: str | None = None, *, tag: str | None = None, **how: Unpack[How]
    ) -> str:
        """Send a sell order, which closes what is long and opens a short position with the rest; see `buy`."""
        return self.__order({"side": "sell", "quantity": quantity_of(quantity)}, symbol, tag, how)

    def target(
        self,
        symbol: str | None = None,
        *,
        quantity: float | None = None,
        weight: float | None = None,
        tag: str | None = None,
        **how: Unpack[How],
    ) -> str:
        """Send the order that brings the position to signed units, or to a signed fraction of equity; see `buy`."""
        if quantity is not None and weight is None:
            return self.__order({"target_quantity": number("quantity", quantity)}, symbol, tag, how)
        if weight is not None and quantity is None:
            return self.__order({"target_weight": number("weight", weight)}, symbol, tag, how)
        raise ValueError("target takes either quantity=… or weight=…")

    def close(self, symbol: str | None = None, *, tag: str | None = None, **how: Unpack[How]) -> str:
        """Send the order that closes the position; see `buy`."""
        return self.__order({"close": True}, symbol, tag, how)

    def cancel(self, order: str | WorkingOrder) -> None:
        """Withdraw an order: by its ticket (with what is left of its bracket), or one of `orders()` alone."""
        if isinstance(order, WorkingOrder):
            self.__request(self.__index(order.symbol), "cancel", {"order_id": order.order_id}, None)
        elif isinstance(order, str) and order in self.__tickets:
            self.__request(self.__tickets[order], "cancel", {"ticket": order}, None)
        else:
            raise ValueError(f"cancel takes a ticket of its own or one of orders() (got {order!r:.60})")

    def replace(self, order: str | WorkingOrder, *, limit: float | None = None, stop: float | None = None) -> None:
        """Put another order with other prices in the place of one: the first by its ticket, or one of `orders()`.

        What is not said stays: what is left of its quantity, its lifetime, its group, what it closes or protects, its
        ticket. A stop-loss or take-profit is moved this way.

        Raises:
            ValueError: no price, or a price that the order does not have.
        """
        prices = new_prices(limit, stop)
        if isinstance(order, WorkingOrder):
            self.__request(self.__index(order.symbol), "replace", {"order_id": order.order_id, **prices}, None)
        elif isinstance(order, str) and order in self.__tickets:
            self.__request(self.__tickets[order], "replace", {"ticket": order, **prices}, None)
        else:
            raise ValueError(f"replace takes a ticket of its own or one of orders() (got {order!r:.60})")

    # ---------------------------------------------------------------- for the container that holds it

    def _begin(self, is_open: bool) -> None:
        self.__open = is_open

    def _names_read(self) -> tuple[str, ...]:
        """Return the features that were ever asked for."""
        return tuple(self.__read)

    def __order(self, size: dict[str, Any], symbol: str | None, tag: str | None, how: How) -> str:
        index = self.__index(symbol)
        request = order_request(size, how)
        if tag is not None:
            label("tag", tag)
        ticket = self.__request(index, "order", request, tag)
        self.__tickets[ticket] = index
        return ticket

    def __request(self, symbol: int, action: str, request: Mapping[str, Any], tag: str | None) -> str:
        if not self.__open:
            raise ValueError("orders can be sent from on_bar and on_fill only: before the first bar and after the last")
        if get_ident() != self.__thread:
            raise ValueError("orders can be sent from the thread that calls on_bar only: runs would not repeat")
        if self.__asked_bar != self.__now.bar:
            self.__asked, self.__asked_bar = 0, self.__now.bar
        self.__asked += 1
        if self.__asked > _MOST_REQUESTS:
            raise ValueError(f"more than {_MOST_REQUESTS:,} orders and cancellations in one bar")
        return self.__send(symbol, action, request, tag)

    def __index(self, symbol: str | None) -> int:
        if symbol is None:
            if len(self.__symbols) > 1:
                raise ValueError(f"name the symbol: there are {', '.join(self.__symbols[:8])}")
            return self.__places[self.__symbols[0]]
        place = self.__places.get(symbol)
        if place is None:
            raise ValueError(f"no symbol {symbol!r:.60}; there are {', '.join(self.__symbols[:8])}")
        return place

    def __known(self, name: str) -> str:
        if name not in self.__read and name not in _BAR_COLUMNS:
            if name not in self.__past.names:
                raise NoFeatureError(missing_feature(name, dict.fromkeys(self.__past.names)))
            self.__read[name] = None
        return name


_BAR_COLUMNS = frozenset({"open", "high", "low", "close", "volume"})
