"""Where ADMF's own time goes: one run under cProfile, summed up by room of the package.

    python benchmarks/profile_run.py [--rows 100000] [--everything] [--functions 15]

A profiler charges small functions more than they cost; read shares, not seconds. Time within NumPy, orjson and the
operating system is charged to the room that called it. The event loop runs from its sources, because a profiler does
not see compiled functions.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from scaling import bars_file, config, data

ROOT = Path(__file__).resolve().parents[1] / "admf_cli"


def room(filename: str) -> str:
    """Return the part of the package that a source file belongs to, or what else it is."""
    path = Path(filename)
    if ROOT in path.parents:
        return path.relative_to(ROOT).parts[0].removesuffix(".py")
    if filename == "~":
        return "built in"
    return next((part for part in ("numpy", "pydantic", "typer", "yaml", "rich") if part in path.parts), "Python")


def by_room(stats: pstats.Stats) -> dict[str, float]:
    """Return seconds by room; a built-in function's time belongs to its callers."""
    seconds: dict[str, float] = defaultdict(float)
    table: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]
    for (filename, _, _), (_, _, own, _, callers) in table.items():
        if filename == "~" and callers:
            for (caller, _, _), (_, _, share, _) in callers.items():
                seconds[room(caller)] += share
        else:
            seconds[room(filename)] += own
    return dict(sorted(seconds.items(), key=lambda pair: -pair[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--everything", action="store_true", help="trace everything, unbounded")
    parser.add_argument("--functions", type=int, default=15)
    arguments = parser.parse_args()
    settings = config(data=data(bars_file(arguments.rows), ["X"]))
    if arguments.everything:
        settings["execution"]["trace_settings"]["max_events"] = None
    with tempfile.TemporaryDirectory(prefix="admf-profile-") as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(json.dumps(settings))
        os.environ |= {"ADMF_COMPILED": "0", "ADMF_CACHE_DIR": ""}  # as a first run, which reads the file
        profiler = cProfile.Profile()
        sys.argv = ["admf", "run", str(path), "-q", "--trace-dir", str(Path(folder) / "traces")]
        profiler.enable()
        try:
            from admf_cli.cli.app import app

            app()
        except SystemExit:
            pass
        profiler.disable()
    stats = pstats.Stats(profiler)
    seconds = by_room(stats)
    total = sum(seconds.values())
    print("| room | share |\n|---|--:|")
    for name, own in seconds.items():
        if own >= 0.005 * total:
            print(f"| {name} | {own / total:.0%} |")
    stats.sort_stats("tottime").print_stats(arguments.functions)


if __name__ == "__main__":
    main()
