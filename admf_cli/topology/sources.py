"""What a phase gets from outside of the run: bars, a user's classes, recorded signals. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from admf_cli.market.load import LoadedBars
    from admf_cli.python_strategies.user_class import UserClass
    from admf_cli.strategies.interface import Strategy


class Sources(Struct, frozen=True):
    """What the composition root hands to the builder.

    Attributes:
        bars: a `data` section -> its bars.
        user_class: (`file.py:ClassName`, parameters) -> the class, loaded anew.
        signals: (path of `signals`, name of a strategy, name of a phase) -> what it decided.
    """

    bars: Callable[[Mapping[str, Any]], LoadedBars]
    user_class: Callable[[str, Mapping[str, Any]], UserClass]
    signals: Callable[[str, str, str], Strategy]
