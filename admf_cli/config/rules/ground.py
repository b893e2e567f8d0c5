"""What rules stand on: careful access to values of any shape, and faults with their places. Knows no rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from admf_cli.config.node import Node, Step, fault_at, find
from admf_cli.errors import Fault


class Ground(Struct, frozen=True):
    """The user's nodes and the values made from them; values that are not of the expected kind read as absent."""

    root: Node
    values: dict[str, Any]

    def at(self, *path: Step, rule: str, remedy: str | None = None, value: bool = True, key: bool = False) -> Fault:
        """Return a fault of the value (or, with `key`, of the key) at a path."""
        return fault_at(self.root, path, rule, remedy=remedy, value=value, at_key=key)

    def within_text(self, fault: Fault, path: Sequence[Step], column: int) -> Fault:
        """Return a fault of the text at a path, pointing at a 1-based column of the text itself where it can be."""
        node = find(self.root, path)
        inset = node.inset if node is not None else None
        if inset is None or fault.column is None:
            return fault._replace(rule=f"at column {column} of the text: {fault.rule}")
        return fault._replace(column=fault.column + inset + column - 1)

    def written(self, *path: Step) -> bool:
        """Return whether the user wrote something at a path."""
        return find(self.root, path) is not None

    def get(self, *path: Step) -> Any:
        """Return the value at a path, None if there is none."""
        value: Any = self.values
        for step in path:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
                value = value[step]
            else:
                return None
        return value

    def mapping(self, *path: Step) -> dict[str, Any]:
        """Return the mapping at a path, an empty one if there is none."""
        value = self.get(*path)
        return value if isinstance(value, dict) else {}

    def items(self, *path: Step) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield number and value of the mappings in the list at a path."""
        value = self.get(*path)
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict):
                yield index, item

    def texts(self, *path: Step) -> list[tuple[int, str]]:
        """Return number and value of the texts in the list at a path."""
        value = self.get(*path)
        return [(index, item) for index, item in enumerate(value if isinstance(value, list) else ()) if _is_text(item)]

    def symbols(self) -> list[str]:
        """Return the symbols that the data will have, sorted; none if only the data can tell."""
        files = self.mapping("data", "path")
        return sorted({name for _, name in self.texts("data", "symbols")} or files)

    def number(self, *path: Step) -> float | None:
        """Return the number at a path, None if there is none."""
        value = self.get(*path)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def text(self, *path: Step) -> str | None:
        """Return the text at a path, None if there is none."""
        value = self.get(*path)
        return value if _is_text(value) else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
