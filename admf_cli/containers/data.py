"""The data container: the phase's bars, and a BAR for each. Refuses to know what they are used for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from admf_cli.containers.base import Container
from admf_cli.events.event import EventBatch
from admf_cli.market.bars import Bars, IntArray
from admf_cli.market.load import LoadedBars, phase_window
from admf_cli.tracefile.format import BAR_PLACE, BAR_SHIFT, MAX_SYMBOLS

FIRST_NUMBER: Final = 2  # PHASE_START is number 1
_ROWS_AT_ONCE: Final = 65_536
_COLUMNS: Final = ("open", "high", "low", "close", "volume")


class BarRows:
    """Where each symbol's bar stands among the rows that a phase publishes: by bar, then by symbol.

    The data container and the features container publish one event a row, so a row's number is the same in both.
    """

    __slots__ = ("_rank", "_width", "bars")

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self._width = bars.n_symbols
        self._rank: IntArray | None = None
        if bars.present is not None:
            self._rank = np.cumsum(bars.present.ravel(), dtype=np.int64)  # rows up to and including this place

    def number(self, bar: int, symbol: int) -> int:
        """Return the event number of this symbol's bar."""
        place = bar * self._width + symbol
        return FIRST_NUMBER + (place if self._rank is None else int(self._rank[place]) - 1)

    def before(self, bar: int) -> int:
        """Return how many rows there are before this bar."""
        place = bar * self.bars.n_symbols
        if self._rank is None:
            return place
        return int(self._rank[place - 1]) if place else 0

    def select(self, start: int, stop: int) -> tuple[IntArray, IntArray, IntArray | None, np.ndarray | None]:
        """Return bar index, time and symbol index of each row of the bars `[start, stop)`, and what mask picks them.

        The symbol index is None with one symbol, the mask None where every symbol has every bar; it applies to
        `column[start:stop].ravel()`.
        """
        n_symbols = self.bars.n_symbols
        bar, time = np.arange(start, stop, dtype=np.int64), self.bars.times[start:stop]
        if n_symbols == 1 and self._rank is None:
            return bar, time, None, None
        bar, time = np.repeat(bar, n_symbols), np.repeat(time, n_symbols)
        symbol = np.tile(np.arange(n_symbols, dtype=np.int64), stop - start)
        if self.bars.present is None:
            return bar, time, symbol, None
        mask = self.bars.present[start:stop].ravel()
        return bar[mask], time[mask], symbol[mask], mask


def publish_rows(
    publisher: Container,
    rows: BarRows,
    start: int,
    stop: int,
    columns: Mapping[str, np.ndarray],
    *,
    event_type: str,
    first_place: int,
    cause_container: str | None,
) -> None:
    """Publish an event for each row of the bars `[start, stop)`, in batches.

    Args:
        columns: shape (n_bars, n_symbols) each.


    Nothing is made that nobody hears, and no batch is larger than what is good for the memory.
    """
    if not publisher.bus.batch_listeners(event_type):
        publisher.pass_over_rows(rows.before(stop) - rows.before(start))
        return
    step = max(_ROWS_AT_ONCE // rows.bars.n_symbols, 1)
    for begin in range(start, stop, step):
        end = min(begin + step, stop)
        bar, time, symbol, mask = rows.select(begin, end)
        values = {name: column[begin:end].ravel() for name, column in columns.items()}
        if mask is not None:
            values = {name: column[mask] for name, column in values.items()}
        first_number = FIRST_NUMBER + rows.before(begin)
        cause_number = None
        if cause_container is not None:
            cause_number = np.arange(first_number, first_number + len(bar), dtype=np.int64)
        sequence = bar << BAR_SHIFT
        sequence += first_place if symbol is None else first_place + symbol
        publisher.publish_batch(
            EventBatch(
                event_type=event_type,
                container_id=publisher.container_id,
                first_number=first_number,
                sequence=sequence,
                time=time,
                symbols=rows.bars.symbols,
                symbol_index=symbol,
                cause_container=cause_container,
                cause_number=cause_number,
                columns=values,
            )
        )


class DataContainer(Container):
    """Cuts the phase out of the loaded bars and publishes a BAR for each bar of each symbol, as the clock passes it."""

    container_type = "data"

    def __init__(self, config: Mapping[str, Any], loaded: LoadedBars) -> None:
        super().__init__(config)
        first, stop = phase_window(loaded.bars, self.settings.get("start"), self.settings.get("end"))
        self.loaded = loaded
        self.first = first if self.settings.get("warmup") != "none" else 0
        self.history = loaded.bars.window(first - self.first, stop)  # warm-up bars and the phase
        self.bars = loaded.bars.window(first, stop)  # the phase alone
        if self.bars.n_symbols > MAX_SYMBOLS:
            raise ValueError(f"at most {MAX_SYMBOLS} symbols")
        self.rows = BarRows(self.bars)
        self._done = 0

    def describe(self) -> Mapping[str, Any]:
        """Return what is known before the first bar: not how many will follow, nor where they came from."""
        return {
            "symbols": list(self.bars.symbols),
            "timeframe": self.loaded.timeframe,
            "source": self.settings.get("source"),
            "warmup_bars": self.first,
        }

    def summary(self) -> Mapping[str, Any]:
        """Return how many bars there were."""
        return {"bars": self.rows.before(self.bars.n_bars)}

    def bar_id(self, bar: int, symbol: int) -> str:
        """Return the id of the BAR event of this symbol at this bar."""
        return self._id_start + str(self.rows.number(bar, symbol))

    def rows_to_keep(self) -> int:
        """Return how many BARs there will be, if its trace keeps all of them."""
        return self.rows.before(self.bars.n_bars) if self.keeps_all("BAR") else 0

    def catch_up(self, bar: int) -> None:
        """Publish the rows of all bars up to this one that have not been published yet."""
        start, stop = self._done, bar + 1
        if start >= stop:
            return
        self._done = stop
        columns = {name: getattr(self.bars, name) for name in _COLUMNS}
        publish_rows(
            self, self.rows, start, stop, columns, event_type="BAR", first_place=BAR_PLACE, cause_container=None
        )
