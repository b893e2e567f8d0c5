"""Lines that differ in digits only, read as columns: what BARs and FEATUREs by the hundred thousand are.

A block whose heads (everything before `"symbol"`) are of one length is laid out as a matrix of bytes: what is the same
in each line is compared at once, numbers and times are computed from their digits, and only the rest of each line goes
through the JSON parser. Whatever doesn't fit is left to the reader of single events, which knows what is wrong with it.
Refuses to know what BARs and FEATUREs mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    IntArray: TypeAlias = NDArray[np.int64]

FEWEST_LINES = 128  # below this nothing is gained
_HEAD = re.compile(
    rb'\{"event_id":"([^"\\#]+)#([1-9]\d{0,17})","sequence":(\d{1,18}),"event_type":"([A-Z_]+)",'
    rb'"timestamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?)Z","container_id":"([^"\\]+)",'
    rb'"correlation_id":null,"causation_id":(?:null|"([^"\\#]+)#([1-9]\d{0,17})"),'
    rb'"symbol":(null|"[^"\\]*"),"payload":'
)
_TAIL_KEYS = ("symbol", "payload")
_DATE = len("2008-03-03")
_SECOND = 1_000_000  # microseconds
_DAY = 86_400 * _SECOND
_BRACE = ord("}")


class DenseBlock(Struct, frozen=True):
    """Consecutive events of one type, outside any trade flow, numbered without a gap.

    Attributes:
        lines, numbers: of each, ascending by one.
        sequences, times: shape (n,); times in microseconds since 1970 UTC.
        timestamps: of the first and of the last.
        cause_container: whose events they answer, None if they answer none.
        causes: the numbers of what they answer, shape (n,), or a range where they ascend by one.
    """

    container_id: str
    event_type: str
    lines: range
    numbers: range
    sequences: IntArray
    times: IntArray
    timestamps: tuple[str, str]
    cause_container: str | None
    causes: IntArray | range | None
    symbols: Sequence[str | None]
    payloads: Sequence[dict[str, Any]]

    def links(self) -> Iterator[tuple[int, str, str | None]]:
        """Yield each event's line, id and cause."""
        causes = self.causes if self.causes is not None else [None] * len(self.numbers)
        for line, number, cause in zip(self.lines, self.numbers, causes, strict=True):
            yield line, f"{self.container_id}#{number}", None if cause is None else f"{self.cause_container}#{cause}"


def read_dense(lines: list[bytes], first_line: int, container_id: str) -> DenseBlock | None:
    """Return the lines as one block, or None if they have to be looked at one by one."""
    head = _HEAD.match(lines[0])
    if head is None or head[1] != container_id.encode() or head[6] != head[1]:
        return None
    spans = [head.span(group) for group in (2, 3, 5, 8) if head[group] is not None]
    length, tails = head.end(), None  # up to the payload where all events are of one symbol, else up to the symbol
    matrix = _matrix(lines, length, spans)
    if matrix is None:
        length = head.start(9) - len('"symbol":')
        matrix = _matrix(lines, length, spans)
    if matrix is None:
        return None
    columns = [digits_of(matrix, *head.span(group)) for group in (2, 3, 8) if head[group] is not None]
    times = times_of(matrix[:, head.start(5) : head.end(5)])
    numbers = _as_range(columns[0])
    if times is None or numbers is None or any(column is None for column in columns):
        return None
    tails = _payloads(lines, length, head[9]) if length == head.end() else _symbols_and_payloads(lines, length)
    if tails is None:
        return None
    stamp = slice(head.start(5), head.end(5))
    ends = tuple(line[stamp].decode("ascii") + "Z" for line in (lines[0], lines[-1]))
    causes = columns[2] if len(columns) > 2 else None
    return DenseBlock(
        container_id=container_id,
        event_type=head[4].decode("ascii"),
        lines=range(first_line, first_line + len(lines)),
        numbers=numbers,
        sequences=columns[1],  # type: ignore[arg-type]
        times=times,
        timestamps=(ends[0], ends[1]),
        cause_container=head[7].decode("utf-8", "replace") if head[7] is not None else None,
        causes=causes if causes is None else _as_range(causes) or causes,
        symbols=tails[0],
        payloads=tails[1],
    )


def digits_of(matrix: NDArray[np.uint8], start: int, stop: int) -> IntArray | None:
    """Return columns `[start, stop)` of a matrix of text as whole numbers; None if one isn't, or has a zero ahead."""
    import numpy as np

    digits = matrix[:, start:stop] - np.uint8(48)
    if digits.max() > 9 or (stop - start > 1 and not digits[:, 0].all()):
        return None
    return _valued(digits)


