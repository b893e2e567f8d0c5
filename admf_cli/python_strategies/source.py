"""Where a user's strategy stands: `file.py:ClassName`, read and parsed. Executes nothing of it."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from msgspec import Struct

from admf_cli.features.parameters import did_you_mean

_MOST_BYTES = 4 << 20


class SourceError(Exception):
    """The file or the class cannot be had; `str()` of it names both, the line if there is one, and the remedy."""


class Source(Struct, frozen=True):
    """One class in one file, as it was read.

    Attributes:
        written: the file as the configuration names it, for messages.
        file: the same, absolute.
        class_name: the class.
        line: 1-based line on which the class is defined; 1 where it is imported from elsewhere.
        text: the file's bytes.
    """

    written: str
    file: Path
    class_name: str
    line: int
    text: bytes

    @property
    def label(self) -> str:
        """What traces call it: the file's name without directories, and the class."""
        return f"{self.file.name}:{self.class_name}"

    @property
    def sha256(self) -> str:
        """Digest of the file, so that equal configurations with different code do not pass for equal."""
        return hashlib.sha256(self.text).hexdigest()


def read_source(path: str, directory: Path | None) -> Source:
    """Return the class that `path` (`file.py:ClassName`) names.

    Args:
        directory: where relative paths are looked for after the working directory: that of the configuration.

    Raises:
        SourceError: there is no such file or class, or the file is no Python.
    """
    written, colon, class_name = path.rpartition(":")
    if not colon or not class_name.isidentifier() or not written:
        raise SourceError(f"must be a file and a class, such as my_strategies.py:Breakout (got {path})")
    file = _find(written, directory)
    try:
        text = file.read_bytes()
        if len(text) > _MOST_BYTES:
            raise SourceError(f"{written}: larger than {_MOST_BYTES >> 20} MiB; that is no strategy file")
        tree = ast.parse(text, filename=str(file))
    except OSError as error:
        raise SourceError(f"{written}: cannot read this file: {error.strerror or error}") from None
    except SyntaxError as error:
        raise SourceError(f"{_place(written, error)}: {_words(error)}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL byte, or nesting without end
        raise SourceError(f"{written}: no Python file: {error}") from None
    defined = _names(tree)
    if class_name not in defined:
        classes = [name for name, line in defined.items() if line]
        near = did_you_mean(class_name, classes or list(defined)).replace('"', "")
        known = f"; its classes: {', '.join(classes)}" if classes else ""
        raise SourceError(f"{written}: no class {class_name} in this file{near or known}")
    return Source(written, file, class_name, defined[class_name] or 1, text)


def _find(written: str, directory: Path | None) -> Path:
    if "\0" in written:
        raise SourceError("a path must not hold a NUL character")
    tried = (
        [Path(written)] if directory is None or Path(written).is_absolute() else [Path(written), directory / written]
    )
    for candidate in tried:
        try:
            if candidate.is_file():
                return candidate.absolute()
            if candidate.exists():
                raise SourceError(f"{written} is no file; name a Python file, such as my_strategies.py:Breakout")
        except OSError as error:
            raise SourceError(f"{written}: {error.strerror or error}") from None
    places = " or ".join(dict.fromkeys(str(candidate.absolute()) for candidate in tried))
    beside = sorted({entry.name for place in tried if place.parent.is_dir() for entry in place.parent.glob("*.py")})
    near = did_you_mean(Path(written).name, beside).replace('"', "")
    raise SourceError(f"no such file: {written} (looked for {places}){near}")


def _names(tree: ast.Module) -> dict[str, int]:
    """Return what the file defines at its top: name -> line of a class, 0 of anything else that could be one."""
    names: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update({(item.asname or item.name): 0 for item in node.names})
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.setdefault(node.id, 0)
    names.update({node.name: node.lineno for node in _top_level(tree.body) if isinstance(node, ast.ClassDef)})
    return names


def _top_level(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a module, those inside its `if` and `try` included."""
    found: list[ast.stmt] = []
    for node in body:
        found.append(node)
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, ast.If | ast.Try | ast.With):
                found += _top_level(getattr(node, part, []))
    return found


def _place(written: str, error: SyntaxError) -> str:
    return ":".join(str(part) for part in (written, error.lineno, error.offset) if part)


def _words(error: SyntaxError) -> str:
    line = (error.text or "").strip()
    return f"{type(error).__name__}: {error.msg}" + (f"\n    {line}" if line else "")
