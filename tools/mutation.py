"""Change the money paths one small thing at a time and count which changes a test notices.

A mutant is never written down: a child, forked from a process that imported the libraries but not the package, finds
the changed source in the module's place and runs the tests that concern it until one fails. What a test starts as a
process of its own sees the unchanged package, so no mutant counts as noticed for that. Knows nothing of what the code
means.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import hypothesis
import numpy
import polars
import pydantic
import pytest
import rich.console
import typer
from mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (hypothesis, numpy, polars, pydantic, rich.console, typer)  # imported once, for every child
REASONS = ROOT / "tools" / "mutation_survivors.toml"
RESULTS = ROOT / "tools" / "mutation_results.json"  # of the last whole run of each file
PAGE = ROOT / "docs" / "mutation.md"
BAR = 0.9  # the least share that must be noticed, in each file and of all

# Left out: generated runs beside the plain reference loop ask the same of every run, and counted work is no money.
_LEFT_OUT = ("properties", "counted_work", "without_tracers")
_ENGINE = " ".join(["tests/engine", *(f"--ignore=tests/engine/test_{name}.py" for name in _LEFT_OUT)])
_BROKER = ("tests/broker", _ENGINE)
_INSTALLED = "tests/python_strategies/test_extensions.py"
_RISK = ("tests/risk", f"{_ENGINE} tests/python_strategies/test_bar_by_bar.py")
_CONTAINERS = (_ENGINE, "tests/events tests/python_strategies/test_bar_by_bar.py")
_TRACER = ("tests/events/test_tracer_books.py", "tests/events", _ENGINE)
# What decides over money, and the tests that are to notice, the quickest first: one that fails spares the next.
TARGETS: Mapping[str, Sequence[str]] = {
    "admf_cli/broker/account.py": ("tests/broker/test_account.py", *_BROKER),
    "admf_cli/broker/matching.py": ("tests/broker/test_matching.py", *_BROKER),
    "admf_cli/broker/funds.py": ("tests/broker/test_costs.py", *_BROKER),
    "admf_cli/broker/curves.py": ("tests/broker/test_curves.py", *_BROKER),
    "admf_cli/broker/commission.py": ("tests/broker/test_costs.py", *_BROKER, _INSTALLED),
    "admf_cli/broker/slippage.py": ("tests/broker/test_costs.py", *_BROKER, _INSTALLED),
    "admf_cli/broker/financing.py": ("tests/broker/test_costs.py", *_BROKER),
    "admf_cli/broker/instrument.py": ("tests/broker/test_instrument.py tests/broker/test_costs.py", *_BROKER),
    "admf_cli/broker/lifetime.py": ("tests/broker/test_lifetime.py", *_BROKER),
    "admf_cli/broker/touch.py": ("tests/broker/test_touch.py", *_BROKER),
    "admf_cli/metrics/equity.py": ("tests/metrics/test_equity.py", "tests/metrics"),
    "admf_cli/metrics/parts.py": ("tests/metrics/test_equity.py", "tests/metrics"),
    "admf_cli/metrics/trading.py": ("tests/metrics/test_trading.py", "tests/metrics"),
    "admf_cli/metrics/portfolio.py": ("tests/metrics/test_portfolio.py", "tests/metrics"),
    "admf_cli/metrics/reference.py": ("tests/metrics/test_reference.py", "tests/metrics"),
    "admf_cli/risk/sizing.py": _RISK,
    "admf_cli/risk/limits.py": _RISK,
    "admf_cli/risk/protection.py": _RISK,
    "admf_cli/risk/allocation.py": _RISK,
    "admf_cli/risk/holding.py": _RISK,
    "admf_cli/containers/tally.py": ("tests/containers", *_CONTAINERS),
    "admf_cli/events/tracer.py": _TRACER,
}
_BOUNDED = "charged = max(base(quantity, value, maker), minimum)"
_DIVIDED = "return math.sqrt(total(len(returns), squares) / (len(returns) - 1))"
# A handful that must be noticed by the quickest tests alone, for every day.
_SHORT = (
    ("admf_cli/broker/account.py", "Account.apply", "self.cash -= side * value + commission", "Add -> Sub"),
    ("admf_cli/broker/account.py", "Account.apply", "after = before + side * quantity", "Add -> Sub"),
    ("admf_cli/broker/matching.py", "_meet_stop", "return Match(stop, IN_RANGE, True)", "True -> False"),
    ("admf_cli/broker/curves.py", "curves", "value *= marks[:, symbol]", "statement left out"),
    ("admf_cli/broker/commission.py", "commission_model.bounded", _BOUNDED, "max -> min"),
    ("admf_cli/metrics/equity.py", "sample_deviation", _DIVIDED, "1 -> 2"),
    ("admf_cli/events/tracer.py", "Tracer._drop_first", "tally.dropped += count", "Add -> Sub"),
)
_CPU_SECONDS = 15  # for each of the stages; a mutant that needs more runs for ever, which is noticed
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
    hypothesis.settings.register_profile(
        "mutation", derandomize=True, database=None, phases=generated, deadline=None, max_examples=50
    )
    hypothesis.settings.load_profile("mutation")
    sys.meta_path.insert(0, _Changed(path, source))
    # That the libraries were there before pytest came is the point, so its warning of that is none.
    options = ["-x", "-q", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider"]
    for stage in stages:
        used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used + _CPU_SECONDS, resource.RLIM_INFINITY))
        if code := pytest.main([*options, *stage.split()]):
            return int(code)
    return 0


def noticed_each(
    changed: Iterable[tuple[str, str]], workers: int, stages: Mapping[str, Sequence[str]] = TARGETS
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
    stopped: int = 0
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def noticed(self) -> int:
        return self.tried - len(self.survivors)

    @property
    def share(self) -> float:
        return self.noticed / self.tried if self.tried else 1.0


def run_short() -> int:
    """Return 0 if the unchanged files pass and each of the handful is noticed."""
    stages = {path: TARGETS[path][:1] for path, *_ in _SHORT}
    every = {path: {mutant.key: mutant for mutant in mutants(path, Path(path).read_text())} for path in stages}
    tried = [(path, Path(path).read_text()) for path in stages]
    tried += [(key[0], every[key[0]][key].source) for key in _SHORT]
    ends = dict(noticed_each(tried, 1, stages))
    wrong = [(tried[place][0], how) for place, how in ends.items() if (how == "survived") != (place < len(stages))]
    print(f"{len(tried)} tried, {len(wrong)} not as they should be", *wrong, sep="\n")
    return 1 if wrong else 0


def run(path: str, *, sample: int | None, seed: int, workers: int, again: bool) -> Result:
    """Try the mutants of a file, or so many chosen at random, and print each survivor.

    Args:
        again: only those that survived the last whole run of this very source, since when tests were added.
    """
    chosen = mutants(path, Path(path).read_text())
    if sample is not None:
        chosen = random.Random(seed).sample(chosen, min(sample, len(chosen)))
    result = Result(path, len(chosen))
    last = _kept().get(path)
    if again and last is not None and last["sha256"] == _digest(path):
        survived = [tuple(survivor[name] for name in _KEY) for survivor in last["survivors"]]
        chosen = [mutant for mutant in chosen if mutant.key[1:] in survived]
        result.stopped = last["stopped"]
    for place, how in noticed_each(((path, mutant.source) for mutant in chosen), workers):
        result.stopped += how == "stopped"
        if how == "survived":
            mutant = chosen[place]
            result.survivors.append(mutant)
            shown = {"survivor": f"{path}:{mutant.line}", **dict(zip(_KEY, mutant.key[1:], strict=True))}
            print(json.dumps(shown, ensure_ascii=False), flush=True)
    result.survivors.sort(key=lambda mutant: (mutant.line, mutant.change))
    print(f"{path}: {result.noticed} of {result.tried} noticed, {100 * result.share:.1f} %", flush=True)
    return result


_KEY = ("function", "text", "change")


def keep(result: Result) -> None:
    """Put a file's result in the place of its last one, with the date and the digest of what was changed."""
    kept = _kept()
    kept[result.path] = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "sha256": _digest(result.path),
        "tried": result.tried,
        "stopped": result.stopped,
        "survivors": [dict(zip(_KEY, mutant.key[1:], strict=True)) for mutant in result.survivors],
    }
    RESULTS.write_text(json.dumps({path: kept[path] for path in TARGETS if path in kept}, indent=1) + "\n")
    made = f"<!-- figures -->\n{page(kept)}\n<!-- end of figures -->"
    old = PAGE.read_text()
    PAGE.write_text(re.sub(r"<!-- figures -->.*<!-- end of figures -->", lambda _: made, old, flags=re.DOTALL))


