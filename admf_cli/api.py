"""ADMF from Python: run a configuration, get plain data back. Refuses to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from admf_cli.results import RunResult


def run_backtest(
    config: str | Path | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    workflow_id: str | None = None,
    overwrite: bool = False,
    **misplaced: object,
) -> RunResult:
    """Run a configuration and return its results as plain values and NumPy arrays.

    With `trace_settings.persist_to_disk: false` nothing of the traces is written; each phase's `traces` then hold the
    newest `max_events` events of every container as dictionaries, oldest first. `results.write: false` keeps the
    results off the disk as well.

    Args:
        config: path of a YAML file, or the same as a mapping.
        overrides: as with `--set`, such as "strategies.0.params.fast=5".
        workflow_id: name of the run; None makes one from the configuration's name and the time.
        overwrite: replace an earlier run of this id.
        misplaced: refused; a tracer that was passed in is told where tracing lives now.

    Raises:
        AdmfError: see `admf_cli.errors`; the message says what is wrong and what to do.

    >>> result = run_backtest(
    ...     {
    ...         "data": {"source": "synthetic", "symbols": ["ABC"], "synthetic": {"bars": 250, "seed": 7}},
    ...         "strategies": [{"name": "hold", "type": "buy_and_hold"}],
    ...         "risk_profiles": [{"name": "base", "sizing": {"type": "fixed", "quantity": 10}}],
    ...         "portfolio": {"initial_capital": 10_000},
    ...         "execution": {"trace_settings": {"persist_to_disk": False}},
    ...         "results": {"write": False},
    ...     }
    ... )
    >>> result.phases[0].portfolios[0].counts["fills"]
    1
    """
    from admf_cli.config import load_config
    from admf_cli.errors import ConfigError
    from admf_cli.wiring import run_workflow

    for name in misplaced:
        home = "set execution.enable_event_tracing and execution.trace_settings; containers make their own tracers"
        raise ConfigError(f"run_backtest takes no {name}" + (f": {home}" if "trac" in name else ""))
    flags = {"workflow-id": workflow_id}
    return run_workflow(load_config(config, overrides, flags), overwrite=overwrite)
