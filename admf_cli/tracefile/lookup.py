"""Finding one line among millions by bisection over byte offsets, without parsing the file.

A trace file's lines stand in increasing order of event number, sequence and time, so a handful of small reads finds
any of them. Positioned reads rather than a memory map: a file that is cut short by another process while mapped would
kill this one. Refuses to know what events mean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import orjson
from msgspec import Struct

from admf_cli.errors import StorageError
from admf_cli.tracefile.discovery import display
from admf_cli.tracefile.reader import MAX_LINE_BYTES, open_regular

Key = TypeVar("Key", int, str)

_HEAD = re.compile(
    rb'\{"event_id":"[^"\\]*#(\d{1,18})","sequence":(\d{1,18}),"event_type":"([A-Z_]+)","timestamp":"([^"\\]{10,40})Z"'
)
_PROBE_BYTES = 4096
_WINDOW_BYTES = 16_384  # below this the rest is walked line by line
_SEARCH_BYTES = 1 << 20


class Head(Struct, frozen=True):
    """What a line begins with: enough to order it.

    Attributes:
        number: the container's counter.
        time: the timestamp's text without its Z, which orders as text.
    """

    number: int
    sequence: int
    event_type: str
    time: str


class Line(Struct, frozen=True):
    """A whole line and where it begins."""

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """Offset of the next line."""
        return self.offset + len(self.data) + 1

    def head(self) -> Head | None:
        """Return its head, or None if it isn't an event."""
        return read_head(self.data)

    def event(self) -> dict[str, Any] | None:
        """Return it parsed, or None if it isn't a JSON object."""
        try:
            value = orjson.loads(self.data)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


def read_head(line: bytes) -> Head | None:
    """Return a line's head: from its first bytes if it is written in the usual form, else by parsing it."""
    match = _HEAD.match(line)
    if match:
        number, sequence, event_type, time = match.groups()
        return Head(int(number), int(sequence), event_type.decode("ascii"), time.decode("utf-8", "replace"))
    try:
        event = orjson.loads(line)
        number_text = event["event_id"].rpartition("#")[2]
        sequence_value, type_value, timestamp = event["sequence"], event["event_type"], event["timestamp"]
        if isinstance(sequence_value, int) and isinstance(type_value, str) and len(number_text) <= 18:
            return Head(int(number_text), sequence_value, type_value, timestamp.removesuffix("Z"))
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    return None


