"""What a table in the cache was read by: settings, time zone and the readers' own text. Refuses to know the file.

The text of the readers is part of it, so that nobody has to remember to raise a number after changing one.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_READ = ("source", "columns", "delimiter", "timezone")


def reading_key(settings: Mapping[str, Any], packing: str) -> str | None:
    """Return 32 hexadecimal digits that differ wherever one file's bytes could be read to another table.

    Args:
        settings: the `data` section.
        packing: how the file's name says that it is packed.

    Returns:
        None where that cannot be said: a time zone, or the package itself, is not in plain files.
    """
    zone = settings.get("timezone") or "UTC"
    rules = b"" if zone == "UTC" else _rules(zone)
    readers = sorted(Path(__file__).parent.glob("*.py"))
    if rules is None or not readers:
        return None
    read_by = {key: settings.get(key) for key in _READ}
    digest = hashlib.sha256(json.dumps([read_by, packing, sys.byteorder], sort_keys=True).encode())
    try:
        for part in (rules, *(reader.read_bytes() for reader in readers)):
            digest.update(hashlib.sha256(part).digest())
    except OSError:
        return None
    return digest.hexdigest()[:32]


def _rules(zone: str) -> bytes | None:
    """Return what is known here today of a time zone: it may be another tomorrow."""
    from zoneinfo import TZPATH  # which is slow to load

    for folder in TZPATH:
        path = Path(folder, zone)
        if path.is_file():
            return path.read_bytes()
    return None
