"""Time ADMF and its peers at one job as whole processes, interleaved, and check that they traded alike.

    python benchmarks/run.py --rows 10000 100000 --peers backtesting backtrader --repeat 3

Writes benchmarks/out/table.json and table.md. Exit 1 if any competitor's fills or final equity differ, or one fails.
What it measures is the process: interpreter, imports, reading the CSV, trading, writing. It tunes nothing. ADMF's runs
find the bars of an earlier run in its cache, but for those called a first run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from peers.job import CASH, COMMISSION, FAST, QUANTITY, SLOW, START, fills_digest
from process import FailedRunError, run_process

ROOT = Path(__file__).resolve().parents[1]
EQUITY_TOLERANCE = 1e-9
WARM_UP_ROWS = 10_000

CONFIG = f"""\
name: bench
data: {{source: csv, path: BARS, symbols: [X], timeframe: 1m}}
features: {{fast: {{type: SMA, timeperiod: {FAST}}}, slow: {{type: SMA, timeperiod: {SLOW}}}}}
strategies: [{{name: cross, type: sma_crossover, params: {{fast: {FAST}, slow: {SLOW}, direction: long_flat}}}}]
risk_profiles: [{{name: base, sizing: {{type: fixed, quantity: {QUANTITY}}}}}]
portfolio: {{initial_capital: {CASH:.0f}}}
execution:
  fill_price: next_open
  commission: {{type: percent, rate: {COMMISSION}}}
  enable_event_tracing: true
  trace_settings: {{max_events: 10000, trace_dir: OUTPUT/traces}}
results: {{write: false, dir: OUTPUT/results}}
"""

FIRST_RUN = ", first run"  # of a variant with nothing in the cache

ON_BAR = f"strategies=[{{name: cross, type: python, path: '{ROOT}/benchmarks/strategies.py:Crossover'}}]"

OUR_VARIANTS = {
    "admf, no trace": ["--no-trace"],
    "admf, default trace": [],
    "admf, default trace, first run": [],
    "admf, default trace, results": ["--set", "results.write=true"],
    "admf, everything on disk": ["--set", "execution.trace_settings.max_events=null"],
    "admf, on_bar strategy, default trace": ["--set", ON_BAR],
}


@dataclass(frozen=True)
class Answer:
    """What a competitor says it did; the digest is None where it does not list its fills."""

    fills: int
    fills_sha256: str | None
    final_equity: float


@dataclass(frozen=True)
class Competitor:
    name: str
    ours: bool
    command: Callable[[Path, Path], list[str]]
    read_answer: Callable[[bytes, Path], Answer]


@dataclass
class Timings:
    """One competitor's runs at one size."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)
    answer: Answer | None = None
    failure: str | None = None


def peer(name: str) -> Competitor:
    """Return the competitor whose script and environment carry `name`, with `:argument` for a script's variant."""
    script, _, argument = name.partition(":")
    interpreter = str(ROOT / ".bench-envs" / script / "bin" / "python")

    def command(bars: Path, work: Path) -> list[str]:
        return [interpreter, str(ROOT / "benchmarks" / "peers" / f"{script}.py"), str(bars), *filter(None, [argument])]

    def read_answer(stdout: bytes, work: Path) -> Answer:
        told = json.loads(stdout.splitlines()[-1])
        return Answer(told["fills"], told["fills_sha256"], told["final_equity"])

    return Competitor(name, False, command, read_answer)


def ours(name: str, flags: list[str]) -> Competitor:
    """Return ADMF as a competitor with the flags of one variant."""

    def command(bars: Path, work: Path) -> list[str]:
        config = work / "bench.yaml"
        config.write_text(CONFIG.replace("BARS", str(bars)).replace("OUTPUT", str(work)))
        return [sys.executable, "-m", "admf_cli", "run", str(config), "--json", "-q", *flags]

    def read_answer(stdout: bytes, work: Path) -> Answer:
        [portfolio] = json.loads(stdout)["phases"][0]["portfolios"]
        return Answer(portfolio["funnel"]["fills"], traced_fills_digest(work), portfolio["equity"])

    return Competitor(name, True, command, read_answer)


