"""What reading a trace of a million events costs, beside a loop that merely parses the same lines.

    python benchmarks/reading.py [--events 1000000] [--repeat 3] [--dir DIR]

Each measurement is a process of its own: CPU seconds of user and system, start-up left out, and peak memory. The ratio
to the loop, measured in turn with the commands, is what counts; `verify` also hashes every byte.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

COMMANDS = ("parse", "inspect", "verify", "stats")
BARS_PER_EVENT = 0.49  # a BAR and a FEATURE each, and what little is traded

MEASURE = """
import json, resource, sys, time
from pathlib import Path
import numpy, orjson
command, directory = sys.argv[1], Path(sys.argv[2])
if command == "parse":
    def ask(directory):
        for path in directory.rglob("*.jsonl"):
            with path.open("rb") as file:
                for line in file:
                    orjson.loads(line)
elif command == "inspect":
    from admf_cli.traces.inspect import inspect as ask
elif command == "verify":
    from admf_cli.traces.verify import verify as ask
else:
    from admf_cli.traces.stats import stats as ask
started = time.process_time()
ask(directory)
spent = time.process_time() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"cpu_s": spent, "peak_mb": peak / (1e6 if sys.platform == "darwin" else 1e3)}))
"""


def make(directory: Path, events: int) -> None:
    """Leave the trace of a one-symbol run of about so many events."""
    from admf_cli import run_backtest

    run_backtest(
        {
            "data": {
                "source": "synthetic",
                "symbols": ["SYN"],
                "timeframe": "1m",
                "synthetic": {"bars": round(events * BARS_PER_EVENT), "seed": 7, "volatility": 0.4},
            },
            "features": {"fast": {"type": "SMA", "timeperiod": 60}, "slow": {"type": "SMA", "timeperiod": 240}},
            "strategies": [{"name": "trend", "type": "sma_crossover", "params": {"fast": 60, "slow": 240}}],
            "risk_profiles": [
                {"name": "base", "sizing": {"type": "percent_equity", "percent": 0.9}, "stop_loss": 0.05}
            ],
            "execution": {
                "enable_event_tracing": True,
                "trace_settings": {"max_events": None, "trace_dir": str(directory)},
            },
            "results": {"write": False},
        },
        workflow_id="reading",
    )


def measure(command: str, directory: Path) -> dict[str, float]:
    """Return CPU seconds and peak memory of one command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, command, str(directory)], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(directory: Path, repeat: int) -> dict[str, dict[str, float]]:
    """Return, for each command, the least CPU seconds of `repeat` turns, its ratio to the loop, and peak memory."""
    turns = [{command: measure(command, directory) for command in COMMANDS} for _ in range(repeat)]
    least = {command: min(turn[command]["cpu_s"] for turn in turns) for command in COMMANDS}
    return {
        command: {
            "cpu_s": least[command],
            "ratio": least[command] / least["parse"],
            "peak_mb": max(turn[command]["peak_mb"] for turn in turns),
        }
        for command in COMMANDS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--dir", type=Path, help="a directory of traces that is there already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = arguments.dir or Path(folder)
        if arguments.dir is None:
            # Elsewhere, because a process begins with the peak memory of the one that started it.
            with ProcessPoolExecutor(1) as elsewhere:
                elsewhere.submit(make, directory, arguments.events).result()
        lines = sum(path.read_bytes().count(b"\n") for path in directory.rglob("*.jsonl"))
        size = sum(path.stat().st_size for path in directory.rglob("*.jsonl"))
        print(f"{lines:,} events, {size / 1e6:,.0f} MB, {os.cpu_count()} processors")
        for command, found in compare(directory, arguments.repeat).items():
            print(f"{command:8} {found['cpu_s']:7.3f} s CPU  {found['ratio']:5.2f} x  {found['peak_mb']:6.0f} MB")


if __name__ == "__main__":
    main()
