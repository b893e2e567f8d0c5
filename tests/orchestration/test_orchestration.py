"""Orchestration runs with any topology, and without a single module of events, containers or traces."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("admf_cli.events", "admf_cli.containers", "admf_cli.topology", "admf_cli.trac")):
            raise ImportError(name + " must not be imported")

sys.meta_path.insert(0, Refuse())
from admf_cli.orchestration.coordinator import Coordinator
from admf_cli.orchestration.sequencer import Sequencer

calls = []

class Topology:
    def __init__(self, phase):
        calls.append(("built", phase))
        self.phase = phase

    def run(self):
        name = self.phase["metadata"]["phase_name"]
        if name == "broken":
            raise RuntimeError("broken")
        return "ran " + name

    def close(self):
        calls.append(("closed", self.phase["metadata"]["phase_name"]))

def config(*phases):
    return {"workflow": {"mode": "backtest", "phases": list(phases)}, "data": {"start": "2000-01-01", "end": None}}

training = {"name": "training", "start": None, "end": "2009-12-31"}
testing = {"name": "testing", "start": "2010-01-01", "end": None}
results = Coordinator(Sequencer(Topology)).run(config(training, testing), "wf_1")
assert results == ["ran training", "ran testing"], results
kinds = [kind for kind, _ in calls]
assert kinds == ["built", "closed", "built", "closed"], kinds
first, second = calls[0][1], calls[2][1]
assert set(first) == {"mode", "config", "metadata"}
assert first["metadata"] == {"workflow_id": "wf_1", "phase_name": "training"}
assert first["config"]["period"] == {"start": "2000-01-01", "end": "2009-12-31"}
assert second["config"]["period"] == {"start": "2010-01-01", "end": None}
calls.clear()
try:
    Coordinator(Sequencer(Topology)).run(config({"name": "broken"}, testing), "wf_2")
except RuntimeError:
    assert [kind for kind, _ in calls] == ["built", "closed"], "torn down although it broke, and nothing after it"
else:
    raise AssertionError("the error must come through")
print("fine")
"""


def test_a_workflow_runs_with_a_fake_topology_where_events_cannot_be_imported() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert run.stdout == "fine\n", run.stderr
