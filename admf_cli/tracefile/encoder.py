"""Events to lines of JSON, singly or as columns. Refuses to know files, buses and containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from admf_cli.tracefile.blocks import (
    ROWS_AT_ONCE,
    Heads,
    Lines,
    Numbers,
    alike,
    digits,
    equally_long,
    fractional,
    moments,
    parts,
    timestamps,
)
from admf_cli.tracefile.format import timestamp_text
from admf_cli.tracefile.record import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_END: Final = b"}}\n"


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


def as_mapping(event: Record) -> dict[str, Any]:
    """Return an event under the format's keys, in the format's order: what its line reads back to."""
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


def encode_event(event: Record) -> bytes:
    """Return one event as its line, newline included."""
    return bytes(encode_events((event,)))


def encode_events(events: Sequence[Record]) -> bytearray:
    """Return events as their lines: orjson's text of each as a mapping, without making the mapping.

    What comes before a payload is put together from texts, most of which are the same in many lines.
    """
    dumps = orjson.dumps
    moments = timestamps([event.time for event in events])
    ids = _ids(events)
    types: dict[str, str] = {}
    containers: dict[str, str] = {}
    symbols: dict[str | None, str] = {}
    lines = bytearray()
    opening = '{"event_id":"'
    place = 0
    for number, event in enumerate(events):
        event_type, container, symbol = event.event_type, event.container_id, event.symbol
        type_text = types.get(event_type)
        if type_text is None:
            type_text = types[event_type] = f',"event_type":{_text(event_type)},"timestamp":"'
        container_text = containers.get(container)
        if container_text is None:
            container_text = containers[container] = f'","container_id":{_text(container)},"correlation_id":'
        symbol_text = symbols.get(symbol)
        if symbol_text is None:
            symbol_text = symbols[symbol] = f',"symbol":{_text(symbol)},"payload":'
        flow = "" if event.correlation_id is None else '"'
        cause = "" if event.causation_id is None else '"'
        head = (
            f'{opening}{ids[place]}","sequence":{event.sequence}{type_text}{moments[number]}{container_text}'
            f'{flow}{ids[place + 1]}{flow},"causation_id":{cause}{ids[place + 2]}{cause}{symbol_text}'
        )
        lines += head.encode()
        lines += dumps(event.payload)  # not kept: that costs more than making it
        opening = '}\n{"event_id":"'
        place += 3
    if lines:
        lines += b"}\n"
    return lines


def _ids(events: Sequence[Record]) -> list[str]:
    """Return of each event three ids as they stand in its line between quotes: its own, its flow's, its cause's."""
    ids: list[str] = []
    for event in events:
        ids.append(event.event_id)
        ids.append("null" if event.correlation_id is None else event.correlation_id)
        ids.append("null" if event.causation_id is None else event.causation_id)
    together = "".join(ids)
    if len(orjson.dumps(together)) == len(together.encode()) + 2:
        return ids
    return [_text(text)[1:-1] for text in ids]  # some characters have to be escaped


def _text(value: str | None) -> str:
    return orjson.dumps(value).decode()


def encode_batch(batch: BatchLike) -> Iterator[memoryview]:
    """Yield a batch, in blocks of whole lines, as the very lines that its rows would give one by one.

    orjson writes each column in one call, so that numbers read exactly as in single lines; NumPy puts the lines
    together. That costs a tenth of writing them one by one.
    """
    for start, stop in parts(len(batch.sequence), ROWS_AT_ONCE):
        yield _block(batch, slice(start, stop))


def _block(batch: BatchLike, rows: slice) -> memoryview:
    import numpy as np

    columns = [column[rows] for column in batch.columns.values()]
    numbers = Numbers(columns) if columns else None
    shapes = list(_shapes(batch, rows))
    lengths = np.empty(rows.stop - rows.start, np.int64)
    for chosen, heads in shapes:
        lengths[chosen] = heads.length
    at = lengths.copy()  # of each line's head, then how far each line has come
    lengths += len(_END)
    between = [b"," + orjson.dumps(name) + b":" for name in batch.columns]
    if numbers is not None:
        lengths += numbers.lengths.sum(axis=1) + sum(map(len, between[1:]))
    lines = Lines(lengths)
    at += lines.starts
    for place, text in enumerate(between if numbers is not None else ()):
        assert numbers is not None
        if place:
            lines.put_constant(at, text)
            at += len(text)
        lines.put_texts(at, numbers.texts(place))
        at += numbers.lengths[:, place]
    lines.put_constant(at, _END)
    for chosen, heads in shapes:
        lines.put_heads(chosen, heads.texts())
    return lines.view()


def _shapes(batch: BatchLike, rows: slice) -> Iterator[tuple[slice | NDArray[np.int64], Heads]]:
    """Yield the heads of the lines by shape, up to the first number of the payload, and the rows that have each."""
    import numpy as np

    first = batch.first_number
    numbers = np.arange(first + rows.start, first + rows.stop)
    sequence, time = batch.sequence[rows], batch.time[rows]
    cause = None if batch.cause_number is None else batch.cause_number[rows]
    symbol = None if batch.symbol_index is None else batch.symbol_index[rows]
    literals = [orjson.dumps(name) for name in batch.symbols]

    shape = digits(numbers)
    shape = shape * 32 + digits(sequence)
    shape = shape * 2 + fractional(time)
    if cause is not None:
        shape = shape * 32 + digits(cause)
    if symbol is not None:
        shape = shape * (1 << 20) + np.array([len(literal) for literal in literals])[symbol]

    container = orjson.dumps(batch.container_id)
    for chosen in alike(shape):
        own_symbols = None if symbol is None else symbol[chosen]
        heads = Heads(len(sequence[chosen]))
        heads.constant(b'{"event_id":' + container[:-1] + b"#")
        heads.column(equally_long(numbers[chosen]))
        heads.constant(b'","sequence":')
        heads.column(equally_long(sequence[chosen]))
        heads.constant(b',"event_type":' + orjson.dumps(batch.event_type) + b',"timestamp":')
        heads.column(moments(time[chosen]))
        heads.constant(b',"container_id":' + container + b',"correlation_id":null,"causation_id":')
        if cause is None:
            heads.constant(b"null")
        else:
            heads.constant(orjson.dumps(batch.cause_container)[:-1] + b"#")
            heads.column(equally_long(cause[chosen]))
            heads.constant(b'"')
        heads.constant(b',"symbol":')
        if own_symbols is None:
            heads.constant(literals[0])
        else:
            width = len(literals[own_symbols[0]])
            heads.column(np.array(literals, dtype=f"V{width}")[own_symbols])
        heads.constant(b',"payload":{' + b"".join(orjson.dumps(name) + b":" for name in list(batch.columns)[:1]))
        yield chosen, heads
