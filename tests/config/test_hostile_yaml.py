"""Wrong and hostile YAML: a fault with line and column, soon, in little memory."""

from __future__ import annotations

import resource
import sys

import pytest

from admf_cli.config.yaml_text import MAX_DEPTH, MAX_NODES, parse_yaml
from admf_cli.errors import ConfigError, Fault

MIB = 1 << 20


def faults_of(text: str) -> list[Fault]:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "c.yaml")
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "line", "column", "rule", "remedy"),
    [
        ("a: 1\n\tb: 2\n", 2, 1, "tabs must not indent", "spaces"),
        ("a: |\n\tx\n", 2, 1, "tabs must not indent", "spaces"),
        ("a: [1, 2\nb: 3\n", 2, 2, "begun on line 1", "close the bracket"),
        ("a: {b: 1,\n c: 2", 3, 1, "begun on line 1", "close the bracket"),
        ("a: 'x\nb: 2\n", 3, 1, "begun on line 1", "close the quote"),
        ("a: b: c\n", 1, 5, "mapping values", "quotes"),
        ("a: 1\n  b: 2\n", 2, 4, "mapping values", "as far in as its neighbours"),
        ("a:\n  - 1\n - 2\n", 3, 2, "not valid YAML", "indentation"),
        ('a: "C:\\data"\n', 1, 7, "escape", "single quotes"),
        ("a: @x\n", 1, 4, "not valid YAML", "quotes"),
        ("a: `x`\n", 1, 4, "not valid YAML", "quotes"),
        ("a: *b\n", 1, 4, "needs its anchor", "&b"),
        ("a: &b [*b]\n", 1, 8, "contain itself", "remove the alias"),
        ("a: &b 1\nc: &b 2\n", 2, 4, "anchor names", "rename"),
        ("a: !!python/object/apply:os.system [x]\n", 1, 4, "tags are not allowed", "remove the tag"),
        ("a: !!int 5\n", 1, 4, "tags are not allowed", "remove the tag"),
        ("a: 1\n---\nb: 2\n", 2, 1, "only one YAML document", "remove"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "first on line 1", "remove one"),
        ("b: {x: 1, x: 2}\n", 1, 11, "twice", "remove one"),
        ("? [1, 2]\n: 3\n", 1, 3, "plain text", "key: value"),
        ("a: {'': 1}\n", 1, 5, "must not be empty", "before the colon"),
        ("a: &x [1]\nb: {<<: *x}\n", 2, 5, "merges a mapping", "anchor"),
        ("a: 010\n", 1, 4, "begin with 0", "0o10"),
        ("a: [1, .inf]\n", 1, 8, "finite", "null"),
        ("a: b\x00c\n", 1, 5, "control characters", "NUL"),
        ("a: \x1b[31mred\n", 1, 4, "control characters", "remove it"),
    ],
)
def test_a_fault_has_line_column_rule_and_remedy(text: str, line: int, column: int, rule: str, remedy: str) -> None:
    first = faults_of(text)[0]
    assert (first.line, first.column) == (line, column)
    assert rule in first.rule
    assert first.remedy is not None
    assert remedy in first.remedy


def test_several_faults_are_said_at_once() -> None:
    assert [fault.line for fault in faults_of("a: 010\nb: .nan\na: 1\nc: !x y\n")] == [1, 2, 3, 4]


def test_keys_keep_their_text_so_that_symbols_may_be_called_anything() -> None:
    text = "NO: 1\nTRUE: 2\n600519: 3\n1e3: 4\nnull: 5\n"
    assert parse_yaml(text, "c").plain() == {"NO": 1, "TRUE": 2, "600519": 3, "1e3": 4, "null": 5}


def test_a_merge_fills_in_what_a_mapping_lacks() -> None:
    text = "base: &base {x: 1, y: 2}\nmore: {<<: *base, y: 3}\n"
    assert parse_yaml(text, "c").plain() == {"base": {"x": 1, "y": 2}, "more": {"x": 1, "y": 3}}


def test_an_alias_repeats_a_value() -> None:
    assert parse_yaml("a: &x [1, 2]\nb: *x\n", "c").plain() == {"a": [1, 2], "b": [1, 2]}


BOMBS = {
    "aliases": "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)),
    "brackets": "[" * MIB,
    "dashes": "- " * (MIB // 2),
    "question marks": "? " * (MIB // 2),
    "keys": "".join(f"k{i}: {i}\n" for i in range(MAX_NODES)),
    "items": "[" + "1," * (MIB // 2) + "]",
    "doubles": "a: 1\n" * (MIB // 5),
    "anchors": "".join(f"- &a{i} x\n" for i in range(80_000)),
    "merges": "a: &a {x: 1}\nb: {" + "<<: *a, " * 40_000 + "}",
    "open quote": '"' + "a\n" * (MIB // 2),
    "tabs": "\t" * MIB,
    "directives": "%X y\n" * (MIB // 5),
    "long key": "k" * MIB + ": 1",
    "alias depth": "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, MAX_DEPTH + 5)),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_in_bounded_memory_with_few_faults(bomb: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    faults = faults_of(bomb)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    assert (after - before) * unit < 100 * MIB
    assert 1 <= len(faults) <= 101
    assert all(len(str(fault)) < 500 for fault in faults)
