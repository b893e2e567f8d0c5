"""Runs the phases of a configuration again, on other bars, and records what was published. Refuses to judge it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from admf_cli.config import Resolved
from admf_cli.errors import AdmfError, InterruptedRunError
from admf_cli.events.event import Event, EventBatch
from admf_cli.market.bars import Bars, FloatArray, IntArray
from admf_cli.market.files import find
from admf_cli.market.load import LoadedBars, load_bars, phase_window
from admf_cli.market.periods import periods_per_year
from admf_cli.orchestration.coordinator import Coordinator
from admf_cli.topology.builder import TopologyBuilder
from admf_cli.topology.sources import Sources
from admf_cli.tracefile.encoder import encode_event
from admf_cli.wiring import sources, table_cache


class Recording(Struct):
    """What one rerun published, BARs left out.

    Attributes:
        events: every single event, in order.
        feature_sequence: shape (k,), of all FEATURE rows.
        features: name -> shape (k,).
    """

    events: list[tuple[Event, bytes]] = field(default_factory=list)
    feature_sequence: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    features: dict[str, FloatArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.events) + len(self.feature_sequence)


class Phase:
    """One phase of a configuration, to be run as often as wanted.

    Attributes:
        name: of the phase.
        first, stop: the phase's bars within `bars`.
        bars: all bars of the source.
        settings: the whole configuration, with the phase's period.
        files: that the bars were read from.
    """

    def __init__(
        self, name: str, settings: Mapping[str, Any], loaded: LoadedBars, sources: Sources, files: frozenset[Path]
    ) -> None:
        self.name = name
        self.files = files
        self.bars = loaded.bars
        self.sources = sources
        period = settings["period"]
        self.first, self.stop = phase_window(loaded.bars, period["start"], period["end"])
        start = self.first if settings["data"]["warmup"] != "none" else 0
        data = settings["data"]
        yearly, _ = periods_per_year(
            loaded.bars.times[self.first - start : self.stop],
            loaded.timeframe,
            override=data.get("periods_per_year"),
            calendar=data.get("calendar"),
        )
        # How many bars a year has is known beforehand, not read from the bars to come.
        self.settings = {**settings, "data": {**data, "periods_per_year": yearly}}
        self._loaded = loaded

    @property
    def n_bars(self) -> int:
        """Bars in the phase."""
        return self.stop - self.first

    @property
    def warmup_bars(self) -> int:
        """Bars that features may read before the phase."""
        return 0 if self.settings["data"]["warmup"] == "none" else self.first

    def record(self, bars: Bars | None = None) -> Recording:
        """Run the phase, on other bars if there are any, and return what was published.

        Raises:
            AdmfError: the run broke off.
        """
        loaded = LoadedBars(self.bars if bars is None else bars, self._loaded.timeframe, ())
        builder = TopologyBuilder(replace(self.sources, bars=lambda data: loaded), {})
        metadata = {"workflow_id": "check", "phase_name": self.name}
        mode = self.settings["workflow"]["mode"]
        topology = builder.build({"mode": mode, "config": self.settings, "metadata": metadata})
        recording = Recording()
        sequences: list[IntArray] = []
        columns: dict[str, list[FloatArray]] = {}

        def take(event: Event) -> None:
            recording.events.append((event, encode_event(event)))

        def take_batch(batch: EventBatch) -> None:
            if batch.event_type == "FEATURE":
                sequences.append(batch.sequence)
                for name, column in batch.columns.items():
                    columns.setdefault(name, []).append(column)

        topology.listen(take, take_batch)
        topology.run()
        if sequences:
            recording.feature_sequence = np.concatenate(sequences)
            recording.features = {name: np.concatenate(parts) for name, parts in columns.items()}
        recording.events.sort(key=lambda pair: pair[0].sequence)
        return recording


def phases_of(resolved: Resolved) -> list[Phase]:
    """Return the phases of a configuration, their bars loaded once.

    Raises:
        MarketDataError: the bars cannot be had.
    """
    config = {**resolved.values, "execution": {**resolved.values["execution"], "enable_event_tracing": False}}
    cache = table_cache()
    loaded = load_bars(config["data"], directory=resolved.directory, cache=cache)
    if cache is not None:
        cache.finish()

    reads = sources(resolved.directory, lambda data: loaded)
    planned: Sequence[Mapping[str, Any]] = Coordinator(_Listing()).run(config, "check")  # type: ignore[arg-type]
    files = frozenset(_files(config["data"], loaded.bars.symbols, resolved.directory))
    return [Phase(phase["phase_name"], phase["config"], loaded, reads, files) for phase in planned]


def _files(data: Mapping[str, Any], symbols: Sequence[str], directory: Path | None) -> Iterator[Path]:
    written = data.get("path") or ()
    paths = written.values() if isinstance(written, Mapping) else [written] if isinstance(written, str) else written
    for path in paths:
        for symbol in symbols:
            with contextlib.suppress(AdmfError):  # that of a symbol which is not read
                yield find(path.replace("{symbol}", symbol), directory).resolve()


class _Listing:
    """Stands where the sequencer does, and hands back what it would have run."""

    def run_phase(self, **phase: Any) -> dict[str, Any]:
        return phase


def attempt(phase: Phase, bars: Bars) -> Recording | AdmfError:
    """Return a recording, or why there is none: less data may be too little for a strategy.

    What strategies print is for the first run only.

    Raises:
        InterruptedRunError: the user has had enough.
    """
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            return phase.record(bars)
    except InterruptedRunError:
        raise
    except AdmfError as error:
        return error
