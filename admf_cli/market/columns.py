"""Which column of a file is which of ours. Refuses to know of rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from admf_cli.market.faults import FaultLog, visible
from admf_cli.market.table import FIELDS, REQUIRED

MAX_COLUMNS = 4096

_ALIASES = {
    "timestamp": ("timestamp", "datetime", "date", "time"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume", "vol"),
    "adj_close": ("adj_close", "adjclose", "adjusted_close"),
    "symbol": ("symbol", "ticker"),
}


def match_columns(header: Sequence[str], renamed: Mapping[str, str], *, adjust: bool, log: FaultLog) -> dict[str, int]:
    """Return our name -> index in `header`; columns that are none of ours are left out.

    Names match whatever their case, with spaces, dots and hyphens read as underscores; `renamed` (`data.columns`)
    comes first and matches exactly.

    Raises:
        MarketDataError: a needed column is missing, or two columns could be the same one.
    """
    if len(header) > MAX_COLUMNS:
        log.fail(f"{len(header):,} columns, more than the {MAX_COLUMNS:,} that a file of bars may have")
    seen: dict[str, int] = {}
    for index, name in enumerate(header):
        if name in seen:
            log.fail(
                f"column '{visible(name)}' is there twice (columns {seen[name] + 1} and {index + 1})",
                "remove one of them, or give each its own name",
            )
        seen[name] = index
    found = {field: _find(field, header, renamed, log) for field in FIELDS}
    needed = (*REQUIRED, "adj_close") if adjust else REQUIRED
    missing = [field for field in needed if found[field] is None]
    if missing:
        _fail_missing(missing, header, log)
    return {field: index for field, index in found.items() if index is not None and (field != "adj_close" or adjust)}


def _find(field: str, header: Sequence[str], renamed: Mapping[str, str], log: FaultLog) -> int | None:
    if field in renamed:
        wanted = renamed[field]
        if wanted not in header:
            near = get_close_matches(wanted, header, n=1)
            hint = f"did you mean '{visible(near[0])}'? " if near else ""
            log.fail(
                f"there is no column '{visible(wanted)}', which data.columns.{field} names",
                f"{hint}the columns are {_listed(header)}",
            )
        return header.index(wanted)
    taken = set(renamed.values())
    hits = [index for index, name in enumerate(header) if name not in taken and _plain(name) in _ALIASES[field]]
    if len(hits) > 1:
        names = " and ".join(f"'{visible(header[index])}'" for index in hits)
        remedy = f"name the one to use in data.columns.{field}"
        if field == "timestamp":
            remedy += "; day and time of day must stand together in one column, such as 2020-01-31 14:30:00"
        log.fail(f"columns {names} could each be the {field}", remedy)
    return hits[0] if hits else None


def _plain(name: str) -> str:
    return re.sub(r"[\s._-]+", "_", name.strip()).strip("_").lower()


def _listed(header: Sequence[str]) -> str:
    shown = ", ".join(f"'{visible(name)}'" for name in header[:20])
    return shown + (f" and {len(header) - 20:,} more" if len(header) > 20 else "")


def _fail_missing(missing: Sequence[str], header: Sequence[str], log: FaultLog) -> None:
    noun = "column" if len(missing) == 1 else "columns"
    remedy = f"the columns are {_listed(header)}; name the right ones in data.columns, such as {missing[0]}: NAME"
    if header and all(re.fullmatch(r"[\d.:TZ +-]+", name) for name in header):
        remedy = "the first line must name the columns: timestamp,open,high,low,close,volume"
    elif missing == ["volume"]:
        remedy = "add a column volume, with 0 where it is not known"
    elif missing == ["adj_close"]:
        remedy = "data.adjust: true needs the adjusted close; set data.adjust: false or add the column"
    log.fail(f"no {noun} {', '.join(missing)}", remedy)
