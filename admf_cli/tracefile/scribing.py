"""What a run asks of the process that writes its dense traces, and that process itself. Refuses to know the run.

A request is a few bytes in a pipe that name a slot of the memory that both share. There stand a head, as JSON, and
what it tells of: columns as they are in memory, or bytes. An answer is a line of JSON.
"""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson

from admf_cli.errors import StorageError
from admf_cli.tracefile.appending import Appender, Lines
from admf_cli.tracefile.encoder import BatchLike, encode_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLOT_BYTES = 2 << 20
SLOTS = 8
READY = b'{"ready":true}\n'

REQUEST = struct.Struct("<qq")
"""(slot, bytes of the head in it). Below 512 bytes, so a pipe takes it whole or not at all."""

_ALIGNED = 64
_PLAIN = ("event_type", "container_id", "first_number", "symbols", "cause_container")  # of a batch, beside its columns


def pack_lines(slot: memoryview, file: int, lines: Lines) -> int:
    """Put bytes for a file into a slot, and return the size of the head; they must fit."""
    return _pack(slot, {"do": "lines", "file": file, "bytes": len(lines)}, [lines])


def pack_finish(slot: memoryview, file: int) -> int:
    """Put into a slot that no more will come for a file, and return the size of the head."""
    return _pack(slot, {"do": "finish", "file": file}, [])


def pack_rows(slot: memoryview, file: int, batch: BatchLike, rows: slice) -> int:
    """Put rows of a batch into a slot, and return the size of the head; they must fit, see `rows_that_fit`."""
    return _pack(slot, _head(file, batch, rows), [column.data.cast("B") for column in _columns(batch, rows)])


def rows_that_fit(batch: BatchLike) -> int:
    """Return how many of a batch's rows a slot takes; none where their names alone are too many."""
    columns = 2 + (batch.symbol_index is not None) + (batch.cause_number is not None) + len(batch.columns)
    names = len(orjson.dumps(_head(0, batch, slice(0, 0))))
    return max(SLOT_BYTES - names - 2 * _ALIGNED, 0) // (8 * columns)


def carry_out(slot: memoryview, head_bytes: int, files: Sequence[Appender]) -> dict[str, Any]:
    """Do what a slot asks for, and return what to answer.

    Raises:
        StorageError: the operating system refuses.
    """
    head = orjson.loads(slot[:head_bytes])
    file = files[head["file"]]
    body = slot[_begin(head_bytes) :]
    if head["do"] == "lines":
        file.append(bytes(body[: head["bytes"]]))
    elif head["do"] == "rows":
        for lines in encode_batch(_rows(head, body)):
            file.append(lines)
    else:
        size, digest = file.finish()
        return {"bytes": size, "sha256": digest}
    return {}


def main() -> None:
    """Write what is asked for until nobody can ask any more.

    The arguments, as JSON: the descriptors of the memory, of the pipe of requests and of that of answers, and of each
    file its path and its descriptor.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # for the run to hear, which seals its traces then; we end with it
    setup = orjson.loads(sys.argv[1])
    files = [Appender(Path(os.fsdecode(bytes.fromhex(path))), descriptor) for path, descriptor in setup["files"]]
    requests, answers = setup["requests"], setup["answers"]
    memory = memoryview(mmap.mmap(setup["memory"], SLOT_BYTES * SLOTS))

    def say(answer: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # the run was killed: what it asked for is written all the same
            os.write(answers, answer)

    say(READY)
    while len(request := os.read(requests, REQUEST.size)) == REQUEST.size:
        place, head_bytes = REQUEST.unpack(request)
        if place < 0:
            break
        try:
            answer = carry_out(slot(memory, place), head_bytes, files)
        except StorageError as fault:
            answer = {"fault": str(fault)}
        say(orjson.dumps({"slot": place, **answer}, option=orjson.OPT_APPEND_NEWLINE))
    for file in files:
        with contextlib.suppress(StorageError):
            file.wait()
    gc.freeze()  # the run waits for the end of this process, which would look through everything it has loaded


def slot(memory: memoryview, place: int) -> memoryview:
    """Return one slot of the memory."""
    return memory[place * SLOT_BYTES : (place + 1) * SLOT_BYTES]


def _rows(head: Mapping[str, Any], body: memoryview) -> BatchLike:
    """Return rows as they lie in a slot, nothing copied."""
    count = head["rows"]
    begins = iter(range(0, len(body), 8 * count))

    def column(kind: type[np.generic]) -> NDArray[Any]:
        return np.frombuffer(body, kind, count, next(begins))

    batch = SimpleNamespace(**{name: head[name] for name in _PLAIN})
    batch.symbols = tuple(batch.symbols)
    batch.sequence, batch.time = column(np.int64), column(np.int64)
    batch.symbol_index = column(np.int64) if head["has_symbol_index"] else None
    batch.cause_number = column(np.int64) if head["has_cause_number"] else None
    batch.columns = {name: column(np.float64) for name in head["columns"]}
    return cast("BatchLike", batch)


def _head(file: int, batch: BatchLike, rows: slice) -> dict[str, Any]:
    return {
        "do": "rows",
        "file": file,
        "rows": rows.stop - rows.start,
        **{name: getattr(batch, name) for name in _PLAIN},
        "first_number": batch.first_number + rows.start,
        "has_symbol_index": batch.symbol_index is not None,
        "has_cause_number": batch.cause_number is not None,
        "columns": list(batch.columns),
    }


def _columns(batch: BatchLike, rows: slice) -> list[NDArray[Any]]:
    whole = (batch.sequence, batch.time, batch.symbol_index, batch.cause_number)
    columns: list[NDArray[Any]] = [
        np.ascontiguousarray(column[rows], np.int64) for column in whole if column is not None
    ]
    return columns + [np.ascontiguousarray(column[rows], np.float64) for column in batch.columns.values()]


def _pack(slot: memoryview, head: Mapping[str, Any], parts: Sequence[Lines]) -> int:
    text = orjson.dumps(head)
    slot[: len(text)] = text
    at = _begin(len(text))
    for part in parts:
        slot[at : at + len(part)] = part
        at += len(part)
    return len(text)


def _begin(head_bytes: int) -> int:
    """Return where in a slot its contents begin."""
    return -(-head_bytes // _ALIGNED) * _ALIGNED


if __name__ == "__main__":
    main()
