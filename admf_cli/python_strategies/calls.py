"""Calls a user's code, and says of whatever it raises where in the user's own file that was.

Refuses to know what the code is for.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from inspect import CO_NEWLOCALS
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from admf_cli.errors import ConfigError, InterruptedRunError, RunFailedError

if TYPE_CHECKING:
    from admf_cli.python_strategies.source import Source

T = TypeVar("T")

_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
_MOST_VALUES = 12
_LONGEST_VALUE = 60
_LONGEST_MESSAGE = 2000
_SIGINT = 2
# The functions that call a user's code directly.
_CALLERS = frozenset({"UserCode.call", "decide"})


class OutOfTimeError(BaseException):
    """The run's time is up. Raised inside a user's code, past its `except Exception`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"--timeout: still running after {seconds:g} s")


class StrategyError(RunFailedError):
    """A user's strategy raised, or returned what cannot be used.

    Attributes:
        details: `file`, `line`, `error` and `values`, for the trace.
        summary: the error alone, without places and values.
    """

    def __init__(self, message: str, summary: str, details: Mapping[str, Any]) -> None:
        self.summary = summary
        self.details = dict(details)
        super().__init__(message)


class UserCode:
    """The guard around one class of a user's.

    Args:
        source: the file; None for a class that is installed as a package.
        moment: returns where in the run it is, such as "bar 812 (2003-02-01T00:00:00Z)"; empty before the run.
    """

    def __init__(self, source: Source | None, moment: Callable[[], str] = lambda: "") -> None:
        self._source = source
        self._moment = moment

    def call(self, what: str, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Return what `function` returns.

        Args:
            what: the call in words, for messages.

        Raises:
            StrategyError: whatever it raised, `sys.exit()` included.
            ConfigError: a module that it imports is not there.
            InterruptedRunError: the user asked the run to stop.
        """
        process, here = os.getpid(), working_directory()
        try:
            answer = function(*arguments, **named)
        except BaseException as error:
            self.check_process(process)
            self.check_directory(what, here, is_failing=True)
            raise self.failure(what, error) from error
        self.check_process(process)
        self.check_directory(what, here)
        return answer

    def check_directory(self, what: str, here: str, *, is_failing: bool = False) -> None:
        """Come back to a working directory: traces, results and data are found from there.

        Raises:
            StrategyError: it was left, and nothing else is about to be raised.
        """
        there = working_directory()
        if there == here:
            return
        with contextlib.suppress(OSError):
            os.chdir(here)
        if not is_failing:
            rule = "must leave the working directory as it is; open files by Path(__file__).parent / … instead"
            raise self.refusal(what, rule, directory=there)

    @staticmethod
    def check_process(process: int) -> None:
        """End a process that a user's fork left running in our code: it would write into its parent's traces."""
        if os.getpid() != process:
            sys.stderr.write("admf: a process forked by the strategy came back from it, and was ended; use os._exit\n")
            sys.stderr.flush()
            os._exit(RunFailedError.exit_code)

    def failure(self, what: str, error: BaseException) -> Exception:
        """Return the fault that stands for what a user's code raised."""
        if isinstance(error, KeyboardInterrupt):
            return InterruptedRunError(_SIGINT)
        if isinstance(error, ConfigError | InterruptedRunError | StrategyError):
            return error
        frame, line = self._blamed(error.__traceback__)
        file = self._written(frame)
        place = f"{file}:{line}" if file else "installed code"
        if isinstance(error, ImportError) and not self._moment():
            return ConfigError(f"{place}: {_said(error)}; install it, or put it beside the file")
        values = _values(frame)
        moment = self._moment()
        inside = what if frame is None or not frame.f_code.co_flags & CO_NEWLOCALS else frame.f_code.co_qualname
        lines = [f"{place} in {inside}: {_said(error)}"]
        code = self._line_of_code(frame, line) if file else ""
        lines += [f"    {code}"] * bool(code)
        lines += [f"  at {moment}"] * bool(moment)
        lines += ["  values: " + ", ".join(f"{name} = {text}" for name, text in values.items())] * bool(values)
        details = {"file": os.path.basename(file), "line": line, "error": type(error).__name__, "values": values}
        return StrategyError("\n".join(lines), _said(error), details)

    def refusal(self, what: str, rule: str, **values: Any) -> StrategyError:
        """Return the fault of a call that returned what cannot be used."""
        place = f"{self._source.written}:{self._source.line}" if self._source else "installed code"
        shown = {name: _shown(value) for name, value in values.items()}
        lines = [f"{place} in {what}: {rule}"]
        lines += ["  values: " + ", ".join(f"{name} = {text}" for name, text in shown.items())] * bool(shown)
        file, line = (self._source.file.name, self._source.line) if self._source else ("", 0)
        return StrategyError(
            "\n".join(lines), rule, {"file": file, "line": line, "error": "ValueError", "values": shown}
        )

    def _blamed(self, trace: TracebackType | None) -> tuple[FrameType | None, int]:
        """Return the innermost frame of the user's own code, and its line; else the innermost that is not ours.

        Where there is neither, as with a method that is a built-in function, the line is that of the class.
        """
        own: tuple[FrameType | None, int] | None = None
        other: tuple[FrameType | None, int] = (None, self._source.line if self._source else 0)
        folder = str(self._source.file.parent) + os.sep if self._source else None
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if not is_ours(file):
                other = (trace.tb_frame, trace.tb_lineno)
                if folder and file.startswith(folder) and "site-packages" not in file:
                    own = other
            trace = trace.tb_next
        return own or other

    def _written(self, frame: FrameType | None) -> str:
        """Return a frame's file as the user knows it."""
        source = self._source
        if frame is None:
            return source.written if source else ""
        file = frame.f_code.co_filename
        if source is not None and file == str(source.file):
            return source.written
        return os.path.relpath(file) if source is not None else file

    def _line_of_code(self, frame: FrameType | None, number: int) -> str:
        """Return a line of a frame's file: of the strategy's own as it was read, of a module beside it as it is."""
        file = frame.f_code.co_filename if frame else ""
        if self._source is None or file != str(self._source.file):
            from linecache import getline

            return getline(file, number).strip()
        lines = self._source.text.decode(errors="replace").splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def decide(on_bar: Callable[[Any], None], context: Any) -> None:
    """Let a strategy decide at one bar, unguarded: what a guard costs would be paid at every bar.

    A frame of ours has to stand below the user's for `is_running`, and whoever calls this may be compiled: it has none.
    """
    on_bar(context)


def working_directory() -> str:
    """Return where relative paths begin; an empty text where that was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def is_running(frame: FrameType | None) -> bool:
    """Return whether a signal interrupted a user's code, or a library that it called, and nothing of ours."""
    inner = None
    while frame is not None:
        if is_ours(frame.f_code.co_filename):
            return inner is not None and frame.f_code.co_qualname in _CALLERS
        inner, frame = frame, frame.f_back
    return False


def place_of(frame: FrameType | None) -> str:
    """Return file, line and function of the user's code that a signal interrupted: of the hook that we called."""
    outermost = frame
    while frame is not None and not is_ours(frame.f_code.co_filename):
        if not frame.f_code.co_filename.startswith("<"):  # Python's own way to load a file
            outermost = frame
        frame = frame.f_back
    if outermost is None:
        return "the strategy"
    code = outermost.f_code
    name = "the file" if code.co_name == "<module>" else code.co_qualname
    return f"{os.path.basename(code.co_filename)}:{outermost.f_lineno} in {name}"


def is_ours(file: str) -> bool:
    """Return whether a source file belongs to this package."""
    return file.startswith(_PACKAGE)


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"sys.exit({'' if error.code is None else repr(error.code)}) is not for strategies; raise an error"
    if isinstance(error, OutOfTimeError):
        return str(error)
    from traceback import TracebackException

    # Unlike `str(error)` it takes no harm from a user's `__str__` that raises in turn.
    text = str(TracebackException(type(error), error, None)).strip()
    # What cannot be written as UTF-8 cannot be written to a trace either.
    text = text[:_LONGEST_MESSAGE].encode("utf-8", "backslashreplace").decode()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _values(frame: FrameType | None) -> dict[str, str]:
    """Return the plain values that a frame's lines could see, its own names first, then those of `self`."""
    if frame is None:
        return {}
    found = {name: value for name, value in frame.f_locals.items() if not name.startswith("__")}
    own = found.pop("self", None)
    found.update({f"self.{name}": value for name, value in getattr(own, "__dict__", {}).items()})
    shown = {name: _shown(value) for name, value in found.items()}
    return dict([(name, text) for name, text in shown.items() if text][:_MOST_VALUES])


def _shown(value: Any) -> str:
    """Return a value as text if it is a plain one; a user's own objects are never asked for theirs."""
    if value is None or type(value) in (bool, int, float, str):
        text = repr(value)
    elif type(value).__module__ == "numpy" and hasattr(value, "dtype") and hasattr(value, "shape"):
        text = repr(value.item()) if value.shape == () else f"array of shape {value.shape}"
    elif type(value) in (list, tuple, dict, set):
        text = f"{type(value).__name__} of {len(value)}"
    else:
        return ""
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
