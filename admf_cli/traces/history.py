"""A symbol's values at a bar and at its own bars before, as they stand in BAR and FEATURE lines.

Refuses to compute any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from admf_cli.traces.archive import Archive
from admf_cli.traces.event import TracedEvent, amount
from admf_cli.traces.explain import features_at
from admf_cli.traces.moments import microseconds
from admf_cli.traces.windows import windows_of

_MAX_LAG = 10_000


class History:
    """Looks values up by the name a rule uses and by how many of the symbol's own bars ago.

    Args:
        bar: a BAR; where none was traced, any event of the bar.
        roles: the name a rule uses -> the name under which FEATURE lines hold it.

    Attributes:
        undefined: names without a value yet: FEATURE lines hold them as null, or ask for bars before the first.
        missing: names whose values at this bar or an earlier one are not on disk.
    """

    def __init__(self, archive: Archive, bar: TracedEvent, roles: Mapping[str, Any]) -> None:
        self.undefined: list[str] = []
        self.missing: list[str] = []
        self._archive = archive
        self._roles = roles
        self._bars = [bar]
        self._features: dict[int, dict[str, float | None]] = {}
        self._earlier = self._walk_back(bar)

    def value(self, name: str, lag: int) -> float | None:
        """Return a value, None if it is undefined or not on disk.

        Args:
            name: a bar column, a feature, a rule's role, "time" (microseconds since 1970 UTC), or "first_bar".
        """
        if name == "first_bar":
            return self._is_first(lag)
        bar = self._bar(lag)
        if bar is None:
            found = self.undefined if lag and self._nothing_came_before() else self.missing
            if name not in found:
                found.append(name)
            return None
        if name == "time":
            return microseconds(bar.timestamp)
        features = self._features_of(lag, bar)
        role = self._roles.get(name, name)
        for key in (role, name):
            if key in features:
                if features[key] is None and key not in self.undefined:
                    self.undefined.append(key)
                return features[key]
        value = bar.amount(name)
        if value is None and name not in self.missing:
            self.missing.append(name)
        return value

    def begins_within(self, bars: int) -> bool:
        """Return whether that many bars reach back to the first one that the run read."""
        return self._bar(bars) is None and self._nothing_came_before()

    def notes(self) -> tuple[str, ...]:
        """Say which values are not on disk, and why."""
        if not self.missing:
            return ()
        names = ", ".join(self.missing[:10])
        bars = self._bars[0].container_id
        dropped = windows_of(self._archive, [bars, *self._archive.containers("features")])
        if dropped:
            return (f"not on disk: {names}", *map(str, dropped))
        start = self._archive.start(bars)
        warmup = amount(start.mapping("settings"), "warmup_bars") if start else None
        if warmup:
            return (
                f"not on disk: {names} of bars before the phase: {warmup:,.0f} were read to warm up, none is traced",
            )
        return (f"not on disk: {names}",)

    def _is_first(self, lag: int) -> float | None:
        if self._bar(lag) is None:
            return None
        if self._bar(lag + 1) is not None:
            return 0.0
        return 1.0 if self._starts_whole() is not None else None

    def _starts_whole(self) -> TracedEvent | None:
        """Return the first event of the bars' container if nothing was pushed out before it."""
        first = self._archive.first(self._bars[0].container_id)
        return first if first is not None and first.number == 1 else None

    def _nothing_came_before(self) -> bool:
        """Return whether the run read no bar before the first one on disk, not even to warm up."""
        start = self._starts_whole()
        return start is not None and start.mapping("settings").get("warmup_bars") == 0

    def _bar(self, lag: int) -> TracedEvent | None:
        while len(self._bars) <= min(lag, _MAX_LAG):
            earlier = next(self._earlier, None)
            if earlier is None:
                return None
            self._bars.append(earlier)
        return self._bars[lag] if lag < len(self._bars) else None

    def _walk_back(self, bar: TracedEvent) -> Iterator[TracedEvent]:
        lookup = self._archive.lookup(bar.container_id)
        line = lookup.by_number(bar.number) if lookup else None
        if lookup is None or line is None:
            return
        seen = bar.bar
        for event in self._archive.before(bar.container_id, line.offset, lookup.size):
            if event.symbol == bar.symbol and event.event_type == bar.event_type and event.bar < seen:
                seen = event.bar
                yield event

    def _features_of(self, lag: int, bar: TracedEvent) -> dict[str, float | None]:
        if lag not in self._features:
            self._features[lag] = features_at(self._archive, bar)
        return self._features[lag]
