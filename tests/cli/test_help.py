"""What `--help` and a mistyped command print, and what they do without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from admf_cli.cli.app import app

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
