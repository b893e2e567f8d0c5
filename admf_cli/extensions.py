"""What installed packages add: strategies, features, cost models, by their entry points. Refuses to know what they do.

    [project.entry-points."admf.strategies"]
    my_breakout = "my_package.strategies:Breakout"

Nothing is looked for until a configuration names what is not built in.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from admf_cli.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

STRATEGIES = "admf.strategies"
FEATURES = "admf.features"
COMMISSIONS = "admf.commissions"
SLIPPAGES = "admf.slippages"


def extension_names(group: str) -> tuple[str, ...]:
    """Return the names that installed packages offer in a group, sorted."""
    return tuple(sorted(_found(group, tuple(sys.path))))


def extension(group: str, name: str) -> Any:
    """Return what an installed package offers under a name, or None if none does.

    Raises:
        ConfigError: it is offered, but cannot be imported.
    """
    point = _found(group, tuple(sys.path)).get(name)
    if point is None:
        return None
    try:
        return point.load()
    except Exception as error:
        package = f" of {point.dist.name}" if point.dist is not None else ""
        raise ConfigError(
            f"{group}: {name}{package} ({point.value}) cannot be loaded: {type(error).__name__}: {error}"
        ) from error


@cache
def _found(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Return a group's entry points by name; asked again where packages may lie elsewhere than before."""
    from importlib.metadata import entry_points  # 20 ms, which a run of what is built in need not spend

    return {point.name: point for point in entry_points(group=group)}
