"""Names, numbers and text forms of trace format version 1. Refuses to know files and containers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

SCHEMA_VERSION = 1

KEYS = (
    "event_id",
    "sequence",
    "event_type",
    "timestamp",
    "container_id",
    "correlation_id",
    "causation_id",
    "symbol",
    "payload",
)

EVENT_TYPES = (
    "PHASE_START",
    "BAR",
    "FEATURE",
    "SIGNAL",
    "ORDER",
    "CANCEL",
    "EXPIRE",
    "REJECT",
    "FILL",
    "POSITION_OPEN",
    "POSITION_CHANGE",
    "POSITION_CLOSE",
    "PORTFOLIO_UPDATE",
    "FINANCING",
    "RISK_BREACH",
    "ERROR",
    "PHASE_END",
)
TERMINAL_ORDER_TYPES = ("FILL", "CANCEL", "EXPIRE", "REJECT")

# sequence = bar index << BAR_SHIFT | place within the bar; the places follow the order in which a bar is lived through.
BAR_SHIFT: Final = 20
START_PLACE: Final = 0
BAR_PLACE: Final = 1 << 10
MARKET_PLACE: Final = 1 << 16
FEATURE_PLACE: Final = 1 << 18
DECISION_PLACE: Final = FEATURE_PLACE + (1 << 16)
END_PLACE: Final = (1 << BAR_SHIFT) - (1 << 10)
MAX_SYMBOLS: Final = MARKET_PLACE - BAR_PLACE

STATUSES = ("complete", "failed", "interrupted", "recovered")

_SEALED = re.compile(rb'(.*\n)  "seal": "([0-9a-f]{64})"\n}\n', re.DOTALL)
_EPOCH = datetime(1970, 1, 1)


def timestamp_text(time_us: int) -> str:
    """Return microseconds since 1970 UTC as `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`; the fraction only when it is not zero."""
    seconds, microseconds = divmod(time_us, 1_000_000)
    return (_EPOCH + timedelta(0, seconds, microseconds)).isoformat() + "Z"


def trace_id(workflow_id: str, container_id: str) -> str:
    """Return the name of one container's trace in one workflow."""
    return f"{workflow_id}_{container_id}"


def trace_path(trace_dir: Path, workflow_id: str, phase_name: str, container_id: str) -> Path:
    """Return where a container's lines lie."""
    return trace_dir / workflow_id / phase_name / f"{container_id}.jsonl"


def meta_path(lines_path: Path) -> Path:
    """Return where the meta file of a file of lines lies."""
    return lines_path.with_name(lines_path.name.removesuffix(".jsonl") + ".meta.json")


def encode_meta(meta: Mapping[str, Any]) -> bytes:
    """Return a meta document as it stands on disk, its own seal last.

    The seal is the SHA-256 of every byte before the line in which it stands.
    """
    body = orjson.dumps(meta, option=orjson.OPT_INDENT_2).removesuffix(b"\n}") + b",\n"
    return body + b'  "seal": "%s"\n}\n' % hashlib.sha256(body).hexdigest().encode()


def is_meta_whole(data: bytes) -> bool:
    """Return whether a meta file's bytes are those that its seal was made over."""
    match = _SEALED.fullmatch(data)
    return match is not None and hashlib.sha256(match[1]).hexdigest().encode() == match[2]


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