def traced_fills_digest(work: Path) -> str | None:
    """Return the digest of the FILL lines on disk; None without a trace, or where `max_events` dropped some."""
    metas = list(work.glob("traces/*/*/execution.meta.json"))
    if not metas or json.loads(metas[0].read_text())["total"]["dropped"]:
        return None
    fills = []
    for line in metas[0].with_name("execution.jsonl").read_bytes().splitlines():
        event = orjson.loads(line)
        if event["event_type"] == "FILL":
            minutes = (datetime.fromisoformat(event["timestamp"]).replace(tzinfo=None) - START).total_seconds() / 60
            filled = event["payload"]
            fills.append((round(minutes), filled["side"], filled["quantity"], filled["price"], filled["commission"]))
    return fills_digest(fills)


def run_once(competitor: Competitor, bars: Path, timings: Timings, cache: Path, timeout_s: float) -> None:
    """Run the competitor as a process of its own and append what it cost to `timings`.

    Args:
        cache: of tables that ADMF read, used by all its variants but first runs.
    """
    with tempfile.TemporaryDirectory(prefix="admf-bench-") as folder:
        work = Path(folder)
        try:
            kept = None if competitor.name.endswith(FIRST_RUN) else cache
            cost, stdout = run_process(competitor.command(bars, work), work, timeout_s=timeout_s, cache=kept)
        except FailedRunError as failure:
            timings.failure = str(failure)
            return
        timings.wall_s.append(cost.wall_s)
        timings.cpu_s.append(cost.cpu_s)
        timings.peak_mib.append(cost.peak_mib)
        timings.answer = competitor.read_answer(stdout, work)


def measure(competitors: list[Competitor], bars: Path, repeat: int, budget_s: float, cache: Path) -> dict[str, Timings]:
    """Run all in turn, A B C A B C ..., so that a noisy minute falls on everyone.

    An unmeasured run of ours comes first and fills the cache. A competitor whose runs at this size have used up
    `budget_s` sits out the remaining rounds.
    """
    timings = {competitor.name: Timings() for competitor in competitors}
    earlier = next(competitor for competitor in competitors if competitor.ours)
    run_once(earlier, bars, Timings(), cache, timeout_s=20 * budget_s)
    for round_number in range(1, repeat + 1):
        for competitor in competitors:
            so_far = timings[competitor.name]
            if so_far.failure is None and sum(so_far.wall_s) < budget_s:
                run_once(competitor, bars, so_far, cache, timeout_s=20 * budget_s)
        print(f"  round {round_number} of {repeat}", file=sys.stderr)
    return timings


def disagreements(timings: dict[str, Timings]) -> list[str]:
    """Return in words who failed, and who traded otherwise than the first that lists its fills."""
    problems = [f"{name}: {of.failure}" for name, of in timings.items() if of.failure]
    answers = {name: of.answer for name, of in timings.items() if of.answer}
    listing = [(name, answer) for name, answer in answers.items() if answer.fills_sha256]
    if not listing:
        return [*problems, "nobody listed fills, so nothing was compared"]
    first, reference = listing[0]
    for name, answer in answers.items():
        if answer.fills != reference.fills:
            problems.append(f"{name}: {answer.fills} fills, {first} has {reference.fills}")
        elif answer.fills_sha256 and answer.fills_sha256 != reference.fills_sha256:
            problems.append(f"{name}: fills differ from those of {first}")
        if abs(answer.final_equity - reference.final_equity) > EQUITY_TOLERANCE * abs(reference.final_equity):
            problems.append(f"{name}: final equity {answer.final_equity!r}, {first} has {reference.final_equity!r}")
    return problems


