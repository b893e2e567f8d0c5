"""Two containers' files side by side, bar by bar: what is the same, what differs, what only one has.

Event numbers and places within a bar shift as soon as one side has an event more, so events are paired by bar, type and
symbol, and ids are no difference of substance. Refuses to know why something differs.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.tracefile.lookup import Line, TraceLookup
from admf_cli.traces.event import TracedEvent, as_event

_ID_KEYS = frozenset({"order_id", "bar", "parent", "oco", "entry_fill", "exit_fill"})
_MOST_IN_A_BAR = 5_000  # a bar of more events is compared in parts
_MOST_FIELDS = 30
_MOST_DEPTH = 20
MOST_KEYS = 50  # that one side lacks and that are looked for in all of its file
_NAMED_BY_DATA = frozenset(
    {"features", "positions", "rejects", "settings"}
)  # symbols, reasons and names, not the format


class FieldDifference(Struct, frozen=True):
    """One value that differs; a side on which it is absent is None."""

    path: str
    a: Any
    b: Any


class Pair(Struct, frozen=True):
    """Two events that should be the same; None on the side that has none."""

    a: TracedEvent | None
    b: TracedEvent | None
    fields: tuple[FieldDifference, ...]

    @property
    def sequence(self) -> int:
        """Of the earlier of the two."""
        return min(event.sequence for event in (self.a, self.b) if event is not None)


class ContainerComparison(Struct):
    """What came of one container.

    Attributes:
        parting: the first events that differ in substance, None if none do.
        counts: (event type, "changed" | "only_a" | "only_b") -> how many.
        ids_only: pairs that differ in nothing but ids and numbers.
        starts: the two PHASE_STARTs, where both are there and differ in substance.
        one_sided: keys that were absent on one side of a pair, the first `MOST_KEYS`.
        unread: lines that are no events.
    """

    parting: Pair | None = None
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    ids_only: int = 0
    starts: Pair | None = None
    one_sided: set[SidedKey] = field(default_factory=set)
    unread: int = 0


class SidedKey(Struct, frozen=True):
    """A key of a payload that one side has: `path` goes through lists by `*`."""

    event_type: str
    path: str
    only: str


class Window(Struct, frozen=True):
    """What of the files is compared.

    Attributes:
        first_bar: the first; None from the beginning.
        stop_bar: the first that is not; None to the end.
        without: event types that one side did not record.
        apart: keys that are no difference of events, because one side never writes them.
    """

    first_bar: int | None = None
    stop_bar: int | None = None
    without: frozenset[str] = frozenset()
    apart: frozenset[SidedKey] = frozenset()


def compare(a: TraceLookup, b: TraceLookup, window: Window, tolerance: float) -> ContainerComparison:
    """Return what differs between two files of the same container."""
    found = ContainerComparison()
    offsets = [_start(one, window.first_bar) for one in (a, b)]
    same = a.same_as(b, *offsets)
    if same:  # go on at the beginning of the bar in which they part
        line = next(a.lines_before(offsets[0] + same), None)
        head = line.head() if line else None
        if offsets[0] + same >= a.size and offsets[1] + same >= b.size:
            return found
        if head is not None:
            offsets = [_start(one, max(head.sequence >> BAR_SHIFT, window.first_bar or 0)) for one in (a, b)]
    for lines_a, lines_b in _side_by_side(_bars(a, offsets[0], window, found), _bars(b, offsets[1], window, found)):
        if [line.data for line in lines_a] != [line.data for line in lines_b]:
            _compare_bar(
                _events(lines_a, window, found), _events(lines_b, window, found), tolerance, window.apart, found
            )
    return found


def differences(a: Any, b: Any, tolerance: float, path: str = "") -> Iterator[FieldDifference]:
    """Yield the values that differ, objects gone through key by key; ids are no difference."""
    if isinstance(a, dict) and isinstance(b, dict) and path.count(".") < _MOST_DEPTH:
        for key in dict.fromkeys((*a, *b)):
            if key not in _ID_KEYS:
                below = f"{path}.{key}" if path else str(key)
                yield from differences(a.get(key), b.get(key), tolerance, below)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b) and path.count(".") < _MOST_DEPTH:
        for place, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from differences(one, other, tolerance, f"{path}.{place}")
    elif not _equal(a, b, tolerance):
        yield FieldDifference(path, a, b)


def _equal(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, bool) or isinstance(b, bool) or not (isinstance(a, int | float) and isinstance(b, int | float)):
        return bool(a == b)
    return a == b or abs(a - b) <= tolerance * max(abs(a), abs(b))


def sided(event_type: str, difference: FieldDifference) -> SidedKey | None:
    """Return the key that a difference comes from if one side lacks it, None if both have it or data names it."""
    if (difference.a is None) == (difference.b is None):
        return None
    parts = difference.path.split(".")
    if not _NAMED_BY_DATA.isdisjoint(parts[:-1]) or parts[-1].isdigit() or not difference.path.isascii():
        return None
    path = ".".join("*" if part.isdigit() else part for part in parts)
    return SidedKey(event_type, path, "A" if difference.b is None else "B")


def pair(
    a: TracedEvent | None, b: TracedEvent | None, tolerance: float, apart: frozenset[SidedKey] = frozenset()
) -> Pair:
    """Return two events with the fields in which they differ, but for those told `apart`."""
    if a is None or b is None:
        return Pair(a, b, ())
    fields: list[FieldDifference] = []
    for key in ("event_type", "timestamp", "symbol"):
        if getattr(a, key) != getattr(b, key):
            fields.append(FieldDifference(key, getattr(a, key), getattr(b, key)))
    if a.event_type == b.event_type == "FEATURE":  # one that only one side computes is in its configuration
        shared = [name for name in a.payload if name in b.payload]
        mine, its = ({name: one.payload[name] for name in shared} for one in (a, b))
        fields += itertools.islice(differences(mine, its, tolerance), _MOST_FIELDS)
    elif a.event_type == b.event_type:
        found = differences(a.payload, b.payload, tolerance)
        if apart:
            found = (one for one in found if sided(a.event_type, one) not in apart)
        fields += itertools.islice(found, _MOST_FIELDS)
    return Pair(a, b, tuple(fields))


def _compare_bar(
    a: Sequence[TracedEvent],
    b: Sequence[TracedEvent],
    tolerance: float,
    apart: frozenset[SidedKey],
    found: ContainerComparison,
) -> None:
    if found.parting is None:
        for one, other in itertools.zip_longest(a, b):
            couple = pair(one, other, tolerance, apart)
            if one is None or other is None or couple.fields:
                found.parting = couple
                break
    buckets = (_bucketed(a), _bucketed(b))
    for key in dict.fromkeys((*buckets[0], *buckets[1])):
        for one, other in itertools.zip_longest(buckets[0].get(key, ()), buckets[1].get(key, ())):
            if one is None or other is None:
                found.counts[key[0], "only_b" if one is None else "only_a"] += 1
            elif fields := pair(one, other, tolerance, apart).fields:
                found.counts[key[0], "changed"] += 1
                if len(found.one_sided) < MOST_KEYS:
                    found.one_sided.update(name for field in fields if (name := sided(key[0], field)))
            elif one != other:
                found.ids_only += 1
    if found.parting is not None and not found.counts:
        found.parting = None  # the same events, in another order within the bar


def _bucketed(events: Sequence[TracedEvent]) -> Mapping[tuple[str, str | None], list[TracedEvent]]:
    buckets: dict[tuple[str, str | None], list[TracedEvent]] = {}
    for event in events:
        buckets.setdefault((event.event_type, event.symbol), []).append(event)
    return buckets


def _start(lookup: TraceLookup, first_bar: int | None) -> int:
    if first_bar is None:
        return 0
    line = lookup.first_at(lambda head: head.sequence, first_bar << BAR_SHIFT)
    return lookup.size if line is None else line.offset


def _bars(
    lookup: TraceLookup, offset: int, window: Window, found: ContainerComparison
) -> Iterator[tuple[int, list[Line]]]:
    bar, lines = -1, list[Line]()
    for line in lookup.lines_from(offset):
        head = line.head()
        if head is None:
            found.unread += 1
            continue
        own = head.sequence >> BAR_SHIFT
        if window.stop_bar is not None and own >= window.stop_bar:
            break
        if lines and (own != bar or len(lines) >= _MOST_IN_A_BAR):
            yield bar, lines
            lines = []
        bar = own
        lines.append(line)
    if lines:
        yield bar, lines


def _side_by_side(
    a: Iterator[tuple[int, list[Line]]], b: Iterator[tuple[int, list[Line]]]
) -> Iterator[tuple[list[Line], list[Line]]]:
    one, other = next(a, None), next(b, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[1], []
            one = next(a, None)
        elif one is None or other[0] < one[0]:
            yield [], other[1]
            other = next(b, None)
        else:
            yield one[1], other[1]
            one, other = next(a, None), next(b, None)


def _events(lines: Sequence[Line], window: Window, found: ContainerComparison) -> list[TracedEvent]:
    events = []
    for line in lines:
        event = as_event(line.event())
        if event is None:
            found.unread += 1
        elif event.event_type == "PHASE_START":
            continue  # what was asked for, not what happened: compared apart
        elif event.event_type not in window.without:
            events.append(event)
    return events
