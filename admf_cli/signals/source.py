"""Recorded signals by path: a directory holds traces, a file is a table. Refuses to know what replays them."""

from __future__ import annotations

from pathlib import Path

from admf_cli.errors import StorageError
from admf_cli.signals.from_csv import strategy_from_csv
from admf_cli.signals.from_traces import strategy_from_traces
from admf_cli.signals.recorded import RecordedStrategy


def recorded_strategy(path: str, directory: Path | None, strategy: str, phase: str) -> RecordedStrategy:
    """Return a strategy's recorded decisions.

    Args:
        directory: where a relative path is looked for after the working directory: that of the configuration.

    Raises:
        StorageError: there is nothing, or it cannot be read.
        MarketDataError: it holds no sound signals.
    """
    own = directory is not None and not Path(path).is_absolute()
    tried = [Path(path), *([directory / path] if own and directory is not None else [])]
    for candidate in tried:
        try:
            if candidate.is_dir():
                return strategy_from_traces(candidate, strategy, phase)
            if candidate.is_file():
                return strategy_from_csv(candidate, strategy)
        except (OSError, ValueError) as error:
            raise StorageError(f"signals.path: {path!r}: {error}") from None
    places = " or ".join(dict.fromkeys(str(candidate.absolute()) for candidate in tried))
    raise StorageError(f"signals.path: no such directory or file: {path} (looked for {places})")
