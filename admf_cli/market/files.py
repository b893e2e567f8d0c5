"""Bytes of data files, plain or compressed. Refuses to know what is in them."""

from __future__ import annotations

import difflib
import io
import os
import stat
import zlib
from pathlib import Path
from typing import IO

from admf_cli.errors import MarketDataError, StorageError
from admf_cli.market.zstd_frames import most_unpacked

LONGEST_LINE = 4 << 20
_MAX_BYTES = 8 << 30
_CHUNK = 16 << 20
_HARMLESS_BYTES = 64 << 20
_MAX_RATIO = 200  # rows that repeat each other but for their times pack to a fiftieth
_LONGEST_PATH = 1000
_AT_ONCE: int = getattr(os, "O_NONBLOCK", 0)
_FORMATS = {
    b"\x1f\x8b": "a gzip file; let its name end in .gz",
    b"\x28\xb5\x2f\xfd": "a Zstandard file; let its name end in .zst",
    b"PAR1": "a Parquet file; set data.source: parquet",
    b"PK\x03\x04": "a zip file or a spreadsheet; unpack it, or save the sheet as CSV",
    b"BZh": "a bzip2 file; unpack it, or pack it with gzip",
    b"\xfd7zXZ\0": "an xz file; unpack it, or pack it with gzip",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"SQLite format 3\0": "a SQLite database; export the table as CSV",
    b"\x89HDF": "an HDF5 file; save it as CSV or Parquet",
    b"ARROW1": "an Arrow file; save it as Parquet",
}


def find(path: str, directory: Path | None) -> Path:
    """Return the regular file that a configuration names: from the working directory, else from the config's own.

    Raises:
        MarketDataError: there is none, or it is no regular file (a pipe or device would block).
    """
    if "\0" in path:
        raise MarketDataError(f"data.path: {path!r} contains a NUL character")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise MarketDataError(f"data.path: a path has at most {_LONGEST_PATH} bytes (got {path[:60]}…)")
    tried = [Path(path)] if directory is None or Path(path).is_absolute() else [Path(path), directory / path]
    for candidate in tried:
        try:
            mode = candidate.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise MarketDataError(f"data.path: {candidate}: {error.strerror}") from error
        if stat.S_ISREG(mode):
            return candidate
        kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
        raise MarketDataError(f"data.path: {candidate} is {kind}; name a CSV or Parquet file")
    places = " or ".join(dict.fromkeys(str(candidate.absolute()) for candidate in tried))
    raise MarketDataError(f"data.path: no such file: {path} (looked for {places}){_near(tried)}")


def packing(path: Path) -> str:
    """Return how a file's name says that it is packed: ".gz", ".zst" or, if it is not, an empty text."""
    kind = path.suffix.lower()
    return kind if kind in (".gz", ".zst") else ""


