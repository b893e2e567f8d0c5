"""What is wrong with a trace, counted in full and kept in part. Refuses to know how it is shown."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct


class TraceFault(Struct, frozen=True):
    """One thing wrong, and where.

    Attributes:
        kind: a short code such as "torn-line"; docs/traces.md lists them.
        file: path below the directory that was read.
        line: 1-based; None where the fault is of the whole file.
    """

    kind: str
    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message} [{self.kind}]"


class FaultLog:
    """Gathers faults: every one is counted, the first `keep` of each kind are kept.

    So a file of a million bad lines costs as much memory as one of a hundred.
    """

    def __init__(self, keep: int = 20) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: list[TraceFault] = []
        self._keep = keep
        self._kept_of: Counter[str] = Counter()

    def add(self, kind: str, file: str, line: int | None, message: str, count: int = 1) -> None:
        """Note a fault; `count` > 1 when one message stands for many of them."""
        self.counts[kind] += count
        if self._kept_of[kind] < self._keep:
            self._kept_of[kind] += 1
            self.kept.append(TraceFault(kind, file, line, message))

    @property
    def total(self) -> int:
        """How many there are in all."""
        return self.counts.total()

    def sorted(self) -> tuple[TraceFault, ...]:
        """Return the kept ones by file and line."""
        return tuple(sorted(self.kept, key=lambda fault: (fault.file, fault.line or 0, fault.kind)))

    def notes(self) -> tuple[str, ...]:
        """Return in words what was passed over, for tools that go on without it."""
        if not self.total:
            return ()
        first = f", first {self.kept[0]}" if self.kept else ""
        return (f"passed over {self.total:,} lines or files that can't be read{first}; inspect names them all",)
