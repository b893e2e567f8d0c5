"""Does anything know the future? What is published up to a bar must not change with what comes after it.

The phase is run again on data that ends at a bar, and on data that turns into noise there; what both publish up to
that bar must be what the whole run published, byte for byte. Refuses to know what strategies and features do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from msgspec import Struct
from msgspec.structs import replace

from admf_cli.checks.own_files import OwnFiles
from admf_cli.checks.rerun import Phase, Recording, attempt
from admf_cli.errors import AdmfError, RunFailedError
from admf_cli.events.event import Event
from admf_cli.market.bars import Bars
from admf_cli.tracefile.format import BAR_SHIFT, FEATURE_PLACE, timestamp_text

_COLUMNS = ("open", "high", "low", "close")
# Rules of the end of data (orders that expire there, positions that are closed there) act at the last bars.
_LAST_BARS = 2


class Leak(Struct, frozen=True):
    """The first event that knew the future.

    Attributes:
        bar, time: at which it was published.
        features: those whose values changed; empty where only a strategy's own computation did.
        whole, cut: the event (or the features' values) with the whole data, and without the future; None: not there.
        data_end: time of the last bar that the cut data had, or that was not noise.
        sees_bars: how many bars ahead it saw, at least.
        sees_until: time of the last bar that it needed.
    """

    event_type: str
    event_id: str | None
    container: str
    symbol: str | None
    bar: int
    time: str
    features: tuple[str, ...]
    whole: Any
    cut: Any
    data_end: str
    by_noise: bool
    sees_bars: int | None = None
    sees_until: str | None = None


class Verdict(Struct, frozen=True):
    """What came of one phase.

    Attributes:
        cuts: bars after which the data was cut or turned to noise.
        compared: events compared, over all reruns.
        failed: (bar, message) of reruns that broke off, such as a strategy that needs more bars.
        data_opened: files of bars that a strategy opened by itself; what it read there was never cut.
        files_opened: other files that it opened.
    """

    phase: str
    bars: int
    cuts: tuple[int, ...]
    reruns: int
    compared: int
    leak: Leak | None
    failed: tuple[tuple[int, str], ...] = ()
    data_opened: tuple[str, ...] = ()
    files_opened: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is known to have known the future, and the check could tell."""
        return self.leak is None and not self.data_opened


def check_lookahead(
    phase: Phase, cuts: int = 24, seed: int = 1, progress: Callable[[int, int], None] | None = None
) -> Verdict:
    """Return whether anything in a phase knew the future.

    Args:
        cuts: at how many bars to cut: half of them just after signals, where a look ahead shows at once.
        progress: told now and then how many reruns are done, and how many there are to be.

    Raises:
        AdmfError: the whole run itself breaks off, or every rerun does.
    """
    with OwnFiles() as own:
        whole = phase.record()
        verdict = _rerun(phase, whole, cuts, seed, progress)
    if verdict.reruns and len(verdict.failed) == verdict.reruns:
        bar, message = verdict.failed[0]
        raise RunFailedError(f"all {verdict.reruns} reruns broke off, the first on data cut at bar {bar}: {message}")
    return replace(
        verdict,
        data_opened=tuple(sorted(_shown(path) for path in own.paths if path in phase.files)),
        files_opened=tuple(sorted(_shown(path) for path in own.paths if path not in phase.files)),
    )


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _rerun(
    phase: Phase, whole: Recording, cuts: int, seed: int, progress: Callable[[int, int], None] | None
) -> Verdict:
    places = _places(whole, phase.n_bars, cuts)
    reruns = compared = 0
    failed: list[tuple[int, str]] = []
    for place in places:
        for by_noise in (False, True):
            if progress is not None:
                progress(reruns, 2 * len(places))
            bars = _noise(phase, place, seed) if by_noise else _cut(phase, place)
            recording = attempt(phase, bars)
            reruns += 1
            if isinstance(recording, AdmfError):
                failed.append((place, str(recording).splitlines()[0]))
                continue
            leak, count = _first_difference(phase, whole, recording, place, by_noise=by_noise)
            compared += count
            if leak is not None:
                leak = _measured(phase, whole, leak, place)
                return Verdict(phase.name, phase.n_bars, places, reruns, compared, leak, tuple(failed))
    return Verdict(phase.name, phase.n_bars, places, reruns, compared, None, tuple(failed))


def _places(whole: Recording, n_bars: int, cuts: int) -> tuple[int, ...]:
    """Return after how many bars to cut, ascending."""
    if n_bars < 3:
        return ()
    signals = sorted({event.bar + 1 for event, _ in whole.events if event.event_type == "SIGNAL"})
    signals = [place for place in signals if 2 <= place < n_bars]
    chosen = {signals[int(i)] for i in np.linspace(0, len(signals) - 1, min(len(signals), (cuts + 1) // 2))}
    even = np.linspace(2, n_bars - 1, max(1, cuts - len(chosen))).astype(int)
    return tuple(sorted(chosen | set(even.tolist())))


def _cut(phase: Phase, place: int) -> Bars:
    return phase.bars.window(0, phase.first + place)


def _noise(phase: Phase, place: int, seed: int) -> Bars:
    """Return the bars with everything after a place multiplied by chance; each bar stays one that could be."""
    start = phase.first + place
    bars = phase.bars
    shape = bars.close[start:].shape
    random = np.random.default_rng([seed, place])
    factor = np.exp(random.normal(0.0, 0.25, shape))
    arrays: dict[str, Any] = {}
    for name in (*_COLUMNS, "volume"):
        column = np.array(getattr(bars, name), order="F")
        column[start:] *= factor if name != "volume" else np.exp(random.normal(0.0, 1.0, shape))
        column.flags.writeable = False
        arrays[name] = column
    return replace(bars, **arrays)


def _first_difference(
    phase: Phase, whole: Recording, other: Recording, place: int, *, by_noise: bool
) -> tuple[Leak | None, int]:
    """Return the first event before bar `place` that differs, and how many were compared."""
    last = place if by_noise else place - _LAST_BARS
    left, right = (list(_comparable(recording, place, last)) for recording in (whole, other))
    end = timestamp_text(int(phase.bars.times[phase.first + place - 1]))
    leaks = [_feature_leak(phase, whole, other, place), _event_leak(left, right)]
    found = [replace(leak, data_end=end, by_noise=by_noise) for leak in leaks if leak is not None]
    rows = int(np.searchsorted(whole.feature_sequence, place << BAR_SHIFT))
    return min(found, key=lambda leak: (leak.bar, leak.event_type != "FEATURE"), default=None), len(left) + rows


def _comparable(recording: Recording, place: int, last: int) -> Iterator[tuple[Event, bytes]]:
    """Yield the events before bar `place`; past `last` only what is decided on columns."""
    for event, line in recording.events:
        if event.event_type == "PHASE_END" or event.bar >= place:
            continue
        if event.bar < last or event.event_type in ("SIGNAL", "PHASE_START"):
            yield event, line


def _event_leak(left: Sequence[tuple[Event, bytes]], right: Sequence[tuple[Event, bytes]]) -> Leak | None:
    for place in range(max(len(left), len(right))):
        mine = left[place] if place < len(left) else None
        theirs = right[place] if place < len(right) else None
        if mine is not None and theirs is not None and mine[1] == theirs[1]:
            continue
        # Where one has an event that the other lacks, the earlier of the two is the one to blame.
        event = min((pair[0] for pair in (mine, theirs) if pair is not None), key=lambda event: event.sequence)
        shown = [None if pair is None or pair[0].sequence != event.sequence else pair for pair in (mine, theirs)]
        return Leak(
            event_type=event.event_type,
            event_id=event.event_id,
            container=event.container_id,
            symbol=event.symbol,
            bar=event.bar,
            time=timestamp_text(event.time),
            features=_changed(*(pair[0] if pair else None for pair in shown)),
            whole=None if shown[0] is None else orjson.loads(shown[0][1])["payload"],
            cut=None if shown[1] is None else orjson.loads(shown[1][1])["payload"],
            data_end="",
            by_noise=False,
        )
    return None


def _changed(left: Event | None, right: Event | None) -> tuple[str, ...]:
    """Return the features that two SIGNALs were decided on and that differ between them."""
    mine, theirs = ({} if event is None else event.payload.get("features") or {} for event in (left, right))
    return tuple(name for name in mine if name in theirs and mine[name] != theirs[name] == theirs[name])


def _feature_leak(phase: Phase, whole: Recording, other: Recording, place: int) -> Leak | None:
    stop = place << BAR_SHIFT
    rows = min(int(np.searchsorted(recording.feature_sequence, stop)) for recording in (whole, other))
    differing: dict[str, int] = {}
    for name, mine in whole.features.items():
        left, right = mine[:rows], other.features[name][:rows]
        apart = (left.view(np.int64) != right.view(np.int64)) & ~(np.isnan(left) & np.isnan(right))
        if apart.any():
            differing[name] = int(apart.argmax())
    if not differing:
        return None
    row = min(differing.values())
    names = tuple(name for name, first in differing.items() if first == row)
    sequence = int(whole.feature_sequence[row])
    bar = sequence >> BAR_SHIFT
    number = row + 2  # PHASE_START is number 1
    symbol = (sequence & ((1 << BAR_SHIFT) - 1)) - FEATURE_PLACE
    return Leak(
        event_type="FEATURE",
        event_id=f"features#{number}",
        container="features",
        symbol=phase.bars.symbols[symbol],
        bar=bar,
        time=timestamp_text(int(phase.bars.times[phase.first + bar])),
        features=names,
        whole={name: _number(whole.features[name][row]) for name in names},
        cut={name: _number(other.features[name][row]) for name in names},
        data_end="",
        by_noise=False,
    )


def _measured(phase: Phase, whole: Recording, leak: Leak, place: int) -> Leak:
    """Find by bisection how much data the event needs to be what it was."""
    low, high = place, phase.n_bars  # it differs when cut at `low`, and does not at `high`
    while high - low > 1:
        middle = (low + high) // 2
        recording = attempt(phase, _cut(phase, middle))
        if isinstance(recording, AdmfError):
            return leak
        found, _ = _first_difference(phase, whole, recording, middle, by_noise=False)
        if found is not None and found.bar <= leak.bar:
            low = middle
        else:
            high = middle
    last = high - 1
    return replace(
        leak,
        sees_bars=last - leak.bar,
        sees_until=timestamp_text(int(phase.bars.times[phase.first + last])),
    )


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
