"""Tracing off beside a build in which tracers do not exist: what does having them cost who does not use them?

    python benchmarks/without_tracers.py [--rows 10000 1000000] [--pairs 15] [--lines-only] [--compiled]

The build without them is made of this one: a copy of the package from which the tracer's modules are deleted and every
mention of a tracer in the containers is cut out, each condition on there being one decided for good. Both run with
tracing off. Counted: the lines of Python that a run on synthetic bars executes, the same on every machine. Timed: CPU
of whole processes in pairs, in turn; the median of the pairs' ratios. With --compiled, both have the event loop
compiled: the checkout must be (`make compiled`), the other is, which takes a minute or more.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from process import run_process
from scaling import bars_file, config, data

from admf_cli import compiled

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "benchmarks" / "out"
BASE = Path("admf_cli/containers/base.py")
TRACING = (
    "events/tracer.py",
    *(f"tracefile/{name}.py" for name in ("encoder", "blocks", "writer", "appending", "scribe", "scribing")),
)
COUNT_LINES = """
import json, sys
from pathlib import Path
from admf_cli.api import run_backtest

settings, short = json.loads(sys.argv[1]), json.loads(sys.argv[2])
run_backtest(short, workflow_id="short")
root = str(Path(sys.argv[3]))
lines = 0

def on_line(frame, event, argument):
    global lines
    lines += event == "line"
    return on_line

sys.settrace(lambda frame, event, argument: on_line if frame.f_code.co_filename.startswith(root) else None)
result = run_backtest(settings, workflow_id="counted")
sys.settrace(None)
[portfolio] = result.phases[0].portfolios
print(json.dumps({"lines": lines, "orders": portfolio.counts["orders"], "equity": portfolio.final_equity}))
"""


class WithoutTracers(ast.NodeTransformer):
    """Cuts `self.tracer` out of a module: it is None for good, so that every question about it has an answer."""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if _is_tracer(node.left) and isinstance(node.ops[0], ast.Is | ast.IsNot):
            return ast.Constant(isinstance(node.ops[0], ast.Is))
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        decided = [part.value for part in node.values if isinstance(part, ast.Constant)]
        if isinstance(node.op, ast.And) and False in decided:
            return ast.Constant(False)
        return ast.Constant(True) if isinstance(node.op, ast.Or) and True in decided else node

    def visit_If(self, node: ast.If) -> Any:
        self.generic_visit(node)
        if not isinstance(node.test, ast.Constant):
            return node
        return node.body if node.test.value else node.orelse

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        return None if _is_tracer(node.targets[0]) else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        return None if _is_tracer(node.target) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | None:
        return None if node.module in ("admf_cli.events.tracer", "admf_cli.events.settings") else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt | None:
        if node.name == "_make_tracer":
            return None
        self.generic_visit(node)
        for place, statement in enumerate(node.body):  # what follows a return is never reached
            if isinstance(statement, ast.Return):
                del node.body[place + 1 :]
                break
        node.body = node.body or [ast.Pass()]
        return node


def _is_tracer(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "tracer"


def build(folder: Path, *, tracers: bool) -> Path:
    """Copy the package into `folder`, with its tracers or without, and return the folder to import it from."""
    shutil.copytree(ROOT / "admf_cli", folder / "admf_cli", ignore=shutil.ignore_patterns("__pycache__", "_compiled"))
    if not tracers:
        cut_out_tracers(folder)
    return precompiled(folder)


def precompiled(folder: Path) -> Path:
    """Make the byte code of all modules, which must not be made anew in a measured run."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder / "admf_cli")], check=True)
    return folder


def cut_out_tracers(folder: Path) -> None:
    """Delete the tracer's modules from a copy, and what the containers say of it."""
    for name in TRACING:
        (folder / "admf_cli" / name).unlink()
    tree = WithoutTracers().visit(ast.parse((folder / BASE).read_text()))
    left = [node for node in ast.walk(tree) if isinstance(node, ast.expr) and _is_tracer(node)]
    if left:
        raise AssertionError(f"a use of the tracer in line {left[0].lineno} of {BASE} is not cut out")
    (folder / BASE).write_text(ast.unparse(ast.fix_missing_locations(tree)) + "\n")


