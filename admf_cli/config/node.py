"""Plain data that remembers where each piece was written. Refuses to know YAML, pydantic and the schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct, field

from admf_cli.errors import Fault

Step = str | int
_SHOWN_CHARACTERS = 60


class Place(Struct, frozen=True):
    """Where something stands: a file (or `<stdin>`, `<dict>`, the text of a `--set`), and 1-based line and column."""

    source: str
    line: int | None = None
    column: int | None = None


class Node(Struct):
    """One value of a configuration.

    Attributes:
        place: where it begins.
        value: None, bool, int, float or str.
        text: the scalar as the user wrote it, shown in faults.
        size: nodes below and including this one, aliases counted as often as they are used.
        height: levels below and including this one.
        inset: columns from `place` to the first character of a text that stands on one line as it is; None otherwise.
    """

    place: Place
    value: Any = None
    text: str = ""
    size: int = 1
    height: int = 1
    inset: int | None = None

    def plain(self) -> Any:
        """Return the data without its places."""
        return self.value

    def shown(self) -> str:
        """Return the value for a message: as written, short, and harmless on a terminal."""
        return printable(self.text)


class MappingNode(Node):
    """A mapping.

    Attributes:
        items: key -> value.
        keys: key -> where the key stands.
    """

    items: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)

    def plain(self) -> Any:
        """Return a dict."""
        return {key: node.plain() for key, node in self.items.items()}

    def shown(self) -> str:
        """Return what kind of thing it is; its content would bury the message."""
        return "a mapping" if self.items else "{}"


class ListNode(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)

    def plain(self) -> Any:
        """Return a list."""
        return [node.plain() for node in self.items]

    def shown(self) -> str:
        """Return what kind of thing it is."""
        return "a list" if self.items else "[]"


def printable(text: str) -> str:
    """Return text on one line, control characters escaped, cut to a length that a message can carry."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in cut
    )


def dotted(path: Sequence[Step]) -> str:
    """Return a path as users write it: `strategies[0].params.fast`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif not step or not all(character.isalnum() or character in "_-" for character in step):
            text += f"[{printable(step)}]"
        else:
            text += f".{step}" if text else step
    return text


def find(root: Node, path: Sequence[Step]) -> Node | None:
    """Return the node at a path, or None if the user wrote none there."""
    node: Node = root
    for step in path:
        child: Node | None = None
        if isinstance(node, MappingNode) and isinstance(step, str):
            child = node.items.get(step)
        elif isinstance(node, ListNode) and isinstance(step, int) and 0 <= step < len(node.items):
            child = node.items[step]
        if child is None:
            return None
        node = child
    return node


def nearest_place(root: Node, path: Sequence[Step]) -> Place:
    """Return where the value at a path stands, or the closest thing around it that the user wrote."""
    node: Node = root
    place = root.place
    for step in path:
        child = find(node, (step,))
        if child is None:
            break
        node = child
        place = node.place
    return place


def fault_at(
    root: Node, path: Sequence[Step], rule: str, *, remedy: str | None = None, at_key: bool = False, value: bool = True
) -> Fault:
    """Return a fault of the value at a path, with its place.

    Args:
        at_key: point at the key instead of its value.
        value: show the value; off where it says nothing.
    """
    node = find(root, path)
    place = nearest_place(root, path)
    if at_key and path:
        parent = find(root, path[:-1])
        if isinstance(parent, MappingNode) and path[-1] in parent.keys:
            place = parent.keys[str(path[-1])]
    return Fault(
        source=place.source,
        line=place.line,
        column=place.column,
        path=dotted(path),
        rule=rule,
        value=node.shown() if value and node is not None else None,
        remedy=remedy,
    )


def leaves(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield path and value of everything in plain data that holds nothing further; empty mappings and lists too."""
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from leaves(child, (*path, index))
    else:
        yield path, value
