"""A container's own event bus: synchronous, in order of subscription. Refuses to know who listens or why."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from admf_cli.events.event import Event, EventBatch

Handler = Callable[[Event], None]
BatchHandler = Callable[[EventBatch], None]


class EventBus:
    """Delivers what one container publishes to whoever subscribed, before `publish` returns.

    A subscription may be narrowed to event types, and to a topic: a publisher that addresses an event (an execution
    telling one portfolio of its fill) reaches only that topic's subscribers, so that a hundred portfolios on one bus
    cost each other nothing.
    """

    __slots__ = ("_addressed", "_batch", "_every", "_every_batch", "_routes", "_typed")

    def __init__(self) -> None:
        self._typed: dict[tuple[str, str | None], tuple[Handler, ...]] = {}
        # Whom to call, in order: by type where nobody in particular is addressed, else by topic and type.
        self._routes: dict[str, tuple[Handler, ...]] = {}
        self._addressed: dict[str, dict[str, tuple[Handler, ...]]] = {}
        self._batch: dict[str, tuple[BatchHandler, ...]] = {}
        self._every: tuple[Handler, ...] = ()
        self._every_batch: tuple[BatchHandler, ...] = ()

    def subscribe(self, handler: Handler, event_types: Iterable[str], *, topic: str | None = None) -> None:
        """Call `handler` with every event of these types, or with those addressed to `topic` only."""
        self._forget_routes()
        for event_type in event_types:
            self._typed[event_type, topic] = (*self._typed.get((event_type, topic), ()), handler)
            if topic is None:
                self._batch[event_type] = (*self._batch.get(event_type, ()), _row_by_row(handler))

    def subscribe_to_all(self, handler: Handler, batch_handler: BatchHandler | None = None) -> None:
        """Call `handler` with every event; batches go whole to `batch_handler`, or row by row without one."""
        self._forget_routes()
        self._every = (*self._every, handler)
        self._every_batch = (*self._every_batch, batch_handler or _row_by_row(handler))

    def publish(self, event: Event, topic: str | None = None) -> None:
        """Deliver one event: to those who take everything first, then by type, then by topic."""
        for handler in self.listeners(event.event_type, topic):
            handler(event)

    def listeners(self, event_type: str, topic: str | None = None) -> tuple[Handler, ...]:
        """Return whom an event of this type would reach; none: it need not be made."""
        if topic is None:
            handlers = self._routes.get(event_type)
            if handlers is None:
                handlers = self._routes[event_type] = (*self._every, *self._typed.get((event_type, None), ()))
            return handlers
        routes = self._addressed.get(topic)
        if routes is None:
            routes = self._addressed[topic] = {}
        handlers = routes.get(event_type)
        if handlers is None:
            handlers = (*self.listeners(event_type), *self._typed.get((event_type, topic), ()))
            routes[event_type] = handlers
        return handlers

    def _forget_routes(self) -> None:
        self._routes.clear()
        self._addressed.clear()

    def publish_batch(self, batch: EventBatch) -> None:
        """Deliver a batch: the same as publishing its rows one by one."""
        for handler in self.batch_listeners(batch.event_type):
            handler(batch)

    def batch_listeners(self, event_type: str) -> tuple[BatchHandler, ...]:
        """Return whom a batch of this type would reach; none: it need not be made."""
        return (*self._every_batch, *self._batch.get(event_type, ()))


def _row_by_row(handler: Handler) -> BatchHandler:
    def deliver(batch: EventBatch) -> None:
        for event in batch.rows():
            handler(event)

    return deliver
