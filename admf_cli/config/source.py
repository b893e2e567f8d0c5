"""Where a configuration comes from: a file, standard input or Python values. Refuses to know what it means.

A path is looked at before it is opened and only regular files are read, so no pipe or device can block or flood.
"""

from __future__ import annotations

import math
import numbers
import os
import stat
import sys
from collections.abc import Mapping
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import Struct

from admf_cli.config.node import ListNode, MappingNode, Node, Place, Step, dotted, printable
from admf_cli.config.scalars import LARGEST_INTEGER
from admf_cli.errors import ConfigError, Fault

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_VALUES = 50_000
STDIN = "<stdin>"
DICT = "<dict>"
_SUFFIXES = (".yaml", ".yml", ".json")
TRACER_REMEDY = (
    "pass plain values only: containers make their own tracers from execution.trace_settings "
    "(switched by execution.enable_event_tracing), never from objects"
)


class Text(Struct, frozen=True):
    """A configuration as text.

    Attributes:
        source: what faults name.
        stem: the default of the configuration's name.
        directory: where relative data paths are looked up after the working directory.
    """

    text: str
    source: str
    stem: str
    directory: Path


def read_text(source: str | Path) -> Text:
    """Return the text of a file, or of standard input for `-`.

    Raises:
        ConfigError: it is missing, not a regular file, too large, unreadable or not UTF-8.
    """
    if source == "-":
        raw = getattr(sys.stdin, "buffer", sys.stdin).read(MAX_BYTES + 1)
        if isinstance(raw, str):
            raw = raw.encode("utf-8", "surrogatepass")
        if len(raw) > MAX_BYTES:
            raise ConfigError([_too_large(STDIN, None)])
        return Text(_decode(raw, STDIN), STDIN, "stdin", Path.cwd())
    path = Path(source)
    name = printable_path(path)
    raw = _read_file(path, name)
    return Text(_decode(raw, name), name, path.stem, path.resolve().parent)