def table_rows(rows: int, competitors: list[Competitor], timings: dict[str, Timings]) -> list[dict[str, Any]]:
    """Return one record per competitor: medians, and the ratios to the fastest peer of this size."""
    medians = {name: statistics.median(of.wall_s) for name, of in timings.items() if of.wall_s}
    cpu = {name: statistics.median(of.cpu_s) for name, of in timings.items() if of.cpu_s}
    peers = [competitor.name for competitor in competitors if not competitor.ours and competitor.name in medians]
    return [
        {
            "bars": rows,
            "name": competitor.name,
            "ours": competitor.ours,
            "runs": len(of.wall_s),
            "wall_s": medians.get(competitor.name),
            "wall_min_s": min(of.wall_s, default=None),
            "wall_max_s": max(of.wall_s, default=None),
            "cpu_s": cpu.get(competitor.name),
            "peak_mib": statistics.median(of.peak_mib) if of.peak_mib else None,
            "wall_ratio": ratio(medians, competitor.name, peers),
            "cpu_ratio": ratio(cpu, competitor.name, peers),
            "fills": of.answer.fills if of.answer else None,
            "fills_listed": bool(of.answer and of.answer.fills_sha256),
            "failure": of.failure,
        }
        for competitor in competitors
        for of in [timings[competitor.name]]
    ]


def ratio(medians: dict[str, float], name: str, peers: list[str]) -> float | None:
    """Return one competitor's median over that of the peer with the smallest."""
    return medians[name] / min(medians[peer] for peer in peers) if name in medians and peers else None


def markdown(records: list[dict[str, Any]]) -> str:
    """Return the table for people; ratios are over the fastest peer's at the same size."""
    lines = [
        "| bars | who | wall s | CPU s | wall ratio | CPU ratio | peak MiB | runs | fills |",
        "|--:|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for record in records:
        if record["wall_s"] is None:
            lines.append(f"| {record['bars']:,} | {record['name']} | failed: {record['failure']} | | | | | | |")
            continue
        ratios = " | ".join(
            "" if found is None else f"{found:.2f}" for found in (record["wall_ratio"], record["cpu_ratio"])
        )
        lines.append(
            f"| {record['bars']:,} | {record['name']} | {record['wall_s']:.2f} | {record['cpu_s']:.2f}"
            f" | {ratios} | {record['peak_mib']:.0f} | {record['runs']} | {record['fills']:,} |"
        )
    return "\n".join(lines) + "\n"


def bars_file(folder: Path, rows: int) -> Path:
    """Write a file of so many bars and return its path.

    In a process of its own: what this one has loaded would count as its children's memory.
    """
    path = folder / f"bars_{rows}.csv"
    subprocess.run([sys.executable, str(ROOT / "benchmarks" / "generate.py"), str(rows), str(path)], check=True)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--peers", nargs="*", default=["backtesting", "backtrader"])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of one competitor at one size")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="admf-bench-cache-") as cache:
        return compare(arguments, Path(cache))


def compare(arguments: argparse.Namespace, cache: Path) -> int:
    """Run what the arguments ask for, and print and save the table."""
    competitors = [ours(name, flags) for name, flags in OUR_VARIANTS.items()] + [peer(name) for name in arguments.peers]
    arguments.out.mkdir(parents=True, exist_ok=True)
    records: list[dict[str, Any]] = []
    problems: list[str] = []
    # Byte code and compiled functions are made once, not in anyone's first measured run.
    warm_up = bars_file(arguments.out, WARM_UP_ROWS)
    for competitor in competitors:
        run_once(competitor, warm_up, Timings(), cache, timeout_s=600)
    for rows in arguments.rows:
        bars = bars_file(arguments.out, rows)
        print(f"{rows:,} bars", file=sys.stderr)
        timings = measure(competitors, bars, arguments.repeat, arguments.budget, cache)
        records += table_rows(rows, competitors, timings)
        problems += [f"{rows:,} bars: {problem}" for problem in disagreements(timings)]

    version = subprocess.run([sys.executable, "-m", "admf_cli", "--version"], cwd=ROOT, capture_output=True, text=True)
    machine = {
        "admf": version.stdout.strip(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "system": platform.system(),
    }
    document = {"machine": machine, "records": records, "disagreements": problems}
    (arguments.out / "table.json").write_text(json.dumps(document, indent=2) + "\n")
    (arguments.out / "table.md").write_text(markdown(records))
    print(markdown(records))
    print(f"{machine['admf']}; {machine['cpus']} processors")
    print("\n".join(problems) or "fills and final equity agree")
    return 1 if problems else 0


if __name__ == "__main__":
    if shutil.which("sh") is None:
        sys.exit("benchmarks need a POSIX system")
    sys.exit(main())
