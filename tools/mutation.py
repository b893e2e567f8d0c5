"""Change the money paths one small thing at a time and count which changes a test notices.

A mutant is never written down: a child, forked from a process that imported the libraries but not the package, finds
the changed source in the module's place and runs the tests that concern it until one fails. What a test starts as a
process of its own sees the unchanged package, so no mutant counts as noticed for that. Knows nothing of what the code
means.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType

import duckdb
import hypothesis
import numpy
import polars
import pydantic
import pytest
import rich.console
import typer

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (duckdb, hypothesis, numpy, polars, pydantic, rich.console, typer)  # imported once, for every child
_BROKER = ["tests/broker", "tests/engine"]
# What decides over money, and the tests that are to notice; the quickest first.
TARGETS = {
    "admf_cli/broker/account.py": _BROKER,
    "admf_cli/broker/matching.py": _BROKER,
    "admf_cli/broker/funds.py": _BROKER,
    "admf_cli/broker/curves.py": _BROKER,
    "admf_cli/broker/commission.py": _BROKER,
    "admf_cli/broker/slippage.py": _BROKER,
    "admf_cli/broker/financing.py": _BROKER,
    "admf_cli/metrics/equity.py": ["tests/metrics"],
    "admf_cli/metrics/trading.py": ["tests/metrics"],
    "admf_cli/metrics/portfolio.py": ["tests/metrics"],
    "admf_cli/metrics/reference.py": ["tests/metrics"],
    "admf_cli/containers/tally.py": ["tests/events", "tests/engine"],
    "admf_cli/events/tracer.py": ["tests/events", "tests/engine"],
}
_CPU_SECONDS = 120  # a mutant that takes longer than all its tests ever did runs for ever, which is noticed
_ADDRESS_BYTES = 8 << 30
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


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find one module's source in memory."""

    def __init__(self, path: str, source: str) -> None:
        self._name = path.removesuffix(".py").replace("/", ".")
        self._path = str(ROOT / path)
        self._code: CodeType = compile(source, self._path, "exec")

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def _run_tests(path: str, source: str, tests: list[str]) -> int:
    """Return pytest's exit code with this source in the file's place; called in a child."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_BYTES, _ADDRESS_BYTES))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(quiet, stream)
    sys.meta_path.insert(0, _Changed(path, source))
    # That the libraries were there before pytest came is the point, so its warning of that is none.
    options = ["-x", "-q", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider"]
    return pytest.main([*options, "--hypothesis-seed=1", *tests])


def noticed_each(mutants: Sequence[tuple[str, str]], workers: int) -> Iterator[tuple[int, bool]]:
    """Yield, as they end, each mutant's place in the sequence and whether a test failed with it.

    Args:
        mutants: path and source of each.
    """
    running: dict[int, int] = {}
    waiting = iter(enumerate(mutants))
    while True:
        while len(running) < workers and (following := next(waiting, None)) is not None:
            place, (path, source) = following
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    code = _run_tests(path, source, TARGETS[path])
                finally:
                    os._exit(code)
            running[child] = place
        if not running:
            return
        ended, status = os.wait()
        if ended in running:
            yield running.pop(ended), status != 0


def main() -> int:
    """Print one line for each survivor and the share of the noticed; 1 if it is below nine tenths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="so many mutants of each file, chosen at random; all without it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--files", nargs="*", default=list(TARGETS), choices=list(TARGETS))
    chosen = parser.parse_args()
    os.chdir(ROOT)
    unchanged = [(path, Path(path).read_text()) for path in chosen.files]
    one_each = list({tuple(TARGETS[path]): (path, source) for path, source in unchanged}.values())
    for place, noticed in noticed_each(one_each, chosen.workers):
        if noticed:
            print(f"these fail without any change: {' '.join(TARGETS[one_each[place][0]])}")
            return 2
    total = total_noticed = 0
    for path, source in unchanged:
        every = list(mutants(source))
        if chosen.sample is not None:
            every = random.Random(chosen.seed).sample(every, min(chosen.sample, len(every)))
        count = 0
        for place, noticed in noticed_each([(path, changed) for _, _, changed in every], chosen.workers):
            count += noticed
            if not noticed:
                line, label, _ = every[place]
                print(json.dumps({"survivor": f"{path}:{line}", "change": label}), flush=True)
        print(f"{path}: {count} of {len(every)} noticed", flush=True)
        total += len(every)
        total_noticed += count
    print(f"{total_noticed} of {total} noticed, {100 * total_noticed / max(1, total):.1f} %")
    return 0 if total_noticed >= 0.9 * total else 1


if __name__ == "__main__":
    sys.exit(main())
