"""The memory that code takes at most, in a process of its own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from tests.faults.kills import ROOT

# The kernel's own mark: what getrusage tells of a child counts its parent's memory until it was replaced.
_TELL = """
import resource, sys
try:
    with open("/proc/self/status") as status:
        peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(peak, file=sys.stderr)
"""


def measured(code: str, *arguments: str, seconds: int = 20) -> tuple[str, int]:
    """Return what the code said on standard error, and its memory in kilobytes at most.

    Args:
        seconds: of processor time, after which it is killed.
    """
    lines = "".join(f"    {line}\n" for line in code.splitlines())
    body = f"try:\n{lines}except BaseException as error:\n    import sys\n    print(repr(error), file=sys.stderr)\n"
    ended = subprocess.run(
        [sys.executable, "-c", body + _TELL, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)),
    )
    assert ended.returncode == 0, ended
    said, _, kilobytes = ended.stderr.rstrip().rpartition("\n")
    return said, int(kilobytes)
