"""The rows that SQL gives as a table, JSON lines or CSV. Refuses to know where they come from."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import orjson

from admf_cli.traces.query import Answer
from admf_cli.traces.render.screen import Column, Screen
from admf_cli.traces.render.text import csv_safe, json_line, moment, number, printable

_TABLE_ROWS = 1000
_NUMERIC = ("INT", "DOUBLE", "FLOAT", "DECIMAL", "REAL", "HUGEINT")


def show_answer(answer: Answer, screen: Screen) -> None:
    """Print rows as a table, the first thousand of them; all of them if the screen is plain, numbers in full."""
    columns = [
        Column(printable(name, 60), right=any(word in kind for word in _NUMERIC), wraps="VARCHAR" in kind)
        for name, kind in zip(answer.columns, answer.types, strict=True)
    ]
    if screen.plain:
        screen.table(columns, ([_exact(value) for value in row] for row in answer.rows))
        return
    rows = [[_read(value) for value in row] for row in islice(answer.rows, _TABLE_ROWS)]
    screen.table(columns, rows)
    if next(answer.rows, None) is not None:
        screen.line(f"only the first {_TABLE_ROWS:,} rows; --plain, --format json or csv print all of them", "dim")


def json_lines(answer: Answer) -> Iterator[str]:
    """Yield each row as an object; what JSON can't hold becomes text, nan and infinity null."""
    for row in answer.rows:
        document = {name: _plain(value) for name, value in zip(answer.columns, row, strict=True)}
        yield json_line(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)) + "\n"


def csv_lines(answer: Answer) -> Iterator[str]:
    """Yield the rows as CSV under their names; no cell is taken for a formula by a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([csv_safe(printable(name)) for name in answer.columns])
    for row in answer.rows:
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([csv_safe(printable(_exact(value))) for value in row])
    yield buffer.getvalue()


def _read(value: Any) -> str:
    """Return a value as people read it."""
    if isinstance(value, datetime):
        return moment(_timestamp(value))
    if value is None:
        return ""
    plain = _plain(value)
    return number(plain) if isinstance(plain, bool | int | float | str) else _exact(value)


def _exact(value: Any) -> str:
    """Return a value in full."""
    plain = _plain(value)
    if plain is None:
        return ""
    if isinstance(plain, str):
        return plain
    return orjson.dumps(plain, option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: Any) -> Any:
    """Return a value of DuckDB's as JSON has it."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 64 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return _timestamp(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    return str(value)


def _timestamp(value: datetime) -> str:
    text = value.isoformat()
    return text.replace("+00:00", "Z") if value.tzinfo else text + "Z"