class TraceLookup:
    """One file of lines, looked into at chosen places. Use it in a `with` block.

    Attributes:
        size: bytes up to and including the last newline that existed when it was opened; a torn line is not seen.

    Raises:
        StorageError: from every method, when the file can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = open_regular(path)
        self.size = os.fstat(self._descriptor).st_size
        self.size = self._last_newline() + 1

    def __enter__(self) -> TraceLookup:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back; harmless when done twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def by_number(self, number: int) -> Line | None:
        """Return the line of the event with that number, or None."""
        line = self.first_at(lambda head: head.number, number)
        head = line.head() if line else None
        return line if head and head.number == number else None

    def first_at(self, key: Callable[[Head], Key], target: Key) -> Line | None:
        """Return the first line whose key is at least `target`, or None if all are smaller.

        Args:
            key: something that does not fall from line to line: the number, the sequence or the time.
        """
        low, high = 0, self.size
        while high - low > _WINDOW_BYTES:
            middle = (low + high) // 2
            probe = self._first_event_after(middle, high)
            if probe is None:
                high = middle
                continue
            line, head = probe
            if key(head) < target:
                low = line.end
            else:
                high = middle  # the lines between, if any, are no events
        for line in self.lines_from(low):
            found = line.head()
            if found is not None and not key(found) < target:
                return line
        return None

    def line_at(self, offset: int) -> Line | None:
        """Return the line that begins at `offset`, or None at the end or if it is too long to be held."""
        data, size = b"", _PROBE_BYTES
        while offset + len(data) < self.size:
            chunk = self._read(size, offset + len(data))
            if not chunk:
                return None
            end = chunk.find(b"\n")
            if end >= 0:
                return Line(offset, data + chunk[:end])
            data += chunk
            if len(data) > MAX_LINE_BYTES:
                return None
            size = min(size * 2, _SEARCH_BYTES)
        return None

    def lines_from(self, offset: int) -> Iterator[Line]:
        """Yield the lines from the one that begins at `offset` to the end."""
        size = _PROBE_BYTES
        data, start = b"", offset  # data: what was read from `start` on and not handed over yet
        while start < self.size:
            chunk = self._read(min(size, self.size - start - len(data)), start + len(data))
            data += chunk
            cut = data.rfind(b"\n") + 1
            if cut:
                for part in data[: cut - 1].split(b"\n"):
                    yield Line(start, part)
                    start += len(part) + 1
                data = data[cut:]
            elif not chunk:
                return
            elif len(data) > MAX_LINE_BYTES:
                following = self._find(b"\n", start + len(data))
                if following is None:
                    return
                data, start = b"", following + 1
            size = min(size * 2, _SEARCH_BYTES)

    def lines_before(self, offset: int) -> Iterator[Line]:
        """Yield the lines before the one that begins at `offset`, the last one first, without overlong ones."""
        rest, start, size, skipping = b"", min(offset, self.size), _PROBE_BYTES, False
        while start > 0:
            begin = max(0, start - size)
            chunk = self._read(start - begin, begin)
            if len(chunk) < start - begin:
                return  # the file was cut short meanwhile
            start = begin
            if skipping:
                chunk = chunk[: chunk.rfind(b"\n") + 1]
                if not chunk:
                    continue
                skipping = False
            data = chunk + rest  # ends with a newline
            cut = 0 if start == 0 else data.find(b"\n") + 1
            place = start + len(data)
            for part in reversed(data[cut:-1].split(b"\n") if cut < len(data) else ()):
                place -= len(part) + 1
                yield Line(place, part)
            rest = data[:cut]
            if len(rest) > MAX_LINE_BYTES:
                rest, skipping = b"", True
            size = min(size * 2, _SEARCH_BYTES)

    def containing(self, text: bytes, offset: int = 0, stop: int | None = None) -> Iterator[Line]:
        """Yield the lines from `offset` on that contain `text` before `stop`, found without splitting the others."""
        place = self._find(text, offset, stop)
        while place is not None:
            line = self.line_at(self._line_start(place))
            if line is not None:
                yield line
                place = self._find(text, line.end, stop)
            else:
                newline = self._find(b"\n", place)
                place = None if newline is None else self._find(text, newline, stop)

    def same_as(self, other: TraceLookup, offset: int, other_offset: int) -> int:
        """Return how many bytes from `offset` on are those of another file from `other_offset` on, in whole lines."""
        same, complete = 0, 0
        while True:
            chunk = self._read(min(_SEARCH_BYTES, self.size - offset - same), offset + same)
            its = other._read(min(_SEARCH_BYTES, other.size - other_offset - same), other_offset + same)
            equal = min(len(chunk), len(its))
            if not equal:
                return complete
            if chunk[:equal] != its[:equal]:
                equal = next(place for place in range(equal) if chunk[place] != its[place])
            newline = chunk.rfind(b"\n", 0, equal)
            if newline >= 0:
                complete = same + newline + 1
            same += equal
            if equal < len(chunk) or equal < len(its):
                return complete

    def _first_event_after(self, middle: int, high: int) -> tuple[Line, Head] | None:
        newline = self._find(b"\n", middle, high)
        if newline is None:
            return None
        for line in self.lines_from(newline + 1):
            if line.offset >= high:
                return None
            head = line.head()
            if head is not None:
                return line, head
        return None

    def _line_start(self, place: int) -> int:
        begin = place
        while begin > 0:
            start = max(0, begin - _PROBE_BYTES)
            found = self._read(begin - start, start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            begin = start
        return 0

    def _find(self, text: bytes, offset: int, stop: int | None = None) -> int | None:
        stop = self.size if stop is None else stop
        overlap, size = len(text) - 1, _PROBE_BYTES
        while offset < stop:
            chunk = self._read(min(size, stop - offset), offset)
            found = chunk.find(text)
            if found >= 0:
                return offset + found
            if len(chunk) <= overlap:
                return None
            offset += len(chunk) - overlap
            size = min(size * 2, _SEARCH_BYTES)
        return None

    def _last_newline(self) -> int:
        end, size = self.size, _PROBE_BYTES
        while end > 0:
            start = max(0, end - size)
            found = self._read(end - start, start).rfind(b"\n")
            if found >= 0:
                return start + found
            end, size = start, min(size * 2, _SEARCH_BYTES)
        return -1

    def _read(self, size: int, offset: int) -> bytes:
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise StorageError(f"{display(self.path)}: cannot be read: {error.strerror or error}") from error
