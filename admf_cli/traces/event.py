"""One event as read from a line, and safe ways to take numbers and text out of its payload.

Refuses to know where the line lay. Whatever wrote it, a value of the wrong type reads as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.traces.numbers import split_id

BOOKING_TYPES = ("POSITION_OPEN", "POSITION_CHANGE", "POSITION_CLOSE")
CONTAINER_KINDS = ("data", "features", "strategy", "portfolio", "execution")


@dataclass(frozen=True, slots=True)
class TracedEvent:
    """One line, parsed and found to be an event."""

    event_id: str
    sequence: int
    event_type: str
    timestamp: str
    container_id: str
    correlation_id: str | None
    causation_id: str | None
    symbol: str | None
    payload: Mapping[str, Any]

    @property
    def bar(self) -> int:
        """Index of the bar, within its phase, at which it happened."""
        return self.sequence >> BAR_SHIFT

    @property
    def number(self) -> int:
        """The container's counter."""
        parts = split_id(self.event_id)
        return parts[1] if parts else 0

    def amount(self, key: str) -> float | None:
        """Return a number of the payload, None if there is none under `key`."""
        return amount(self.payload, key)

    def text(self, key: str) -> str | None:
        """Return a text of the payload, None if there is none under `key`."""
        value = self.payload.get(key)
        return value if isinstance(value, str) else None

    def mapping(self, key: str) -> Mapping[str, Any]:
        """Return an object of the payload, empty if there is none under `key`."""
        value = self.payload.get(key)
        return value if isinstance(value, dict) else {}

    def rows(self, key: str) -> list[Mapping[str, Any]]:
        """Return a list of objects of the payload, empty if there is none under `key`."""
        value = self.payload.get(key)
        return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def amount(document: Mapping[str, Any], key: str) -> float | None:
    """Return the number under `key`, None if there is none."""
    value = document.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_event(document: Mapping[str, Any] | None) -> TracedEvent | None:
    """Return a parsed line as an event, or None if it is not one."""
    if document is None:
        return None
    get = document.get
    payload = get("payload")
    links = [get("correlation_id"), get("causation_id"), get("symbol")]
    texts = [get("event_id"), get("event_type"), get("timestamp"), get("container_id")]
    sequence = get("sequence")
    if (
        not all(isinstance(one, str) for one in texts)
        or not all(one is None or isinstance(one, str) for one in links)
        or not isinstance(sequence, int)
        or isinstance(sequence, bool)
        or sequence < 0
        or not isinstance(payload, dict)
    ):
        return None
    return TracedEvent(
        event_id=texts[0],
        sequence=sequence,
        event_type=texts[1],
        timestamp=texts[2],
        container_id=texts[3],
        correlation_id=links[0],
        causation_id=links[1],
        symbol=links[2],
        payload=payload,
    )


def kind_of(container_id: str) -> str:
    """Return the kind of container that an id names: data, features, strategy, portfolio, execution, or ""."""
    first = container_id.partition("_")[0]
    return first if first in CONTAINER_KINDS else ""
