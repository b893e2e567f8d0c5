"""Events as table rows, as JSON lines and as CSV, one after the other as they come. Chooses none by itself."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import chain, groupby, islice
from typing import IO, Protocol

import orjson

from admf_cli.tracefile.format import KEYS
from admf_cli.traces.event import TracedEvent
from admf_cli.traces.render.screen import Column, Screen
from admf_cli.traces.render.text import csv_safe, json_line, json_text, moment, printable
from admf_cli.traces.render.words import headline, style_of
from admf_cli.traces.show import Shown

_COLUMNS = (
    Column("time"),
    Column("event", style="cyan", wraps=True),
    Column("symbol"),
    Column("what happened", wraps=True),
)
_TABLE_ROWS = 200  # a table is laid out as a whole, so a long answer is several of them


class EventWriter(Protocol):
    """Shows events, however many portions of them come."""

    def write(self, events: Iterable[Shown]) -> int:
        """Show events; return how many they were."""


class TableWriter:
    """Events in words: as a table, or tab-separated when the screen is plain."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._titled = ""
        self._portion = None if screen.plain else _TABLE_ROWS

    def write(self, events: Iterable[Shown]) -> int:
        count = 0
        for name, group in groupby(events, key=phase_name):
            rows = map(_row, (one.found.event for one in group))
            while first := [*islice(rows, 1)]:
                portion = _Counted(chain(first, islice(rows, self._portion and self._portion - 1)))
                self._screen.table(_COLUMNS, portion, title=name if name != self._titled else None)
                self._titled = name
                count += portion.count
        return count


class LinesWriter:
    """Events in words, one a line at once; tab-separated when the screen is plain."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def write(self, events: Iterable[Shown]) -> int:
        count = 0
        for shown in events:
            count += 1
            event = shown.found.event
            time, event_id, symbol, words = _row(event)
            if self._screen.plain:
                self._screen.row((time, event_id, symbol, words))
            else:
                self._screen.line(f"{time}  {symbol + '  ' if symbol else ''}{words}  ({event_id})", style_of(event))
        return count


class _Counted:
    def __init__(self, rows: Iterable[tuple[str, ...]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        for row in self._rows:
            self.count += 1
            yield row


class JsonLinesWriter:
    """Events as they stand on disk, one a line; where there are several phases, each line also says whose it is."""

    def __init__(self, file: IO[str], *, several: bool) -> None:
        self._file, self._several = file, several

    def write(self, events: Iterable[Shown]) -> int:
        count = 0
        for shown in events:
            count += 1
            line = shown.found.line
            if self._several:
                place = {"workflow_id": shown.phase.workflow_id, "phase_name": shown.phase.phase_name}
                line = orjson.dumps({**orjson.loads(line), **place})
            self._file.write(json_line(line) + "\n")
        self._file.flush()
        return count


class CsvWriter:
    """Events as rows of the format's keys, the payload as JSON; no cell is taken for a formula by a spreadsheet."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(("workflow_id", "phase_name", *KEYS))

    def write(self, events: Iterable[Shown]) -> int:
        count = 0
        for shown in events:
            count += 1
            self._writer.writerow(map(csv_cell, _cells(shown)))
        self._file.flush()
        return count


def phase_name(shown: Shown) -> str:
    """Return `workflow/phase`."""
    return f"{shown.phase.workflow_id}/{shown.phase.phase_name}"


def csv_cell(value: object) -> str:
    """Return a value as the text of a cell."""
    return "" if value is None else csv_safe(printable(value if isinstance(value, str) else json_text(value)))


def _cells(shown: Shown) -> Iterator[object]:
    yield shown.phase.workflow_id
    yield shown.phase.phase_name
    for key in KEYS:
        yield getattr(shown.found.event, key)


def _row(event: TracedEvent) -> tuple[str, ...]:
    return moment(event.timestamp), event.event_id, event.symbol or "", headline(event)
