"""docs/traces.md is an investigation that happens as it is told; docs/trace-commands.md names every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from admf_cli.metrics import METRICS
from admf_cli.traces.export.formats import Target
from admf_cli.traces.query import VIEWS
from tests.docs.console import ROOT, fits, furnish, output_of, steps_of

PAGE = (ROOT / "docs" / "traces.md").read_text()
COMMANDS = (ROOT / "docs" / "trace-commands.md").read_text()


def test_every_command_of_the_page_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    furnish(tmp_path)
    steps = steps_of(PAGE)
    assert len(steps) > 12
    for step in steps:
        printed = output_of(step.command)
        assert fits(step.shown, printed), "\n".join([step.command, *printed])
    for block in re.findall(r"```python\n(.*?)```", PAGE + COMMANDS, re.DOTALL):
        exec(block, {})
    assert "1808.15" in capsys.readouterr().out  # the commission of the whole run


def test_the_reference_names_views_formats_and_options() -> None:
    assert [view for view in VIEWS if f"`{view}`" not in COMMANDS] == []
    assert [target for target in Target if f"`{target}`" not in COMMANDS] == []
    for command in ("show", "query", "export"):
        (section,) = re.findall(rf"^## admf traces {command}.*?(?=^## )", COMMANDS, re.DOTALL | re.MULTILINE)
        told = set(re.findall(r"--[a-z]+", COMMANDS))
        offered = set(re.findall(r"(--[a-z-]+)", "\n".join(output_of(f"admf traces {command} --help")))) - {"--help"}
        assert offered <= told, command
        assert section
    assert METRICS
