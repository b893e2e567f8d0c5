"""Boundaries that no import shows: words, start-up cost, and what must not be in the repository."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_orchestration_never_mentions_events_or_traces() -> None:
    sources = sorted((ROOT / "admf_cli" / "orchestration").rglob("*.py"))
    assert {source.name for source in sources} >= {"coordinator.py", "sequencer.py"}

    mentions = [
        f"{source.name}:{number}: {line.strip()}"
        for source in sources
        for number, line in enumerate(source.read_text().splitlines(), start=1)
        if re.search(r"event|trac(e|ing)", line, re.IGNORECASE)
    ]
    assert mentions == []


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]], ids=" ".join)
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "admf_cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr[-2000:]

    # importtime writes `import time: self | cumulative | module` lines to stderr.
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in run.stderr.splitlines() if "|" in line}
    assert "admf_cli" in loaded
    heavy = {"numpy", "polars", "pandas", "pydantic", "yaml", "talib", "duckdb", "orjson"}
    # Typer itself loads pydantic to describe a command's own options; the root's help does not.
    assert loaded & (heavy - {"pydantic"} if arguments[0] == "run" else heavy) == set()


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    # Written in parts, so that this file does not convict itself.
    hosts = ["pypi" + ".org", "python" + "hosted", "registry" + ".npmjs", "--index" + "-url", "--find" + "-links"]
    places = ["/root" + "/", "/home" + "/", "/opt" + "/", "/work" + "/", "/Users" + "/"]
    forbidden = re.compile("|".join(map(re.escape, hosts + places)))

    found = [
        f"{name}: {match.group()}"
        for name in tracked.split("\0")
        if name and (ROOT / name).is_file()
        if (match := forbidden.search((ROOT / name).read_text(encoding="utf-8", errors="replace")))
    ]
    assert found == []


def test_the_constraints_pin_every_package_to_one_version_per_platform() -> None:
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]

    assert len(lines) > 20
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[^ ;]+( ; .+)?", line)] == []
