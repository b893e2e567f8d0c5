"""Does one configuration give one result? Two processes with different hash seeds must leave the same lines.

Refuses to know what is in them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from admf_cli.errors import RunFailedError

_SEEDS = ("0", "4242")
_WORKFLOW = "check"


class Difference(Struct, frozen=True):
    """The first place at which two runs part, by phase, container and line.

    Attributes:
        lines: the line in each of the two runs; None where it has no more.
    """

    phase: str
    container: str
    number: int
    lines: tuple[str | None, str | None]


class Comparison(Struct, frozen=True):
    """What came of it; `events` counts the lines of one run."""

    files: int
    events: int
    difference: Difference | None


def check_determinism(config: str, overrides: Sequence[str]) -> Comparison:
    """Run a configuration twice in fresh processes and compare every trace.

    Args:
        config: path of the YAML file, or `-` for standard input.

    Raises:
        RunFailedError: a run broke off; the message holds what it said.
    """
    text = sys.stdin.buffer.read() if config == "-" else None
    with tempfile.TemporaryDirectory(prefix="admf-check-") as folder:
        processes = [_start(config, overrides, Path(folder) / seed, seed, text is not None) for seed in _SEEDS]
        try:
            for process in processes:
                _, said = process.communicate(text)
                if process.returncode:
                    message = said.decode(errors="replace").strip() or f"exit {process.returncode}"
                    raise RunFailedError(f"the run that was to be compared broke off:\n{message}")
        finally:
            for process in processes:
                process.kill()
                process.wait()
        return _compare(*(Path(folder) / seed / _WORKFLOW for seed in _SEEDS))


def _start(config: str, overrides: Sequence[str], traces: Path, seed: str, piped: bool) -> subprocess.Popen[bytes]:
    everything = (
        "execution.enable_event_tracing=true",
        "execution.trace_settings={max_events: null}",
        "results.write=false",
    )
    sets = [part for override in (*overrides, *everything) for part in ("--set", override)]
    command = [sys.executable, "-m", "admf_cli", "run", config, "-q", *sets]
    command += ["--workflow-id", _WORKFLOW, "--trace-dir", str(traces)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )


def _compare(first: Path, second: Path) -> Comparison:
    names = sorted({path.relative_to(root) for root in (first, second) for path in root.rglob("*.jsonl")})
    events = 0
    earliest: tuple[int, Difference] | None = None
    for name in names:
        sides = [(root / name).read_bytes().splitlines() if (root / name).exists() else [] for root in (first, second)]
        events += len(sides[0])
        if sides[0] == sides[1]:
            continue
        place = next(
            (i for i, (left, right) in enumerate(zip(*sides, strict=False)) if left != right), min(map(len, sides))
        )
        lines = [side[place].decode(errors="replace") if place < len(side) else None for side in sides]
        found = Difference(name.parent.name, name.stem, place + 1, (lines[0], lines[1]))
        order = _sequence(lines)
        if earliest is None or order < earliest[0]:
            earliest = (order, found)
    return Comparison(len(names), events, None if earliest is None else earliest[1])


def _sequence(lines: Sequence[str | None]) -> int:
    import orjson

    return min(int(orjson.loads(line)["sequence"]) for line in lines if line is not None)
