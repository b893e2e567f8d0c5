"""Kill traced runs at random moments and check what they leave: `python -m tests.faults.kills --kills 300`.

After each kill, by the files alone: every file is whole lines of the very run that was killed and at most one torn
one; `inspect` counts the same and names what was never sealed; no result claims to be there; `repair` recovers it;
and the same configuration under a new id, or under the same with `--overwrite`, gives the undisturbed run's bytes.
Where a process beside the run writes dense traces, it is left to end by itself, or is killed with the run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from typer.testing import CliRunner, Result

from admf_cli.cli.app import app
from admf_cli.errors import StorageError
from tests.faults.invariants import phases, violations
from tests.faults.processes import children, is_alive

ROOT = Path(__file__).resolve().parents[2]
_STRATEGY = """
strategies: [{name: s, type: sma_crossover, params: {fast: 2, slow: 3, direction: long_short}}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}, stop_loss: 0.02, take_profit: 0.03}]
features: {fast: {type: EMA, timeperiod: 5}}
"""
_DENSE = "data: {source: synthetic, symbols: [A, B], timeframe: 1m, synthetic: {bars: %d, volatility: 2.0}}"
SCENARIOS = {
    "dense, all kept": _DENSE % 2_000 + _STRATEGY + "execution: {trace_settings: {max_events: null}}\n",
    "bounded": _DENSE % 2_000 + _STRATEGY + "execution: {trace_settings: {max_events: 700}}\n",
    "sparse only": _DENSE % 4_000
    + _STRATEGY
    + "execution: {trace_settings: {max_events: null, container_settings: {data: {enabled: false}, features: "
    "{enabled: false}}}}\n",
    "bounded, cut on the disk": _DENSE % 4_000
    + _STRATEGY
    + "execution: {trace_settings: {max_events: 3000, container_settings: {portfolio: {max_events: 1050}}}}\n",
    "three phases": _DENSE % 1_500
    + _STRATEGY
    + "workflow: {phases: [{name: a, end: 2000-01-03}, {name: b, start: 2000-01-04}, {name: c}]}\n"
    "execution: {trace_settings: {max_events: null}}\n",
}
_BESIDE = "a process beside the run"
_BARS_BESIDE = 36_000  # dense events are published every 32,768 bars
_LONG = """
data: {source: synthetic, symbols: [A], timeframe: 1m, synthetic: {bars: %d, volatility: 0.5}}
strategies: [{name: s, type: sma_crossover, params: {fast: 50, slow: 200, direction: long_short}}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]
execution: {trace_settings: {max_events: null}}
"""
SCENARIOS[_BESIDE] = _LONG % _BARS_BESIDE
_START_BESIDE = f"""
from admf_cli.__main__ import main
from admf_cli.topology import topology
topology.ROWS_FOR_A_PROCESS = {_BARS_BESIDE}
main()
"""


@dataclass
class Scenario:
    """One configuration, its undisturbed run, and how long that took."""

    name: str
    folder: Path
    seconds: float = 0.0  # from its first file to its end
    kept: dict[str, bytes] = field(default_factory=dict)  # phase/container -> the file of the undisturbed run
    everything: dict[str, bytes] = field(default_factory=dict)  # the same with nothing dropped

    def prepare(self) -> None:
        """Run it undisturbed, as it is and unbounded."""
        (self.folder / "c.yaml").write_text(SCENARIOS[self.name])
        golden = self.run("golden")
        started = self.traced_since("golden", golden)
        assert golden.wait() == 0
        self.seconds = time.monotonic() - started
        self.kept = self.files("golden")
        unbounded = ["--set", "execution.trace_settings.max_events=null"]
        if "portfolio" in SCENARIOS[self.name]:
            unbounded += ["--set", "execution.trace_settings.container_settings.portfolio.max_events=null"]
        assert self.run("unbounded", *unbounded).wait() == 0
        self.everything = self.files("unbounded")

    def run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a run of that id."""
        program = ["-c", _START_BESIDE] if self.name == _BESIDE else ["-m", "admf_cli"]
        return subprocess.Popen(
            [sys.executable, *program, "run", "c.yaml", "-q", "--workflow-id", name, *arguments],
            cwd=self.folder,
            env=_environment(),
            stderr=subprocess.DEVNULL,
        )

    def traced_since(self, name: str, process: subprocess.Popen[bytes]) -> float:
        """Wait until a run has its directory (or is over) and return that moment."""
        place = self.folder / "traces" / name
        while not place.exists():
            try:
                process.wait(timeout=0.002)
                break
            except subprocess.TimeoutExpired:
                continue
        return time.monotonic()

    def files(self, name: str) -> dict[str, bytes]:
        """Return each container's bytes."""
        root = self.folder / "traces" / name
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.jsonl"))}


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def ask(*arguments: str) -> Result:
    """Run a reading command in this process, which saves starting another."""
    return CliRunner().invoke(app, ["traces", *arguments])


def kill_once(scenario: Scenario, name: str, moment: float) -> list[str]:
    """Kill one run after that share of the time it takes from its first file on; return what is wrong with the rest."""
    process = scenario.run(name)
    scenario.traced_since(name, process)
    try:
        process.wait(timeout=moment * scenario.seconds)
    except subprocess.TimeoutExpired:
        beside = children(process.pid)
        process.kill()
        if _is_even(name):
            for pid in beside:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.wait()
        while any(map(is_alive, beside)):
            pass
    finished = process.returncode == 0
    wrong = _left(scenario, name, finished)
    if (scenario.folder / "traces" / name).exists():
        wrong += _told(scenario, name, finished)
        wrong += _repaired(scenario, name)
    return wrong + _again(scenario, name)


