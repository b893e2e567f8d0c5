"""Tables to bars: many symbols on one timeline. Refuses to know files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from admf_cli.errors import MarketDataError
from admf_cli.market.bars import Bars, BoolArray, FloatArray, IntArray
from admf_cli.market.faults import shown
from admf_cli.market.table import Table, check_order

COLUMNS = ("open", "high", "low", "close", "volume")
_LONGEST_SYMBOL = 64  # as in a configuration, so that one can name it
Series = tuple[IntArray, dict[str, FloatArray]]


def split_symbols(table: Table, wanted: Sequence[str] | None) -> dict[str, Series]:
    """Return each wanted symbol's times and columns out of a table with a `symbol` column; all without `wanted`."""
    assert table.symbols is not None
    names, codes = table.symbols.names, table.symbols.codes
    empty = np.flatnonzero(np.isin(codes, [code for code, name in enumerate(names) if not name]))
    if len(empty):
        raise MarketDataError(
            f"{table.source}: row {table.line(int(empty[0]))}, column symbol: no symbol ({len(empty)} such rows in "
            "all); write one in every row"
        )
    known = dict(sorted((name or "", code) for code, name in enumerate(names)))
    for name, code in known.items():
        if len(name) > _LONGEST_SYMBOL or name != name.strip() or not name.isprintable():
            row = table.line(int((codes == code).argmax()))
            raise MarketDataError(
                f"{table.source}: row {row}, column symbol: must be 1 to {_LONGEST_SYMBOL} printable characters "
                f"without spaces around them (got {shown(name)!r}); correct the symbol"
            )
    missing = [name for name in wanted or () if name not in known]
    if missing:
        some = ", ".join(list(known)[:20]) + (" …" if len(known) > 20 else "")
        raise MarketDataError(f"{table.source}: no rows of symbol {', '.join(missing)}; the file has {some}")
    return {name: _series(table, np.flatnonzero(codes == known[name])) for name in (wanted or known)}


def whole(table: Table) -> Series:
    """Return all rows as one symbol's."""
    return _series(table, None)


def align(series: Mapping[str, Series]) -> Bars:
    """Return the symbols, sorted by name, on the union of their times."""
    symbols = tuple(sorted(series))
    first = series[symbols[0]][0]
    if len(symbols) == 1:
        own, values = series[symbols[0]]
        return _read_only(symbols, own, {name: values[name].reshape(-1, 1) for name in COLUMNS})
    dense = all(np.array_equal(times, first) for times, _ in series.values())
    times = first if dense else np.unique(np.concatenate([own for own, _ in series.values()]))
    columns = {name: np.full((len(times), len(symbols)), np.nan, order="F") for name in COLUMNS}
    present = None if dense else np.zeros((len(times), len(symbols)), dtype=bool, order="F")
    for place, symbol in enumerate(symbols):
        own, values = series[symbol]
        rows = slice(None) if present is None else np.searchsorted(times, own)
        for name in COLUMNS:
            columns[name][rows, place] = values[name]
        if present is not None:
            present[rows, place] = True
    return _read_only(symbols, times, columns, present)


def _read_only(
    symbols: tuple[str, ...], times: IntArray, columns: Mapping[str, FloatArray], present: BoolArray | None = None
) -> Bars:
    for array in (times, *columns.values(), *(() if present is None else (present,))):
        array.setflags(write=False)
    return Bars(symbols=symbols, times=times, present=present, **columns)


def _series(table: Table, rows: IntArray | None) -> Series:
    if rows is None or len(rows) == len(table.times):
        times, columns = table.times, table.columns
    else:
        times, columns = table.times[rows], {name: column[rows] for name, column in table.columns.items()}
    check_order(table, rows, times)
    return times, columns
