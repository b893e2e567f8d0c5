"""Runs `admf traces …` in this process, expected errors turned into their exit codes as the real entry does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer
from typer.testing import CliRunner

from admf_cli.cli.traces import app
from admf_cli.errors import AdmfError

_ROOT = typer.Typer()
_ROOT.add_typer(app, name="traces")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command printed and how it ended."""

    exit_code: int
    stdout: str
    stderr: str


def traces(*arguments: str | Path) -> Outcome:
    """Run one `admf traces` command; whatever is not an expected error is raised."""
    result = CliRunner().invoke(_ROOT, ["traces", *map(str, arguments)])
    if isinstance(result.exception, AdmfError):
        return Outcome(result.exception.exit_code, result.stdout, str(result.exception))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)
