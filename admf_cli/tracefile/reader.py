"""Lines out of a trace file in bounded memory, however it was damaged. Refuses to know what the lines mean.

A line longer than `MAX_LINE_BYTES` is stepped over and reported, never held; what follows the last newline is a torn
line and is reported, not returned. Files are opened without following links and only if they are regular.
"""

from __future__ import annotations

import contextlib
import gc
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct

from admf_cli.errors import StorageError
from admf_cli.tracefile.discovery import display

MAX_LINE_BYTES = 4 << 20  # a hostile line of this size parses into some 100 MB of objects, a bigger one is not parsed
_BLOCK_BYTES = 1 << 19  # a thousand lines or two: enough to work in columns, few enough to stay in the cache


class LineBlock(Struct, frozen=True):
    """Consecutive whole lines.

    Attributes:
        first_line: number of the first one in the file, from 1.
        offset: of its first byte.
        lines: without their newlines.
    """

    first_line: int
    offset: int
    lines: list[bytes]


class LineFault(Struct, frozen=True):
    """A line that could not be handed over.

    Attributes:
        kind: "torn" or "too-long".
        line: its number, from 1.
        length: in bytes.
    """

    kind: str
    line: int
    offset: int
    length: int


def open_regular(path: Path) -> int:
    """Return a descriptor of a regular file, opened for reading; the caller closes it.

    Raises:
        StorageError: it is missing, a link, a device or a pipe, or may not be read.
    """
    # Without O_NONBLOCK, opening a pipe that was put in a file's place would wait for ever.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise StorageError(f"{display(path)}: cannot be read: {error.strerror or error}") from error
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        regular = False
    if not regular:
        os.close(descriptor)
        raise StorageError(f"{display(path)}: not a regular file, so it is not read")
    return descriptor


def read_whole(path: Path, limit: int) -> bytes:
    """Return a small file's bytes.

    Raises:
        StorageError: it cannot be read, or holds more than `limit` bytes.
    """
    descriptor = open_regular(path)
    try:
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise StorageError(f"{display(path)}: cannot be read: {error.strerror or error}") from error
    if len(data) > limit:
        raise StorageError(f"{display(path)}: more than {limit:,} bytes, which no such file needs")
    return data


def read_blocks(
    path: Path,
    *,
    on_fault: Callable[[LineFault], None],
    on_bytes: Callable[[bytes], Any] | None = None,
    offset: int = 0,
) -> Iterator[LineBlock]:
    """Yield the whole lines of a file, a thousand or two at a time.

    Args:
        on_fault: told of a torn last line and of lines that are too long.
        on_bytes: given every byte of the file in order, such as a digest's `update`.
        offset: start of the line to begin at; line numbers count from there.

    Raises:
        StorageError: the file cannot be opened or read.
    """
    descriptor = open_regular(path)
    try:
        if offset:
            os.lseek(descriptor, offset, os.SEEK_SET)
        yield from _blocks(descriptor, offset, on_fault, on_bytes)
    except OSError as error:
        raise StorageError(f"{display(path)}: cannot be read: {error.strerror or error}") from error
    finally:
        os.close(descriptor)


def _blocks(
    descriptor: int, offset: int, on_fault: Callable[[LineFault], None], on_bytes: Callable[[bytes], Any] | None
) -> Iterator[LineBlock]:
    rest, line, skipped = b"", 1, 0  # skipped: bytes of an overlong line stepped over so far
    while chunk := os.read(descriptor, _BLOCK_BYTES):
        if on_bytes is not None:
            on_bytes(chunk)
        if skipped:
            end = chunk.find(b"\n")
            if end < 0:
                skipped += len(chunk)
                continue
            on_fault(LineFault("too-long", line, offset, skipped + end))
            offset += skipped + end + 1
            line, skipped, chunk = line + 1, 0, chunk[end + 1 :]
        data = rest + chunk if rest else chunk
        cut = data.rfind(b"\n") + 1
        if cut:
            lines = data[: cut - 1].split(b"\n")
            yield LineBlock(line, offset, lines)
            line += len(lines)
            offset += cut
        rest = data[cut:]
        if len(rest) > MAX_LINE_BYTES:
            skipped, rest = len(rest), b""
    if skipped:
        on_fault(LineFault("too-long", line, offset, skipped))
    if skipped or rest:
        on_fault(LineFault("torn", line, offset, skipped or len(rest)))


@contextlib.contextmanager
def collection_paused() -> Iterator[None]:
    """Keep the collector of reference cycles from running: parsed JSON holds none, and looking costs half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def parse_lines(lines: list[bytes]) -> list[Any]:
    """Return each line's JSON value, or a `ValueError` in the place of each that is not JSON.

    Nesting beyond orjson's limit of 1,024 levels and numbers beyond a float's range count as not JSON.
    """
    try:
        return [*map(orjson.loads, lines)]
    except ValueError:
        return [_parsed_or_error(line) for line in lines]


def _parsed_or_error(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError as error:
        return error
