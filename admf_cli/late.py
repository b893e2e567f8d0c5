"""Pydantic's search for plugins, put off until somebody wants plugins. Refuses to import pydantic.

It would take a thirtieth of the start of a run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
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
