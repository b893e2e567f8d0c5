"""One event as read from a line, and safe ways to take numbers and text out of its payload.

Refuses to know where the line lay. Whatever wrote it, a value of the wrong type reads as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.traces.numbers import split_id

BOOKING_TYPES = ("POSITION_OPEN", "POSITION_CHANGE", "POSITION_CLOSE")
CONTAINER_KINDS = ("data", "features", "strategy", "portfolio", "execution")


class TracedEvent(Struct, frozen=True):
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
    event_id, event_type, timestamp = get("event_id"), get("event_type"), get("timestamp")
    container_id, sequence, payload = get("container_id"), get("sequence"), get("payload")
    links = get("correlation_id"), get("causation_id"), get("symbol")
    if (
        isinstance(event_id, str)
        and isinstance(event_type, str)
        and isinstance(timestamp, str)
        and isinstance(container_id, str)
        and isinstance(sequence, int)
        and not isinstance(sequence, bool)
        and sequence >= 0
        and isinstance(payload, dict)
        and all(link is None or isinstance(link, str) for link in links)
    ):
        return TracedEvent(event_id, sequence, event_type, timestamp, container_id, *links, payload)
    return None


def kind_of(container_id: str) -> str:
    """Return the kind of container that an id names: data, features, strategy, portfolio, execution, or ""."""
    first = container_id.partition("_")[0]
    return first if first in CONTAINER_KINDS else ""
