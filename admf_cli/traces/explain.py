"""Why did an event happen, and what came of it? Refuses to put it into words.

Causes are followed upwards one by one. Effects lie in known places: an answer to a bar, a signal, a fill or a breach
in the same bar, what ends an order anywhere later in the execution's or its portfolio's file. So a few small reads
find the whole of a trade among millions of events.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct, field

from admf_cli.tracefile.discovery import PhaseTrace
from admf_cli.tracefile.format import TERMINAL_ORDER_TYPES
from admf_cli.traces.archive import Archive, Gone
from admf_cli.traces.event import BOOKING_TYPES, TracedEvent, amount
from admf_cli.traces.target import choose_phases, locate, open_archives
from admf_cli.traces.windows import windows_of

_MAX_DEPTH = 64
_LIMITS = (
    "max_position_size",
    "max_portfolio_heat",
    "max_net_exposure",
    "max_open_positions",
    "max_drawdown",
    "daily_loss_limit",
    "cooldown",
)
_MAX_NODES = 500
_MAX_FLOWS = 12


class Node(Struct):
    """An event, or the place of one that is gone, with what it caused.

    Attributes:
        asked: True for the event that was asked about.
        features: of a BAR: the values of its FEATURE event.
        met: of a FILL: the BAR that it met, None if that isn't on disk.
    """

    event: TracedEvent | Gone
    asked: bool = False
    features: dict[str, float | None] = field(default_factory=dict)
    met: TracedEvent | None = None
    effects: list[Node] = field(default_factory=list)

    @property
    def event_id(self) -> str:
        """Its id, also of an event that is gone."""
        return self.event.event_id

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, causes before effects."""
        yield self
        for effect in self.effects:
            yield from effect.walk()


class Flow(Struct, frozen=True):
    """One causal tree.

    Attributes:
        title: "asked", "entry" (of the position that the asked event changes) or "exit".
    """

    title: str
    root: Node


class Explanation(Struct, frozen=True):
    """Everything that led to the asked events and came of them, in order of time.

    Attributes:
        complete: True if every cause, up to where causes end, is on disk.
        cut: True if there was more than is shown.
        rules: strategy -> its rule's name -> the expression, for the signals in here.
        limits: portfolio -> its risk profile's limits that an entry has to pass, for the orders in here.
        notes: of which containers older events were dropped, so that they may lack here.
    """

    phase: str
    asked: tuple[str, ...]
    note: str | None
    complete: bool
    cut: bool
    rules: dict[str, dict[str, str]]
    limits: dict[str, dict[str, float]]
    flows: tuple[Flow, ...]
    notes: tuple[str, ...]


def explain(directory: Path, words: str, *, phase: str | None = None, portfolio: str | None = None) -> Explanation:
    """Return what led to an event and what came of it.

    Args:
        words: an event id, `trade:7`, `trade:PORTFOLIO:7`, `last-fill`, or `SYMBOL@TIME`.
        phase: which one, where the directory holds several.
        portfolio: of trades and of a signal's effects, where there are several.

    Raises:
        StorageError: there is no trace to read.
        ConfigError: `words` fit no event, or several phases.
        NotKeptError: the event was dropped, filtered or lost.
    """
    return explain_in(choose_phases(directory, phase), words, portfolio=portfolio)


def explain_in(phases: Sequence[PhaseTrace], words: str, *, portfolio: str | None = None) -> Explanation:
    """Return what `explain` does, for these phases."""
    with ExitStack() as stack:
        archives = open_archives(stack, phases)
        archive, target = locate(archives, words, portfolio)
        return _Story(archive, portfolio).tell(target.anchors, target.note)


def causes_of(archive: Archive, event: TracedEvent) -> list[TracedEvent | Gone]:
    """Return an event's causes, nearest first, up to one without a cause or one that is gone."""
    chain: list[TracedEvent | Gone] = []
    current = event
    while current.causation_id is not None and len(chain) < _MAX_DEPTH:
        cause = archive.find(current.causation_id)
        if isinstance(cause, TracedEvent) and cause.sequence >= current.sequence:
            cause = Gone(cause.event_id, "named as the cause, but it did not happen before its effect")
        chain.append(cause)
        if isinstance(cause, Gone):
            break
        current = cause
    return chain


def effects_of(archive: Archive, event: TracedEvent) -> Iterator[TracedEvent]:
    """Yield the events that answer an event, in order of sequence; for BARs none, as everything would follow."""
    if event.event_type == "ORDER":
        yield from ends_of(archive, event)
        return
    found: list[TracedEvent] = []
    for container_id in _answering(archive, event):
        found += [one for one in archive.in_bar(container_id, event.bar) if one.causation_id == event.event_id]
    yield from sorted(found, key=lambda one: one.sequence)


