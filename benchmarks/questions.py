"""What a question to a trace costs, as a whole process, on ten thousand events and on a million.

    python benchmarks/questions.py [--bars 4000 400000] [--repeat 5]

Prints the least CPU seconds of each command at each size, and their ratio; the bar is 0.4 s and a ratio near 1 for what
is found by bisection. Knows nothing of how answers are found.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from process import run_process

SETTINGS = {
    "strategies": [
        {"name": "t", "type": "sma_crossover", "params": {"fast": 5, "slow": 20, "direction": "long_short"}}
    ],
    "risk_profiles": [{"name": "r", "sizing": {"type": "percent_equity", "percent": 0.5}, "stop_loss": 0.01}],
    "results": {"write": False},
}


def write_run(work: Path, bars: int) -> tuple[Path, int, str]:
    """Return a run's directory, how many events it holds, and the time of a signal halfway."""
    config = {
        **SETTINGS,
        "data": {
            "source": "synthetic",
            "symbols": ["AAA"],
            "timeframe": "1m",
            "start": "2020-01-02",
            "synthetic": {"bars": bars, "seed": 3},
        },
        "execution": {"trace_settings": {"max_events": None, "trace_dir": str(work)}},
    }
    path = work / f"{bars}.yaml"
    path.write_text(json.dumps(config))  # YAML takes JSON
    name = f"bars_{bars}"
    run_process([sys.executable, "-m", "admf_cli", "run", str(path), "-q", "--workflow-id", name], work)
    phase = work / name / "backtest"
    events = sum(json.loads(meta.read_text())["total"]["written"] for meta in phase.glob("*.meta.json"))
    lines = (phase / "strategy_t.jsonl").read_bytes().splitlines()
    return work / name, events, json.loads(lines[len(lines) // 2])["timestamp"].removesuffix("Z")


def questions(directory: Path, time: str) -> dict[str, list[str]]:
    """Return the commands by what they are called in the table."""
    where = str(directory)
    return {
        "show --limit 20": ["show", where, "--limit", "20"],
        "show --from … --limit 20": ["show", where, "--from", time, "--limit", "20"],
        "show --last 20": ["show", where, "--last", "20"],
        "explain EVENT": ["explain", where, "execution#200"],
        "explain trade:200": ["explain", where, "trade:200"],
        "explain last-fill": ["explain", where, "last-fill"],
        "why-not --at MINUTE": ["why-not", where, "--at", time],
        "why-not --at DAY": ["why-not", where, "--at", time[:10]],
        "query, 3 of runs": ["query", where, "SELECT sharpe_ratio, total_return, trades FROM runs"],
        "query, all trades": ["query", where, "SELECT count(*), sum(pnl) FROM trades"],
        "query, all bars": ["query", where, "SELECT count(*), avg(close) FROM bars"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, nargs="+", default=[4_000, 400_000])
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    table: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="admf-questions-") as folder:
        work = Path(folder)
        runs = [write_run(work, bars) for bars in arguments.bars]
        start = [sys.executable, "-m", "admf_cli"]
        costs = [run_process([*start, "--version"], work)[0].cpu_s for _ in range(arguments.repeat)]
        table["admf --version"] = [min(costs)] * len(runs)
        for directory, _, time in runs:
            for name, words in questions(directory, time).items():
                command = [*start, "traces", *words]
                costs = [run_process(command, work)[0].cpu_s for _ in range(arguments.repeat)]
                table.setdefault(name, []).append(min(costs))
    print("| CPU seconds | " + " | ".join(f"{events:,} events" for _, events, _ in runs) + " | ratio |")
    print("|---|" + "---:|" * (len(runs) + 1))
    for name, seconds in table.items():
        print(f"| {name} | " + " | ".join(f"{one:.2f}" for one in seconds) + f" | {seconds[-1] / seconds[0]:.2f} |")


if __name__ == "__main__":
    main()
