"""What a single line is made from. Refuses to know how it is written, and who publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Record:
    """An event as far as its line tells of it.

    A class to inherit from and no protocol: compiled, its attributes are read as fields.
    """

    __slots__ = (
        "causation_id",
        "container_id",
        "correlation_id",
        "event_id",
        "event_type",
        "sequence",
        "symbol",
        "time",
    )

    event_id: str
    sequence: int
    event_type: str
    time: int
    container_id: str
    correlation_id: str | None
    causation_id: str | None
    symbol: str | None

    @property
    def payload(self) -> Mapping[str, Any]:
        """What happened, under the keys that the line shows."""
        raise NotImplementedError
