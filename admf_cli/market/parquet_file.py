"""Parquet files to tables, in a process of their own. Refuses to know what is in them.

A damaged or hostile file can end the process that decodes it (an assertion, or a wish for all the memory there is);
then it is not ours that ends, and the file is called what it is. Polars is loaded there instead of here.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from admf_cli import own_process
from admf_cli.errors import MarketDataError
from admf_cli.market.content import Content
from admf_cli.market.packed import parse_head, read_columns, read_line, unpack
from admf_cli.market.parquet_rows import row_number
from admf_cli.market.table import Table


def read_parquet(path: Path, settings: Mapping[str, Any], content: Content | None = None) -> Table:
    """Return a Parquet file's rows, not yet checked against each other.

    Args:
        settings: the `data` section; `columns` and `timezone` are read.
        content: told the digest of the bytes that were decoded, if they were all read.

    Raises:
        MarketDataError: naming row, column and value of the first faults and how many there are.
    """
    wanted = {key: settings.get(key) for key in ("columns", "timezone")}
    request = json.dumps({"path": str(path), "settings": wanted, "digest": content is not None}).encode()
    with own_process.start(
        "admf_cli.market.parquet_rows",
        environment={"RUST_BACKTRACE": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        try:
            reader.stdin.write(request)
            reader.stdin.close()
            table: Table | None = _received(str(path), reader.stdout, content)
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


def _received(source: str, stream: IO[bytes], content: Content | None) -> Table:
    """Return the table that the reader sends.

    Raises:
        EOFError: the reader ended before all of it came.
        MarketDataError: what the reader found.
    """
    said = json.loads(read_line(stream))
    if "error" in said:
        raise MarketDataError(said["error"])
    if content is not None and said["sha256"] is not None:
        content.is_known(said["sha256"])
    head = parse_head(read_line(stream))
    return unpack(head, list(read_columns(stream, head)), source, row_number)
