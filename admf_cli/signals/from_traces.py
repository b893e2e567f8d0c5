"""SIGNALs out of the traces of a run. Refuses to replay a trace that is not whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from admf_cli.errors import MarketDataError, StorageError
from admf_cli.market.times import instant
from admf_cli.signals.recorded import RecordedStrategy, Row
from admf_cli.tracefile.discovery import ContainerTrace, PhaseTrace, discover_some, display
from admf_cli.tracefile.metafile import read_meta
from admf_cli.tracefile.reader import LineFault, parse_lines, read_blocks


def strategy_from_traces(directory: Path, strategy: str, phase: str) -> RecordedStrategy:
    """Return a strategy's decisions in a phase of a run.

    Args:
        directory: a phase's directory, or a workflow's: then the phase of the same name, or its only one.

    Raises:
        StorageError: there is no such trace, or it cannot be read.
        MarketDataError: it is not complete, or holds what is no decision.
    """
    found = _phase(directory, phase)
    container = found.container(f"strategy_{strategy}")
    if container is None or not container.has_lines:
        there = [one.container_id for one in found.containers if one.container_id.startswith("strategy_")]
        known = ", ".join(there) or "none of strategies"
        raise StorageError(f"{display(found.path)}: no trace of strategy_{strategy}; there are {known}")
    _check_whole(container)
    return _read(container)


def _phase(directory: Path, phase: str) -> PhaseTrace:
    phases = discover_some(directory).phases
    named = [one for one in phases if one.phase_name == phase]
    if len(named) == 1:
        return named[0]
    if len(phases) == 1:
        return phases[0]
    names = ", ".join(f"{one.workflow_id}/{one.phase_name}" for one in phases[:8])
    raise StorageError(
        f"{display(directory)}: {len(named)} phases named {phase}; there are {names}; name one directory"
    )


def _check_whole(container: ContainerTrace) -> None:
    if not container.has_meta:
        raise MarketDataError(f"{display(container.lines_path)}: the trace was never sealed; run it again")
    meta = read_meta(container.meta_path)
    tally = meta.events.get("SIGNAL")
    if meta.status != "complete":
        raise MarketDataError(f"{display(container.lines_path)}: the run that left it is {meta.status}, not complete")
    if tally is not None and tally.written < tally.published:
        raise MarketDataError(
            f"{display(container.lines_path)}: only {tally.written:,} of {tally.published:,} signals were kept; "
            "run it again with trace_settings.max_events: null, and SIGNAL among the types recorded"
        )


def _read(container: ContainerTrace) -> RecordedStrategy:
    path = container.lines_path
    rows: list[Row] = []
    kinds: set[tuple[str, float | None]] = set()

    def refuse(fault: LineFault) -> None:
        raise MarketDataError(f"{display(path)}, line {fault.line}: {fault.kind}")

    for block in read_blocks(path, on_fault=refuse):
        for number, event in enumerate(parse_lines(block.lines), start=block.first_line):
            if isinstance(event, dict) and event.get("event_type") == "SIGNAL":
                place = f"{display(path)}, line {number}"
                row, kind, drift = _row(event, place)
                rows.append(row)
                kinds.add((kind, drift))
            elif not isinstance(event, dict):
                raise MarketDataError(f"{display(path)}, line {number}: no event")
    if len(kinds) > 1:
        shown = ", ".join(sorted(name if limit is None else f"{name} with drift {limit}" for name, limit in kinds))
        raise MarketDataError(f"{display(path)}: signals of several kinds: {shown}")
    return RecordedStrategy(rows, *next(iter(kinds), ("direction", None)))


def _row(event: dict[str, Any], place: str) -> tuple[Row, str, float | None]:
    """Return a decision, its kind, and the drift that its strategy allows."""
    payload = event.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    kind, target, symbol = payload.get("kind"), payload.get("target"), event.get("symbol")
    rule, features, drift = payload.get("rule"), payload.get("features") or {}, payload.get("drift")
    if kind == "order":
        raise MarketDataError(
            f"{place}: a strategy that is called bar by bar asks for orders by its position and cash; run it again"
        )
    sound = (
        kind in ("direction", "weight")
        and isinstance(target, int | float)
        and (kind == "weight" or target in (-1, 0, 1))
        and isinstance(symbol, str)
        and isinstance(rule, str | None)
        and isinstance(features, dict)
        and isinstance(drift, float | int | None)
    )
    if not sound or not isinstance(target, int | float) or not isinstance(symbol, str):
        raise MarketDataError(f"{place}: not a signal: it needs kind, target and symbol")
    return Row(instant(str(event.get("timestamp"))), symbol, float(target), rule, place, features), str(kind), drift
