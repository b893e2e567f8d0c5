"""Find code of our own that stands in two places. Knows text only: renamed copies pass it.

    python tools/duplicates.py [DIR ...]        default: admf_cli

A window of 8 code lines counts; comments, blank lines, docstrings, imports and indentation do not. Exit 1 if any is
found.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

WINDOW = 8

SKIPPED_TOKENS = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


class Line(NamedTuple):
    number: int
    text: str


class Duplicate(NamedTuple):
    first: Path
    first_line: int
    second: Path
    second_line: int
    length: int


def code_lines(source: str) -> list[Line]:
    """Return the lines that count, each as its tokens joined by one space."""
    skipped = _lines_of_docstrings_and_imports(ast.parse(source))
    tokens_of_line: dict[int, list[str]] = defaultdict(list)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SKIPPED_TOKENS and token.string.strip() and token.start[0] not in skipped:
            tokens_of_line[token.start[0]].append(token.string)
    return [Line(number, " ".join(tokens)) for number, tokens in sorted(tokens_of_line.items())]


def _lines_of_docstrings_and_imports(tree: ast.Module) -> set[int]:
    skipped: set[int] = set()
    for node in ast.walk(tree):
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_docstring or isinstance(node, ast.Import | ast.ImportFrom):
            assert isinstance(node, ast.stmt)
            skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return skipped


def duplicates(paths: list[Path]) -> list[Duplicate]:
    """Return the maximal runs of at least WINDOW equal lines, each found once."""
    lines_of = {path: code_lines(path.read_text(encoding="utf-8")) for path in paths}
    places: dict[tuple[str, ...], list[tuple[Path, int]]] = defaultdict(list)
    for path, lines in lines_of.items():
        texts = [line.text for line in lines]
        for start in range(len(texts) - WINDOW + 1):
            places[tuple(texts[start : start + WINDOW])].append((path, start))

    found: list[Duplicate] = []
    # A repetitive run overlapping itself (a table, a row of properties) is not a copy.
    pairs = {
        (first, second)
        for spots in places.values()
        for i, first in enumerate(spots)
        for second in spots[i + 1 :]
        if first[0] != second[0] or second[1] - first[1] >= WINDOW
    }
    for (path, start), (other, other_start) in sorted(pairs):
        if ((path, start - 1), (other, other_start - 1)) in pairs:
            continue
        length = WINDOW
        while ((path, start + length - WINDOW + 1), (other, other_start + length - WINDOW + 1)) in pairs:
            length += 1
        first_line, second_line = lines_of[path][start].number, lines_of[other][other_start].number
        found.append(Duplicate(path, first_line, other, second_line, length))
    return found


def main(arguments: list[str]) -> int:
    roots = [Path(argument) for argument in arguments] or [Path("admf_cli")]
    paths = sorted(path for root in roots for path in root.rglob("*.py"))
    if not paths:
        print(f"duplicates: no Python files under {', '.join(map(str, roots))}", file=sys.stderr)
        return 2
    found = duplicates(paths)
    for duplicate in found:
        print(
            f"{duplicate.second}:{duplicate.second_line}: {duplicate.length} lines"
            f" also stand at {duplicate.first}:{duplicate.first_line}"
        )
    print(f"duplicates: {len(found)} in {len(paths)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
