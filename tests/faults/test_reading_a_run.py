"""A run is read while it goes on: the strategy itself asks at a bar, so nothing here is a race."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.kills import ROOT

STRATEGY = """
import os, subprocess, sys

ASKED = {asked!r}

class Reading:
    def on_bar(self, ctx):
        if ctx.bar % 20 == 0:
            ctx.buy(1) if ctx.bar % 40 else ctx.sell(1)
        if ctx.bar == 10:
            with open("follow.txt", "wb") as out:
                self.following = subprocess.Popen(
                    [sys.executable, "-m", "admf_cli", "traces", "show", "traces/wf", "--follow", "--json"], stdout=out
                )
        if ctx.bar == 300:
            for name, arguments in ASKED.items():
                done = subprocess.run(
                    [sys.executable, "-m", "admf_cli", "traces", *arguments], capture_output=True, text=True
                )
                with open(name + ".txt", "w") as out:
                    out.write(f"{{done.returncode}}\\n{{done.stdout}}\\n{{done.stderr}}")
"""
ASKED = {
    "inspect": ["inspect", "traces/wf", "--json"],
    "list": ["list", "traces", "--json"],
    "query": ["query", "traces/wf", "SELECT count(*) AS n FROM events"],
    "prune": ["prune", "traces", "--keep", "0"],
    "verify": ["verify", "traces/wf", "--json"],
}
CONFIG = """
data: {source: synthetic, symbols: [A], synthetic: {bars: 400}}
strategies: [{name: s, type: python, path: reading.py:Reading}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]
execution: {trace_settings: {max_events: null}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reading")
    (folder / "c.yaml").write_text(CONFIG)
    (folder / "reading.py").write_text(STRATEGY.format(asked=ASKED))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "admf_cli", "run", "c.yaml", "-q", "--workflow-id", "wf"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return folder


def answer(folder: Path, name: str) -> tuple[int, str]:
    code, _, text = (folder / f"{name}.txt").read_text().partition("\n")
    return int(code), text


def test_inspect_calls_no_container_complete_and_counts_what_is_on_disk(folder: Path) -> None:
    code, text = answer(folder, "inspect")
    assert code == 1
    containers = json.JSONDecoder().raw_decode(text)[0]["phases"][0]["containers"]
    assert containers
    assert all(container["status"] != "complete" for container in containers)


def test_list_says_that_it_is_running_and_prune_spares_it(folder: Path) -> None:
    code, text = answer(folder, "list")
    assert code == 0
    (row,) = json.JSONDecoder().raw_decode(text)[0]["runs"]
    assert row["status"] == "running"
    code, text = answer(folder, "prune")
    assert code in (0, 1)
    assert (folder / "traces" / "wf" / "backtest" / "data.jsonl").exists()


def test_query_counts_whole_lines_only(folder: Path) -> None:
    code, text = answer(folder, "query")
    assert code == 0, text
    assert "Traceback" not in text


def test_verify_blames_no_line_for_what_is_still_to_come(folder: Path) -> None:
    code, text = answer(folder, "verify")
    assert code in (0, 1)
    assert "Traceback" not in text


def test_follow_ends_with_the_run_and_has_shown_every_event_once(folder: Path) -> None:
    shown = [json.loads(line)["event_id"] for line in (folder / "follow.txt").read_text().splitlines()]
    phase = folder / "traces" / "wf" / "backtest"
    there = [json.loads(line)["event_id"] for path in phase.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert sorted(shown) == sorted(there)
