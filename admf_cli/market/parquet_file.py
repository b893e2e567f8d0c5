"""Parquet files to tables, in a process of their own. Refuses to know what is in them.

A damaged or hostile file can end the process that decodes it (an assertion, or a wish for all the memory there is);
then it is not ours that ends, and the file is called what it is. Polars is loaded there instead of here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from admf_cli.errors import MarketDataError
from admf_cli.market.parquet_rows import row_number
from admf_cli.market.table import Table


def read_parquet(path: Path, settings: Mapping[str, Any]) -> Table:
    """Return a Parquet file's rows, not yet checked against each other.

    Args:
        settings: the `data` section; `columns` and `timezone` are read.

    Raises:
        MarketDataError: naming row, column and value of the first faults and how many there are.
    """
    wanted = {key: settings.get(key) for key in ("columns", "timezone")}
    request = json.dumps({"path": str(path), "settings": wanted}).encode()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "admf_cli.market.parquet_rows"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RUST_BACKTRACE": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us to hear
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        try:
            reader.stdin.write(request)
            reader.stdin.close()
            table: Table | None = _received(str(path), reader.stdout)
        except (EOFError, BrokenPipeError):  # it ended within its answer, or before it took the request
            table = None
        except BaseException:
            reader.kill()
            raise
    if table is None:
        how = f"signal {-reader.returncode}" if reader.returncode < 0 else "an internal error"
        raise MarketDataError(
            f"{path}: not readable as Parquet, so damaged, or too large for the memory: decoding it ended with {how}; "
            "get the file again"
        )
    return table


def _received(source: str, stream: IO[bytes]) -> Table:
    """Return the table that the reader sends.

    Raises:
        EOFError: the reader ended before all of it came.
        MarketDataError: what the reader found.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    head = json.loads(line)
    if "error" in head:
        raise MarketDataError(head["error"])
    arrays = [_array(stream, head["rows"], np.int64)]
    arrays += [_array(stream, head["rows"], np.float64) for _ in head["columns"]]
    names = head["symbols"]
    codes = None if names is None else _array(stream, head["rows"], np.int64)
    times, *columns = arrays
    symbols = None if codes is None else [names[code] for code in codes.tolist()]
    return Table(
        source, times, dict(zip(head["columns"], columns, strict=True)), symbols, row_number, tuple(head["notes"])
    )


def _array(stream: IO[bytes], rows: int, kind: type[np.generic]) -> NDArray[Any]:
    """Return the next column."""
    array = np.empty(rows, dtype=kind)
    if stream.readinto(array.data) < array.nbytes:  # type: ignore[attr-defined]
        raise EOFError
    return array
