"""The faults a user can meet, each class with the exit code it ends the process with.

    AdmfError
    ├── ConfigError        2  the YAML, an override or an argument is wrong
    ├── MarketDataError    3  the bars cannot be had or cannot be trusted
    ├── RunFailedError     4  the run itself broke off: a strategy raised, a time limit passed
    ├── StorageError       5  a file could not be read or written
    └── InterruptedRunError  130 or 143  the user or the system asked the run to stop

Only the command line's entry prints them. It refuses to know how.
"""

from typing import ClassVar, NamedTuple


class AdmfError(Exception):
    """Base of every expected fault; `str()` of it is the whole message for the user."""

    exit_code: ClassVar[int] = 1


class Fault(NamedTuple):
    """One thing wrong with a configuration or a data file, with its place and the way out.

    A named tuple, because `admf --help` loads this module, and nothing else of what a struct needs.

    Attributes:
        source: the file (or `--set`, `<stdin>`) in which it stands.
        line: 1-based; None where the fault has no place.
        column: 1-based; None where the fault has no place.
        path: dotted path of the key, such as `strategies[0].params.fast`; empty at the top.
        rule: what is required, in words.
        value: the offending value as the user wrote it; None if there is none.
        remedy: what to write instead, or a "did you mean".
    """

    source: str
    rule: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    value: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)
        key = f" {self.path}:" if self.path else ""
        value = f" (got {self.value})" if self.value is not None else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{place}:{key} {self.rule}{value}{remedy}"


class ConfigError(AdmfError):
    """The configuration or the usage is wrong; `faults` holds every one found."""

    exit_code = 2

    def __init__(self, faults: list[Fault] | str) -> None:
        self.faults = [Fault(source="usage", rule=faults)] if isinstance(faults, str) else list(faults)
        super().__init__(faults if isinstance(faults, str) else "\n".join(str(fault) for fault in faults))


class MarketDataError(AdmfError):
    """The market data is missing, unreadable or inconsistent."""

    exit_code = 3


class RunFailedError(AdmfError):
    """The run broke off before its end; what it had recorded stays."""

    exit_code = 4


class StorageError(AdmfError):
    """A file or directory could not be read or written; the message names the path and the remedy."""

    exit_code = 5


class InterruptedRunError(AdmfError):
    """A signal asked the run to stop; traces are sealed as interrupted.

    Attributes:
        signal_number: the POSIX signal, such as 2 for SIGINT.
    """

    exit_code = 130

    def __init__(self, signal_number: int) -> None:
        self.signal_number = signal_number
        super().__init__(f"interrupted by signal {signal_number}; the traces are sealed as interrupted")