def times_of(text: NDArray[np.uint8]) -> IntArray | None:
    """Return timestamps, shape (n, 19) or (n, 26) bytes, as microseconds since 1970 UTC; None if one isn't a time."""
    import numpy as np

    dates, clocks = text[:, :_DATE], text[:, _DATE:]
    changes = np.flatnonzero((dates[1:] != dates[:-1]).any(axis=1)) + 1
    if len(changes) * 4 < len(text):  # many bars a day: each day is worked out once
        edges = np.concatenate([[0], changes, [len(text)]])
        days = _days_of(dates[edges[:-1]])
        days = None if days is None else np.repeat(days, np.diff(edges))
    else:
        days = _days_of(dates)
    clock = _clock_of(clocks[:1] if (clocks == clocks[0]).all() else clocks)
    return None if days is None or clock is None else days * _DAY + clock


def _days_of(text: NDArray[np.uint8]) -> IntArray | None:
    """Return dates, shape (n, 10) bytes, as days since 1970; None if one is none."""
    import numpy as np

    year, month, day = (_digits(text[:, start:stop]) for start, stop in ((0, 4), (5, 7), (8, 10)))
    if year is None or month is None or day is None or not (text[:, [4, 7]] == ord("-")).all():
        return None
    if not ((month >= 1) & (month <= 12) & (day >= 1) & (year >= 1)).all():
        return None
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    if (day > lengths[month] + (leap & (month == 2))).any():
        return None
    return _days(year, month, day)


def _clock_of(text: NDArray[np.uint8]) -> IntArray | None:
    """Return `Thh:mm:ss`, with or without a fraction, shape (n, 9) or (n, 16) bytes, as microseconds of the day."""
    spans = ((1, 3, 24), (4, 6, 60), (7, 9, 60)) + (((10, 16, _SECOND),) if text.shape[1] > 9 else ())
    marks = ((0, "T"), (3, ":"), (6, ":")) + (((9, "."),) if text.shape[1] > 9 else ())
    if not all((text[:, place] == ord(mark)).all() for place, mark in marks):
        return None
    clock: IntArray | None = None
    for start, stop, limit in spans:
        part = _digits(text[:, start:stop])
        if part is None or part.max() >= limit:
            return None
        clock = part if clock is None else clock * limit + part
    assert clock is not None
    return clock if text.shape[1] > 9 else clock * _SECOND


def _digits(text: NDArray[np.uint8]) -> IntArray | None:
    import numpy as np

    digits = text - np.uint8(48)
    return None if digits.max() > 9 else _valued(digits)


def _days(year: IntArray, month: IntArray, day: IntArray) -> IntArray:
    """Return days since 1970-01-01, counted in years that begin in March so that leap days come last.

    Source: Hinnant, chrono-Compatible Low-Level Date Algorithms.
    """
    shifted = year - (month <= 2)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719_468


def _valued(digits: NDArray[np.uint8]) -> IntArray:
    import numpy as np

    value = digits[:, 0].astype(np.int64)
    for place in range(1, digits.shape[1]):
        value *= 10
        value += digits[:, place]
    return value


def _matrix(lines: list[bytes], length: int, spans: Sequence[tuple[int, int]]) -> NDArray[np.uint8] | None:
    """Return the first `length` bytes of each line, shape (n, length), if they are the same but for these spans."""
    import numpy as np

    heads = b"".join([line[:length] for line in lines])
    if len(heads) != length * len(lines):
        return None
    matrix = np.frombuffer(heads, dtype=np.uint8).reshape(len(lines), length)
    starts = [0, *(stop for _, stop in spans)]
    stops = [*(start for start, _ in spans), length]
    same = all(
        bool((matrix[:, start:stop] == matrix[0, start:stop]).all())
        for start, stop in zip(starts, stops, strict=True)
        if start < stop
    )
    return matrix if same else None


def _as_range(numbers: IntArray | None) -> range | None:
    if numbers is None:
        return None
    first, last = int(numbers[0]), int(numbers[-1])
    ascending = last - first == len(numbers) - 1 and bool((numbers[1:] - numbers[:-1] == 1).all())
    return range(first, last + 1) if ascending else None


def _payloads(
    lines: list[bytes], length: int, symbol: bytes
) -> tuple[Sequence[str | None], Sequence[dict[str, Any]]] | None:
    """Return what follows the heads, parsed in one go; None unless each is one flat object and the line's end."""
    text = b",".join([line[length:-1] for line in lines])
    count = len(lines)
    # As many opening braces as lines and as objects: so each line holds one object, and none reaches into the next.
    if text.count(b"{") != count or {line[-1] for line in lines} != {_BRACE}:
        return None
    try:
        payloads = orjson.loads(b"[" + text + b"]")
        name = orjson.loads(symbol)
    except ValueError:
        return None
    if len(payloads) != count or set(map(type, payloads)) != {dict}:
        return None
    return [name] * count, payloads


def _symbols_and_payloads(
    lines: list[bytes], length: int
) -> tuple[Sequence[str | None], Sequence[dict[str, Any]]] | None:
    try:
        tails = [*map(orjson.loads, [b"{" + line[length:] for line in lines])]
    except ValueError:
        return None
    if set(map(tuple, tails)) != {_TAIL_KEYS}:
        return None
    symbols, payloads = zip(*map(dict.values, tails), strict=True)
    if not set(map(type, symbols)) <= {str, type(None)} or set(map(type, payloads)) != {dict}:
        return None
    return symbols, payloads
