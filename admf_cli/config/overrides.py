"""Values from the command line laid over those of the file: `--set a.b=v` and named flags. Refuses to know the schema.

An unknown path is not looked for here: it makes an unknown key, and validation says so with the text of the `--set`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from admf_cli.config.node import ListNode, MappingNode, Node, Place, Step, dotted, printable
from admf_cli.config.yaml_text import parse_yaml
from admf_cli.errors import ConfigError, Fault

# What the flags of `admf run` and its like change: flag -> (path, value; None = the flag's own).
FLAGS: dict[str, tuple[str, Any]] = {
    "no-trace": ("execution.enable_event_tracing", False),
    "trace-dir": ("execution.trace_settings.trace_dir", None),
    "workflow-id": ("workflow.id", None),
    "results-dir": ("results.dir", None),
}

_MOST_STEPS = 20
_STEP = re.compile(r"\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^.\[\]]+)")


def apply_overrides(root: Node, overrides: Sequence[str]) -> list[Fault]:
    """Lay `path=value` texts over a tree in their order, the last one wins; return what cannot be read or placed.

    Args:
        overrides: paths with `.` between keys, list items as `strategies.0.params` or `strategies[0].params`, a key
            with a dot in it as `data.path[BRK.B]`; values by the rules of YAML.
    """
    faults: list[Fault] = []
    for text in overrides:
        source = f"--set {printable(text)}"
        try:
            path, value = _split(text, source)
            _put(root, path, value, source)
        except ConfigError as error:
            faults.extend(error.faults)
    return faults


def apply_flags(root: Node, flags: Mapping[str, object]) -> None:
    """Lay the values of named flags over a tree; a flag that is None or False was not given.

    Args:
        flags: a name of `FLAGS`, with or without dashes in front, `-` or `_` inside -> its value.

    Raises:
        KeyError: no such flag: a mistake of the caller, not of the user.
        ConfigError: the value has no place to go, since the configuration has a list or text there.
    """
    for name, given in flags.items():
        flag = name.lstrip("-").replace("_", "-")
        dotted_path, fixed = FLAGS[flag]
        if given is None or given is False:
            continue
        value = given if fixed is None else fixed
        source = f"--{flag}"
        text = str(value).lower() if isinstance(value, bool) else str(value)
        plain = value if isinstance(value, bool | int | float) else text
        _put(root, tuple(dotted_path.split(".")), Node(Place(source), plain, text), source)


def _split(text: str, source: str) -> tuple[tuple[Step, ...], Node]:
    path_text, equals, value_text = text.partition("=")
    if not equals:
        raise ConfigError(
            [Fault(source, "an override is path=value", remedy="write --set portfolio.initial_capital=5e4")]
        )
    return parse_path(path_text.strip(), source), parse_yaml(value_text, source, inline=True)


def parse_path(text: str, source: str) -> tuple[Step, ...]:
    """Return the steps of a path as a user writes it; whole numbers may be keys or indices, whichever is there.

    Raises:
        ConfigError: it is empty or malformed.
    """
    steps: list[Step] = []
    position = 0
    while position < len(text):
        if text[position] == "." and steps:
            position += 1
        match = _STEP.match(text, position)
        if match is None:
            break
        steps.append(match["bracketed"] if match["bracketed"] is not None else match["plain"])
        position = match.end()
        if position < len(text) and text[position] not in ".[":
            break
    else:
        if steps and not text.endswith(".") and len(steps) <= _MOST_STEPS:
            return tuple(steps)
    rule = "the path before = is keys with dots between, such as strategies[0].params.fast"
    raise ConfigError([Fault(source, rule, value=printable(text) or "nothing")])


def _put(root: Node, path: tuple[Step, ...], value: Node, source: str) -> None:
    if not isinstance(root, MappingNode):
        return  # the schema's own fault about the top level says it all
    node: MappingNode | ListNode = root
    for depth, step in enumerate(path):
        key = _own_key(node, str(step), path[:depth], source)
        last = depth == len(path) - 1
        child = value if last else _opened(node, key, source)
        if isinstance(node, ListNode):
            node.items[int(key)] = child
        else:
            node.items[str(key)] = child
            node.keys[str(key)] = Place(source)
        if not last:
            assert isinstance(child, MappingNode | ListNode)
            node = child


def _own_key(node: MappingNode | ListNode, step: str, path: tuple[Step, ...], source: str) -> Step:
    if isinstance(node, MappingNode):
        return step
    where = dotted(_indexed(path))
    count = len(node.items)
    if not re.fullmatch(r"[0-9]{1,6}", step):
        named = [
            index
            for index, item in enumerate(node.items)
            if isinstance(item, MappingNode) and "name" in item.items and item.items["name"].value == step
        ]
        remedy = f"write {where}[{named[0]}]" if named else f"write {where}[0]" if count else "put it into the file"
        raise ConfigError(
            [Fault(source, f"{where} is a list: its items go by number", value=printable(step), remedy=remedy)]
        )
    if int(step) >= count:
        rule = f"{where} has {count} item{'' if count == 1 else 's'}"
        remedy = f"its last is {where}[{count - 1}]" if count else f"put one into the file, or set {where} as a whole"
        raise ConfigError([Fault(source, rule, value=f"[{step}]", remedy=remedy)])
    return int(step)


def _indexed(path: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(int(step) if isinstance(step, str) and step.isdigit() else step for step in path)


def _opened(node: MappingNode | ListNode, key: Step, source: str) -> MappingNode | ListNode:
    """Return a copy of the child that may be written to: an alias may share the original."""
    child = node.items[int(key)] if isinstance(node, ListNode) else node.items.get(str(key))
    if isinstance(child, MappingNode):
        return MappingNode(child.place, items=dict(child.items), keys=dict(child.keys))
    if isinstance(child, ListNode):
        return ListNode(child.place, items=list(child.items))
    # Nothing there, or the short form of something that has a long one (`stop_loss: 0.05`).
    return MappingNode(Place(source))
