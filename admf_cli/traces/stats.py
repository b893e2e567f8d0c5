"""What a run's trading came to: funnel, waiting, slippage, costs, its slowest and its biggest trades.

Bars and features are counted, not read; so a million of them cost nothing. Refuses to know how the answer is shown.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, field

from admf_cli.tracefile.discovery import ContainerTrace, PhaseTrace
from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.tracefile.payloads import what_lacks
from admf_cli.tracefile.reader import collection_paused, read_blocks
from admf_cli.traces.archive import Archive
from admf_cli.traces.event import BOOKING_TYPES, amount
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.listening import listens_to
from admf_cli.traces.scan import scan
from admf_cli.traces.target import choose_phases

_ENDS = {"CANCEL": "cancelled", "EXPIRE": "expired"}


class Waiting(Struct, frozen=True):
    """How many bars lie between two events, over many of them; None where there are none."""

    count: int
    least: int | None
    median: float | None
    mean: float | None
    most: int | None


class PurposeStats(Struct, frozen=True):
    """One portfolio's fills of one purpose.

    Attributes:
        waited: bars from the order to its fills.
        slippage: paid against the reference price, account currency; `slippage_bps` of the value at that price.
    """

    purpose: str
    fills: int
    waited: Waiting
    value: float
    slippage: float
    slippage_bps: float | None
    commission: float


class TradeStats(Struct, frozen=True):
    """One closed trade; `bars` is how long it was held, None if its entry is not on disk."""

    number: int
    symbol: str | None
    direction: str
    quantity: float | None
    pnl: float
    return_fraction: float | None
    bars: int | None
    closed_by: str
    closed_at: str


class PortfolioStats(Struct, frozen=True):
    """One portfolio.

    Attributes:
        funnel: signals, orders, fills, trades, cancelled, expired, rejected -> how many are on disk.
        rejects, ends: reason -> how many; of rejects, and of orders cancelled and expired.
        latency: bars from a signal to the fills that it led to, protective orders left out.
        commission, slippage, financing: paid, account currency.
        biggest: by result, gains and losses alike; `slowest`: by bars held.
    """

    portfolio: str
    funnel: dict[str, int]
    rejects: dict[str, int]
    ends: dict[str, int]
    latency: Waiting
    purposes: tuple[PurposeStats, ...]
    commission: float
    slippage: float
    financing: float
    traded_value: float
    biggest: tuple[TradeStats, ...]
    slowest: tuple[TradeStats, ...]


class PhaseStats(Struct, frozen=True):
    """One phase; `notes` say what was not kept, so that counts are of a part only."""

    phase: str
    bars: int
    features: int
    signals: dict[str, int]
    portfolios: tuple[PortfolioStats, ...]
    notes: tuple[str, ...]


class Stats(Struct, frozen=True):
    """The answer for everything under a directory."""

    phases: tuple[PhaseStats, ...]


def stats(directory: Path, *, phase: str | None = None, trades: int = 5) -> Stats:
    """Return what trading came to, phase by phase.

    Args:
        trades: how many of the biggest and of the slowest ones.

    Raises:
        StorageError: there is no trace to read.
        ConfigError: no phase has that name.
    """
    with collection_paused():
        return Stats(tuple(_phase_stats(one, trades) for one in choose_phases(directory, phase)))


class _Trade(NamedTuple):
    size: float
    row: Mapping[str, Any]
    symbol: str | None
    event_id: str
    bar: int
    timestamp: str


class _Order(NamedTuple):
    bar: int
    purpose: str
    signal: str | None


class _Purpose(Struct):
    waited: Counter[int] = field(default_factory=Counter)
    fills: int = 0
    value: float = 0.0
    reference: float = 0.0
    slippage: float = 0.0
    commission: float = 0.0


class _Portfolio(Struct):
    settings: Mapping[str, Any] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    latency: Counter[int] = field(default_factory=Counter)
    purposes: dict[str, _Purpose] = field(default_factory=dict)
    trades: list[_Trade] = field(default_factory=list)
    financing: float = 0.0


class _Event(NamedTuple):
    event_id: str
    sequence: int
    event_type: str
    timestamp: str
    cause: str | None
    symbol: str | None
    payload: Mapping[str, Any]

    @property
    def bar(self) -> int:
        return self.sequence >> BAR_SHIFT


def _phase_stats(phase: PhaseTrace, trades: int) -> PhaseStats:
    with Archive(phase) as archive:
        gathering = _Gathering(archive)
        for kind in ("strategy", "portfolio", "execution"):
            for container_id in archive.containers(kind):
                for event in _events(phase, container_id):
                    gathering.take(container_id, event)
        notes = []
        for container_id in archive.containers():
            meta = archive.meta(container_id)
            total = meta.total if meta else None
            if total is None:
                notes.append(f"{container_id} was never sealed: what it had not written is not counted")
            elif total.dropped or total.filtered:
                gone = total.dropped + total.filtered
                notes.append(
                    f"{container_id}: {gone:,} of {total.published:,} events were not kept and are not counted"
                )
        return PhaseStats(
            archive.name,
            sum(_count(archive, one, "BAR") for one in archive.containers("data")),
            sum(_count(archive, one, "FEATURE") for one in archive.containers("features")),
            dict(gathering.signals),
            tuple(gathering.summary(name, one, trades) for name, one in gathering.portfolios.items()),
            tuple(notes),
        )


class _Gathering:
    def __init__(self, archive: Archive) -> None:
        self.signals: Counter[str] = Counter()
        self.portfolios: dict[str, _Portfolio] = {one: _Portfolio() for one in archive.containers("portfolio")}
        self._signal_bars: dict[str, int] = {}
        self._orders: dict[str, _Order] = {}
        self._fill_bars: dict[str, int] = {}

    def take(self, container_id: str, event: _Event) -> None:
        kind, payload = event.event_type, event.payload
        if kind == "SIGNAL":
            self.signals[container_id] += 1
            self._signal_bars[event.event_id] = event.bar
        elif kind == "FILL":
            if what_lacks(kind, payload) is None:
                self._take_fill(event)
        elif kind in ("CANCEL", "EXPIRE", "REJECT"):
            self._take_end(container_id, event)
        elif container_id in self.portfolios:
            self._take_own(self.portfolios[container_id], event)

    def _take_own(self, own: _Portfolio, event: _Event) -> None:
        kind, payload = event.event_type, event.payload
        if kind == "ORDER":
            own.counts["orders"] += 1
            purpose = payload.get("purpose")
            signal = event.cause if event.cause in self._signal_bars else None
            self._orders[event.event_id] = _Order(event.bar, purpose if isinstance(purpose, str) else "?", signal)
        elif kind in BOOKING_TYPES:
            rows = payload.get("trades")
            for row in rows if isinstance(rows, list) else ():
                pnl = amount(row, "pnl") if isinstance(row, dict) else None
                if pnl is not None:
                    own.counts["trades"] += 1
                    trade = _Trade(abs(pnl), row, event.symbol, event.event_id, event.bar, event.timestamp)
                    own.trades.append(trade)
        elif kind == "FINANCING":
            own.financing += (amount(payload, "borrow_fee") or 0.0) - (amount(payload, "interest") or 0.0)
        elif kind == "PHASE_START":
            settings = payload.get("settings")
            own.settings = settings if isinstance(settings, dict) else {}

    def _take_fill(self, event: _Event) -> None:
        payload = event.payload
        self._fill_bars[event.event_id] = event.bar
        own = self.portfolios.setdefault(payload["portfolio"], _Portfolio())
        own.counts["fills"] += 1
        order = self._orders.get(payload["order_id"])
        if payload["remaining"] == 0.0:
            self._orders.pop(payload["order_id"], None)
        told = payload.get("purpose")
        purpose = own.purposes.setdefault(
            told if isinstance(told, str) else order.purpose if order else "?", _Purpose()
        )
        purpose.fills += 1
        if order is not None:
            purpose.waited[event.bar - order.bar] += 1
            if order.signal is not None:
                own.latency[event.bar - self._signal_bars[order.signal]] += 1
        units = payload["value"] / payload["price"] if payload["price"] else payload["quantity"]  # x multiplier
        purpose.value += payload["value"]
        purpose.reference += abs(payload["reference_price"] * units)
        purpose.slippage += payload["slippage"] * abs(units)
        purpose.commission += payload["commission"]

    def _take_end(self, container_id: str, event: _Event) -> None:
        payload = event.payload
        named = payload.get("portfolio")
        portfolio = named if isinstance(named, str) else container_id
        own = self.portfolios.get(portfolio)
        if own is None:
            return
        told = payload.get("reason")
        reason = told if isinstance(told, str) else "no reason given"
        if event.event_type == "REJECT":
            own.counts["rejected"] += 1
            own.rejects[reason] += 1
        else:
            own.counts[_ENDS[event.event_type]] += 1
            own.ends[reason] += 1

    def summary(self, name: str, own: _Portfolio, trades: int) -> PortfolioStats:
        heard = sum(count for strategy, count in self.signals.items() if listens_to(name, own.settings, strategy))
        keys = ("orders", "fills", "trades", "cancelled", "expired", "rejected")
        held = [(self._held(trade), trade) for trade in own.trades]
        purposes = sorted(own.purposes.items(), key=lambda one: -one[1].fills)
        return PortfolioStats(
            name,
            {"signals": heard, **{key: own.counts[key] for key in keys}},
            dict(own.rejects.most_common()),
            dict(own.ends.most_common()),
            _waiting(own.latency),
            tuple(_purpose_stats(purpose, one) for purpose, one in purposes),
            sum((one.commission for one in own.purposes.values()), 0.0),
            sum((one.slippage for one in own.purposes.values()), 0.0),
            own.financing,
            sum((one.value for one in own.purposes.values()), 0.0),
            _told(heapq.nlargest(trades, held, key=lambda one: one[1].size)),
            _told(heapq.nlargest(trades, held, key=lambda one: -1 if one[0] is None else one[0])),
        )

    def _held(self, trade: _Trade) -> int | None:
        entry = trade.row.get("entry_fill")
        bar = self._fill_bars.get(entry) if isinstance(entry, str) else None
        return None if bar is None else trade.bar - bar


def _told(trades: Iterable[tuple[int | None, _Trade]]) -> tuple[TradeStats, ...]:
    rows = []
    for bars, trade in trades:
        number, direction = trade.row.get("number"), trade.row.get("direction")
        rows.append(
            TradeStats(
                number if isinstance(number, int) else 0,
                trade.symbol,
                direction if isinstance(direction, str) else "?",
                amount(trade.row, "quantity"),
                amount(trade.row, "pnl") or 0.0,
                amount(trade.row, "return"),
                bars,
                trade.event_id,
                trade.timestamp,
            )
        )
    return tuple(rows)


def _purpose_stats(purpose: str, one: _Purpose) -> PurposeStats:
    bps = one.slippage / one.reference * 10_000 if one.reference else None
    return PurposeStats(purpose, one.fills, _waiting(one.waited), one.value, one.slippage, bps, one.commission)


def _waiting(bars: Counter[int]) -> Waiting:
    count = bars.total()
    if not count:
        return Waiting(0, None, None, None, None)
    ordered = sorted(bars)
    middle = [_at(bars, ordered, place) for place in ((count - 1) // 2, count // 2)]
    mean = sum(bar * times for bar, times in bars.items()) / count
    return Waiting(count, ordered[0], sum(middle) / 2, mean, ordered[-1])


def _at(bars: Counter[int], ordered: list[int], place: int) -> int:
    for bar in ordered:
        place -= bars[bar]
        if place < 0:
            return bar
    return ordered[-1]


def _events(phase: PhaseTrace, container_id: str) -> Iterator[_Event]:
    for block in scan(_container(phase, container_id), container_id, FaultLog(keep=0)):
        yield from map(
            _Event,
            block.event_ids,
            block.sequences,
            block.types,
            block.timestamps,
            block.causes,
            block.symbols,
            block.payloads,
        )


def _count(archive: Archive, container_id: str, event_type: str) -> int:
    """Return how many events of a type a container wrote: as sealed, else counted without parsing them."""
    meta = archive.meta(container_id)
    if meta is not None and event_type in meta.events:
        return meta.events[event_type].written
    mark = b'"event_type":"' + event_type.encode() + b'"'
    path = _container(archive.phase, container_id).lines_path
    blocks = read_blocks(path, on_fault=lambda fault: None)
    return sum(mark in line for block in blocks for line in block.lines)


def _container(phase: PhaseTrace, container_id: str) -> ContainerTrace:
    container = phase.container(container_id)
    assert container is not None
    return container