def read(path: Path) -> bytes:
    """Return a file's bytes as they lie on the disk.

    What is neither packed nor text is refused at its first block.

    Raises:
        MarketDataError: it is no text file, or larger than any that is read whole.
        StorageError: the system does not let it be read.
    """
    try:
        with open_unblocking(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > _MAX_BYTES:
                raise MarketDataError(
                    f"{path}: {size:,} bytes, more than {_MAX_BYTES >> 30} GiB; use Parquet for so many bars"
                )
            if not packing(path):
                _check_block(path, file.read(LONGEST_LINE + 1) or b"", 0)
                file.seek(0)
            data = file.read()
            if data is None:
                raise StorageError(f"{path}: cannot read this file: it would wait for data; name a file that is whole")
            return data
    except OSError as error:
        raise StorageError(f"{path}: cannot read this file: {error.strerror or error}") from error


def unpacked(path: Path, data: bytes) -> bytes:
    """Return the text of a file whose bytes these are.

    Raises:
        MarketDataError: it is damaged, no text, or larger than any that is read whole.
    """
    kind = packing(path)
    if kind == ".gz":
        return _unpack_gz(path, data)
    return _unpack_zst(path, data) if kind == ".zst" else data


def open_unblocking(path: Path) -> IO[bytes]:
    """Open a file to read, unbuffered; some that call themselves regular, such as /proc/kmsg, would wait for ever."""
    return open(path, "rb", buffering=0, opener=lambda name, flags: os.open(name, flags | _AT_ONCE))


def _unpack_gz(path: Path, data: bytes) -> bytes:
    """Return all of a gzip file's text, refusing what unpacks without end before it fills the memory."""
    import gzip  # few files need it

    chunks: list[bytes] = []
    size = rows = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                _check_block(path, chunk, rows)
                rows += chunk.count(b"\n")
                _check_size(path, size, len(data))
                chunks.append(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, error) from error
    return b"".join(chunks)


def _check_size(path: Path, size: int, packed: int) -> None:
    """Refuse what unpacks to more than is read whole, or to so much more than it is as no table of bars does."""
    if size > _MAX_BYTES:
        raise MarketDataError(f"{path}: more than {_MAX_BYTES >> 30} GiB unpacked; use Parquet for so many bars")
    if size > max(_HARMLESS_BYTES, _MAX_RATIO * packed):
        raise MarketDataError(
            f"{path}: {packed:,} bytes would unpack to more than {_MAX_RATIO} times as many, as no table of bars "
            "does; unpack it, and look at it"
        )


def _check_block(path: Path, block: bytes, rows: int) -> None:
    """Refuse a block of a file, `rows` line ends into it, if it cannot be part of a table."""
    name = next((name for magic, name in _FORMATS.items() if block.startswith(magic)), None) if rows == 0 else None
    if name is not None and packing(path):
        raise MarketDataError(f"{path}: what is packed in it is itself {name.partition(';')[0]}; unpack it once")
    if name is not None:
        raise MarketDataError(f"{path}: this is {name}")
    if block.startswith((b"\xff\xfe", b"\xfe\xff")) and rows == 0:
        raise MarketDataError(f"{path}: the file is UTF-16 or UTF-32; save it as UTF-8")
    place = block.find(b"\0")
    if place >= 0:
        row = rows + block.count(b"\n", 0, place) + 1
        raise MarketDataError(f"{path}: row {row}: a NUL byte; this is no text file, or it is damaged")
    if len(block) > LONGEST_LINE and block.find(b"\n") < 0 and block.find(b"\r") < 0:
        raise MarketDataError(
            f"{path}: row {rows + 1} is longer than {LONGEST_LINE >> 20} MiB; this is no table of bars"
        )


def _unpack_zst(path: Path, data: bytes) -> bytes:
    import polars

    try:
        _check_size(path, most_unpacked(data), len(data))
        # Polars reads zst by itself; as one column of whole lines, so that nothing is interpreted.
        lines = polars.read_csv(
            io.BytesIO(data), has_header=False, separator="\x1f", quote_char=None, infer_schema=False, encoding="utf8"
        )
    except polars.exceptions.NoDataError:
        return b""
    except (polars.exceptions.PolarsError, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if lines.width != 1:
        raise MarketDataError(f"{path}: row 1: control characters (unit separators); this is no table of bars")
    text = "\n".join(line or "" for line in lines.to_series(0).to_list()).encode() + b"\n"
    _check_block(path, text[: LONGEST_LINE + 1], 0)
    return text


def _damaged(path: Path, error: Exception) -> MarketDataError:
    reason = " ".join(str(error).split())[:200]
    return MarketDataError(f"{path}: the compressed file is damaged or cut off ({reason}); get it again")


def _near(tried: list[Path]) -> str:
    names: list[str] = []
    for candidate in tried:
        try:
            names.extend(entry.name for entry in os.scandir(candidate.parent) if entry.is_file())
        except OSError:
            continue
    near = difflib.get_close_matches(tried[0].name, names, n=1)
    return f"; did you mean {tried[0].with_name(near[0])}?" if near else ""
