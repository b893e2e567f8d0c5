"""Change the money paths one small thing at a time and count which changes a test notices.

A mutant is never written down: a child, forked from a process that imported the libraries but not the package, finds
the changed source in the module's place and runs the tests that concern it until one fails. What a test starts as a
process of its own sees the unchanged package, so no mutant counts as noticed for that. Knows nothing of what the code
means.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (duckdb, hypothesis, numpy, polars, pydantic, rich.console, typer)  # imported once, for every child
REASONS = ROOT / "tools" / "mutation_survivors.toml"
PAGE = ROOT / "docs" / "mutation.md"
BAR = 0.9  # the least share that must be noticed, in each file and of all

_BROKER = ("tests/broker", "tests/engine")
_RISK = ("tests/risk", "tests/engine tests/python_strategies/test_bar_by_bar.py")
_METRICS = ("tests/metrics",)
_CONTAINERS = ("tests/engine tests/events", "tests/python_strategies tests/signals")
_TRACER = ("tests/events/test_tracing.py", "tests/engine")
# What decides over money, and the tests that are to notice, the quickest first: one that fails spares the next.
TARGETS: Mapping[str, Sequence[str]] = {
    "admf_cli/broker/account.py": _BROKER,
    "admf_cli/broker/matching.py": _BROKER,
    "admf_cli/broker/funds.py": _BROKER,
    "admf_cli/broker/curves.py": _BROKER,
    "admf_cli/broker/commission.py": _BROKER,
    "admf_cli/broker/slippage.py": _BROKER,
    "admf_cli/broker/financing.py": _BROKER,
    "admf_cli/broker/instrument.py": _BROKER,
    "admf_cli/broker/lifetime.py": _BROKER,
    "admf_cli/broker/touch.py": _BROKER,
    "admf_cli/metrics/equity.py": _METRICS,
    "admf_cli/metrics/trading.py": _METRICS,
    "admf_cli/metrics/portfolio.py": _METRICS,
    "admf_cli/metrics/reference.py": _METRICS,
    "admf_cli/risk/sizing.py": _RISK,
    "admf_cli/risk/limits.py": _RISK,
    "admf_cli/risk/protection.py": _RISK,
    "admf_cli/risk/allocation.py": _RISK,
    "admf_cli/risk/holding.py": _RISK,
    "admf_cli/risk/watch.py": _RISK,
    "admf_cli/containers/tally.py": _CONTAINERS,
    "admf_cli/containers/books.py": _CONTAINERS,
    "admf_cli/containers/execution.py": _CONTAINERS,
    "admf_cli/events/tracer.py": _TRACER,
}
_CPU_SECONDS = 60  # for each of the stages; a mutant that needs more runs for ever, which is noticed
_REAL_SECONDS = 900  # the same for one that waits for ever
_ADDRESS_BYTES = 8 << 30


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


def _run_tests(path: str, source: str, stages: Sequence[str]) -> int:
    """Return pytest's exit code with this source in the file's place; called in a child."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_BYTES, _ADDRESS_BYTES))
    signal.alarm(_REAL_SECONDS)
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(quiet, stream)
    # One failure is enough, so none is made smaller, and none is remembered for the next mutant.
    generated = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutation", database=None, phases=generated, deadline=None)
    hypothesis.settings.load_profile("mutation")
    sys.meta_path.insert(0, _Changed(path, source))
    # That the libraries were there before pytest came is the point, so its warning of that is none.
    options = ["-x", "-q", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider"]
    for stage in stages:
        used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used + _CPU_SECONDS, resource.RLIM_INFINITY))
        if code := pytest.main([*options, "--hypothesis-seed=1", *stage.split()]):
            return int(code)
    return 0


def noticed_each(
    changed: Sequence[tuple[str, str]], workers: int, stages: Mapping[str, Sequence[str]] = TARGETS
) -> Iterator[tuple[int, str]]:
    """Yield, as they end, each one's place in the sequence and how it ended: "survived", "failed" or "stopped".

    Args:
        changed: path and source of each.
        stages: by path, what pytest is called with, one call after the other.
    """
    running: dict[int, int] = {}
    waiting = iter(enumerate(changed))
    while True:
        while len(running) < workers and (following := next(waiting, None)) is not None:
            place, (path, source) = following
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    code = _run_tests(path, source, stages[path])
                finally:
                    os._exit(code)
            running[child] = place
        if not running:
            return
        ended, status = os.wait()
        if ended in running:
            how = "survived" if status == 0 else "stopped" if os.WIFSIGNALED(status) else "failed"
            yield running.pop(ended), how


