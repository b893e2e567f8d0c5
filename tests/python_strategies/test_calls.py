"""Whose code is running, and what is said of whatever it raises: with frames of a user's file in this very process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from admf_cli.checks.own_files import OwnFiles
from admf_cli.errors import ConfigError
from admf_cli.python_strategies.calls import StrategyError, UserCode, is_running, place_of
from admf_cli.python_strategies.loading import load_class
from admf_cli.python_strategies.source import SourceError, read_source

SOURCE = """\
import sys
from dataclasses import dataclass

def library(ask):
    return ask(sys._getframe())

@dataclass
class S:
    ask: object
    def __post_init__(self):
        self.at_start = self.ask(sys._getframe())
    def on_bar(self, ctx):
        return library(self.ask)
"""


@pytest.fixture
def guard(tmp_path: Path) -> UserCode:
    (tmp_path / "my.py").write_text(SOURCE)
    return UserCode(read_source(f"{tmp_path / 'my.py'}:S", None))


@pytest.fixture
def user(guard: UserCode, tmp_path: Path) -> Any:
    """Return the class of the user's, loaded."""
    return load_class(read_source(f"{tmp_path / 'my.py'}:S", None))


def test_a_signal_is_told_apart_by_whose_code_it_found(guard: UserCode, user: Any) -> None:
    instance = guard.call("S()", user, is_running)
    assert instance.at_start
    assert guard.call("on_bar()", instance.on_bar, None)
    assert not guard.call("on_bar()", lambda: is_running(sys._getframe().f_back))  # found in ours, before the user's
    assert not is_running(sys._getframe())  # nobody of ours called this
    assert not is_running(None)


def test_a_place_is_the_line_of_the_hook_that_was_called_not_of_what_it_calls(guard: UserCode, user: Any) -> None:
    instance = guard.call("S()", user, place_of)
    assert instance.at_start == "my.py:11 in S.__post_init__"  # not in what the dataclass made: "<string>"
    assert guard.call("on_bar()", instance.on_bar, None) == "my.py:13 in S.on_bar"
    assert place_of(None) == "the strategy"


def test_a_file_that_is_being_loaded_is_the_place_itself(tmp_path: Path) -> None:
    text = "import sys\nfrom admf_cli.python_strategies.calls import place_of\nplace = place_of(sys._getframe())\n"
    (tmp_path / "my.py").write_text(text + "class S:\n    said = place\n")
    loaded: Any = load_class(read_source(f"{tmp_path / 'my.py'}:S", None))
    assert loaded.said == "my.py:3 in the file"


def test_what_none_of_the_user_s_lines_raised_is_told_with_the_line_of_the_class(guard: UserCode) -> None:
    with pytest.raises(StrategyError, match=r"my\.py:8 in on_bar\(\): ValueError: invalid literal") as caught:
        guard.call("on_bar()", int, "a method that is a built-in")
    assert caught.value.details == {"file": "my.py", "line": 8, "error": "ValueError", "values": {}}
    with pytest.raises(StrategyError, match=r"^installed code in on_bar\(\): ValueError: invalid literal"):
        UserCode(None).call("on_bar()", int, "x")


def test_a_fault_that_already_says_all_is_passed_on_as_it_is(guard: UserCode) -> None:
    def refuses() -> None:
        raise ConfigError("c.yaml:1:1: wrong")

    with pytest.raises(ConfigError, match=r"^c\.yaml:1:1: wrong$"):
        guard.call("on_start()", refuses)


def test_a_fork_that_comes_back_from_the_user_s_code_is_ended_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    UserCode.check_process(os.getpid())
    assert ended == []
    UserCode.check_process(os.getppid())
    assert ended == [4]
    assert "a process forked by the strategy came back from it, and was ended; use os._exit" in capsys.readouterr().err


def test_only_files_that_the_user_s_code_opens_in_the_block_are_heard_of(tmp_path: Path) -> None:
    def opens(path: Any) -> None:
        own.hear("open", (path, "r", 0))

    with OwnFiles() as own:
        for path in (tmp_path / "a.csv", tmp_path / "helper.py", Path("/dev/null"), Path(sys.prefix) / "x.txt"):
            UserCode(None).call("on_bar()", opens, str(path))
        UserCode(None).call("on_bar()", opens, os.fsencode(tmp_path / "b.csv"))
        UserCode(None).call("on_bar()", opens, 3)  # a descriptor: whoever made it was heard of
        opens(str(tmp_path / "ours.csv"))
    UserCode(None).call("on_bar()", opens, str(tmp_path / "later.csv"))
    assert list(own.paths) == [(tmp_path / name).resolve() for name in ("a.csv", "b.csv")]


def test_where_a_strategy_stands_is_told_before_anything_of_it_runs(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_bytes(b"#" * (4 << 20) + b"\nclass S: pass\n")
    (tmp_path / "folder.py").mkdir()
    for written, said in {
        "large.py": "larger than 4 MiB; that is no strategy file",
        "folder.py": "is no file; name a Python file",
        "a\0b.py": "must not hold a NUL character",
        "x" * 300 + ".py": "File name too long",
    }.items():
        with pytest.raises(SourceError, match=said):
            read_source(f"{written}:S", tmp_path)
    (tmp_path / "my.py").write_text("try:\n    import talib\nexcept ImportError:\n    pass\nelse:\n    class S: pass\n")
    assert read_source("my.py:S", tmp_path).line == 6  # of a class that stands below an if or try
