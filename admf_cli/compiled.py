"""Finds the compiled form of a module, where there is one made of the very text that lies beside it.

The text decides: after an edit every module runs as plain Python until all are compiled anew (`make compiled`). Refuses
to know what the modules do. Imports little, because every command pays for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from types import ModuleType

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
GROUP = "admf"  # mypyc's name for what is compiled together
LIBRARY = f"{GROUP}__mypyc"  # where the code of all of it is
DIRECTORY_NAME = "_compiled"
_SUFFIX = EXTENSION_SUFFIXES[0]  # of this Python on this platform
_SWITCH = "ADMF_COMPILED"


class CompiledFinder:
    """Finds compiled modules in a directory, if they are of the text their sources have now.

    Whether they are is looked up when the first is asked for, once and for all: they call each other directly, so it
    is all of them or none.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._modules: frozenset[str] | None = None

    @property
    def modules(self) -> frozenset[str]:
        """Names of the modules it finds; empty if one of them is of another text."""
        if self._modules is None:
            made_of = read_manifest(self._directory)
            is_current = bool(made_of) and is_made_of(self._directory, made_of)
            self._modules = frozenset(made_of if is_current else ())
        return self._modules

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the compiled module is, or None for all others."""
        if not name.startswith(("admf_cli.", LIBRARY)):
            return None
        file = _file(self._directory, name)
        if not os.path.exists(file) or (name != LIBRARY and name not in self.modules):
            return None
        spec = ModuleSpec(name, ExtensionFileLoader(name, file), origin=file)
        spec.has_location = True
        return spec


def install() -> None:
    """Let imports find compiled modules; with ADMF_COMPILED=0 in the environment, only the sources."""
    if os.environ.get(_SWITCH) != "0" and os.path.exists(_manifest_file(_DIRECTORY)):
        sys.meta_path.insert(0, CompiledFinder(_DIRECTORY))


def is_in_use() -> bool:
    """Return whether the event loop runs compiled in this process."""
    return any(isinstance(finder, CompiledFinder) and finder.modules for finder in sys.meta_path)


def is_made_of(directory: str, modules: Iterable[str]) -> bool:
    """Return whether exactly these modules were compiled into the directory, from the text they have now."""
    names = set(modules)
    made_of = read_manifest(directory)
    return (
        made_of.keys() == names
        and all(made_of[name] == _text_hash(name) for name in names)
        and all(os.path.exists(_file(directory, name)) for name in (LIBRARY, *names))
    )


def read_manifest(directory: str) -> dict[str, str]:
    """Return module -> sha256 of the text it was compiled from; empty if there is nothing for this Python."""
    import json

    try:
        with open(_manifest_file(directory), "rb") as file:
            found: dict[str, str] = json.loads(file.read())
    except (OSError, ValueError):
        return {}
    return found


def write_manifest(directory: str, modules: Iterable[str]) -> None:
    """Note which text the modules in a directory were compiled from."""
    import json

    with open(_manifest_file(directory), "w", encoding="utf-8") as file:
        json.dump({name: _text_hash(name) for name in modules}, file, indent=1)


def remove_manifest(directory: str) -> None:
    """Let nobody find what is in a directory."""
    if os.path.exists(_manifest_file(directory)):
        os.remove(_manifest_file(directory))


def note_refusal(directory: str, message: str | None) -> None:
    """Leave word that the sources could not be compiled, which is a fault of theirs; None: they could."""
    os.makedirs(directory, exist_ok=True)
    file = os.path.join(directory, f"refused{_SUFFIX}.txt")
    if message is not None:
        with open(file, "w", encoding="utf-8") as out:
            out.write(message)
    elif os.path.exists(file):
        os.remove(file)


def _file(directory: str, name: str) -> str:
    return os.path.join(directory, *name.split(".")) + _SUFFIX


def _manifest_file(directory: str) -> str:
    return os.path.join(directory, f"sources{_SUFFIX}.json")


def _text_hash(name: str) -> str:
    import hashlib

    with open(os.path.join(os.path.dirname(_PACKAGE), *name.split(".")) + ".py", "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


_DIRECTORY = os.path.join(_PACKAGE, DIRECTORY_NAME)
