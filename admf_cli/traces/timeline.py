"""Does time in a phase only move forward, alike in every file, and every cause come before its effect?

Refuses to know what the events mean. Holds 8 to 32 bytes an event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from msgspec import Struct, field

from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.traces.contents import FileContents
from admf_cli.traces.dense import DenseBlock, times_of
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.moments import microseconds
from admf_cli.traces.numbers import split_id
from admf_cli.traces.scan import EventBlock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    IntArray: TypeAlias = NDArray[np.int64]

_BEFORE_ALL_TIME = -(1 << 62)
_STAMP = len("2008-03-03T00:00:00Z")
_STAMP_WITH_FRACTION = len("2008-03-03T00:00:00.000000Z")


class _Track(Struct):
    """What was seen of one file so far."""

    sequence: int = -1
    time: int = _BEFORE_ALL_TIME
    numbers: list[Sequence[int] | IntArray] = field(default_factory=list)
    sequences: list[IntArray] = field(default_factory=list)
    links: dict[str, list[tuple[IntArray | range, IntArray | range, IntArray]]] = field(default_factory=dict)


class Timeline:
    """Fed one phase's files, block by block; whatever is wrong goes into `faults`."""

    def __init__(self, faults: FaultLog) -> None:
        self._faults = faults
        self._tracks: dict[str, _Track] = {}
        self._bars: IntArray = np.empty(0, dtype=np.int64)
        self._times: IntArray = np.empty(0, dtype=np.int64)
        self._unknown: list[tuple[IntArray, IntArray]] = []

    def first_sequence(self, container_id: str) -> int | None:
        """Return the sequence of a container's first event on disk, None if it has none."""
        track = self._tracks.get(container_id)
        return int(track.sequences[0][0]) if track and track.sequences else None

    def last_bar(self) -> int:
        """Return the last bar of any event, -1 if there is none."""
        return max((track.sequence >> BAR_SHIFT for track in self._tracks.values()), default=-1)

    def take(self, file: FileContents, block: EventBlock | DenseBlock) -> None:
        """Check one block of events."""
        container_id = file.container.container_id
        track = self._tracks.setdefault(container_id, _Track())
        sequences = np.asarray(block.sequences, dtype=np.int64)
        steps = np.diff(sequences, prepend=track.sequence)
        for place in np.flatnonzero(steps <= 0).tolist() if steps.min() <= 0 else ():
            text = f"sequence {sequences[place]} does not come after the one before it"
            self._faults.add("sequence", file.name, block.lines[place], text)
        times = block.times if isinstance(block, DenseBlock) else self._parsed(file, block)
        if times is not None:
            self._check_times(file, block, track, sequences, times)
            track.time = int(times[-1])
        track.sequence = int(sequences[-1])
        track.sequences.append(sequences)
        track.numbers.append(block.numbers)
        _note_links(track, block, sequences)

    def file_done(self) -> None:
        """Remember the bars of the file just read, so that the next ones are held against them."""
        if not self._unknown:
            return
        bars = np.concatenate([self._bars, *(bars for bars, _ in self._unknown)])
        times = np.concatenate([self._times, *(times for _, times in self._unknown)])
        self._bars, places = np.unique(bars, return_index=True)
        self._times = times[places]
        self._unknown.clear()

    def phase_done(self, files: Mapping[str, FileContents]) -> None:
        """Check that every cause on disk lies before its effect."""
        for container_id, track in self._tracks.items():
            for cause_container, links in track.links.items():
                source = self._tracks.get(cause_container)
                if source is not None:
                    self._check_causes(files[container_id], source, cause_container, links)

    def _check_times(
        self, file: FileContents, block: EventBlock | DenseBlock, track: _Track, sequences: IntArray, times: IntArray
    ) -> None:
        bars = sequences >> BAR_SHIFT
        if self._goes_with_known(bars, times) and track.time < times[0]:
            return
        moved = np.diff(times, prepend=track.time)
        stepped = np.diff(bars, prepend=track.sequence >> BAR_SHIFT)
        wrong = (moved < 0) | ((stepped == 0) & (moved != 0)) | ((stepped > 0) & (moved <= 0))
        for place in np.flatnonzero(wrong).tolist():
            what = "runs backwards" if moved[place] < 0 else "does not go with its bar"
            text = f"time {what}: bar {bars[place]}, after bar {bars[place] - stepped[place]}"
            self._faults.add("time", file.name, block.lines[place], text)
        if not len(self._bars):
            known = np.zeros(len(bars), dtype=bool)
        else:
            places = np.minimum(np.searchsorted(self._bars, bars), len(self._bars) - 1)
            known = self._bars[places] == bars
            for place in np.flatnonzero(known & (self._times[places] != times) & ~wrong).tolist():
                text = f"bar {bars[place]} has another time here than in the other files"
                self._faults.add("time", file.name, block.lines[place], text)
        if not known.all():
            self._unknown.append((bars[~known], times[~known]))

    def _goes_with_known(self, bars: IntArray, times: IntArray) -> bool:
        """Return whether these are consecutive known bars with their times, as they mostly are after the first file."""
        start = int(np.searchsorted(self._bars, bars[0]))
        stop = start + len(bars)
        return np.array_equal(self._bars[start:stop], bars) and np.array_equal(self._times[start:stop], times)

    def _parsed(self, file: FileContents, block: EventBlock) -> IntArray | None:
        times = _times(block.timestamps)
        if times is not None:
            return times
        for line, timestamp in zip(block.lines, block.timestamps, strict=True):
            if microseconds(timestamp) is None:
                self._faults.add("time", file.name, line, f"{timestamp[:40]!r} is not a time")
        return None

    def _check_causes(
        self,
        file: FileContents,
        source: _Track,
        cause_container: str,
        links: list[tuple[IntArray | range, IntArray | range, IntArray]],
    ) -> None:
        numbers = np.concatenate([np.asarray(part, dtype=np.int64) for part in source.numbers])
        sequences = np.concatenate(source.sequences)
        if (np.diff(numbers) <= 0).any():
            order = np.argsort(numbers, kind="stable")
            numbers, sequences = numbers[order], sequences[order]
        gapless = int(numbers[-1] - numbers[0]) == len(numbers) - 1
        for causes, lines, own in links:
            if gapless and isinstance(causes, range) and numbers[0] <= causes[0] and causes[-1] <= numbers[-1]:
                start = causes[0] - int(numbers[0])
                if (sequences[start : start + len(causes)] < own).all():
                    continue
            wanted = np.asarray(causes, dtype=np.int64)
            places = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
            late = (numbers[places] == wanted) & (sequences[places] >= own)
            for place in np.flatnonzero(late).tolist():
                text = f"it answers {cause_container}#{wanted[place]}, which happened later"
                self._faults.add("cause-order", file.name, int(lines[place]), text)


