"""What each `workflow.mode` needs and cannot use. Opens no file."""

from __future__ import annotations

from collections.abc import Iterator

from admf_cli.config.rules.ground import Ground
from admf_cli.errors import Fault
from admf_cli.strategies.recorded import TYPE as RECORDED

REPLAY = "signal_replay"


def mode_faults(ground: Ground) -> Iterator[Fault]:
    """Yield the faults of modes against signals, strategies and tracing."""
    mode = ground.get("workflow", "mode") or "backtest"
    signals = ground.get("signals")
    if mode == REPLAY and signals is None:
        remedy = "write signals: {path: traces/WORKFLOW_ID} or {path: signals.csv}"
        yield ground.at("signals", rule=f"is required with workflow.mode: {REPLAY}", remedy=remedy, value=False)
    if mode != REPLAY and signals is not None and ground.written("signals"):
        remedy = f"remove it, or write workflow: {{mode: {REPLAY}}}"
        yield ground.at("signals", rule=f"has no meaning with workflow.mode: {mode}", remedy=remedy, key=True)
    for index, strategy in ground.items("strategies"):
        if strategy.get("type") == RECORDED:
            if strategy.get("params"):
                yield ground.at(
                    "strategies", index, "params", rule=f"{RECORDED} decisions take no parameters", key=True
                )
            if mode != REPLAY:
                remedy = f"write workflow: {{mode: {REPLAY}}} and signals: {{path: …}}"
                rule = f"{RECORDED} decisions are read with workflow.mode: {REPLAY}"
                yield ground.at("strategies", index, "type", rule=rule, remedy=remedy)
    if mode == "signal_generation" and ground.get("execution", "enable_event_tracing") is False:
        rule = "signal_generation leaves nothing but traces, and tracing is off"
        yield ground.at("execution", "enable_event_tracing", rule=rule, remedy="write true")
