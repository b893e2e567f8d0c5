"""Where do two runs part, why, and how far? Refuses to know how the answer is shown.

Compared is what happened. Ids, versions and seals are told apart as headers, and so is the configuration as the
PHASE_STARTs give it: two configurations that lead to the same events are the same run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from admf_cli.errors import ConfigError
from admf_cli.tracefile.discovery import PhaseTrace, display
from admf_cli.traces.alignment import (
    ContainerComparison,
    FieldDifference,
    Pair,
    SidedKey,
    Window,
    compare,
    differences,
    sided,
)
from admf_cli.traces.archive import Archive, Gone
from admf_cli.traces.event import TracedEvent, amount
from admf_cli.traces.explain import causes_of
from admf_cli.traces.target import choose_phases, open_archives
from admf_cli.traces.versions import are_of_two, compare_versions, types_apart

_HEADERS = (
    "workflow_id",
    "phase_name",
    "admf_version",
    "schema_version",
    "config_name",
    "config_sha256",
    "data_sha256",
)


class Parting(Struct, frozen=True):
    """The first event at which two runs part, and what led to it on either side, nearest cause first."""

    container: str
    pair: Pair
    causes_a: tuple[TracedEvent | Gone, ...]
    causes_b: tuple[TracedEvent | Gone, ...]


class TypeDifference(Struct, frozen=True):
    """How many events of a type differ, in one container."""

    container: str
    event_type: str
    changed: int
    only_a: int
    only_b: int


class MetricDifference(Struct, frozen=True):
    """One reported figure that differs."""

    portfolio: str
    name: str
    a: float | None
    b: float | None


class PhaseDiff(Struct, frozen=True):
    """Two phases held against each other.

    Attributes:
        headers: of the seals: versions, ids, hashes.
        settings: container -> what its configuration differs in.
        recording: container -> payload keys that only one of two versions ever writes, and that count for nothing.
        ids_only: events that differ in ids and numbers only.
        compared: the containers on both sides.
        notes: what could not be compared.
    """

    a: str
    b: str
    headers: tuple[FieldDifference, ...]
    settings: Mapping[str, tuple[FieldDifference, ...]]
    parting: Parting | None
    types: tuple[TypeDifference, ...]
    ids_only: int
    metrics: tuple[MetricDifference, ...]
    compared: tuple[str, ...]
    notes: tuple[str, ...]
    recording: Mapping[str, tuple[SidedKey, ...]]

    @property
    def same(self) -> bool:
        """True if the same happened."""
        return self.parting is None


class TraceDiff(Struct, frozen=True):
    """The answer; `only_a` and `only_b` are phases without a partner."""

    a: str
    b: str
    phases: tuple[PhaseDiff, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def same(self) -> bool:
        """True if the same happened in all phases."""
        return all(phase.same for phase in self.phases) and not self.only_a and not self.only_b


def diff(a: Path, b: Path, *, tolerance: float = 0.0, phase: str | None = None) -> TraceDiff:
    """Return where the runs in two directories part.

    Args:
        tolerance: relative; numbers closer than this are the same.
        phase: only this one, on both sides.

    Raises:
        StorageError: there is no trace to read.
        ConfigError: a directory holds several workflows, no phase of one is in the other, or the tolerance is no
            fraction.
    """
    if not 0.0 <= tolerance < 1.0:
        raise ConfigError(f"--tolerance {tolerance!r}: it is a fraction of the larger number, such as 1e-9")
    phases = [_of_one_workflow(directory, phase) for directory in (a, b)]
    names = [[one.phase_name for one in side] for side in phases]
    if len(phases[0]) == len(phases[1]) == 1:
        couples = [(phases[0][0], phases[1][0])]
        only: tuple[tuple[str, ...], ...] = ((), ())
    else:
        couples = [(one, other) for one in phases[0] for other in phases[1] if one.phase_name == other.phase_name]
        only = tuple(tuple(one for one in names[side] if one not in names[1 - side]) for side in (0, 1))
    if not couples:
        raise ConfigError(f"no phase is on both sides: {', '.join(names[0][:10])} and {', '.join(names[1][:10])}")
    with ExitStack() as stack:
        answers = tuple(_diff_phase(open_archives(stack, couple), tolerance) for couple in couples)
    return TraceDiff(display(a), display(b), answers, *only)


def _of_one_workflow(directory: Path, phase: str | None) -> tuple[PhaseTrace, ...]:
    phases = choose_phases(directory, phase)
    workflows = sorted({one.workflow_id for one in phases})
    if len(workflows) > 1:
        raise ConfigError(
            f"{display(directory)} holds {len(workflows):,} workflows; name one of them: {', '.join(workflows[:10])}"
        )
    return phases


def _diff_phase(sides: Sequence[Archive], tolerance: float) -> PhaseDiff:
    a, b = sides
    mine, its = a.containers(), b.containers()
    compared = [one for one in mine if one in its]
    notes = [f"{one}: only {side} traced it, so it was not compared" for side, one in _unmatched(mine, its)]
    found: dict[str, ContainerComparison] = {}
    recording: dict[str, tuple[SidedKey, ...]] = {}
    for container_id in compared:
        window = _window(a, b, container_id, notes)
        its_a, its_b = a.lookup(container_id), b.lookup(container_id)
        assert its_a is not None
        assert its_b is not None
        if are_of_two(a.meta(container_id), b.meta(container_id)):
            comparison, keys = compare_versions(its_a, its_b, window, tolerance)
            if keys:
                recording[container_id] = keys
        else:
            comparison = compare(its_a, its_b, window, tolerance)
        found[container_id] = comparison
        if comparison.unread:
            notes.append(f"{container_id}: {comparison.unread:,} lines are no events and were not compared")
    if not compared:
        raise ConfigError(f"{a.name} and {b.name} have no container in common: {', '.join(mine)}; {', '.join(its)}")
    parted = {one: result.parting for one, result in found.items() if result.parting is not None}
    first = min(parted, key=lambda one: parted[one].sequence, default=None)
    return PhaseDiff(
        a.name,
        b.name,
        _headers(a, b, compared),
        {one: fields for one in compared if (fields := _settings(a, b, one))},
        None
        if first is None
        else Parting(first, parted[first], _causes(a, parted[first].a), _causes(b, parted[first].b)),
        tuple(_types(found)),
        sum(result.ids_only for result in found.values()),
        tuple(_metrics(a, b, compared, tolerance, recording)),
        tuple(compared),
        tuple(notes),
        recording,
    )


def _unmatched(mine: list[str], its: list[str]) -> list[tuple[str, str]]:
    return [("A", one) for one in mine if one not in its] + [("B", one) for one in its if one not in mine]


def _window(a: Archive, b: Archive, container_id: str, notes: list[str]) -> Window:
    """Return the bars and types that both sides kept."""
    first_bar, stop_bar, without = None, None, set[str]()
    for archive, side in ((a, "A"), (b, "B")):
        meta = archive.meta(container_id)
        first, last = archive.first(container_id), archive.last(container_id)
        if first is not None and first.number > 1 and not (meta and meta.total and not meta.total.dropped):
            first_bar = max(first_bar or 0, first.bar + 1)
            notes.append(f"{container_id}: {side} kept the newest events only, compared from bar {first.bar + 1:,} on")
        if meta is None and last is not None:
            stop_bar = min(last.bar, stop_bar if stop_bar is not None else last.bar)
            notes.append(f"{container_id}: {side} was never sealed, compared up to bar {last.bar:,}")
        filtered = {name for name, tally in meta.events.items() if tally.filtered} if meta else set()
        if filtered - without:
            notes.append(f"{container_id}: {side} did not record {', '.join(sorted(filtered))}")
        without |= filtered
    for side, event_type in types_apart(a.meta(container_id), b.meta(container_id)):
        notes.append(f"{container_id}: only {side}'s version writes {event_type}, so it was not compared")
        without.add(event_type)
    return Window(first_bar, stop_bar, frozenset(without))


def _headers(a: Archive, b: Archive, compared: list[str]) -> tuple[FieldDifference, ...]:
    for container_id in compared:
        mine, its = a.meta(container_id), b.meta(container_id)
        if mine is not None and its is not None:
            pairs = ((key, getattr(mine, key), getattr(its, key)) for key in _HEADERS)
            return tuple(FieldDifference(key, one, other) for key, one, other in pairs if one != other)
    return ()


def _settings(a: Archive, b: Archive, container_id: str) -> tuple[FieldDifference, ...]:
    mine, its = a.start(container_id), b.start(container_id)
    if mine is None or its is None:
        return ()
    return tuple(differences(mine.mapping("settings"), its.mapping("settings"), 0.0))[:50]


def _causes(archive: Archive, event: TracedEvent | None) -> tuple[TracedEvent | Gone, ...]:
    return tuple(causes_of(archive, event)) if event is not None else ()


def _types(found: Mapping[str, ContainerComparison]) -> list[TypeDifference]:
    rows = []
    for container_id, result in found.items():
        for event_type in dict.fromkeys(name for name, _ in result.counts):
            counts = (result.counts[event_type, what] for what in ("changed", "only_a", "only_b"))
            rows.append(TypeDifference(container_id, event_type, *counts))
    return rows


def _metrics(
    a: Archive, b: Archive, compared: list[str], tolerance: float, recording: Mapping[str, tuple[SidedKey, ...]]
) -> list[MetricDifference]:
    rows = []
    for container_id in compared:
        if a.kind(container_id) != "portfolio":
            continue
        ends = [archive.last(container_id, "PHASE_END") for archive in (a, b)]
        mine, its = (end.mapping("metrics") if end else {} for end in ends)
        if not mine or not its:
            continue
        for field in differences(mine, its, tolerance):
            if sided("PHASE_END", _below("metrics", field)) in recording.get(container_id, ()):
                continue
            values = amount(mine, field.path), amount(its, field.path)
            rows.append(MetricDifference(container_id, field.path, *values))
    return rows


def _below(key: str, field: FieldDifference) -> FieldDifference:
    return FieldDifference(f"{key}.{field.path}", field.a, field.b)
