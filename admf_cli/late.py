"""What others' packages do on being imported, put off until it is needed: few runs need it. Refuses to import them.

Both would take a twentieth of the start of a run.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

_LOADER = "pydantic.plugin._loader"
_ALL = ("__all__", "1", "true")


class _LateLoader(ModuleType):
    """Stands for pydantic's module until its answer could be another one than no plugins."""

    def get_plugins(self) -> Iterable[Any]:
        if os.environ.get("PYDANTIC_DISABLE_PLUGINS") in _ALL:
            return ()
        if sys.modules.get(_LOADER) is self:
            del sys.modules[_LOADER]
        from pydantic.plugin._loader import get_plugins

        return get_plugins()


def put_off_plugins() -> None:
    """Have pydantic load what searches installed packages for plugins only where plugins are not turned off.

    Of itself it loads that first and asks then. A pydantic whose module is called otherwise does as it always did.
    """
    sys.modules.setdefault(_LOADER, _LateLoader(_LOADER))


class _LatePattern:
    """A regular expression that is compiled when it is used."""

    def __init__(self, pattern: Any, flags: int = 0) -> None:
        self._pattern = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._pattern), name)
        setattr(self, name, found)
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return re.compile, self._pattern


@contextlib.contextmanager
def late_patterns() -> Iterator[None]:
    """Have the regular expressions of modules that are imported meanwhile compiled when they are first used.

    Python 3.11 takes 57 million instructions to compile PyYAML's set of printable characters, which its C parser does
    not use.
    """
    compile_now = re.compile
    re.compile = _LatePattern  # type: ignore[assignment]
    try:
        yield
    finally:
        re.compile = compile_now
