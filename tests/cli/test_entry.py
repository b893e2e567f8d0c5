"""How the process ends: an exit code and one message for what is expected, the whole story under --debug."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

import pytest

from admf_cli.__main__ import main
from admf_cli.errors import AdmfError, ConfigError, InterruptedRunError, MarketDataError, RunFailedError, StorageError


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the collector of this process as it was; the entry sets it for one that ends."""
    before = gc.get_threshold()
    monkeypatch.setattr(gc, "freeze", lambda: None)
    yield
    gc.set_threshold(*before)


def entered(error: BaseException, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run the entry with a command that raises."""

    def command() -> NoReturn:
        raise error

    monkeypatch.setattr("admf_cli.cli.app.app", command)
    monkeypatch.setattr(sys, "argv", ["admf", *arguments])
    main()


EXPECTED: list[tuple[BaseException, int, str]] = [
    (ConfigError("c.yaml:1:1: wrong"), 2, "admf: c.yaml:1:1: wrong\n"),
    (MarketDataError("b.csv: row 2: wrong"), 3, "admf: b.csv: row 2: wrong\n"),
    (RunFailedError("it raised"), 4, "admf: it raised\n"),
    (StorageError("traces: full"), 5, "admf: traces: full\n"),
    (OSError(28, "No space left on device"), 5, "No space left on device; free the space, or print elsewhere"),
    (MemoryError(), 4, "admf: there is not enough memory; take fewer symbols or bars, or lower max_events\n"),
    (ZeroDivisionError("oops"), 70, "this is a fault of ADMF itself: ZeroDivisionError: oops"),
    (InterruptedRunError(15), 143, "admf: "),
    (KeyboardInterrupt(), 130, ""),
    (ConfigError("name\x1b[31m\u202ex"), 2, "admf: name\\x1b[31m\\u202ex\n"),
]


@pytest.mark.parametrize(("error", "code", "said"), EXPECTED, ids=lambda value: type(value).__name__)
def test_a_fault_is_one_message_and_its_exit_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "dup2", lambda *_: None)  # what points the output of an ending process to nowhere
    with pytest.raises(SystemExit) as ended:
        entered(error, monkeypatch, "run")
    assert ended.value.code == code
    assert said in capfd.readouterr().err


@pytest.mark.parametrize("error", [ConfigError("x"), OSError(28, "full"), MemoryError(), ZeroDivisionError("oops")])
def test_under_debug_it_is_the_error_itself(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(type(error)):
        entered(error, monkeypatch, "run", "--debug")
    assert "--debug" not in sys.argv


@pytest.mark.parametrize("error", [BrokenPipeError(), SystemExit(1)])
def test_a_reader_that_has_gone_is_told_by_the_exit_code_alone(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    if isinstance(error, SystemExit):
        error.__context__ = BrokenPipeError()  # as Rich leaves it
    with pytest.raises(SystemExit) as ended:
        entered(error, monkeypatch, "run")
    assert ended.value.code == 141
    assert capfd.readouterr().err == ""


def test_every_kind_of_expected_fault_has_an_exit_code_of_its_own() -> None:
    codes = {kind.__name__: kind.exit_code for kind in AdmfError.__subclasses__()}
    assert {codes[name] for name in ("ConfigError", "MarketDataError", "RunFailedError", "StorageError")} == {
        2,
        3,
        4,
        5,
    }