def _answering(archive: Archive, event: TracedEvent) -> list[str]:
    """Return the containers in which answers of the same bar can lie."""
    if event.event_type == "SIGNAL":
        return archive.containers("portfolio")
    if event.event_type == "FILL":
        portfolio = event.text("portfolio")
        return [*archive.containers("execution"), *([portfolio] if portfolio else archive.containers("portfolio"))]
    if event.event_type in ("RISK_BREACH", "REJECT", "CANCEL", "EXPIRE"):
        portfolio = event.text("portfolio")
        return [portfolio if portfolio and portfolio != event.container_id else event.container_id]
    return []


def ends_of(archive: Archive, order: TracedEvent) -> list[TracedEvent]:
    """Return an order's fills and its end, in order of sequence."""

    def is_of(event: TracedEvent) -> bool:
        return event.event_type in TERMINAL_ORDER_TYPES and event.text("order_id") == order.event_id

    def is_last(event: TracedEvent) -> bool:
        return is_of(event) and (event.event_type != "FILL" or event.amount("remaining") == 0.0)

    containers = [*archive.containers("execution"), order.container_id]
    named = archive.naming_until(containers, "order_id", order.event_id, order.sequence + 1, is_last)
    return [event for event in named if is_of(event)]


class _Story:
    def __init__(self, archive: Archive, portfolio: str | None) -> None:
        self.archive = archive
        self.portfolio = portfolio
        self.told: dict[str, Node] = {}
        self.portfolios: set[str | None] = set()  # whose stories were told, None: of all of them
        self.rules: dict[str, dict[str, str]] = {}
        self.limits: dict[str, dict[str, float]] = {}
        self.complete = True
        self.cut = False

    def tell(self, anchors: Sequence[TracedEvent], note: str | None) -> Explanation:
        asked = [anchor.event_id for anchor in anchors]
        flows: list[Flow] = []
        for anchor in anchors:
            if anchor.event_id not in self.told:
                _add(flows, "asked", self._flow(anchor))
        for anchor in anchors:
            self.told[anchor.event_id].asked = True
        self._add_the_same_trades(flows)
        flows.sort(key=lambda flow: _sequence(flow.root))
        return Explanation(
            self.archive.name,
            tuple(asked),
            note,
            self.complete,
            self.cut,
            self.rules,
            self.limits,
            tuple(flows),
            tuple(self._dropped()),
        )

    def _dropped(self) -> Iterator[str]:
        """Yield what was dropped of the containers that had a part in this since it began."""
        told = [node.event for node in self.told.values() if isinstance(node.event, TracedEvent)]
        began = min((event.sequence for event in told), default=0)
        parts = {event.container_id for event in told} | {event.text("portfolio") or "" for event in told}
        portfolios = self.archive.containers("portfolio") if None in self.portfolios else self.portfolios
        always = [*self.archive.containers("features", "execution"), *portfolios]
        for window in windows_of(self.archive, [one for one in self.archive.containers() if one in {*parts, *always}]):
            settings = self.archive.kind(window.container_id) in ("strategy", "portfolio")
            if settings or window.lacks(began):
                yield str(window) + (" (its rules and limits stood before)" if settings else "")

    def _flow(self, anchor: TracedEvent) -> Node:
        """Return the tree from the first cause of an event down to everything that came of its signal."""
        chain: list[TracedEvent | Gone] = [anchor, *causes_of(self.archive, anchor)]
        self.complete = self.complete and not isinstance(chain[-1], Gone)
        portfolio = self.portfolio or self._portfolio_of(chain)
        self.portfolios.add(portfolio)
        nodes = [self._node(event) for event in reversed(chain)]
        for cause, effect in itertools.pairwise(nodes):
            if not any(one.event_id == effect.event_id for one in cause.effects):
                cause.effects.append(effect)
        # A bar's other effects are other stories; from the signal (or the breach) on, all of it is this one.
        start = next((node for node in nodes if _begins_a_story(node.event)), None)
        if start is not None:
            self._expand(start, portfolio)
        return nodes[0]

    def _portfolio_of(self, chain: list[TracedEvent | Gone]) -> str | None:
        """Return the portfolio whose story this is, None if it is that of all who heard the signal."""
        for event in chain:
            if isinstance(event, TracedEvent):
                kind = self.archive.kind(event.container_id)
                own = event.container_id if kind == "portfolio" else event.text("portfolio")
                if own is not None:
                    return own
        return None

    def _expand(self, node: Node, portfolio: str | None) -> None:
        pending = [(node, 0)]
        while pending:
            current, depth = pending.pop()
            event = current.event
            if isinstance(event, Gone):
                continue
            if len(self.told) >= _MAX_NODES or depth >= _MAX_DEPTH:
                self.cut = True
                return
            for effect in effects_of(self.archive, event):
                if not self._is_of(portfolio, effect):
                    continue
                known = next((one for one in current.effects if one.event_id == effect.event_id), None)
                if known is None and effect.event_id in self.told:
                    continue  # shown elsewhere: the same event is never told twice
                if known is None:
                    known = self._node(effect)
                    current.effects.append(known)
                pending.append((known, depth + 1))
            current.effects.sort(key=_sequence)

    def _is_of(self, portfolio: str | None, event: TracedEvent) -> bool:
        if portfolio is None:
            return True
        kind = self.archive.kind(event.container_id)
        return portfolio in ((event.container_id,) if kind == "portfolio" else (event.text("portfolio"), None))

    def _node(self, event: TracedEvent | Gone) -> Node:
        node = self.told.get(event.event_id)
        if node is not None:
            return node
        node = self.told[event.event_id] = Node(event)
        if isinstance(event, TracedEvent):
            if event.event_type == "BAR":
                node.features = features_at(self.archive, event)
            elif event.event_type == "SIGNAL":
                self._note_rule(event)
            elif event.event_type == "ORDER" and event.mapping("sizing"):
                self._note_limits(event.container_id)
            elif event.event_type == "FILL" and (bar_id := event.text("bar")):
                met = self.archive.find(bar_id)
                node.met = met if isinstance(met, TracedEvent) else None
        return node

    def _note_rule(self, signal: TracedEvent) -> None:
        start = self.archive.start(signal.container_id)
        expression = start.mapping("settings").get("rules") if start else None
        rule = signal.text("rule")
        if isinstance(expression, dict) and rule is not None and isinstance(expression.get(rule), str):
            self.rules.setdefault(signal.container_id, {})[rule] = expression[rule]

    def _note_limits(self, portfolio: str) -> None:
        if portfolio not in self.limits:
            start = self.archive.start(portfolio)
            profile = start.mapping("settings").get("risk_profile") if start else None
            known = profile if isinstance(profile, dict) else {}
            values = ((name, amount(known, name)) for name in _LIMITS)
            self.limits[portfolio] = {name: value for name, value in values if value is not None}

    def _add_the_same_trades(self, flows: list[Flow]) -> None:
        """Add the flows that opened what was closed in these, and closed what was opened in these."""
        events = [node.event for flow in flows for node in flow.root.walk()]
        most = len(flows) + _MAX_FLOWS
        for event in events:
            if not isinstance(event, TracedEvent):
                continue
            partners = list(self._entries(event)) + list(self._exits(event))
            for title, partner in partners:
                if partner.event_id in self.told:
                    continue
                if len(flows) >= most:
                    self.cut = True
                    return
                _add(flows, title, self._flow(partner))

    def _entries(self, event: TracedEvent) -> Iterator[tuple[str, TracedEvent]]:
        if event.event_type in BOOKING_TYPES:
            for row in event.rows("trades"):
                entry_fill = row.get("entry_fill")
                entry = self.archive.find(entry_fill) if isinstance(entry_fill, str) else None
                if isinstance(entry, TracedEvent):
                    yield "entry", entry

    def _exits(self, event: TracedEvent) -> Iterator[tuple[str, TracedEvent]]:
        portfolio = event.text("portfolio")
        if event.event_type != "FILL" or portfolio is None:
            return
        if not self._opens(event, portfolio):
            return
        left = event.amount("quantity") or 0.0
        for closing in self.archive.naming(portfolio, "entry_fill", event.event_id, event.sequence):
            for row in closing.rows("trades"):
                quantity = row.get("quantity")
                if row.get("entry_fill") == event.event_id and isinstance(quantity, int | float):
                    left -= quantity
            cause = self.archive.find(closing.causation_id) if closing.causation_id else closing
            yield "exit", closing if isinstance(cause, Gone) else cause
            if left <= 1e-9 or (closing.event_type == "POSITION_CLOSE"):
                return

    def _opens(self, fill: TracedEvent, portfolio: str) -> bool:
        """Return whether a fill opened or enlarged a position; True if its booking is not on disk."""
        bookings = [one for one in effects_of(self.archive, fill) if one.event_type in BOOKING_TYPES]
        pairs = [(one.amount("quantity_before"), one.amount("quantity")) for one in bookings]
        return not pairs or any(
            before is None or after is None or abs(after) > abs(before) or before * after < 0 for before, after in pairs
        )


def _add(flows: list[Flow], title: str, root: Node) -> None:
    """Add a tree unless it is told already: what several portfolios do on one signal grows from the same bar."""
    if not any(flow.root is root for flow in flows):
        flows.append(Flow(title, root))


def features_at(archive: Archive, bar: TracedEvent) -> dict[str, float | None]:
    """Return the values of the FEATURE events that answer a BAR; None where a feature is undefined."""
    values: dict[str, float | None] = {}
    for container_id in archive.containers("features"):
        for event in archive.in_bar(container_id, bar.bar):
            if event.causation_id == bar.event_id or (event.event_type == "FEATURE" and event.symbol == bar.symbol):
                for name in event.payload:
                    values[name] = event.amount(name)
    return values


def _begins_a_story(event: TracedEvent | Gone) -> bool:
    return isinstance(event, TracedEvent) and event.event_type not in ("BAR", "FEATURE", "PHASE_START", "PHASE_END")


def _sequence(node: Node) -> int:
    event = node.event
    if isinstance(event, TracedEvent):
        return event.sequence
    return min((_sequence(effect) for effect in node.effects), default=0) - 1
