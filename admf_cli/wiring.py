"""The composition root: gives the coordinator what builds and runs a topology, and the run its directories.

The only module that knows both orchestration and containers. Refuses to know the command line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from admf_cli.clock import Clock, Pulse
from admf_cli.config import Resolved
from admf_cli.directories import RunDirectories
from admf_cli.market.cache import TableCache
from admf_cli.market.cache_directory import CacheDirectory, chosen_directory
from admf_cli.market.load import LoadedBars, load_bars
from admf_cli.orchestration.coordinator import Coordinator
from admf_cli.orchestration.sequencer import Sequencer
from admf_cli.results import RunResult
from admf_cli.stopping import StopRequest
from admf_cli.time_limit import TimeLimit
from admf_cli.topology.builder import TopologyBuilder
from admf_cli.topology.sources import Sources
from admf_cli.topology.topology import Topology

if TYPE_CHECKING:
    from admf_cli.python_strategies.user_class import UserClass
    from admf_cli.strategies.interface import Strategy

Progress = Callable[[int, int], None]
"""(bars done, bars in this phase), called now and then."""


def run_workflow(
    resolved: Resolved,
    *,
    overwrite: bool = False,
    stop: StopRequest | None = None,
    limit: TimeLimit | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Run a checked configuration and write what it asks to be written.

    Args:
        overwrite: replace what an earlier run of the same workflow id left.
        stop: asked between bars whether to go on.
        limit: asked between bars whether there is time left.
        progress: told between bars how far the phase is.

    Raises:
        AdmfError: nothing was run, or the run broke off; its traces are then sealed as failed or interrupted.
    """
    config = resolved.values
    execution, results = config["execution"], config["results"]
    tracing = execution["enable_event_tracing"] and execution["trace_settings"]["persist_to_disk"]
    directories = RunDirectories(
        workflow_id=config["workflow"].get("id"),
        fallback=f"{resolved.name}_{datetime.now(UTC):%Y%m%dT%H%M%S}",
        trace_dir=Path(execution["trace_settings"]["trace_dir"]) if tracing else None,
        results_dir=Path(results["dir"]) if results["write"] else None,
        overwrite=overwrite,
    )
    stop = stop or StopRequest()

    def on_pulse(clock: Clock) -> Pulse:
        def pulse(bar: int, on_time: bool) -> None:
            stop.check()
            if limit is not None:
                limit.check()
            if progress is not None:
                progress(bar + 1, clock.n_bars)

        return pulse

    cache = table_cache()
    builder = TopologyBuilder(
        sources(resolved.directory, _load_once(resolved.directory, cache)),
        {"config_name": resolved.name, "config_sha256": resolved.sha256},
        on_pulse,
    )

    def build(phase: Mapping[str, Any]) -> Topology:
        topology = builder.build(phase)
        if limit is not None:
            limit.seals_with(topology.abort)
        return topology

    with directories:
        phases = Coordinator(Sequencer(build)).run(config, directories.workflow_id)
        result = RunResult(
            workflow_id=directories.workflow_id,
            config_name=resolved.name,
            config_sha256=resolved.sha256,
            phases=tuple(phases),
            trace_dir=None if directories.traces is None else str(directories.traces),
            results_dir=None if directories.results is None else str(directories.results),
        )
        if directories.results is not None:
            from admf_cli.reports.files import write_results

            write_results(result, directories.results)
    if cache is not None:
        cache.finish()
    return result


def table_cache() -> TableCache | None:
    """Return the cache of read tables in the user's directory for caches, None if the environment turns it off."""
    directory = chosen_directory(os.environ)
    return None if directory is None else TableCache(CacheDirectory(directory))


def sources(directory: Path | None, bars: Callable[[Mapping[str, Any]], LoadedBars]) -> Sources:
    """Return where a run gets what it reads.

    Args:
        directory: that of the configuration, where relative paths are looked for after the working directory.
    """

    # Most runs have neither a class of the user's nor recorded signals, and need not wait for what reads them.
    def user_class(path: str, params: Mapping[str, Any]) -> UserClass:
        from admf_cli.python_strategies.user_class import user_class_from_file

        return user_class_from_file(path, params, directory)

    def signals(path: str, strategy: str, phase: str) -> Strategy:
        from admf_cli.signals.source import recorded_strategy

        return recorded_strategy(path, directory, strategy, phase)

    return Sources(bars=bars, user_class=user_class, signals=signals)


def _load_once(directory: Path | None, cache: TableCache | None) -> Callable[[Mapping[str, Any]], LoadedBars]:
    """Return a loader that reads the bars at its first call; all phases of a run share its data section."""
    loaded: list[LoadedBars] = []

    def load(data: Mapping[str, Any]) -> LoadedBars:
        if not loaded:
            loaded.append(load_bars(data, directory=directory, cache=cache))
        return loaded[0]

    return load
