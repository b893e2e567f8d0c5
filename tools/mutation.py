"""Change the money paths one small thing at a time and count which changes a test notices.

Each mutant is a copy of the package in a temporary directory, found before the real one; a test that fails kills it.
Knows nothing of what the code means.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What decides over money, and the tests that are to notice; the quickest first.
TARGETS = {
    "admf_cli/broker/account.py": ["tests/broker", "tests/engine"],
    "admf_cli/broker/matching.py": ["tests/broker", "tests/engine"],
    "admf_cli/broker/funds.py": ["tests/broker", "tests/engine"],
    "admf_cli/broker/curves.py": ["tests/broker", "tests/engine"],
    "admf_cli/metrics/equity.py": ["tests/metrics"],
    "admf_cli/metrics/trading.py": ["tests/metrics"],
    "admf_cli/metrics/portfolio.py": ["tests/metrics"],
    "admf_cli/containers/tally.py": ["tests/events", "tests/engine"],
    "admf_cli/events/tracer.py": ["tests/events", "tests/engine"],
}
_SECONDS = 240  # a mutant that takes longer than all its tests ever did runs for ever, which is noticed
_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.USub: ast.UAdd,
}


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, what was changed, the whole source with it) for every place where something can be."""
    tree = ast.parse(source)
    annotations = {id(part) for node in ast.walk(tree) for part in _annotation_parts(node)}
    for position, node in enumerate(ast.walk(tree)):
        if id(node) in annotations:
            continue
        for label, field, value in _changes(node):
            changed = copy.deepcopy(tree)
            target = next(one for place, one in enumerate(ast.walk(changed)) if place == position)
            setattr(target, field, value)
            yield getattr(node, "lineno", 0), label, ast.unparse(ast.fix_missing_locations(changed))


def _annotation_parts(node: ast.AST) -> Iterator[ast.AST]:
    for name in ("annotation", "returns"):
        part = getattr(node, name, None)
        if isinstance(part, ast.AST):
            yield from ast.walk(part)


def _changes(node: ast.AST) -> Iterator[tuple[str, str, object]]:
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp | ast.UnaryOp) and type(node.op) in _OPERATORS:
        other = _OPERATORS[type(node.op)]
        yield f"{type(node.op).__name__} -> {other.__name__}", "op", other()
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not x -> not not x", "operand", ast.UnaryOp(ast.Not(), node.operand)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _OPERATORS:
        other = _OPERATORS[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__} -> {other.__name__}", "ops", [other(), *node.ops[1:]]
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield f"{node.value} -> {not node.value}", "value", not node.value
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        assert isinstance(node.value, int | float)
        yield f"{node.value} -> {node.value + 1}", "value", node.value + 1
    if isinstance(node, ast.If | ast.IfExp):
        yield "if x -> if not x", "test", ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "return x -> return None", "value", ast.Constant(None)


def is_noticed(path: str, source: str, tests: list[str]) -> bool:
    """Return whether a test fails with this source in the file's place."""
    with tempfile.TemporaryDirectory(prefix="admf_mutant_") as folder:
        for name in ("admf_cli", "tests", "configs", "pyproject.toml"):
            place = ROOT / name
            if place.is_dir():
                shutil.copytree(place, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(place, folder)
        for name in ("data", "docs"):
            (Path(folder) / name).symlink_to(ROOT / name)
        (Path(folder) / path).write_text(source)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=1", *tests]
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            return True
    return ended.returncode != 0


def main() -> int:
    """Print one line for each survivor and the share of the noticed; 1 if it is below nine tenths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="so many mutants, chosen at random; all without it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", nargs="*", default=list(TARGETS), choices=list(TARGETS))
    chosen = parser.parse_args()
    every = [(path, *mutant) for path in chosen.files for mutant in mutants((ROOT / path).read_text())]
    if chosen.sample is not None:
        every = random.Random(chosen.seed).sample(every, min(chosen.sample, len(every)))
    for path in sorted({path for path, *_ in every}):
        if is_noticed(path, (ROOT / path).read_text(), TARGETS[path]):
            print(f"{path}: its tests fail without any change: {' '.join(TARGETS[path])}")
            return 2
    noticed = tried = 0
    for path, line, label, source in every:
        tried += 1
        found = is_noticed(path, source, TARGETS[path])
        noticed += found
        if not found:
            print(json.dumps({"survivor": f"{path}:{line}", "change": label}), flush=True)
        if tried % 10 == 0:
            print(f"{noticed} of {tried} noticed", flush=True)
    print(f"{noticed} of {tried} noticed, {100 * noticed / max(1, tried):.1f} %")
    return 0 if noticed >= 0.9 * tried else 1


if __name__ == "__main__":
    sys.exit(main())
