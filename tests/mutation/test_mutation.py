"""The short form of `make mutation`: what is unchanged passes, and a few changes to the money paths are noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "mutation.py"


def test_a_handful_of_changes_is_noticed() -> None:
    done = subprocess.run([sys.executable, TOOL, "--short"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "13 tried, 0 not as they should be\n"), done.stdout + done.stderr


SOURCE = '''
def f(x: int = 1) -> int:
    """Doc."""
    x += 2
    return min(x, -3) if not x else 4
'''
PROGRAM = """
import sys
from mutants import mutants
for one in mutants("f.py", sys.argv[1]):
    assert one.source != sys.argv[1]
    print(one.line, one.function, one.change)
"""


def test_every_kind_of_change_is_made_once_for_each_place() -> None:
    command = [sys.executable, "-c", PROGRAM, SOURCE]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOOL.parent)
    assert sorted(done.stdout.splitlines()) == sorted(
        [
            "2 f 1 -> 2",
            "4 f Add -> Sub",
            "4 f 2 -> 3",
            "4 f statement left out",
            "5 f return x -> return None",
            "5 f if x -> not x",
            "5 f not x -> not not x",
            "5 f min -> max",
            "5 f USub -> UAdd",
            "5 f 3 -> 4",
            "5 f 4 -> 5",
        ]
    ), done.stderr
