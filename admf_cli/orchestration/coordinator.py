"""Runs a workflow: its phases, one after another, in the order of the configuration. Refuses to know what they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admf_cli.orchestration.sequencer import Sequencer


class Coordinator:
    """Turns `workflow` into calls of the sequencer."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer

    def run(self, config: Mapping[str, Any], workflow_id: str) -> list[Any]:
        """Run every phase and return their results in order.

        Each phase gets the whole configuration with its own dates under `period`: {"start", "end"}, where a phase
        without dates has those of the data.
        """
        workflow = config["workflow"]
        return [
            self._sequencer.run_phase(
                mode=workflow["mode"],
                config={**config, "period": _period(phase, config["data"])},
                workflow_id=workflow_id,
                phase_name=phase["name"],
            )
            for phase in workflow["phases"]
        ]


def _period(phase: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "start": data.get("start") if phase.get("start") is None else phase["start"],
        "end": data.get("end") if phase.get("end") is None else phase["end"],
    }
