"""One event, and many of one kind as columns. Refuses to know who listens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.tracefile.record import Record


class Content:
    """What happened, held as plain values until somebody asks for the mapping of them."""

    __slots__ = ()

    def as_mapping(self) -> dict[str, Any]:
        """Return it under the keys that a trace shows, in their order."""
        raise NotImplementedError


class Event(Record):
    """Something that happened, at a simulated time, because of something else.

    A plain class with slots rather than a frozen dataclass: it is made hundreds of thousands of times a run, and a
    frozen dataclass costs five times as much to make. Nobody changes one after it was published.

    Attributes:
        event_id: container id + "#" + the container's own gapless counter.
        sequence: order over the whole run.
        time: microseconds since 1970 UTC.
        correlation_id: the event that began the flow, or None.
        causation_id: the event this one answers, or None.
        content: what happened, by type: a mapping, or what becomes one when it is asked for as `payload`.
    """

    __slots__ = ("content",)

    def __init__(
        self,
        event_id: str,
        sequence: int,
        event_type: str,
        time: int,
        container_id: str,
        correlation_id: str | None,
        causation_id: str | None,
        symbol: str | None,
        content: Mapping[str, Any] | Content,
    ) -> None:
        self.event_id = event_id
        self.sequence = sequence
        self.event_type = event_type
        self.time = time
        self.container_id = container_id
        self.correlation_id = correlation_id
        self.causation_id = causation_id
        self.symbol = symbol
        self.content = content

    @property
    def payload(self) -> Mapping[str, Any]:
        """The content as the mapping that a trace shows."""
        content = self.content
        return content.as_mapping() if isinstance(content, Content) else content

    @property
    def bar(self) -> int:
        """Index of the bar, within its phase, at which it happened."""
        return self.sequence >> BAR_SHIFT

    def __repr__(self) -> str:
        return f"Event({self.event_id}, {self.event_type}, {self.symbol}, {dict(self.payload)})"


class EventBatch:
    """Consecutive events of one type from one container, as columns: only a faster way of publishing its rows.

    Attributes:
        first_number: the container's counter of row 0; the rows are numbered on from there.
        sequence, time: shape (k,).
        symbols: the names that `symbol_index` points into.
        symbol_index: shape (k,); None when all rows are of `symbols[0]`.
        cause_container: the container whose events the rows answer, or None.
        cause_number: shape (k,), the counter of the event each row answers.
        columns: payload key -> shape (k,), nan written as null.
    """

    __slots__ = (
        "cause_container",
        "cause_number",
        "columns",
        "container_id",
        "event_type",
        "first_number",
        "sequence",
        "symbol_index",
        "symbols",
        "time",
    )

    def __init__(
        self,
        event_type: str,
        container_id: str,
        first_number: int,
        sequence: NDArray[np.int64],
        time: NDArray[np.int64],
        symbols: tuple[str, ...],
        symbol_index: NDArray[np.int64] | None,
        cause_container: str | None,
        cause_number: NDArray[np.int64] | None,
        columns: Mapping[str, NDArray[np.float64]],
    ) -> None:
        self.event_type = event_type
        self.container_id = container_id
        self.first_number = first_number
        self.sequence = sequence
        self.time = time
        self.symbols = symbols
        self.symbol_index = symbol_index
        self.cause_container = cause_container
        self.cause_number = cause_number
        self.columns = columns

    def __len__(self) -> int:
        return len(self.sequence)

    def part(self, start: int, stop: int) -> EventBatch:
        """Return the rows `[start, stop)` as views, nothing copied."""
        cut = slice(start, stop)
        return EventBatch(
            event_type=self.event_type,
            container_id=self.container_id,
            first_number=self.first_number + start,
            sequence=self.sequence[cut],
            time=self.time[cut],
            symbols=self.symbols,
            symbol_index=None if self.symbol_index is None else self.symbol_index[cut],
            cause_container=self.cause_container,
            cause_number=None if self.cause_number is None else self.cause_number[cut],
            columns={name: column[cut] for name, column in self.columns.items()},
        )

    def rows(self) -> Iterator[Event]:
        """Yield the events one by one."""
        names = tuple(self.columns)
        values = [self.columns[name].tolist() for name in names]
        indices = None if self.symbol_index is None else self.symbol_index.tolist()
        causes = None if self.cause_number is None else self.cause_number.tolist()
        for row, (sequence, time) in enumerate(zip(self.sequence.tolist(), self.time.tolist(), strict=True)):
            yield Event(
                f"{self.container_id}#{self.first_number + row}",
                sequence,
                self.event_type,
                time,
                self.container_id,
                None,
                None if causes is None else f"{self.cause_container}#{causes[row]}",
                self.symbols[0 if indices is None else indices[row]],
                {name: column[row] for name, column in zip(names, values, strict=True)},
            )
