"""One row a portfolio and phase: what the run was and what it earned, as its own last event says. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from admf_cli.errors import StorageError
from admf_cli.metrics import METRICS
from admf_cli.tracefile.discovery import PhaseTrace
from admf_cli.traces.archive import Archive
from admf_cli.traces.event import TracedEvent, amount
from admf_cli.traces.faults import FaultLog

if TYPE_CHECKING:
    import polars as pl

_TEXT = (
    "workflow_id",
    "phase",
    "portfolio",
    "status",
    "reason",
    "config_name",
    "config_sha256",
    "data_sha256",
    "admf_version",
    "started",
    "ended",
)
_COUNTS = ("signals", "orders", "fills", "cancelled", "expired", "rejected")
_NUMBERS = ("initial_capital", "cash", "equity", *METRICS)


def runs(phases: Iterable[PhaseTrace], faults: FaultLog) -> pl.DataFrame:
    """Return the runs; what is not on disk is null."""
    import polars as pl

    rows = [row for phase in phases for row in _rows(phase, faults)]
    schema: dict[str, Any] = dict.fromkeys(_TEXT, pl.String)
    schema |= dict.fromkeys(_COUNTS, pl.Int64)
    schema |= dict.fromkeys(_NUMBERS, pl.Float64)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    times = (pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False) for name in _TEXT[-2:])
    return frame.with_columns(*times)


def _rows(phase: PhaseTrace, faults: FaultLog) -> Iterable[tuple[Any, ...]]:
    with Archive(phase) as archive:
        for portfolio in archive.containers("portfolio"):
            try:
                yield _row(archive, portfolio)
            except StorageError as error:
                faults.add("unreadable", f"{archive.name}/{portfolio}", None, str(error))


def _row(archive: Archive, portfolio: str) -> tuple[Any, ...]:
    meta, last, first = archive.meta(portfolio), archive.last(portfolio), archive.first(portfolio)
    end = last if last is not None and last.event_type == "PHASE_END" else None
    said: Mapping[str, Any] = end.payload if end else {}
    metrics = end.mapping("metrics") if end else {}
    counts = end.mapping("counts") if end else {}
    return (
        archive.phase.workflow_id,
        archive.phase.phase_name,
        portfolio,
        meta.status if meta else None,
        meta.reason if meta else None,
        meta.config_name if meta else None,
        meta.config_sha256 if meta else None,
        meta.data_sha256 if meta else None,
        meta.admf_version if meta else None,
        _time(first),
        _time(last),
        *(_whole(counts, name) for name in _COUNTS),
        *(amount(said, name) for name in _NUMBERS[:3]),
        *(amount(metrics, name) for name in METRICS),
    )


def _time(event: TracedEvent | None) -> str | None:
    return event.timestamp if event else None


def _whole(counts: Mapping[str, Any], name: str) -> int | None:
    value = amount(counts, name)
    return int(value) if value is not None and value.is_integer() else None
