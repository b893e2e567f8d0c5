"""Runs one phase on a newly built topology. Refuses to know what the topology does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Topology(Protocol):
    """Whatever was built for a phase."""

    def run(self) -> Any:
        """Do the phase's work and return its result."""
        ...

    def close(self) -> None:
        """Give back what it holds, whether it ran well or not."""
        ...


BuildTopology = Callable[[Mapping[str, Any]], Topology]
"""Takes {mode, config, metadata: {workflow_id, phase_name}}."""


class Sequencer:
    """Builds, runs and tears down one topology a phase; nothing is shared between phases."""

    def __init__(self, build_topology: BuildTopology) -> None:
        self._build_topology = build_topology

    def run_phase(self, *, mode: str, config: Mapping[str, Any], workflow_id: str, phase_name: str) -> Any:
        """Run one phase and return what its topology returned."""
        metadata = {"workflow_id": workflow_id, "phase_name": phase_name}
        topology = self._build_topology({"mode": mode, "config": config, "metadata": metadata})
        try:
            return topology.run()
        finally:
            topology.close()
