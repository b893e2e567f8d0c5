"""What a meta file says, read leniently: other versions, missing keys and damage are reported, not raised.

Refuses to know the lines that the meta file seals.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct, field
from msgspec.structs import replace

from admf_cli.errors import StorageError
from admf_cli.tracefile.format import is_meta_whole
from admf_cli.tracefile.reader import read_whole

_MAX_META_BYTES = 4 << 20
_COUNTS = ("published", "written", "filtered", "dropped")


class Tally(Struct, frozen=True):
    """What became of a container's events, of one type or of all: published = written + filtered + dropped."""

    published: int = 0
    written: int = 0
    filtered: int = 0
    dropped: int = 0
    first_dropped: str | None = None
    last_dropped: str | None = None


class Meta(Struct, frozen=True):
    """A container's seal. What is absent or of the wrong type is None (or empty) and named in `faults`.

    Attributes:
        sealed: True if its own seal is there and right; a seal that is wrong is among the faults.
        document: the whole of it as read.
    """

    schema_version: int | None = None
    trace_id: str | None = None
    workflow_id: str | None = None
    phase_name: str | None = None
    container_id: str | None = None
    container_type: str | None = None
    mode: str | None = None
    status: str | None = None
    reason: str | None = None
    admf_version: str | None = None
    config_name: str | None = None
    config_sha256: str | None = None
    data_sha256: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    events: Mapping[str, Tally] = field(default_factory=dict)
    total: Tally | None = None
    first_event: str | None = None
    last_event: str | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    file_name: str | None = None
    file_bytes: int | None = None
    file_sha256: str | None = None
    sealed: bool = False
    document: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def read_meta(path: Path) -> Meta:
    """Return what a meta file says.

    Raises:
        StorageError: it cannot be read, or is not a JSON object at all.
    """
    data = read_whole(path, _MAX_META_BYTES)
    try:
        document = orjson.loads(data)
    except ValueError as error:
        raise StorageError(f"{path.name}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise StorageError(f"{path.name}: not a JSON object")
    meta = as_meta(document)
    if "seal" not in document:
        return meta
    if is_meta_whole(data):
        return replace(meta, sealed=True)
    return replace(meta, faults=(*meta.faults, "it was changed: its seal is not of what it says"))


def as_meta(document: Mapping[str, Any]) -> Meta:
    """Return a meta document as a `Meta`."""
    take = _Taker()
    file = take.mapping(document, "file")
    events = take.mapping(document, "events")
    return Meta(
        schema_version=take.whole(document, "schema_version"),
        trace_id=take.text(document, "trace_id"),
        workflow_id=take.text(document, "workflow_id"),
        phase_name=take.text(document, "phase_name"),
        container_id=take.text(document, "container_id"),
        container_type=take.text(document, "container_type"),
        mode=take.text(document, "mode", required=False),
        status=take.text(document, "status"),
        reason=take.text(document, "reason", required=False),
        admf_version=take.text(document, "admf_version", required=False),
        config_name=take.text(document, "config_name", required=False),
        config_sha256=take.text(document, "config_sha256", required=False),
        data_sha256=take.text(document, "data_sha256", required=False),
        settings=take.mapping(document, "settings"),
        events={name: take.tally(events, name) or Tally() for name in events},
        total=take.tally(document, "total"),
        first_event=take.text(document, "first_event", required=False),
        last_event=take.text(document, "last_event", required=False),
        first_timestamp=take.text(document, "first_timestamp", required=False),
        last_timestamp=take.text(document, "last_timestamp", required=False),
        file_name=take.text(file, "name"),
        file_bytes=take.whole(file, "bytes"),
        file_sha256=take.text(file, "sha256"),
        document=document,
        faults=tuple(take.faults),
    )


class _Taker:
    """Takes values of the right type out of a document and notes what was not there."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def text(self, document: Mapping[str, Any], key: str, *, required: bool = True) -> str | None:
        value = document.get(key)
        if isinstance(value, str):
            return value
        if value is not None or required:
            self.faults.append(f"{key} is not text")
        return None

    def whole(self, document: Mapping[str, Any], key: str) -> int | None:
        value = document.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.faults.append(f"{key} is not a whole number")
        return None

    def mapping(self, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = document.get(key)
        if isinstance(value, dict):
            return value
        self.faults.append(f"{key} is not an object")
        return {}

    def tally(self, document: Mapping[str, Any], key: str) -> Tally | None:
        before = len(self.faults)
        value = self.mapping(document, key)
        if len(self.faults) > before:
            return None
        published, written, filtered, dropped = (self.whole(value, name) or 0 for name in _COUNTS)
        return Tally(
            published,
            written,
            filtered,
            dropped,
            first_dropped=self.text(value, "first_dropped", required=False),
            last_dropped=self.text(value, "last_dropped", required=False),
        )