def _note_links(track: _Track, block: EventBlock | DenseBlock, sequences: IntArray) -> None:
    if isinstance(block, DenseBlock):
        if block.cause_container is not None and block.causes is not None:
            track.links.setdefault(block.cause_container, []).append((block.causes, block.lines, sequences))
        return
    mixed: dict[str, list[tuple[int, int, int]]] = {}
    for line, cause, sequence in zip(block.lines, block.causes, block.sequences, strict=True):
        parts = split_id(cause) if cause is not None else None
        if parts is not None:
            mixed.setdefault(parts[0], []).append((parts[1], line, sequence))
    for container, rows in mixed.items():
        table = np.array(rows, dtype=np.int64)
        track.links.setdefault(container, []).append((table[:, 0], table[:, 1], table[:, 2]))


def _times(timestamps: Sequence[str]) -> IntArray | None:
    """Return timestamps as microseconds since 1970 UTC; None if one is not a time."""
    widths = set(map(len, timestamps))
    if len(widths) == 1 and widths <= {_STAMP, _STAMP_WITH_FRACTION}:
        text = "".join(timestamps)
        if text.isascii():
            matrix = np.frombuffer(text.encode("ascii"), dtype=np.uint8).reshape(len(timestamps), -1)
            times = times_of(matrix[:, :-1]) if (matrix[:, -1] == ord("Z")).all() else None
            if times is not None:
                return times
    parsed = [microseconds(timestamp) for timestamp in timestamps]
    return None if None in parsed else np.array(parsed, dtype=np.int64)
