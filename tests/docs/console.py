"""Console blocks of a page: its commands run in this process, and what they print beside what the page shows.

    python -m tests.docs.console docs/traces.md        rewrite what the page shows, for a human to read the diff

A block's lines after `$ ` are commands, the rest is their output. A line `...` stands for any lines that are left out.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from admf_cli.cli.app import app
from admf_cli.errors import AdmfError

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One command and the output that the page shows for it."""

    command: str
    shown: list[str]


def steps_of(page: str) -> list[Step]:
    """Return the commands of all console blocks, in order."""
    return [step for block in _BLOCK.findall(page) for step in _steps(block)]


def _steps(block: str) -> list[Step]:
    steps: list[Step] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append(Step(line[2:], []))
        elif line.startswith("> "):
            steps[-1] = Step(f"{steps[-1].command}\n{line[2:]}", [])
        else:
            steps[-1].shown.append(line)
    return steps


def output_of(command: str) -> list[str]:
    """Run `admf …` and return what it prints, line by line; a line that ends in a backslash goes on in the next."""
    program, *arguments = shlex.split(command.replace("\\\n", " "))
    assert program == "admf"
    answer = CliRunner().invoke(app, arguments, env={"COLUMNS": "110"})
    text = answer.output
    if isinstance(answer.exception, AdmfError):
        text += f"admf: {answer.exception}"
    elif answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def fits(shown: list[str], printed: list[str]) -> bool:
    """Return whether what is shown is what was printed, where `...` stands for any number of lines."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(fits(shown[1:], printed[start:]) for start in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and fits(shown[1:], printed[1:])


def furnish(folder: Path) -> None:
    """Put the repository's configurations and data at hand in a fresh folder."""
    for name in ("configs", "data"):
        (folder / name).symlink_to(ROOT / name)


def _rewrite(path: Path) -> None:
    """Put the present output under each command whose output is no longer what the page shows.

    Of what was shown cut, as many first and last lines stay.
    """

    def block(match: re.Match[str]) -> str:
        lines: list[str] = []
        for step in _steps(match[1]):
            first, *more = step.command.split("\n")
            printed = output_of(step.command)
            shown = step.shown if fits(step.shown, printed) else _cut(printed, step.shown)
            lines += [f"$ {first}", *(f"> {line}" for line in more), *shown]
        return "```console\n" + "".join(f"{line}\n" for line in lines) + "```"

    page = path.read_text()
    with tempfile.TemporaryDirectory() as folder:
        furnish(Path(folder))
        with contextlib.chdir(folder):
            page = _BLOCK.sub(block, page)
    path.write_text(page)


def _cut(printed: list[str], shown: list[str]) -> list[str]:
    if "..." not in shown:
        return printed
    head = shown.index("...")
    tail = len(shown) - head - 1
    return [*printed[:head], "...", *printed[len(printed) - tail :]] if head + tail < len(printed) else printed


if __name__ == "__main__":
    _rewrite(Path(sys.argv[1]).resolve())
