"""Decisions out of a CSV file made elsewhere: timestamp, symbol, and direction or weight. Refuses to guess."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from admf_cli.errors import MarketDataError, StorageError
from admf_cli.market.times import instant
from admf_cli.signals.recorded import RecordedStrategy, Row

_DIRECTIONS = {"long": 1.0, "flat": 0.0, "short": -1.0}
_KNOWN = ("timestamp", "symbol", "direction", "weight", "strategy", "rule")
_MOST_BYTES = 1 << 30
_SHOWN = 5


def strategy_from_csv(path: Path, strategy: str) -> RecordedStrategy:
    """Return a strategy's decisions: all rows, or, where there is a column `strategy`, those of its name.

    Columns: `timestamp` (ISO, UTC unless it says otherwise; the time of a bar), `symbol`, and either `direction` (1, 0,
    -1, or long, flat, short) or `weight` (a signed fraction of equity); `strategy` and `rule` if wanted.

    Raises:
        StorageError: the file cannot be read.
        MarketDataError: naming line, column and value of the first faults.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise StorageError(f"{path}: more than {_MOST_BYTES >> 30} GiB of signals")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            kind = _check_header(path, header)
            rows, faults = [], []
            for cells in reader:
                if not cells:
                    continue
                place = f"{path}, line {reader.line_num}"
                try:
                    if len(cells) != len(header):
                        raise ValueError(f"{len(cells)} values, where the header names {len(header)} columns")
                    row = _row(dict(zip(header, cells, strict=True)), kind, place)
                except ValueError as error:
                    faults.append(f"{place}: {error}")
                    continue
                if row[0] in ("", strategy):
                    rows.append(row[1])
    except OSError as error:
        raise StorageError(f"{path}: cannot read this file: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MarketDataError(f"{path}: no CSV file in UTF-8: {error}") from error
    if faults:
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise MarketDataError("\n".join([*faults[:_SHOWN], *more]))
    if not rows:
        raise MarketDataError(f"{path}: no signals of strategy {strategy}")
    return RecordedStrategy(rows, kind)


def _check_header(path: Path, header: list[str]) -> str:
    """Return which kind of decision the file holds."""
    unknown = [name for name in header if name not in _KNOWN]
    kinds = [name for name in ("direction", "weight") if name in header]
    if unknown or len(set(header)) < len(header):
        raise MarketDataError(f"{path}: columns must be among {', '.join(_KNOWN)}, each once (got {', '.join(header)})")
    if "timestamp" not in header or "symbol" not in header or len(kinds) != 1:
        raise MarketDataError(f"{path}: needs the columns timestamp, symbol, and direction or weight, one of them")
    return kinds[0]


def _row(cells: dict[str, str], kind: str, place: str) -> tuple[str, Row]:
    text = cells[kind].strip()
    target = _DIRECTIONS.get(text.lower(), math.nan) if kind == "direction" else math.nan
    if math.isnan(target):
        try:
            target = float(text if "_" not in text else "")  # Python takes 1_0 for ten
        except ValueError:
            raise ValueError(f"{kind}: must be {_allowed(kind)} (got {text!r})") from None
    if not math.isfinite(target) or (kind == "direction" and target not in (-1.0, 0.0, 1.0)):
        raise ValueError(f"{kind}: must be {_allowed(kind)} (got {text!r})")
    try:
        time = instant(cells["timestamp"].strip())
    except MarketDataError as error:
        raise ValueError(f"timestamp: {error}") from None
    rule = cells.get("rule", "").strip() or None
    return cells.get("strategy", "").strip(), Row(time, cells["symbol"].strip(), target, rule, place, {})


def _allowed(kind: str) -> str:
    return "1, 0, -1, long, flat or short" if kind == "direction" else "a finite number"
