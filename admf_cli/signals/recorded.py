"""Recorded decisions as a strategy: the same ones at the same bars. Refuses to know where they were recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from admf_cli.errors import MarketDataError
from admf_cli.features import FeatureSpec
from admf_cli.market.bars import Bars, FloatArray
from admf_cli.strategies.interface import Decisions
from admf_cli.tracefile.format import timestamp_text

_SHOWN = 3


class Row(Struct, frozen=True):
    """One decision.

    Attributes:
        time: microseconds since 1970 UTC.
        place: where it was read, such as "signals.csv, line 7".
        features: what it was decided on.
    """

    time: int
    symbol: str
    target: float
    rule: str | None
    place: str
    features: Mapping[str, float | None]


class RecordedStrategy:
    """Repeats recorded decisions at the bars of their times.

    Args:
        rows: in any order.
        kind: "direction" or "weight".
        drift: as in `strategies.interface.Decisions`.
    """

    def __init__(self, rows: Sequence[Row], kind: str, drift: float | None = None) -> None:
        self._rows = rows
        self._kind = kind
        self._drift = drift

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return none: what it was decided on is recorded, too."""
        return {}

    def rules(self) -> Mapping[str, str]:
        """Return none: they were another's."""
        return {}

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return the decisions of the phase; those of other times are left out.

        Raises:
            MarketDataError: a symbol or, within the phase, a time is not among the bars.
        """
        index = {name: place for place, name in enumerate(bars.symbols)}
        strangers = [row for row in self._rows if row.symbol not in index]
        if strangers:
            raise _fault(strangers, f"no such symbol among the bars: there are {', '.join(bars.symbols[:8])}")
        begins, ends = int(bars.times[first]), int(bars.times[-1])
        rows = [row for row in self._rows if begins <= row.time <= ends]
        symbol = np.array([index[row.symbol] for row in rows], dtype=np.int64)
        times = np.array([row.time for row in rows], dtype=np.int64)
        bar = np.searchsorted(bars.times, times)
        there = bars.times[bar] == times
        if bars.present is not None:
            there &= bars.present[bar, symbol]
        if not there.all():
            astray = [row for row, ok in zip(rows, there.tolist(), strict=True) if not ok]
            raise _fault(astray, "the symbol has no bar at this time; a decision is made at a bar's close")
        order = np.lexsort((symbol, bar))
        twice = np.flatnonzero((np.diff(bar[order]) == 0) & (np.diff(symbol[order]) == 0))
        if len(twice):
            raise _fault([rows[order[int(place) + 1]] for place in twice], "a second decision for this symbol and time")
        ordered = [rows[place] for place in order.tolist()]
        names = list(dict.fromkeys(name for row in ordered for name in row.features))
        evidence: dict[str, Any] = {
            name: np.array([row.features.get(name) for row in ordered], dtype=object) for name in names
        }
        rules = tuple(row.rule for row in ordered)
        return Decisions(
            bar[order],
            symbol[order],
            np.array([row.target for row in ordered], dtype=np.float64),
            self._kind,
            rules if any(rule is not None for rule in rules) else (),
            evidence,
            self._drift,
        )


def _fault(rows: Sequence[Row], rule: str) -> MarketDataError:
    lines = [f"{row.place}: {row.symbol} at {timestamp_text(row.time)}: {rule}" for row in rows[:_SHOWN]]
    more = [f"and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
    return MarketDataError("\n".join([*lines, *more]))
