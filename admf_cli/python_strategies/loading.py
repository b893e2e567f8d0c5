"""Loads a user's strategy file: the one place at which code named by a configuration is executed.

Refuses to know what the class in it does.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader
from types import CodeType

from admf_cli.errors import ConfigError
from admf_cli.python_strategies.calls import UserCode
from admf_cli.python_strategies.source import Source


def load_class(source: Source) -> type:
    """Execute the file anew and return its class; nothing of an earlier load is reused, or left for a later one.

    Raises:
        ConfigError: an import in it fails, or the name is no class.
        StrategyError: the file raised while it was executed.
    """
    loader = _TextLoader(source)
    name = f"admf_strategy_{source.file.stem}"
    spec = spec_from_loader(name, loader, origin=str(source.file))
    assert spec is not None
    module = module_from_spec(spec)
    module.__file__ = str(source.file)
    # Dataclasses and type hints look their module up by name.
    sys.modules[name] = module
    with _siblings(source):
        UserCode(source).call("the file", loader.exec_module, module)
    found = getattr(module, source.class_name, None)
    if not isinstance(found, type):
        kind = "nothing of this name" if found is None else f"a {type(found).__name__}"
        raise ConfigError(f"{source.written}: {source.class_name} must be a class (it is {kind})")
    return found


class _TextLoader(InspectLoader):
    """Executes the bytes that were read: no bytecode is written beside them, none that is stale is taken."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def get_source(self, fullname: str) -> str:
        return self._source.text.decode(errors="replace")

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._source.text, str(self._source.file))


@contextlib.contextmanager
def _siblings(source: Source) -> Iterator[None]:
    """Let the file import modules that lie beside it, and forget those afterwards, so that the next load is fresh."""
    folder = str(source.file.parent)
    known = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if file.startswith(folder) and "site-packages" not in file:
                del sys.modules[name]