def compile_build(folder: Path) -> Path:
    """Compile a build's event loop and return the folder to import that from."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    setup = (ROOT / "setup.py").read_text()
    for name in TRACING:
        module = name.removesuffix(".py").replace("/", ".")
        if not (folder / "admf_cli" / name).exists():
            setup = setup.replace(f'    "admf_cli.{module}",\n', "")
    (folder / "setup.py").write_text(setup)
    constraints = {"PIP_CONSTRAINT": "constraints.txt", "PIP_BUILD_CONSTRAINT": "constraints.txt"}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "wheel", "."]
    subprocess.run(command, cwd=folder, env={**os.environ, **constraints}, check=True)
    (wheel,) = (folder / "wheel").iterdir()
    shutil.unpack_archive(wheel, folder / "installed", "zip")
    if not (folder / "installed" / "admf_cli" / "_compiled").exists():
        raise AssertionError("the event loop was not compiled")
    return precompiled(folder / "installed")


def untraced(source: dict[str, Any]) -> dict[str, Any]:
    settings = config(data=source)
    settings["execution"]["enable_event_tracing"] = False
    return settings


def environment(folder: Path, *, is_compiled: bool) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(folder),
        "ADMF_COMPILED": "1" if is_compiled else "0",
        "PYTHONHASHSEED": "0",
    }


def count(folder: Path, rows: int) -> dict[str, Any]:
    """Return the lines of the package that a run executes, its orders and its final equity."""
    sources = [
        {"source": "synthetic", "symbols": ["X"], "timeframe": "1m", "synthetic": {"bars": bars, "seed": 1}}
        for bars in (rows, 250)
    ]
    texts = [*(json.dumps(untraced(source)) for source in sources), str(folder / "admf_cli")]
    command = [sys.executable, "-P", "-c", COUNT_LINES, *texts]
    done = subprocess.run(
        command, env=environment(folder, is_compiled=False), cwd=folder, check=True, capture_output=True, text=True
    )
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted


def cpu_ratios(ours: Path, without: Path, rows: int, pairs: int, *, is_compiled: bool) -> tuple[list[float], float]:
    """Return for each pair of runs CPU of ours over that of the build without, and the median seconds of ours."""
    ratios, seconds = [], []
    with tempfile.TemporaryDirectory(prefix="admf-untraced-") as text:
        work = Path(text)
        (work / "config.yaml").write_text(json.dumps(untraced(data(bars_file(rows), ["X"]))))
        command = [sys.executable, "-P", "-m", "admf_cli", "run", str(work / "config.yaml"), "-q"]
        for pair in range(pairs + 1):
            spent = {}
            for folder in (ours, without) if pair % 2 else (without, ours):
                spent[folder] = run_process(command, work, env=environment(folder, is_compiled=is_compiled))[0].cpu_s
            if pair:  # the first fills the caches
                ratios.append(spent[ours] / spent[without])
                seconds.append(spent[ours])
    return ratios, statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--lines-only", action="store_true", help="count, time nothing; prints JSON")
    parser.add_argument("--compiled", action="store_true", help="time both with the event loop compiled")
    arguments = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    if arguments.compiled and not compiled.is_in_use():
        sys.exit("the event loop of this checkout is not compiled: make compiled")
    with tempfile.TemporaryDirectory(prefix="admf-builds-") as text:
        folder = Path(text)
        ours, without = build(folder / "ours", tracers=True), build(folder / "without", tracers=False)
        counted = {"ours": count(ours, arguments.rows[0]), "without": count(without, arguments.rows[0])}
        if arguments.lines_only:
            print(json.dumps(counted))
            return
        if counted["ours"]["equity"] != counted["without"]["equity"]:
            sys.exit("the builds differ in their results")
        more = counted["ours"]["lines"] / counted["without"]["lines"] - 1
        print(f"{arguments.rows[0]:,} bars, lines of Python executed: {counted}: {more:+.3%}")
        if arguments.compiled:
            ours, without = precompiled(ROOT), compile_build(without)
        print("| bars | CPU s, tracing off | over a build without tracers | quartiles | pairs |\n|--:|--:|--:|--:|--:|")
        for rows in arguments.rows:
            ratios, seconds = cpu_ratios(ours, without, rows, arguments.pairs, is_compiled=arguments.compiled)
            low, middle, high = statistics.quantiles(ratios, n=4)
            print(f"| {rows:,} | {seconds:.2f} | {middle:.3f} | {low:.3f} to {high:.3f} | {len(ratios)} |", flush=True)


if __name__ == "__main__":
    main()