def _left(scenario: Scenario, name: str, finished: bool) -> list[str]:
    """Check the files by themselves."""
    wrong = []
    root = scenario.folder / "traces" / name
    for place, data in scenario.files(name).items():
        whole = data[: data.rfind(b"\n") + 1]
        if scenario.everything[place].find(whole) < 0:
            wrong.append(f"{place}: not consecutive lines of the run")
        sealed = (root / place).with_suffix(".meta.json").exists()
        if sealed and data != scenario.kept[place]:
            wrong.append(f"{place}: sealed, but not what the undisturbed run keeps")
    for phase in phases(root):
        wrong += violations(phase)
    results = scenario.folder / "results" / name
    # The run may have been killed between its last file and its exit: then all its traces are sealed.
    if not finished and (results / "summary.json").exists() and scenario.files(name) != scenario.kept:
        wrong.append("a result is there without the whole run")
    return wrong


def _told(scenario: Scenario, name: str, finished: bool) -> list[str]:
    """Check that inspect tells what the files say."""
    answer = ask("inspect", str(scenario.folder / "traces" / name), "--json")
    files = scenario.files(name)
    if not files:
        return [] if isinstance(answer.exception, StorageError) else [f"inspect of nothing: {answer.exception!r}"]
    if answer.exit_code not in (0, 1):
        return [f"inspect ends with {answer.exit_code}: {answer.exception!r}"]
    told = json.loads(answer.stdout)
    wrong = []
    for phase in told["phases"]:
        for container in phase["containers"]:
            place = f"{phase['phase_name']}/{container['container_id']}.jsonl"
            data = files[place]
            lines, torn = data.count(b"\n"), not data.endswith(b"\n") and data != b""
            counts = sum(container["events"].values()), container["torn_lines"] > 0
            if counts != (lines, torn):
                wrong.append(f"inspect counts {counts} in {place}, where {(lines, torn)} are")
            sealed = (scenario.folder / "traces" / name / place).with_suffix(".meta.json").exists()
            if (container["status"] == "complete") != sealed:
                wrong.append(f"inspect calls {place} {container['status']}")
    if told["sound"] != (answer.exit_code == 0) or (finished and not told["sound"]):
        wrong.append(f"inspect says sound: {told['sound']} and ends with {answer.exit_code}")
    return wrong


def _repaired(scenario: Scenario, name: str) -> list[str]:
    """Repair it, and check that the copy is verified and lacks nothing but the torn lines."""
    before, to = scenario.files(name), scenario.folder / "repaired"
    if not before:
        return []
    shutil.rmtree(to, ignore_errors=True)
    done = ask("repair", str(scenario.folder / "traces" / name), "--to", str(to))
    if done.exit_code not in (0, 1):
        return [f"repair ends with {done.exit_code}: {done.exception!r}"]
    wrong = [] if scenario.files(name) == before else ["repair wrote into what it repairs"]
    for place, data in before.items():
        copy = to / name / place
        whole = data[: data.rfind(b"\n") + 1]
        if not copy.exists() or copy.read_bytes() != whole:
            wrong.append(f"the repaired {place} lacks more than its torn line")
        elif not copy.with_suffix(".meta.json").exists():
            wrong.append(f"the repaired {place} is not sealed")
    verified = ask("verify", str(to / name))
    if verified.exit_code:
        wrong.append(f"verify of the repaired run ends with {verified.exit_code}: {verified.stdout[-500:]}")
    for phase in phases(to):
        wrong += violations(phase)
    return wrong


def _again(scenario: Scenario, name: str) -> list[str]:
    """Run the same once more, under a new id or over the same."""
    fresh = _is_even(name)
    again = f"{name}_again" if fresh else name
    code = scenario.run(again, *([] if fresh else ["--overwrite"])).wait()
    if code:
        return [f"the run afterwards ends with {code}"]
    return [] if scenario.files(again) == scenario.kept else ["the run afterwards is not the golden one"]


def _is_even(name: str) -> bool:
    return int.from_bytes(name.encode(), "big") % 2 == 0


def kill_many(kills: int, seed: int, names: list[str], say: bool = False) -> list[str]:
    """Return everything that went wrong in that many kills, spread over the scenarios."""
    random_ = random.Random(seed)
    wrong: list[str] = []
    ended: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="admf_kills_") as folder:
        scenarios = []
        for number, name in enumerate(names):
            place = Path(folder) / str(number)
            place.mkdir()
            scenarios.append(Scenario(name, place))
            scenarios[-1].prepare()
        for number in range(kills):
            scenario = scenarios[number % len(scenarios)]
            moment = random_.uniform(0.0, 1.05)
            found = kill_once(scenario, f"k{number}{random_.choice('ab')}", moment)
            ended["left faults" if found else "recovered"] += 1
            wrong += [f"{scenario.name}, kill {number} at {moment:.3f}: {text}" for text in found]
            if say:
                for text in found:
                    print(f"{scenario.name}, kill {number} at {moment:.3f}: {text}", flush=True)
            _clear(scenario.folder)
        if say:
            print(f"{kills} kills over {len(names)} scenarios: {dict(ended)}")
    return wrong


def _clear(folder: Path) -> None:
    for kind in ("traces", "results"):
        for run in (folder / kind).iterdir() if (folder / kind).exists() else ():
            if run.name not in ("golden", "unbounded"):
                shutil.rmtree(run)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=SCENARIOS, help="this scenario alone")
    chosen = parser.parse_args()
    names = [chosen.only] if chosen.only else list(SCENARIOS)
    sys.exit(1 if kill_many(chosen.kills, chosen.seed, names, say=True) else 0)
