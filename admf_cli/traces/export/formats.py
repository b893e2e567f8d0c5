"""Names of formats and time lines, loaded also where nothing is exported. Refuses to know what they lead to."""

from __future__ import annotations

from enum import StrEnum


class Target(StrEnum):
    """The formats."""

    perfetto = "perfetto"
    otlp = "otlp"
    parquet = "parquet"
    csv = "csv"
    mermaid = "mermaid"


class TimeAxis(StrEnum):
    """Where an event stands on a time line: at its simulated time, or at its place in the run's order."""

    sim = "sim"
    sequence = "sequence"
