"""What every exporter is given and gives back, and which there are. Refuses to know any format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct, field

from admf_cli.tracefile.discovery import PhaseTrace
from admf_cli.traces.export.formats import Target, TimeAxis
from admf_cli.traces.filters import Filters

STANDARD_OUTPUT = Path("-")


class Request(Struct, frozen=True):
    """What is to be exported.

    Attributes:
        output: a file or a directory that does not exist yet, as the format needs; of a graph also STANDARD_OUTPUT.
        event: of one causal graph, as `explain` takes it.
    """

    phases: Sequence[PhaseTrace]
    output: Path
    filters: Filters = field(default_factory=Filters)
    time: TimeAxis = TimeAxis.sim
    event: str | None = None


class Exported(Struct, frozen=True):
    """What came of it.

    Attributes:
        counts: what was written, such as {"spans": 1200}.
        notes: what was left out, and why.
    """

    files: tuple[Path, ...]
    counts: dict[str, int]
    notes: tuple[str, ...] = ()


Exporter = Callable[[Request], Exported]


def exporter(target: Target) -> Exporter:
    """Return what writes a format; the others are not even loaded."""
    if target is Target.perfetto:
        from admf_cli.traces.export.perfetto import export_perfetto

        return export_perfetto
    if target is Target.otlp:
        from admf_cli.traces.export.otlp import export_otlp

        return export_otlp
    if target is Target.parquet:
        from admf_cli.traces.export.parquet import export_parquet

        return export_parquet
    if target is Target.csv:
        from admf_cli.traces.export.csv_files import export_csv

        return export_csv
    from admf_cli.traces.export.mermaid import export_mermaid

    return export_mermaid
