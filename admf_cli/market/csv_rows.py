"""CSV text to a table row by row, with care: every fault is known by its row. Refuses to be fast, or to hold the text.

Memory holds the file's bytes, the finished columns and some thousand rows, however large or odd the file is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from admf_cli.errors import MarketDataError
from admf_cli.market import parse
from admf_cli.market.bars import FloatArray, IntArray
from admf_cli.market.csv_columns import line_of
from admf_cli.market.faults import Faults, TooManyFaults
from admf_cli.market.header import MAX_COLUMNS, match_columns
from admf_cli.market.table import NUMERIC, SymbolColumn, Table, note_values

_BATCH_ROWS = 20_000
_NO_TABLE = "correct these rows (thousands separators are not allowed; the last row may have been cut off)"
_WRONG_CELLS = "correct these rows in the file; nothing is repaired silently"


def read_carefully(path: Path, data: bytes, settings: Mapping[str, Any]) -> Table:
    """Return the rows by the standard library's reader, in portions.

    Args:
        settings: the `data` section; `columns`, `delimiter` and `timezone` are read.

    Raises:
        MarketDataError: naming row, column and value of the first faults and how many there are.
    """
    source = str(path)
    rows = _Rows(path, data, settings.get("delimiter") or ",")
    places = match_columns(source, rows.header, settings.get("columns"))
    faults = Faults(source, line_of)
    zone = settings.get("timezone") or "UTC"
    shape = Faults(source, line_of)
    times: list[IntArray] = []
    columns: dict[str, list[FloatArray]] = {name: [] for name in NUMERIC if name in places}
    symbols: list[str] = []
    first: str | None = None
    try:
        for start, batch in rows.batches(shape):
            if shape.count:
                continue  # cells may have moved: only the rows' shapes can be judged from here on
            cells = list(zip(*batch, strict=True))
            faults.offset = start
            moments = cells[places["timestamp"]]
            first = moments[0] if first is None else first
            times.append(parse.times(moments, zone, faults, like=first))
            for name, gathered in columns.items():
                gathered.append(parse.numbers(cells[places[name]], name, faults))
            if "symbol" in places:
                symbols.extend(cells[places["symbol"]])
    except TooManyFaults:
        pass
    shape.raise_if_any(_NO_TABLE)
    if not times:
        raise MarketDataError(f"{source}: there is a header but no row of data below it")
    values = {name: np.concatenate(gathered) for name, gathered in columns.items()}
    if faults.count:
        faults.offset = 0
        note_values(values, faults, but_nan=True)
        faults.raise_if_any(_WRONG_CELLS)
    values.setdefault("volume", np.zeros(sum(map(len, times))))
    column = SymbolColumn.of(symbols) if "symbol" in places else None
    return Table(source, np.concatenate(times), values, column, line_of)


class _Rows:
    """The rows of a CSV text: the header first, then the others in portions of equal width."""

    def __init__(self, path: Path, data: bytes, delimiter: str) -> None:
        self._path = path
        self._data = data
        # Decoded as it is read: text takes up to four times the room of its bytes.
        text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
        self._reader = csv.reader(text, delimiter=delimiter, strict=True)
        self._row = 0  # rows read so far, the header included
        self.header = next(self._checked(), [])
        if len(self.header) > MAX_COLUMNS:
            raise MarketDataError(f"{path}: {len(self.header)} columns; at most {MAX_COLUMNS} are read")

    def batches(self, faults: Faults) -> Iterator[tuple[int, Sequence[Sequence[str]]]]:
        """Yield the index of a portion's first row, and its rows; those not as wide as the header are faults.

        Empty lines at the end of the file are no rows.
        """
        width = len(self.header)
        start, empty = 0, 0  # empty: lines without anything just before `start`
        rows = self._checked()
        while batch := list(islice(rows, _BATCH_ROWS)):
            if set(map(len, batch)) == {width} and not empty:
                yield start, batch
            else:
                for number, row in enumerate(batch, start):
                    if not row:
                        empty += 1
                        continue
                    for blank in range(number - empty, number):
                        faults.add_row(blank, "(all)", "nothing", f"must have {width} fields, not an empty line")
                    empty = 0
                    if len(row) != width:
                        found = "1 field" if len(row) == 1 else f"{len(row)} fields"
                        faults.add_row(
                            number,
                            "(all)",
                            ",".join(row[:20]),
                            f"must have {width} fields like the header, not {found}",
                        )
                full = batch[: len(batch) - empty] if empty < len(batch) else []
                if full and not faults.count:
                    yield start, full
            start += len(batch)

    def _checked(self) -> Iterator[list[str]]:
        while True:
            try:
                row = next(self._reader)
            except StopIteration:
                return
            except UnicodeDecodeError:
                raise self._not_utf8() from None
            except csv.Error as error:
                raise MarketDataError(f"{self._path}: row {self._row + 1}: {_explained(error)}") from error
            self._row += 1
            yield row

    def _not_utf8(self) -> MarketDataError:
        for number, line in enumerate(io.BytesIO(self._data), start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return MarketDataError(
                    f"{self._path}: row {number}: not UTF-8 text (got byte 0x{line[error.start]:02x}); "
                    "save the file as UTF-8"
                )
        return MarketDataError(f"{self._path}: not UTF-8 text; save the file as UTF-8")


def _explained(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return 'a quotation mark (") is opened and never closed'
    if "field limit" in text:
        return f"a cell of more than {csv.field_size_limit():,} characters, or a quotation mark that is never closed"
    return f"not readable as CSV: {text}"