def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return kept


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def page(kept: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of figures and the survivors with their reasons, in Markdown."""
    known = {
        (one["file"], one["function"], one["text"], one["change"]): one["reason"]
        for one in tomllib.loads(REASONS.read_text()).get("survivor", [])
    }
    lines = [
        "| file | mutants | noticed | of these stopped | survived | share | run |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    rows = []
    for path in TARGETS:
        if path not in kept:
            lines.append(f"| `{path}` | | | | | | not yet |")
            continue
        one = kept[path]
        when = one["date"] + ("" if one["sha256"] == _digest(path) else ", changed since")
        lines.append(_row(f"`{path}`", one["tried"], one["stopped"], len(one["survivors"]), when))
        for survivor in one["survivors"]:
            where = f"`{path.removeprefix('admf_cli/')}:{survivor['function']}`"
            text, change = (survivor[name].replace("|", "\\|") for name in ("text", "change"))
            why = known.get((path, *(survivor[name] for name in _KEY)), "no test yet")
            rows.append(f"| {where} | `{text}` | `{change}` | {why} |")
    figures = [kept[path] for path in TARGETS if path in kept]
    totals = (sum(one["tried"] for one in figures), sum(one["stopped"] for one in figures), len(rows))
    lines.append(_row("**all**", *totals, ""))
    return "\n".join(
        [*lines, "", "### Survivors", "", "| where | line | change | why it stays |", "|---|---|---|---|", *rows]
    )


def _row(name: str, tried: int, stopped: int, survived: int, when: str) -> str:
    share = 100 * (tried - survived) / max(1, tried)
    return f"| {name} | {tried} | {tried - survived} | {stopped} | {survived} | {share:.1f} % | {when} |"


def main() -> int:
    """Print one line for each survivor and the shares of the noticed; 1 if one of them is below nine tenths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="so many mutants of each file, chosen at random; all without it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--files", nargs="*", default=list(TARGETS), choices=list(TARGETS), metavar="FILE")
    parser.add_argument("--write", action="store_true", help=f"put each file's figures into {PAGE.relative_to(ROOT)}")
    parser.add_argument("--again", action="store_true", help="only last time's survivors, where the source is the same")
    parser.add_argument("--short", action="store_true", help="a fixed handful, on the quickest tests")
    chosen = parser.parse_args()
    os.environ["ADMF_COMPILED"] = "0"  # what is compiled from the unchanged source would take the mutant's place
    if chosen.sample is not None and (chosen.write or chosen.again):
        parser.error("--write and --again take every mutant of a file")
    os.chdir(ROOT)
    gc.freeze()  # or every child copies all that was imported the first time it collects
    sys.path.insert(0, str(ROOT))  # the package beside this file, wherever an installed one may lie
    # What the tests write is put aside, and gone with this process.
    with tempfile.TemporaryDirectory() as aside:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = aside
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take longer to load than most mutants live
        sys.pycache_prefix, sys.dont_write_bytecode = aside, False  # compiled by the first child, for all
        if chosen.short:
            return run_short()
        unchanged = [(path, Path(path).read_text()) for path in chosen.files]
        one_each = list({tuple(TARGETS[path]): (path, source) for path, source in unchanged}.values())
        for place, how in noticed_each(one_each, chosen.workers):
            if how != "survived":
                print(f"these fail without any change: {' '.join(TARGETS[one_each[place][0]])}")
                return 2
        results = []
        for path in chosen.files:
            results.append(
                run(path, sample=chosen.sample, seed=chosen.seed, workers=chosen.workers, again=chosen.again)
            )
            if chosen.write:
                keep(results[-1])
    tried, noticed = sum(one.tried for one in results), sum(one.noticed for one in results)
    print(f"{noticed} of {tried} noticed, {100 * noticed / max(1, tried):.1f} %")
    below = [one.path for one in results if one.share < BAR]
    if below or noticed < BAR * tried:
        print(f"below {100 * BAR:.0f} %: {', '.join(below) or 'all of them together'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