@dataclass(slots=True)
class Result:
    """What became of one file's mutants; `stopped` ones ran for ever and count as noticed."""

    path: str
    tried: int
    every: int
    ends: Counter[str] = field(default_factory=Counter)
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def noticed(self) -> int:
        return self.tried - self.ends["survived"]

    @property
    def share(self) -> float:
        return self.noticed / self.tried if self.tried else 1.0


def run(paths: Sequence[str], *, sample: int | None, seed: int, workers: int) -> list[Result]:
    """Try the mutants of each file, or so many of each chosen at random, and print each survivor."""
    results = []
    for path in paths:
        every = mutants(path, Path(path).read_text())
        chosen = every if sample is None else random.Random(seed).sample(every, min(sample, len(every)))
        result = Result(path, len(chosen), len(every))
        for place, how in noticed_each([(path, mutant.source) for mutant in chosen], workers):
            result.ends[how] += 1
            if how == "survived":
                mutant = chosen[place]
                result.survivors.append(mutant)
                where = f"{path}:{mutant.line}"
                shown = {"survivor": where, "function": mutant.function, "text": mutant.text, "change": mutant.change}
                print(json.dumps(shown, ensure_ascii=False), flush=True)
        result.survivors.sort(key=lambda mutant: (mutant.line, mutant.change))
        print(f"{path}: {result.noticed} of {result.tried} noticed, {100 * result.share:.1f} %", flush=True)
        results.append(result)
    return results


def reasons() -> dict[tuple[str, str, str, str], str]:
    """Return why each mutant that is known to survive does, by what names it."""
    known = tomllib.loads(REASONS.read_text()).get("survivor", [])
    return {(one["file"], one["function"], one["text"], one["change"]): one["reason"] for one in known}


def page(results: Sequence[Result]) -> str:
    """Return the table of figures and the survivors, in Markdown."""
    lines = ["| file | mutants | noticed | of these stopped | survived | share |", "|---|--:|--:|--:|--:|--:|"]
    total = Result("all", sum(one.tried for one in results), sum(one.every for one in results))
    for one in results:
        total.ends.update(one.ends)
    for one in (*results, total):
        name = "**all**" if one is total else f"`{one.path}`"
        stopped, survived = one.ends["stopped"], one.ends["survived"]
        lines.append(f"| {name} | {one.tried} | {one.noticed} | {stopped} | {survived} | {100 * one.share:.1f} % |")
    why = reasons()
    lines += ["", "### Survivors", "", "| where | line | change | why it stays |", "|---|---|---|---|"]
    for one in results:
        for mutant in one.survivors:
            where = f"`{mutant.path.removeprefix('admf_cli/')}:{mutant.function}`"
            text, change = (shown.replace("|", "\\|") for shown in (mutant.text, mutant.change))
            lines.append(f"| {where} | `{text}` | `{change}` | {why.get(mutant.key, 'no test yet')} |")
    return "\n".join(lines)


def write_page(results: Sequence[Result]) -> None:
    """Put the figures between the marks of the page."""
    made = f"<!-- figures -->\n{time.strftime('%Y-%m-%d', time.gmtime())}\n\n{page(results)}\n<!-- end of figures -->"
    old = PAGE.read_text()
    PAGE.write_text(re.sub(r"<!-- figures -->.*<!-- end of figures -->", lambda _: made, old, flags=re.DOTALL))


def main() -> int:
    """Print one line for each survivor and the shares of the noticed; 1 if one of them is below nine tenths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="so many mutants of each file, chosen at random; all without it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--files", nargs="*", default=list(TARGETS), choices=list(TARGETS), metavar="FILE")
    parser.add_argument("--write", action="store_true", help=f"put the figures into {PAGE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    if chosen.write and (chosen.sample is not None or chosen.files != list(TARGETS)):
        parser.error("--write takes every mutant of every file")
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))  # the package beside this file, wherever an installed one may lie
    # What the tests of the package write is put aside, and gone with this process.
    with tempfile.TemporaryDirectory() as aside:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = aside
        unchanged = [(path, Path(path).read_text()) for path in chosen.files]
        one_each = list({tuple(TARGETS[path]): (path, source) for path, source in unchanged}.values())
        for place, how in noticed_each(one_each, chosen.workers):
            if how != "survived":
                print(f"these fail without any change: {' '.join(TARGETS[one_each[place][0]])}")
                return 2
        results = run(chosen.files, sample=chosen.sample, seed=chosen.seed, workers=chosen.workers)
    tried, noticed = sum(one.tried for one in results), sum(one.noticed for one in results)
    print(f"{noticed} of {tried} noticed, {100 * noticed / max(1, tried):.1f} %")
    if chosen.write:
        write_page(results)
    below = [one.path for one in results if one.share < BAR]
    if below or noticed < BAR * tried:
        print(f"below {100 * BAR:.0f} %: {', '.join(below) or 'all of them together'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
