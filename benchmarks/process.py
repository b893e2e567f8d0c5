"""One command as a whole process: what it cost. Knows nothing of who competes."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class FailedRunError(Exception):
    """The command ended with another exit code than 0; says the last line of its standard error."""


@dataclass(frozen=True)
class Cost:
    """What the operating system counted for a finished process, its own children left out."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run_process(
    command: list[str],
    work: Path,
    *,
    timeout_s: float = 600.0,
    env: Mapping[str, str] | None = None,
    cache: Path | None = None,
) -> tuple[Cost, bytes]:
    """Run a command in the repository's root and return what it cost and what it printed.

    Args:
        work: a directory for its output; a run that is over its time is killed.
        env: its environment, if it is not to be this process's.
        cache: where it keeps the tables it read; None is within `work`, where nothing was kept before.
    """
    with (work / "stdout").open("wb") as stdout, (work / "stderr").open("wb") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**(os.environ if env is None else env), "ADMF_CACHE_DIR": str(cache or work / "cache")},
        )
        stopper = threading.Timer(timeout_s, process.kill)
        stopper.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - began
        except BaseException:
            process.kill()
            raise
        finally:
            stopper.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        told = (work / "stderr").read_text(errors="replace").strip().splitlines() or ["no message"]
        raise FailedRunError(f"exit {process.returncode}: {told[-1][:160]}")
    cost = Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    return cost, (work / "stdout").read_bytes()
