"""What a container is to record: its share of `trace_settings`, resolved. Refuses to know other containers."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from admf_cli.errors import ConfigError
from admf_cli.tracefile.format import EVENT_TYPES

_DEFAULT_MAX_EVENTS = 10_000
_MINIMAL = frozenset(EVENT_TYPES) - {
    "BAR",
    "FEATURE",
    "POSITION_OPEN",
    "POSITION_CHANGE",
    "POSITION_CLOSE",
    "PORTFOLIO_UPDATE",
}
_LEVELS = ("none", "minimal", "normal", "debug")


class TraceSettings(Struct, frozen=True):
    """One container's own tracing.

    Attributes:
        max_events: how many of the newest events stay; None keeps all.
        event_types: the types recorded; None records all.
        trace_level: the preset this came from.
        trace_dir: where files go; None keeps the events in memory.
    """

    max_events: int | None
    event_types: frozenset[str] | None
    trace_level: str
    trace_dir: Path | None

    def as_mapping(self) -> dict[str, Any]:
        """Return them for the meta file: what was kept, not where."""
        types = None if self.event_types is None else sorted(self.event_types)
        return {"max_events": self.max_events, "event_types": types, "trace_level": self.trace_level}


def resolve_settings(
    trace_settings: Mapping[str, Any], *, container_id: str, container_type: str
) -> TraceSettings | None:
    """Return what this container is to record, or None if nothing.

    Each key is taken from the first that has it: `container_settings` under the exact id, under the type, under the
    matching patterns (most literal characters first), then `trace_settings` itself.

    Raises:
        ConfigError: a setting is of the wrong type or names no event type.
    """
    layers = [*_layers(trace_settings.get("container_settings") or {}, container_id, container_type), trace_settings]

    def first(key: str, default: Any) -> Any:
        return next((layer[key] for layer in layers if key in layer), default)

    level = first("trace_level", None) or "normal"
    if level not in _LEVELS:
        raise ConfigError(f"trace_settings.trace_level must be one of {', '.join(_LEVELS)}, not {level!r}")
    if level == "none" or not first("enabled", True):
        return None
    max_events = first("max_events", _DEFAULT_MAX_EVENTS)
    if level == "debug" and not any("max_events" in layer for layer in layers[:-1]):
        max_events = None
    if max_events is not None and (isinstance(max_events, bool) or not isinstance(max_events, int) or max_events < 1):
        raise ConfigError(
            f"trace_settings.max_events must be a whole number of at least 1, or null, not {max_events!r}"
        )
    event_types = _allowed(first("event_filters", None))
    if level == "minimal":
        event_types = _MINIMAL if event_types is None else event_types & _MINIMAL
    persist = trace_settings.get("persist_to_disk", True)
    return TraceSettings(
        max_events=max_events,
        event_types=event_types,
        trace_level=level,
        trace_dir=Path(trace_settings.get("trace_dir") or "./traces") if persist else None,
    )


def _layers(
    container_settings: Mapping[str, Mapping[str, Any]], container_id: str, container_type: str
) -> Iterator[Mapping[str, Any]]:
    for exact in (container_id, container_type):
        if exact in container_settings:
            yield container_settings[exact] or {}
    patterns = [
        pattern
        for pattern in container_settings
        if pattern not in (container_id, container_type) and fnmatch.fnmatchcase(container_id, pattern)
    ]
    patterns.sort(key=lambda pattern: (-sum(character not in "*?[]" for character in pattern), pattern))
    for pattern in patterns:
        yield container_settings[pattern] or {}


def _allowed(filters: Any) -> frozenset[str] | None:
    if filters is None:
        return None
    if isinstance(filters, Mapping):
        include, exclude = filters.get("include"), filters.get("exclude") or ()
    else:
        include, exclude = filters, ()
    unknown = [name for name in (*(include or ()), *exclude) if name not in EVENT_TYPES]
    if unknown:
        raise ConfigError(f"trace_settings.event_filters: no such event type: {', '.join(map(str, unknown))}")
    allowed = frozenset(EVENT_TYPES if include is None else include) - frozenset(exclude)
    return None if allowed == frozenset(EVENT_TYPES) else allowed
