"""What `--help` and a mistyped command print, and what they do without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

import admf_cli
from admf_cli.cli.app import app
from admf_cli.cli.descriptions import print_parameters, print_wrapped
from admf_cli.cli.progress import progress

PROBE = """
import sys
sys.argv = ["admf", *sys.argv[1:]]
from admf_cli.__main__ import main
try:
    main()
finally:
    print("loaded:", *(one for one in ("rich", "numpy", "polars", "orjson", "yaml") if one in sys.modules))
"""


def told(*arguments: str) -> tuple[str, set[str]]:
    """What a process prints, and which heavy packages it loaded for that."""
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False)
    text, _, loaded = done.stdout.rpartition("loaded:")
    return text + done.stderr, set(loaded.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], "Prove that nothing knows the future, that features are warm, that equal runs are equal"),
        (["traces", "--help"], "its causes, and how far they do: exit 0 if the same, 1 if not."),
        (["traces", "shw"], "No such command 'shw'"),
        (["traces", "show", "--bogus"], "No such option: --bogus"),
        (["--version"], "trace schema"),
    ],
)
def test_help_and_usage_errors_are_whole_and_load_nothing_heavy(arguments: list[str], expected: str) -> None:
    text, loaded = told(*arguments)
    assert expected in " ".join(text.split())
    assert loaded == set()


def commands(group: Any) -> Iterator[Any]:
    for command in group.commands.values():
        yield from commands(command) if hasattr(command, "commands") else [command]


def test_help_names_what_an_option_takes_and_not_the_type_it_has_in_python() -> None:
    nameless = {
        f"{command.name} {option.opts[0]}"
        for command in commands(typer.main.get_command(app))
        for option in command.params
        if option.metavar is None and not option.is_flag and not option.type_descriptor.is_choice
    }
    assert nameless == set()


def test_the_reference_pages_are_what_the_lists_print_as_markdown() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    for group in ("features", "strategies"):
        printed = CliRunner().invoke(app, [group, "list", "--markdown"])
        assert printed.exit_code == 0
        assert printed.stdout == (docs / f"{group}.md").read_text(encoding="utf-8")


def test_on_a_terminal_a_long_line_is_folded_below_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "  timeperiod  default 14; 2 to 100,000; bars of the average that is taken of both"
    print_wrapped(text, indent=14)
    assert capsys.readouterr().out == text + "\n"  # into a file or pipe it stays one line
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")
    print_wrapped(text, indent=14)
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("  timeperiod  default 14;")
    assert others
    assert all(len(line) <= 50 and line.startswith(" " * 14) for line in others)
    assert " ".join([first, *(line.strip() for line in others)]) == text
    print_parameters([])
    assert capsys.readouterr().out == ""  # no heading over nothing


def test_progress_is_shown_to_whoever_watches_a_terminal_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with progress("reruns") as unseen:
        assert unseen is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress("reruns", quiet=True) as unseen:
        assert unseen is None
    with progress("reruns") as shown:
        assert shown is not None
        shown(3, 4)
    told = capsys.readouterr()
    assert "reruns" in told.err
    assert told.out == ""


def test_what_strategies_need_for_their_type_hints_comes_from_the_package_itself() -> None:
    from admf_cli.python_strategies.interface import BarByBarStrategy

    assert admf_cli.BarByBarStrategy is BarByBarStrategy
    with pytest.raises(AttributeError, match="module 'admf_cli' has no attribute 'BarByBarStrategie'"):
        _ = admf_cli.BarByBarStrategie
