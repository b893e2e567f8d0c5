"""YAML text into nodes with places, safely and strictly. Refuses to know the schema and where the text came from.

PyYAML scans and parses (its C parser where there is one); composing is done here, because PyYAML's own would follow
YAML 1.1, overwrite duplicate keys, build objects from tags and expand aliases without bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from admf_cli.config.node import ListNode, MappingNode, Node, Place, Step, dotted, printable
from admf_cli.config.scalars import ScalarError, resolve
from admf_cli.errors import ConfigError, Fault

MAX_NODES = 50_000
MAX_DEPTH = 50
_MAX_FAULTS = 100

_Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def parse_yaml(text: str, source: str, *, inline: bool = False) -> Node:
    """Return the one document in a text.

    Args:
        source: what faults name, such as the file's path.
        inline: the text is a value on the command line, so lines and columns in it would say nothing.

    Raises:
        ConfigError: with every fault found; only a syntax error hides what follows it.
    """
    root, faults = read_yaml(text, source, inline=inline)
    if faults:
        raise ConfigError(faults)
    return root


def read_yaml(text: str, source: str, *, inline: bool = False) -> tuple[Node, list[Fault]]:
    """Return the one document in a text, and the faults that do not keep the rest of it from being read.

    What is faulty stands in the tree as text or null, so that whoever checks it should pass over these places.

    Raises:
        ConfigError: the text is no YAML, or there is too much of it or too much wrong to go on.
    """
    unprintable = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if unprintable:
        raise ConfigError([_unprintable_fault(unprintable.group(), text, unprintable.start(), source, inline)])
    composer = _Composer(text, source, inline)
    try:
        root = composer.document()
    except yaml.YAMLError as error:
        composer.faults.append(_syntax_fault(error, text, source, inline))
        raise ConfigError(composer.faults) from None
    except _TooManyFaultsError:
        raise ConfigError(composer.faults) from None
    return root, composer.faults


def _unprintable_fault(character: str, text: str, position: int, source: str, inline: bool) -> Fault:
    line, column = _line_and_column(text, position)
    return Fault(
        source,
        "control characters are not allowed in YAML",
        line=None if inline else line,
        column=None if inline else column,
        value=f"U+{ord(character):04X}",
        remedy="remove it" + ("; a NUL often means the file is binary or UTF-16" if character == "\x00" else ""),
    )


class _TooManyFaultsError(Exception):
    """There is no use in going on."""


class _Composer:
    """Builds nodes from parse events and gathers faults on the way."""

    def __init__(self, text: str, source: str, inline: bool) -> None:
        self.faults: list[Fault] = []
        self._source = source
        self._inline = inline
        self._anchors: dict[str, Node | None] = {}
        self._path: list[Step] = []
        self._count = 0
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_Parser))

    def document(self) -> Node:
        """Return the root node; nothing in the text at all reads as null."""
        event = self._next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Node(Place(self._source) if self._inline else Place(self._source, 1, 1), None, "nothing")
        root = self._node(event, 1)
        self._next()
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            self._fault(
                after, "only one YAML document is allowed", remedy="remove the `---` line and what follows, or split"
            )
        return root

    def _next(self) -> Any:
        return next(self._events)

    def _place(self, event: Any) -> Place:
        if self._inline:
            return Place(self._source)
        return Place(self._source, event.start_mark.line + 1, event.start_mark.column + 1)

    def _fault(self, event: Any, rule: str, *, value: str | None = None, remedy: str | None = None) -> None:
        place = self._place(event)
        shown = None if value is None else printable(value)
        self.faults.append(Fault(place.source, rule, dotted(self._path), place.line, place.column, shown, remedy))
        if len(self.faults) >= _MAX_FAULTS:
            self.faults.append(Fault(self._source, f"reading ended after {_MAX_FAULTS} faults", remedy="mend these"))
            raise _TooManyFaultsError

    def _give_up(self, event: Any, rule: str, remedy: str) -> None:
        self._fault(event, rule, remedy=remedy)
        raise _TooManyFaultsError

    def _node(self, event: Any, depth: int) -> Node:
        self._count += 1
        if self._count > MAX_NODES:
            self._give_up(event, f"a configuration has at most {MAX_NODES} values", "split it, or name files instead")
        if depth > MAX_DEPTH:
            self._give_up(
                event, f"values are nested at most {MAX_DEPTH} deep", "check the brackets and the indentation"
            )
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if event.tag is not None and event.tag != "!":
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._fault(
                event,
                "tags are not allowed",
                value=tag,
                remedy="remove the tag; put text in quotes, leave numbers bare",
            )
        if event.anchor is not None:
            if event.anchor in self._anchors:
                self._fault(event, "anchor names must be unique", value=f"&{event.anchor}", remedy="rename one of them")
            self._anchors[event.anchor] = None
        node = self._content(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _content(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(event, depth)
        return self._mapping(event, depth)

    def _alias(self, event: Any, depth: int) -> Node:
        if event.anchor not in self._anchors:
            self._fault(
                event,
                "an alias needs its anchor before it",
                value=f"*{event.anchor}",
                remedy=f"write &{event.anchor} at the value it repeats, or quotes around text that begins with *",
            )
            return Node(self._place(event))
        node = self._anchors[event.anchor]
        if node is None:
            self._fault(
                event,
                "a value must not contain itself",
                value=f"*{event.anchor}",
                remedy="remove the alias, or move its anchor",
            )
            return Node(self._place(event))
        self._count += node.size
        if self._count > MAX_NODES:
            self._give_up(event, f"aliases expand to more than {MAX_NODES} values", "write the values out once")
        if depth + node.height > MAX_DEPTH:
            self._give_up(event, f"aliases nest values more than {MAX_DEPTH} deep", "write the values out once")
        return node

    def _scalar(self, event: Any) -> Node:
        node = Node(self._place(event), event.value, event.value)
        quotes = 1 if event.style in ("'", '"') else 0
        as_it_is = event.start_mark.column + len(event.value) + 2 * quotes == event.end_mark.column
        if as_it_is and event.start_mark.line == event.end_mark.line:
            node.inset = quotes
        if event.style or event.tag == "!":
            node.text = f'"{event.value}"'
            surrogate = next((c for c in event.value if "\ud800" <= c <= "\udfff"), None)
            if surrogate:
                self._fault(event, "half of a surrogate pair is no character", value=f"U+{ord(surrogate):04X}")
            return node
        try:
            node.value = resolve(event.value)
        except ScalarError as error:
            self._fault(event, error.rule, value=event.value, remedy=error.remedy)
        node.text = event.value or "nothing"
        return node

    def _list(self, event: Any, depth: int) -> Node:
        node = ListNode(self._place(event))
        child = self._next()
        while not isinstance(child, yaml.SequenceEndEvent):
            self._path.append(len(node.items))
            node.items.append(self._node(child, depth + 1))
            self._path.pop()
            child = self._next()
        node.size += sum(item.size for item in node.items)
        node.height += max((item.height for item in node.items), default=0)
        return node

    def _mapping(self, event: Any, depth: int) -> Node:
        node = MappingNode(self._place(event))
        merged: list[Node] = []
        merge_line: int | None = None
        key_event = self._next()
        while not isinstance(key_event, yaml.MappingEndEvent):
            key = self._key(key_event, depth)
            if key is not None:
                self._path.append(key)
            value = self._node(self._next(), depth + 1)
            if key is not None:
                self._path.pop()
            merges = key == "<<" and not key_event.style
            if merges and not merged:
                merged.append(value)
                merge_line = self._place(key_event).line
                self._check_merge(key_event, value)
            elif key is not None and (merges or key in node.items):
                first = merge_line if merges else node.keys[key].line
                rule = "a key must not stand twice in one mapping"
                self._path.append(key)
                self._fault(
                    key_event, rule if first is None else f"{rule} (first on line {first})", remedy="remove one of them"
                )
                self._path.pop()
            elif key is not None:
                node.items[key] = value
                node.keys[key] = self._place(key_event)
            key_event = self._next()
        for source in merged:
            _merge(node, source)
        node.size += sum(item.size for item in node.items.values())
        node.height += max((item.height for item in node.items.values()), default=0)
        return node

    def _key(self, event: Any, depth: int) -> str | None:
        """Return a key as it is written: `NO`, `TRUE` and `600519` are good names of symbols."""
        if isinstance(event, yaml.ScalarEvent) and (event.tag is None or event.tag == "!"):
            if not event.value:
                self._fault(event, "a key must not be empty", remedy="write the key before the colon")
                return None
            if event.anchor is not None:
                self._anchors[event.anchor] = Node(self._place(event), event.value, event.value)
            self._count += 1
            return str(event.value)
        self._fault(event, "a key must be plain text", remedy="write `key: value`, with quotes around text like [a]")
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._node(event, depth + 1)
        return None

    def _check_merge(self, event: Any, value: Node) -> None:
        parts = value.items if isinstance(value, ListNode) else [value]
        last = self.faults[-1] if self.faults else None
        if last is not None and (last.line, last.column) == (value.place.line, value.place.column):
            return  # what is merged could not be read, and that has been said
        if not all(isinstance(part, MappingNode) for part in parts):
            self._fault(event, "`<<` merges a mapping or a list of mappings", remedy="write `<<: *anchor_of_a_mapping`")


def _merge(node: MappingNode, source: Node) -> None:
    for part in source.items if isinstance(source, ListNode) else [source]:
        if isinstance(part, MappingNode):
            for key, value in part.items.items():
                if key not in node.items:
                    node.items[key] = value
                    node.keys[key] = part.keys[key]


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


_REMEDIES = (
    (
        r"mapping values are not allowed",
        "put text that holds `: ` in quotes; a key begins on a line of its own, as far in as its neighbours",
    ),
    (r"unknown escape|escape sequence|escape character", "use single quotes or forward slashes: 'C:\\data' or C:/data"),
    (r"hexdecimal number|Unicode character", "write the character itself, or \\x41, \\u0041 or \\U00000041"),
    (r"quoted scalar|unexpected end of stream", "close the quote"),
    (r"expected ',' or|flow (mapping|sequence)", "close the bracket or add the missing comma"),
    (
        r"expected <block end>|did not find expected key|block (mapping|sequence)|simple key|did not find expected '-'",
        "check the indentation of this line, and the quotes and brackets before it",
    ),
    (r"cannot start any token", "put text that begins with @, ` or % in quotes"),
    (r"alias|anchor", "put text that begins with * or & in quotes"),
    (r"tag|handle", "put text that begins with ! in quotes"),
    (r"document start", "write every line as `key: value`; remove lines that begin with %, --- or ..."),
    (r"directive|version", "remove lines that begin with % or ---"),
)


def _syntax_fault(error: yaml.YAMLError, text: str, source: str, inline: bool) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    context = str(getattr(error, "context", None) or "")
    line = mark.line + 1 if mark is not None else None
    column = mark.column + 1 if mark is not None else None
    # Split at \n alone, as the parser counts; splitlines would also split at form feeds and the like.
    lines = text.split("\n")
    written = lines[line - 1].rstrip("\r") if line is not None and line <= len(lines) else ""
    words = f"{problem} {context}"
    if "\t" in written[: len(written) - len(written.lstrip())] or "'\\t'" in problem or "tab" in problem:
        rule, remedy = "tabs must not indent YAML", "indent with spaces"
    else:
        begun = getattr(error, "context_mark", None)
        where = f" begun on line {begun.line + 1}" if begun is not None and begun.line + 1 != line else ""
        rule = f"not valid YAML: {problem}" + (f" {context}{where}" if context else "")
        remedy = next((advice for pattern, advice in _REMEDIES if re.search(pattern, words)), "check this line")
        if "flow" in words and re.search(r"[^\s,:{\[]\{\w*\}", written):
            remedy = "put text that holds { and } in quotes: 'data/{symbol}.csv'"
    fault = Fault(source, rule, "", line, column, printable(written.strip()) or None, remedy)
    return fault._replace(line=None, column=None) if inline else fault
