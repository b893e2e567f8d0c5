"""Which column of a file is which. Refuses to know the rows."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from admf_cli.errors import MarketDataError
from admf_cli.market.faults import shown

REQUIRED = ("timestamp", "open", "high", "low", "close")
OPTIONAL = ("volume", "symbol", "adj_close")
_ALIASES = {
    "timestamp": ("timestamp", "date", "datetime", "time", "date time", "open time", "open_time"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c", "last"),
    "volume": ("volume", "vol", "v"),
    "symbol": ("symbol", "ticker"),
    "adj_close": ("adj_close", "adj close", "adjusted_close", "adjusted close", "adjclose"),
}
MAX_COLUMNS = 10_000


def match_columns(source: str, header: Sequence[str], named: Mapping[str, str] | None) -> dict[str, int]:
    """Return the place of each column that ADMF reads: as `data.columns` names it, else by its usual names.

    Raises:
        MarketDataError: a column is missing, or two could be meant.
    """
    if not any(name.strip() for name in header):
        raise MarketDataError(f"{source}: row 1 is empty where the header should be")
    folded = [name.strip().lower() for name in header]
    places: dict[str, int] = {}
    for name in (*REQUIRED, *OPTIONAL):
        wanted = (named or {}).get(name)
        if wanted is not None:
            found = [place for place, text in enumerate(header) if text.strip() == wanted]
            if not found:
                raise MarketDataError(
                    f"{source}: row 1: no column {wanted!r}, which data.columns.{name} names; "
                    f"the file has {_listed(header)}"
                )
        else:
            found = [place for place, text in enumerate(folded) if text in _ALIASES[name]]
        if len(found) > 1:
            doubles = ", ".join(shown(header[place]) for place in found)
            raise MarketDataError(
                f"{source}: row 1: {len(found)} columns could be {name} ({doubles}); "
                f"name the right one under data.columns.{name}, or remove the duplicate"
            )
        if found:
            places[name] = found[0]
    missing = [name for name in REQUIRED if name not in places]
    if missing:
        raise MarketDataError(
            f"{source}: row 1: no column for {', '.join(missing)}; the file has {_listed(header)}; "
            f"{_remedy(header, missing)}"
        )
    return places


def unread(header: Sequence[str], places: Mapping[str, int]) -> tuple[str, ...]:
    """Return a note that names the columns which ADMF does not read, if there are any."""
    others = [name for place, name in enumerate(header) if place not in places.values()]
    return (f"columns that are not read: {_listed(others)}",) if others else ()


def _remedy(header: Sequence[str], missing: Sequence[str]) -> str:
    """Return what to do about missing columns: separators, a header that is none, a misspelt or unusual name."""
    marks = [mark for mark in ",;\t|" if mark in header[0]] if len(header) == 1 else []
    if marks:
        return f"the file seems to separate columns by {marks[0]!r}: set data.delimiter: {marks[0]!r}"
    if len(missing) == len(REQUIRED):
        return (
            f"row 1 must be a header such as {','.join(REQUIRED)},volume: remove what stands above it, or name the "
            "columns under data.columns"
        )
    near = difflib.get_close_matches(missing[0], [text.strip()[:64] for text in header[:100]], n=1)
    return f"name them under data.columns: {{{missing[0]}: {shown(near[0]) if near else 'NAME_IN_THE_FILE'}}}"


def _listed(header: Sequence[str]) -> str:
    names = [shown(name) or "''" for name in header[:12]]
    return ", ".join(names) + (f" and {len(header) - 12} more" if len(header) > 12 else "")
