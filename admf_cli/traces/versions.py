"""What two versions write differently: event types and payload keys that one side never writes.

Of runs by one version such a key is a difference of what happened (only an order with a limit has a `limit_price`);
across versions it is one of the recording. Refuses to know how events are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from msgspec.structs import astuple, replace

from admf_cli.tracefile.format import EVENT_TYPES
from admf_cli.tracefile.lookup import TraceLookup
from admf_cli.tracefile.metafile import Meta
from admf_cli.traces.alignment import ContainerComparison, SidedKey, Window, compare


def are_of_two(a: Meta | None, b: Meta | None) -> bool:
    """Return whether two seals name different versions of the engine or the format."""
    return a is not None and b is not None and (a.admf_version, a.schema_version) != (b.admf_version, b.schema_version)


def types_apart(a: Meta | None, b: Meta | None) -> list[tuple[str, str]]:
    """Return side and type of the events of unknown types that only one version writes.

    A type that this version knows is something that happened, whoever left it out.
    """
    if a is None or b is None or not are_of_two(a, b):
        return []
    found = []
    for side, mine, its in (("A", a, b), ("B", b, a)):
        found += [(side, name) for name in mine.events if name not in EVENT_TYPES and name not in its.events]
    return found


def compare_versions(
    a: TraceLookup, b: TraceLookup, window: Window, tolerance: float
) -> tuple[ContainerComparison, tuple[SidedKey, ...]]:
    """Return what differs between two files by different versions, and the keys that one of them never writes.

    Takes up to two passes: the first finds the keys, then each is looked for in all of the file that lacks it.
    """
    found = compare(a, b, window, tolerance)
    apart = frozenset(key for key in found.one_sided if not _is_written(b if key.only == "A" else a, key))
    if apart:
        found = compare(a, b, replace(window, apart=apart), tolerance)
    return found, tuple(sorted(apart, key=astuple))


def _is_written(lookup: TraceLookup, key: SidedKey) -> bool:
    parts = key.path.split(".")
    for line in lookup.containing(orjson.dumps(parts[-1])):
        event = line.event()
        if event is not None and event.get("event_type") == key.event_type and _has(event.get("payload"), parts):
            return True
    return False


def _has(value: Any, path: Sequence[str]) -> bool:
    if not path:
        return True
    if path[0] == "*":
        return isinstance(value, list) and any(_has(one, path[1:]) for one in value)
    return isinstance(value, dict) and path[0] in value and _has(value[path[0]], path[1:])