def printable_path(path: Path) -> str:
    """Return a path for messages, whole but without control characters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(path))


def _read_file(path: Path, name: str) -> bytes:
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):
            raise ConfigError([_not_a_file(path, name, facts.st_mode)])
        if facts.st_size > MAX_BYTES:
            raise ConfigError([_too_large(name, facts.st_size)])
        # Between the look and the opening the name may have become a pipe: never block on it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as file:
            raw = file.read(MAX_BYTES + 1) or b""
    except FileNotFoundError:
        raise ConfigError([_missing(path, name)]) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        remedy = "check the path and its permissions"
        raise ConfigError([Fault(name, f"the configuration cannot be read: {reason}", remedy=remedy)]) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError([_too_large(name, None)])
    return raw


def _missing(path: Path, name: str) -> Fault:
    try:
        entries = sorted(entry for entry in os.listdir(path.parent) if entry.lower().endswith(_SUFFIXES))
    except OSError:
        there = next((parent for parent in path.parents if parent.is_dir()), Path())
        return Fault(name, "no such file", remedy=f"its directory does not exist; {printable_path(there)} does")
    close = get_close_matches(path.name, entries, n=3, cutoff=0.6)
    close = close or [entry for entry in entries if Path(entry).stem == path.stem] or entries[:3]
    if not close:
        return Fault(name, "no such file", remedy="there is no YAML file in that directory")
    return Fault(name, "no such file", remedy="did you mean " + " or ".join(map(str, _beside(path, close))) + "?")


def _beside(path: Path, names: list[str]) -> list[str]:
    return [printable_path(path.parent / name) for name in names]


def _not_a_file(path: Path, name: str, mode: int) -> Fault:
    if stat.S_ISDIR(mode):
        try:
            inside = sorted(entry for entry in os.listdir(path) if entry.lower().endswith(_SUFFIXES))[:3]
        except OSError:
            inside = []
        files = [printable_path(path / entry) for entry in inside]
        remedy = "name a file in it" + (f", such as {', '.join(files)}" if files else "")
        return Fault(name, "a configuration is a file, not a directory", remedy=remedy)
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"))
    kind = next((word for test, word in kinds if test(mode)), "a socket")
    return Fault(name, f"a configuration is a regular file, not {kind}", remedy="use - to read standard input")


def _too_large(name: str, size: int | None) -> Fault:
    return Fault(
        name,
        f"a configuration has at most {MAX_BYTES:,} bytes",
        value=None if size is None else f"{size:,} bytes",
        remedy="is this a data file? data belongs under data.path",
    )


def _decode(raw: bytes, name: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        kind = "UTF-32" if raw.startswith(b"\xff\xfe\0\0") else "UTF-16"
        raise ConfigError(
            [Fault(name, "a configuration is UTF-8 text", line=1, column=1, value=kind, remedy="save it as UTF-8")]
        )
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        byte = raw[error.start : error.start + 1]
        guess = printable(byte.decode("cp1252", "replace"))
        fault = Fault(
            name,
            "a configuration is UTF-8 text",
            line=line,
            column=column,
            value=f"byte 0x{byte.hex().upper()}",
            remedy=f"save the file as UTF-8 (as Windows-1252 this would be {guess!r})",
        )
        raise ConfigError([fault]) from None


def node_from_python(value: Any) -> Node:
    """Return nodes of a Python mapping, without lines.

    Dates become ISO text, tuples lists, paths text and NumPy's numbers Python's.

    Raises:
        ConfigError: with every value that is not plain data.
    """
    faults: list[Fault] = []
    budget = [MAX_VALUES]
    node = _node(value, (), faults, budget, frozenset())
    if faults:
        raise ConfigError(faults)
    return node


def _node(value: Any, path: tuple[Step, ...], faults: list[Fault], budget: list[int], around: frozenset[int]) -> Node:
    place = Place(DICT)
    budget[0] -= 1
    if budget[0] < 0:
        raise ConfigError([Fault(DICT, f"a configuration has at most {MAX_VALUES} values", dotted(path))])
    if isinstance(value, Mapping | list | tuple) and (len(path) >= MAX_DEPTH or id(value) in around):
        rule = "a value must not contain itself" if id(value) in around else f"at most {MAX_DEPTH} levels are nested"
        faults.append(Fault(DICT, rule, dotted(path)))
        return Node(place)
    within = around | {id(value)}
    if isinstance(value, Mapping):
        mapping = MappingNode(place)
        for key, child in value.items():
            if not isinstance(key, str) or not _is_text(key):
                shown = printable(str(key)) if isinstance(key, int | float) or key is None else type(key).__name__
                faults.append(Fault(DICT, "a key must be text", dotted(path), value=shown, remedy="use a str"))
                continue
            mapping.items[str(key)] = _node(child, (*path, str(key)), faults, budget, within)
            mapping.keys[str(key)] = place
        return mapping
    if isinstance(value, list | tuple):
        return ListNode(
            place, items=[_node(child, (*path, index), faults, budget, within) for index, child in enumerate(value)]
        )
    return _scalar(value, path, faults, place)


def _scalar(value: Any, path: tuple[Step, ...], faults: list[Fault], place: Place) -> Node:
    if value is None or isinstance(value, bool):
        return Node(place, value, {None: "null", True: "true", False: "false"}[value])
    if isinstance(value, str | Path):
        text = str(value)
        if not _is_text(text):
            faults.append(Fault(DICT, "text must be valid Unicode", dotted(path), value=printable(text)))
        return Node(place, text, f'"{text}"')
    if isinstance(value, date | datetime):
        return Node(place, value.isoformat(), value.isoformat())
    if isinstance(value, numbers.Integral):
        whole = int(value)
        if abs(whole) > LARGEST_INTEGER:
            faults.append(Fault(DICT, "the number is too large", dotted(path), remedy="write a smaller number"))
            return Node(place, 0)
        return Node(place, whole, str(whole))
    if isinstance(value, numbers.Real):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            faults.append(Fault(DICT, "numbers must be finite", dotted(path), value=str(number), remedy="use None"))
            return Node(place, 0)
        return Node(place, number, str(number))
    shown = f"an object of type {printable(type(value).__name__)}"
    faults.append(
        Fault(
            DICT,
            "a value must be text, a number, true, false, null, a list or a mapping",
            dotted(path),
            value=shown,
            remedy=TRACER_REMEDY,
        )
    )
    return Node(place)


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
