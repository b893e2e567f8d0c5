"""Event ids and sets of event numbers, compact enough for millions. Refuses to know files."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

_MAX_DIGITS = 18  # fits 64 bits; a run would need thousands of years to get there


def split_id(event_id: str) -> tuple[str, int] | None:
    """Return an event id's container and number, or None if it is not written as `container#17`."""
    container, mark, digits = event_id.rpartition("#")
    if mark and container and digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS and digits[0] != "0":
        return container, int(digits)
    return None


def numbers_of(event_ids: Sequence[str], container_id: str, expected: int) -> list[int | None]:
    """Return the numbers of ids of one container, None for each that is not of it.

    Args:
        expected: the first id's number if nothing is missing; a guess that, when right, saves parsing.
    """
    prefix = container_id + "#"
    guess = range(expected, expected + len(event_ids))
    if event_ids and event_ids[0] == f"{prefix}{expected}" and all(map(str.__eq__, event_ids, _ids(prefix, guess))):
        return list(guess)
    numbers: list[int | None] = []
    for event_id in event_ids:
        parts = split_id(event_id)
        numbers.append(parts[1] if parts and parts[0] == container_id else None)
    return numbers


def _ids(prefix: str, numbers: range) -> list[str]:
    return [f"{prefix}{number}" for number in numbers]


class NumberSet:
    """A set of event numbers as runs of consecutive ones, in the order in which they came until it is read.

    Attributes:
        count: how many numbers were added, duplicates included.
        backward: how many were not greater than the one before them.
    """

    def __init__(self) -> None:
        self.count = 0
        self.backward = 0
        self._starts = array("q")
        self._stops = array("q")  # exclusive
        self._last = 0
        self._sorted = True
        self._duplicates = 0

    def add(self, numbers: Sequence[int]) -> None:
        """Add numbers in the order in which they stand in the file."""
        if not numbers:
            return
        self.count += len(numbers)
        first, last = numbers[0], numbers[-1]
        is_run = last - first == len(numbers) - 1
        if is_run and (isinstance(numbers, range) or list(numbers) == list(range(first, last + 1))):
            self._add_run(first, last + 1)
            return
        for number in numbers:
            self._add_run(number, number + 1)

    def _add_run(self, start: int, stop: int) -> None:
        if start <= self._last:
            self.backward += 1
            self._sorted = False
        elif self._stops and start == self._last + 1 and self._stops[-1] == start:
            self._stops[-1] = stop
            self._last = stop - 1
            return
        self._starts.append(start)
        self._stops.append(stop)
        self._last = stop - 1

    def runs(self) -> Iterator[tuple[int, int]]:
        """Yield the runs as half-open ranges, sorted, without overlap."""
        self._settle()
        yield from zip(self._starts, self._stops, strict=True)

    @property
    def duplicates(self) -> int:
        """How many numbers came more than once, counting each further time."""
        self._settle()
        return self._duplicates

    @property
    def first(self) -> int | None:
        """The smallest number, None if there is none."""
        self._settle()
        return self._starts[0] if self._starts else None

    @property
    def last(self) -> int | None:
        """The greatest number, None if there is none."""
        self._settle()
        return self._stops[-1] - 1 if self._stops else None

    def __contains__(self, number: int) -> bool:
        self._settle()
        place = bisect_right(self._starts, number) - 1
        return place >= 0 and number < self._stops[place]

    def gaps(self) -> Iterator[tuple[int, int]]:
        """Yield the half-open ranges between the runs; nothing before the first or after the last."""
        previous: int | None = None
        for start, stop in self.runs():
            if previous is not None and start > previous:
                yield previous, start
            previous = stop

    def absent_from(self, other: NumberSet | None) -> Iterator[tuple[int, int]]:
        """Yield, as half-open ranges, the numbers of this set that are not in `other`."""
        if other is None:
            yield from self.runs()
            return
        other._settle()
        starts, stops = other._starts, other._stops
        for start, stop in self.runs():
            place = max(0, bisect_right(starts, start) - 1)
            while start < stop:
                if place >= len(starts) or starts[place] >= stop:
                    yield start, stop
                    break
                if starts[place] > start:
                    yield start, starts[place]
                start = max(start, stops[place])
                place += 1

    def _settle(self) -> None:
        if self._sorted:
            return
        order = sorted(range(len(self._starts)), key=self._starts.__getitem__)
        starts, stops = array("q"), array("q")
        for index in order:
            start, stop = self._starts[index], self._stops[index]
            if stops and start < stops[-1]:
                self._duplicates += min(stop, stops[-1]) - start
                stops[-1] = max(stop, stops[-1])
            elif stops and start == stops[-1]:
                stops[-1] = stop
            else:
                starts.append(start)
                stops.append(stop)
        self._starts, self._stops, self._sorted = starts, stops, True
        self._last = stops[-1] - 1


class References:
    """The causes that a file's events name, by container: sets of numbers, in any order and repeatedly.

    Attributes:
        malformed: how many causes are not written as an event id.
    """

    def __init__(self) -> None:
        self.by_container: dict[str, NumberSet] = {}
        self.malformed = 0

    def add(self, causes: Sequence[str | None]) -> None:
        """Add one block's causes."""
        named = [cause for cause in causes if cause is not None] if None in causes else causes
        if not named:
            return
        first = split_id(named[0])  # type: ignore[arg-type]
        if first is not None and named[-1] == f"{first[0]}#{first[1] + len(named) - 1}":
            numbers = numbers_of(named, *first)  # type: ignore[arg-type]
            if None not in numbers:
                self._of(first[0]).add(_increasing(numbers))  # type: ignore[arg-type]
                return
        mixed: dict[str, list[int]] = {}
        for cause in named:
            container, _, digits = cause.rpartition("#")  # type: ignore[union-attr]
            # Written out, as these are the lines that reading a trade's many events spends its time on.
            if (
                container
                and 0 < len(digits) <= _MAX_DIGITS
                and digits.isascii()
                and digits.isdigit()
                and digits[0] != "0"
            ):
                if container in mixed:
                    mixed[container].append(int(digits))
                else:
                    mixed[container] = [int(digits)]
            else:
                self.malformed += 1
        for container, numbers_of_one in mixed.items():
            self._of(container).add(_increasing(numbers_of_one))

    def add_numbers(self, container: str, numbers: Iterable[int]) -> None:
        """Add causes that are all events of one container, by their numbers."""
        self._of(container).add(numbers if isinstance(numbers, range) else _increasing([int(one) for one in numbers]))

    def _of(self, container: str) -> NumberSet:
        return self.by_container.setdefault(container, NumberSet())


def _increasing(numbers: list[int]) -> list[int]:
    if len(numbers) == 1 or numbers[-1] - numbers[0] == len(numbers) - 1:
        return numbers
    return sorted(set(numbers))
