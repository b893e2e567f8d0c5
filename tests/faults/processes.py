"""What processes there are, told by `ps`."""

from __future__ import annotations

import subprocess


def is_alive(pid: int) -> bool:
    """Return whether a process is there and has not ended."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(told) and not told.startswith("Z")


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that have not ended."""
    with subprocess.Popen(["ps", "-A", "-o", "pid=,ppid=,stat="], stdout=subprocess.PIPE, text=True) as listing:
        rows = [line.split() for line in listing.communicate()[0].splitlines()]
    found = [int(own) for own, parent, state in rows if int(parent) == pid and not state.startswith("Z")]
    return [own for own in found if own != listing.pid]
