"""Which event does a user mean: an event id, `trade:7`, `last-fill`, `SYMBOL@TIME`? Refuses to explain it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from admf_cli.errors import AdmfError, ConfigError
from admf_cli.tracefile.discovery import PhaseTrace, discover_some
from admf_cli.traces.archive import Archive, Gone
from admf_cli.traces.event import CONTAINER_KINDS, TracedEvent
from admf_cli.traces.moments import Span, parse_span, time_key
from admf_cli.traces.numbers import split_id
from admf_cli.traces.windows import windows_of

_TRADE = re.compile(r"trade:(?:(?P<portfolio>.+):)?(?P<number>[0-9]{1,9})")
_MOST_COUNTED = 10_000
_FORMS = "an event id (portfolio_x_y#17), trade:7, trade:PORTFOLIO:7, last-fill, or SYMBOL@TIME"


class NotKeptError(AdmfError):
    """The event was there once, but the trace does not hold it any more."""


class Target(Struct, frozen=True):
    """The events that a user's words lead to, all of one phase.

    Attributes:
        anchors: to be explained, in order of sequence.
        note: what to know about how they were found, such as that the last bar before the time was taken.
    """

    anchors: tuple[TracedEvent, ...]
    note: str | None = None


def choose_phases(directory: Path, phase: str | None) -> tuple[PhaseTrace, ...]:
    """Return the phases under a directory, narrowed to those that `phase` names (`testing`, or `wf_1/testing`).

    Raises:
        StorageError: there are no traces.
        ConfigError: no phase has that name.
    """
    found = discover_some(directory).phases
    chosen = named(found, phase)
    if not chosen:
        raise ConfigError(f"no phase {phase!r} here; there are: {_names(found)}")
    return chosen


def named(phases: tuple[PhaseTrace, ...], phase: str | None) -> tuple[PhaseTrace, ...]:
    """Return the phases of that name, all of them for None."""
    if phase is None:
        return phases
    return tuple(one for one in phases if phase in (one.phase_name, f"{one.workflow_id}/{one.phase_name}"))


def locate(archives: Sequence[Archive], words: str, portfolio: str | None = None) -> tuple[Archive, Target]:
    """Return the phase and the events that `words` mean.

    Raises:
        ConfigError: the words fit nothing, or events of several phases.
        NotKeptError: what they mean was dropped, filtered, or lost.
    """
    found: list[tuple[Archive, Target]] = []
    gone: list[str] = []
    for archive in archives:
        target = _in_phase(archive, words, portfolio)
        if isinstance(target, Gone):
            gone.append(f"{archive.name}: {target.event_id}: {target.why}")
        else:
            found.append((archive, target))
    if not found:
        existed = [text for text in gone if "never existed" not in text and "was not traced" not in text]
        if existed and (split_id(words) or any(" were dropped" in text for text in existed)):
            raise NotKeptError("\n".join(existed))
        raise ConfigError("\n".join(gone[:5]) or f"{words!r}: nothing found")
    if words == "last-fill":
        latest = max(found, key=lambda one: time_key(one[1].anchors[0].timestamp))
        if len({archive.phase.workflow_id for archive, _ in found}) == 1:
            return latest
    if len(found) > 1:
        names = ", ".join(archive.name for archive, _ in found[:10])
        raise ConfigError(f"{words!r} is found in several phases; choose one with --phase: {names}")
    return found[0]


def open_archives(stack: ExitStack, phases: Sequence[PhaseTrace]) -> list[Archive]:
    """Return the phases opened; the stack closes them."""
    return [stack.enter_context(Archive(phase)) for phase in phases]


def _in_phase(archive: Archive, words: str, portfolio: str | None) -> Target | Gone:
    trade = _TRADE.fullmatch(words)
    if trade:
        return _trade(archive, int(trade["number"]), trade["portfolio"] or portfolio)
    if words == "last-fill":
        return _last_fill(archive)
    if split_id(words):
        event = archive.find(words)
        return event if isinstance(event, Gone) else Target((event,))
    symbol, mark, time = words.rpartition("@")
    if mark and symbol:
        return _at(archive, symbol, parse_span(time))
    raise ConfigError(f"{words!r} names no event; write {_FORMS}")


def _trade(archive: Archive, number: int, portfolio: str | None) -> Target | Gone:
    known = archive.containers("portfolio")
    if portfolio is not None and portfolio not in known:
        return Gone(f"trade:{number}", f"no portfolio {portfolio!r}; there are: {', '.join(known[:10])}")
    if portfolio is None and len(known) > 1:
        raise ConfigError(f"several portfolios; write trade:PORTFOLIO:{number} with one of: {', '.join(known[:10])}")
    for container_id in known if portfolio is None else [portfolio]:
        closing = _closing(archive, container_id, number)
        if closing is None:
            continue
        fill = archive.find(closing.causation_id) if closing.causation_id else closing
        return Target((closing if isinstance(fill, Gone) else fill,))
    asked = known if portfolio is None else [portfolio]
    last = last_trade(archive, asked)
    why = f"no such trade on disk; the last one closed is number {last}"
    return Gone(f"trade:{number}", why + (_dropped(archive, asked) if number <= last or not last else ""))


def _closing(archive: Archive, container_id: str, number: int) -> TracedEvent | None:
    """Return the event that closed a trade. Trades are numbered in order of closing, so bisection finds it."""
    lookup = archive.lookup(container_id)
    if lookup is None:
        return None
    low, high = 0, lookup.size
    while high - low > _TRADE_WINDOW:
        middle = (low + high) // 2
        event = next(_with_trades(archive, container_id, middle, high), None)
        if event is None or _numbers(event)[-1] >= number:
            high = middle
        else:
            low = middle
    for event in _with_trades(archive, container_id, low):
        numbers = _numbers(event)
        if number in numbers:
            return event
        if numbers[0] > number:
            return None
    return None


_TRADE_WINDOW = 65_536


def _with_trades(archive: Archive, container_id: str, offset: int, stop: int | None = None) -> Iterator[TracedEvent]:
    for event in archive.containing(container_id, b'"trades":[{', offset, stop):
        if _numbers(event):
            yield event


def _numbers(event: TracedEvent) -> list[int]:
    numbers = [row.get("number") for row in event.rows("trades")]
    return [number for number in numbers if isinstance(number, int)]


def last_trade(archive: Archive, portfolios: Sequence[str]) -> int:
    """Return the number of the last trade that was closed, 0 if none is on disk."""
    numbers = [0]
    for portfolio in portfolios:
        for event_type in ("POSITION_CLOSE", "POSITION_CHANGE"):
            event = archive.last(portfolio, event_type)
            numbers += _numbers(event) if event else []
    return max(numbers)


def _last_fill(archive: Archive) -> Target | Gone:
    fills = [archive.last(one, "FILL") for one in archive.containers("execution")]
    kept = [fill for fill in fills if fill is not None]
    if not kept:
        return Gone("last-fill", "no fill on disk" + _dropped(archive, archive.containers("execution")))
    return Target((max(kept, key=lambda fill: fill.sequence),))


def _at(archive: Archive, symbol: str, span: Span) -> Target | Gone:
    """Return what happened to a symbol in the first bar of a span; the BAR itself if nothing else did."""
    bar = next(bars_within(archive, symbol, span), None)
    if bar is None:
        windows = [one for one in windows_of(archive, archive.containers()) if one.lacks_time(span.first)]
        dropped = "".join(f"; {one}" for one in windows[:3])
        return Gone(f"{symbol}@{span.first}", f"no event of {symbol!r} at that time{dropped}")
    sparse = archive.containers("strategy", "portfolio", "execution")
    events = [event for one in sparse for event in archive.in_bar(one, bar.bar) if event.symbol == symbol]
    events.sort(key=lambda event: event.sequence)
    others = _others(archive, symbol, span, bar)
    counted = f"at least {others:,}" if others >= _MOST_COUNTED else f"{others:,}"
    note = f"{counted} more bars of {symbol} lie in that span; this is the first" if others else None
    return Target(tuple(events) or (bar,), note)


def _dropped(archive: Archive, container_ids: Sequence[str]) -> str:
    return "".join(f"; {one}" for one in windows_of(archive, container_ids)[:3])


def _others(archive: Archive, symbol: str, span: Span, first: TracedEvent) -> int:
    count = 0
    for event in bars_within(archive, symbol, span):
        count += event.bar != first.bar
        if count >= _MOST_COUNTED:
            break
    return count


def bars_within(archive: Archive, symbol: str | None, span: Span) -> Iterator[TracedEvent]:
    """Yield the BARs of a span; where none is on disk, one event a bar and symbol of the first kind that has any."""
    for kind in CONTAINER_KINDS:
        empty = True
        for container_id in archive.containers(kind):
            for event in _one_a_bar(archive, container_id, symbol, span):
                empty = False
                yield event
        if not empty:
            return


def _one_a_bar(archive: Archive, container_id: str, symbol: str | None, span: Span) -> Iterator[TracedEvent]:
    bar, seen = -1, set[str]()
    for event in archive.from_key(container_id, lambda head: head.time, span.first):
        if time_key(event.timestamp) >= span.stop:
            return
        if event.bar != bar:
            bar, seen = event.bar, set()
        if event.symbol is not None and symbol in (None, event.symbol) and event.symbol not in seen:
            seen.add(event.symbol)
            yield event


def _names(phases: Sequence[PhaseTrace]) -> str:
    names = [f"{one.workflow_id}/{one.phase_name}" for one in phases[:10]]
    return ", ".join(names) + (f" and {len(phases) - 10:,} more" if len(phases) > 10 else "")
