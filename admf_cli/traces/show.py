"""The events of a directory's phases, one phase after the other, filtered. Refuses to know how they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from admf_cli.errors import ConfigError
from admf_cli.tracefile.discovery import PhaseTrace
from admf_cli.tracefile.format import EVENT_TYPES
from admf_cli.traces.archive import Archive
from admf_cli.traces.filters import Filters
from admf_cli.traces.selection import Found, newest, selected
from admf_cli.traces.windows import windows_of

_PHASES_NAMED = 3


class Shown(Struct, frozen=True):
    """One event to be shown, and whose it is."""

    phase: PhaseTrace
    found: Found


class Selection(Struct):
    """Which events are to be shown.

    Attributes:
        limit: at most so many, from the oldest; `last`: only so many, the newest. Not both.
    """

    filters: Filters = field(default_factory=Filters)
    limit: int | None = None
    last: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.last is not None:
            raise ConfigError("--limit takes the first events and --last the newest; choose one of them")

    def of(self, phases: Sequence[PhaseTrace]) -> Iterator[Shown]:
        """Yield the events of these phases, those of the first phase first.

        Raises:
            ConfigError: no container is named so.
            StorageError: a file can't be read.
        """
        check_containers(phases, self.filters)
        if self.last is not None:
            return iter(self._newest(phases, self.last))
        return self._oldest(phases)

    def _oldest(self, phases: Sequence[PhaseTrace]) -> Iterator[Shown]:
        left = self.limit
        for phase in phases:
            with Archive(phase) as archive:
                for found in selected(archive, self.filters) if left is None or left > 0 else ():
                    yield Shown(phase, found)
                    left = None if left is None else left - 1
                    if left == 0:
                        return

    def _newest(self, phases: Sequence[PhaseTrace], last: int) -> list[Shown]:
        shown: list[Shown] = []
        for phase in reversed(phases):
            with Archive(phase) as archive:
                found = newest(archive, self.filters, last - len(shown))
            shown = [*(Shown(phase, one) for one in found), *shown]
            if len(shown) >= last:
                break
        return shown


def check_containers(phases: Sequence[PhaseTrace], filters: Filters) -> None:
    """Refuse a `--container` that fits nothing.

    Raises:
        ConfigError: it fits no container; the message names those there are.
    """
    known = sorted({one.container_id for phase in phases for one in phase.containers})
    if known and not any(map(filters.wants, known)):
        raise ConfigError(f"no container {', '.join(filters.containers)} here; there are: {', '.join(known[:20])}")


def dropped(phases: Sequence[PhaseTrace], filters: Filters) -> Iterator[str]:
    """Yield what `max_events` dropped of the time and the containers that were asked for, of the first phases."""
    for phase in phases[:_PHASES_NAMED]:
        with Archive(phase) as archive:
            for window in windows_of(archive, filter(filters.wants, archive.containers())):
                meta = archive.meta(window.container_id)
                gone = {name for name, tally in meta.events.items() if tally.dropped} if meta else filters.types
                wanted = not filters.types or bool(filters.types & gone)
                if wanted and (filters.first is None or window.lacks_time(filters.first)):
                    yield f"{archive.name}: {window}"


def nothing_found(filters: Filters) -> str:
    """Return what to say when nothing was found."""
    strange = sorted(filters.types - set(EVENT_TYPES))
    if strange:
        return f"no event found; {', '.join(strange)} is no type of this version, which has: {', '.join(EVENT_TYPES)}"
    return "no event found"
