"""Events to lines of JSON, singly or as columns. Refuses to know files, buses and containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from admf_cli.tracefile.format import timestamp_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_APPEND_NEWLINE = orjson.OPT_APPEND_NEWLINE
_ARRAY = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_ROWS_AT_ONCE = 2048


class EventLike(Protocol):
    """What a single line is made from."""

    event_id: str
    sequence: int
    event_type: str
    time: int
    container_id: str
    correlation_id: str | None
    causation_id: str | None
    symbol: str | None
    payload: Mapping[str, Any]


class BatchLike(Protocol):
    """What a block of lines is made from; see `EventBatch`."""

    @property
    def event_type(self) -> str: ...
    @property
    def container_id(self) -> str: ...
    @property
    def first_number(self) -> int: ...
    @property
    def sequence(self) -> NDArray[np.int64]: ...
    @property
    def time(self) -> NDArray[np.int64]: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def symbol_index(self) -> NDArray[np.int64] | None: ...
    @property
    def cause_container(self) -> str | None: ...
    @property
    def cause_number(self) -> NDArray[np.int64] | None: ...
    @property
    def columns(self) -> Mapping[str, NDArray[np.float64]]: ...


def as_mapping(event: EventLike) -> dict[str, Any]:
    """Return an event under the format's keys, in the format's order."""
    return {
        "event_id": event.event_id,
        "sequence": event.sequence,
        "event_type": event.event_type,
        "timestamp": timestamp_text(event.time),
        "container_id": event.container_id,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "symbol": event.symbol,
        "payload": event.payload,
    }


def encode_event(event: EventLike) -> bytes:
    """Return one event as its line, newline included."""
    return orjson.dumps(as_mapping(event), option=_APPEND_NEWLINE)


def encode_batch(batch: BatchLike) -> bytes:
    """Return a batch as the very lines that its rows would give one by one, at a third of the cost.

    orjson writes each column in one call, so that numbers read exactly as in single lines; a bytes template of many
    lines then takes all of them in one formatting operation.
    """
    line = _line_template(batch)
    columns = _tokens(batch)
    template = line * _ROWS_AT_ONCE
    rows = len(batch.sequence)
    blocks = []
    for start in range(0, rows, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, rows)
        width = len(columns)
        values: list[bytes] = [b""] * (width * (stop - start))
        for place, column in enumerate(columns):
            values[place::width] = column[start:stop]
        blocks.append((template if stop - start == _ROWS_AT_ONCE else line * (stop - start)) % tuple(values))
    return b"".join(blocks)


def _line_template(batch: BatchLike) -> bytes:
    container = _literal(batch.container_id)
    symbol = b"%b" if batch.symbol_index is not None else _literal(batch.symbols[0])
    cause = b"null" if batch.cause_number is None else _literal(batch.cause_container or "")[:-1] + b'#%b"'
    payload = b",".join(_literal(name) + b":%b" for name in batch.columns)
    return (
        b'{"event_id":' + container[:-1] + b'#%b","sequence":%b,"event_type":' + _literal(batch.event_type) + b","
        b'"timestamp":%b,"container_id":' + container + b',"correlation_id":null,"causation_id":' + cause + b","
        b'"symbol":' + symbol + b',"payload":{' + payload + b"}}\n"
    )


def _tokens(batch: BatchLike) -> list[list[bytes]]:
    import numpy as np

    first = batch.first_number
    columns = [
        _column(np.arange(first, first + len(batch.sequence))),
        _column(batch.sequence),
        _column(batch.time.astype("datetime64[us]")),
    ]
    if batch.cause_number is not None:
        columns.append(_column(batch.cause_number))
    if batch.symbol_index is not None:
        names = [orjson.dumps(name) for name in batch.symbols]
        columns.append([names[index] for index in batch.symbol_index.tolist()])
    columns.extend(_column(column) for column in batch.columns.values())
    return columns


def _column(array: NDArray[Any]) -> list[bytes]:
    import numpy as np

    return orjson.dumps(np.ascontiguousarray(array), option=_ARRAY)[1:-1].split(b",")


def _literal(text: str) -> bytes:
    return orjson.dumps(text).replace(b"%", b"%%")
