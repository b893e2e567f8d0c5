"""Bytes of data files, plain or compressed. Refuses to know what is in them."""

from __future__ import annotations

import difflib
import gzip
import os
import stat
import zlib
from pathlib import Path

from admf_cli.errors import MarketDataError, StorageError

_MAX_UNPACKED = 8 << 30
_CHUNK = 16 << 20


def find(path: str, directory: Path | None) -> Path:
    """Return the regular file that a configuration names: from the working directory, else from the config's own.

    Raises:
        MarketDataError: there is none, or it is no regular file (a pipe or device would block).
    """
    if "\0" in path:
        raise MarketDataError(f"data.path: {path!r} contains a NUL character")
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


def read(path: Path) -> bytes:
    """Return a file's bytes, unpacked if its name ends in .gz or .zst."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                return _unpacked(path, file)
        data = path.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise MarketDataError(f"{path}: the compressed file is damaged or cut off ({error}); get it again") from error
    except OSError as error:
        raise StorageError(f"{path}: cannot read this file: {error.strerror or error}") from error
    return _unpack_zst(path, data) if path.suffix == ".zst" else data


def _unpacked(path: Path, file: gzip.GzipFile) -> bytes:
    """Return all of a gzip file's text, refusing what unpacks without end before it fills the memory."""
    chunks: list[bytes] = []
    size = 0
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        if b"\0" in chunk:
            raise MarketDataError(f"{path}: a NUL byte in the unpacked file; this is no text file, or it is damaged")
        if size > _MAX_UNPACKED:
            raise MarketDataError(f"{path}: more than {_MAX_UNPACKED >> 30} GiB unpacked; use Parquet for so many bars")
        chunks.append(chunk)
    return b"".join(chunks)


def _unpack_zst(path: Path, data: bytes) -> bytes:
    import io

    import polars

    try:
        # Polars reads zst by itself; as one column of whole lines, so that nothing is interpreted.
        lines = polars.read_csv(
            io.BytesIO(data), has_header=False, separator="\x1f", quote_char=None, infer_schema=False, encoding="utf8"
        )
    except (polars.exceptions.PolarsError, OSError) as error:
        raise MarketDataError(f"{path}: the compressed file is damaged or cut off ({error}); get it again") from error
    return "\n".join(line or "" for line in lines.to_series(0).to_list()).encode() + b"\n"


def _near(tried: list[Path]) -> str:
    names: list[str] = []
    for candidate in tried:
        try:
            names.extend(entry.name for entry in os.scandir(candidate.parent) if entry.is_file())
        except OSError:
            continue
    near = difflib.get_close_matches(tried[0].name, names, n=1)
    return f"; did you mean {tried[0].with_name(near[0])}?" if near else ""
