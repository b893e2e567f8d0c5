"""Gathers what is wrong with rows into one message. Refuses to know what the rules are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from admf_cli.errors import MarketDataError
from admf_cli.market.bars import BoolArray

_SHOWN = 5
_LONGEST = 60
_MOST = 100_000


class TooManyFaults(Exception):
    """A file has so many faults that the rest is not looked at."""


class Faults:
    """The first few faults of a file by row, and how many there are.

    Attributes:
        count: how many there are.
        offset: added to every row that is noted, for who reads a file in portions.
    """

    def __init__(self, source: str, line: Callable[[int], int]) -> None:
        self._source = source
        self._line = line
        self._found: list[tuple[int, str, str, str]] = []
        self.count = 0
        self.offset = 0

    def add(self, bad: BoolArray, column: str, values: Sequence[Any] | np.ndarray, rule: str) -> None:
        """Note every row at which `bad` holds: the rule says what the column's value there must be."""
        rows = np.flatnonzero(bad)
        self.count += len(rows)
        for row in rows[:_SHOWN].tolist():
            self._found.append((row + self.offset, column, shown(values[row]), rule))

    def add_row(self, row: int, column: str, value: object, rule: str) -> None:
        """Note one fault.

        Raises:
            TooManyFaults: there were a hundred thousand before; those stay noted.
        """
        if self.count >= _MOST:
            raise TooManyFaults
        self.count += 1
        if len(self._found) < 1000:
            self._found.append((row + self.offset, column, shown(value), rule))

    def raise_if_any(self, remedy: str) -> None:
        """Raise MarketDataError naming row, column and value of the first faults."""
        if not self.count:
            return
        lines = [
            f"{self._source}: row {self._line(row)}, column {column}: {rule} (got {value})"
            for row, column, value, rule in sorted(self._found, key=lambda fault: fault[0])[:_SHOWN]
        ]
        many = "or more " if self.count >= _MOST else ""
        total = f"{self.count} {many}fault{'s' if self.count > 1 else ''} in all"
        raise MarketDataError("\n".join([*lines, f"{self._source}: {total}; {remedy}"]))


def shown(value: object) -> str:
    """Return a value as a message shows it: no control characters, not too long."""
    text = (f"{value:g}" if isinstance(value, float) else str(value))[: _LONGEST + 1]
    text = "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
