"""Which events of a trace are wanted. Refuses to know where they lie and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import orjson
from msgspec import Struct

from admf_cli.errors import ConfigError
from admf_cli.traces.event import TracedEvent
from admf_cli.traces.moments import parse_span


class Filters(Struct, frozen=True):
    """What an event must be to be wanted; whatever is empty or None lets everything pass.

    Attributes:
        containers: ids or patterns such as `portfolio_*`.
        first, stop: from, and up to but not including, as timestamps without their Z.
    """

    types: frozenset[str] = frozenset()
    containers: tuple[str, ...] = ()
    symbols: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    correlation: str | None = None
    first: str | None = None
    stop: str | None = None

    def admits(self, event: TracedEvent) -> bool:
        """Return whether an event is wanted, its container and its time apart, which are looked up instead."""
        return (
            (not self.types or event.event_type in self.types)
            and (not self.symbols or event.symbol in self.symbols)
            and (self.correlation is None or event.correlation_id == self.correlation)
            and (not self.reasons or event.text("reason") in self.reasons)
        )

    def wants(self, container_id: str) -> bool:
        """Return whether a container's events are wanted."""
        return not self.containers or any(fnmatchcase(container_id, pattern) for pattern in self.containers)

    @property
    def needle(self) -> bytes | None:
        """Text that stands in the line of every wanted event, rare enough to be searched for; None if there is none."""
        rare = self.correlation or (next(iter(self.reasons)) if len(self.reasons) == 1 else None)
        return orjson.dumps(rare) if rare is not None and rare.isascii() else None


def filters_of(
    *,
    types: Sequence[str] = (),
    containers: Sequence[str] = (),
    symbols: Sequence[str] = (),
    reasons: Sequence[str] = (),
    correlation: str | None = None,
    first: str | None = None,
    last: str | None = None,
) -> Filters:
    """Return filters as a user writes them: lists repeated or with commas, types in any case, times as in `--at`.

    Raises:
        ConfigError: a time can't be read, or the span is empty.
    """
    start = parse_span(first).first if first is not None else None
    stop = parse_span(last).stop if last is not None else None
    if start is not None and stop is not None and stop <= start:
        raise ConfigError(f"nothing lies from {first} to {last}: the end comes before the start")
    return Filters(
        types=frozenset(name.upper() for name in _parts(types)),
        containers=tuple(_parts(containers)),
        symbols=frozenset(_parts(symbols)),
        reasons=frozenset(_parts(reasons)),
        correlation=correlation,
        first=start,
        stop=stop,
    )


def _parts(values: Sequence[str]) -> list[str]:
    return [part for value in values for part in map(str.strip, value.split(",")) if part]
