"""The container of a strategy that is called at every bar, for one portfolio. Refuses to know how orders are filled."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from admf_cli.clock import DECIDE
from admf_cli.containers.base import Container
from admf_cli.containers.contents import FillContent
from admf_cli.events.event import Event
from admf_cli.market.bars import Bars, FloatArray
from admf_cli.python_strategies.calls import StrategyError, UserCode, decide, working_directory
from admf_cli.python_strategies.context import Book, Context, Fill
from admf_cli.python_strategies.past import Past
from admf_cli.python_strategies.user_class import UserClass
from admf_cli.tracefile.format import timestamp_text

_COLUMNS = ("open", "high", "low", "close", "volume")


class BarByBarContainer(Container):
    """Calls a user's strategy when a bar has closed, and publishes what it asks for as SIGNALs of kind order.

    Args:
        user: its class; the container makes an instance of its own.
        roles: the name the strategy reads a feature under -> the name it has in the features container.
        history: warm-up bars and the phase.
        first: index in `history` of the phase's first bar.
        features: called once, when everything is computed: feature name -> shape (n_history, n_symbols).
        bar_id: bar, symbol index -> id of the BAR event that a decision answers.
    """

    container_type = "strategy"

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        user: UserClass,
        roles: Mapping[str, str],
        history: Bars,
        first: int,
        features: Callable[[], Mapping[str, FloatArray]],
        bar_id: Callable[[int, int], str],
    ) -> None:
        super().__init__(config)
        self._user = user
        self._roles = roles
        self._history = history
        self._first = first
        self._features = features
        self._bar_id = bar_id
        self._name: str = self.settings["name"]
        self._book: Book | None = None
        self._fills: list[Event] = []
        self._process = os.getpid()
        self._guard = UserCode(user.source, self._moment)
        self._begun = False

    def trade_for(self, book: Book) -> None:
        """Say whose position and cash it sees; to be called before `prepare`."""
        self._book = book

    def on_fill(self, event: Event) -> None:
        """Keep a fill of its portfolio until the bar has closed."""
        self._fills.append(event)

    def describe(self) -> Mapping[str, Any]:
        """Return the strategy's settings, and the features it may read."""
        return {**self.settings, "features": dict(self._roles)}

    def prepare(self) -> None:
        """Make the instance, and let it begin."""
        assert self._book is not None
        values = self._features()
        columns = {name: getattr(self._history, name) for name in _COLUMNS}
        columns.update({role: values[name] for role, name in self._roles.items()})
        history = self._history
        self._past = Past(columns, history.present, self._first, history.n_symbols, self.clock)
        only = self.settings.get("symbols")
        symbols = {name: place for place, name in enumerate(history.symbols) if not only or name in only}
        self._ctx = Context(self._past, symbols, self.clock, self._book, self._send)
        try:
            instance = self._user.make()
            self._on_bar = instance.on_bar
            self._on_fill = getattr(instance, "on_fill", None)
            self._on_end = getattr(instance, "on_end", None)
            begin = getattr(instance, "on_start", None)
            if begin is not None:
                self._guard.call("on_start()", begin, self._ctx)
        except StrategyError as error:
            raise self._recorded(error) from error.__cause__
        self._past.begin()
        self._begun = True
        self._directory = working_directory()
        self._ctx._begin(True)
        self.clock.at(self._rank, 0, DECIDE)

    def wake(self, bar: int, stage: int) -> None:
        """Tell the strategy of its fills, let it decide, and ask to be woken at the next bar."""
        try:
            if self._fills:
                self._deliver()
            decide(self._on_bar, self._ctx)
        except BaseException as error:
            UserCode.check_process(self._process)
            self._guard.check_directory("on_bar()", self._directory, is_failing=True)
            raise self._recorded(self._guard.failure("on_bar()", error)) from error
        if os.getpid() != self._process:
            UserCode.check_process(self._process)
        self.clock.at(self._rank, bar + 1, DECIDE)

    def finish(self) -> None:
        """Let the strategy end."""
        self._ctx._begin(False)
        try:
            self._guard.check_directory("on_bar()", self._directory)
            if self._on_end is not None:
                self._guard.call("on_end()", self._on_end, self._ctx)
        except StrategyError as error:
            raise self._recorded(error) from error.__cause__

    def _deliver(self) -> None:
        fills, self._fills = self._fills, []
        if self._on_fill is None:
            return
        for event in fills:
            content = event.content
            assert isinstance(content, FillContent)
            fill = Fill(
                order_id=content.order_id,
                ticket=event.correlation_id,
                symbol=event.symbol or "",
                side="buy" if content.side > 0 else "sell",
                quantity=content.quantity,
                price=content.price,
                commission=content.commission,
                purpose=content.purpose,
                remaining=content.remaining,
            )
            self._guard.call("on_fill()", self._on_fill, self._ctx, fill)

    def _send(self, symbol: int, action: str, request: Mapping[str, Any], tag: str | None) -> str:
        """Publish what was asked for; the portfolio answers once all strategies have spoken."""
        payload = {
            "strategy": self._name,
            "kind": "order",
            "target": None,
            "action": action,
            "price": self._past.value("close", symbol),
            "rule": tag,
            "features": {name: self._past.value(name, symbol) for name in self._ctx._names_read()},
            "order": request,
        }
        return self.publish(
            "SIGNAL", payload, symbol=self._history.symbols[symbol], cause=self._bar_event(symbol)
        ).event_id

    def _moment(self) -> str:
        if not self._begun:
            return ""
        return f"bar {self.clock.bar} ({timestamp_text(self.clock.time)}), {self.container_id}"

    def _recorded(self, fault: Exception) -> Exception:
        """Return a fault that ends the run, once the trace tells of it."""
        if isinstance(fault, StrategyError):
            payload = {"message": fault.summary, **fault.details}
            self.publish("ERROR", payload, cause=self._bar_event(0) if self._begun else None)
        return fault

    def _bar_event(self, symbol: int) -> str:
        """Return the id of the symbol's BAR, or of another symbol's if it has none now: one of them always has."""
        bar, present = self.clock.bar, self._history.present
        if present is not None and not present[self._first + bar, symbol]:
            symbol = int(np.argmax(present[self._first + bar]))
        return self._bar_id(bar, symbol)
