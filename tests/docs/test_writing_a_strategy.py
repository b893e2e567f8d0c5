"""Every block of docs/writing-a-strategy.md runs, and its tables name what there is."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admf_cli.python_strategies.context import Context
from admf_cli.python_strategies.requests import How
from tests.cli.test_run_command import admf

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "writing-a-strategy.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n# file: (\S+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the files of the page; blocks of one file follow one another."""
    where = tmp_path_factory.mktemp("page")
    for _, name, text in BLOCKS:
        with (where / name).open("a") as file:
            file.write(text)
    return where


@pytest.mark.parametrize("name", [name for kind, name, _ in BLOCKS if kind == "yaml"])
def test_a_configuration_of_the_page_runs_and_knows_nothing_of_the_future(name: str, folder: Path) -> None:
    run = admf(folder, "run", name, "--workflow-id", name.partition(".")[0])
    assert run.returncode == 0, run.stderr
    assert " trades" in run.stdout
    check = admf(folder, "check", "lookahead", name, "--cuts", "4")
    assert check.returncode == 0, check.stdout


def test_the_page_names_all_that_a_context_has_and_all_parts_of_an_order() -> None:
    public = [name for name, _ in inspect.getmembers(Context) if not name.startswith("_")]
    assert [name for name in public if f"`ctx.{name}" not in PAGE and f", `ctx.{name}" not in PAGE] == []
    assert [part for part in How.__annotations__ if f"{part}=" not in PAGE] == []


def test_a_type_checker_knows_what_a_strategy_may_write(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    (tmp_path / "wrong.py").write_text(
        "from admf_cli import BarByBarStrategy, Context\n"
        "class Buys:\n"
        "    def on_bar(self, ctx: Context) -> None:\n"
        "        ctx.buy(5, lmit=3.0)\n"
        "class Nothing: ...\n"
        "checked: type[BarByBarStrategy] = Nothing\n"
    )
    files = [str(root / "configs" / "example_strategies.py"), str(tmp_path / "wrong.py")]
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", *files]
    run = subprocess.run(command, cwd=root, env={**os.environ, "MYPYPATH": str(root)}, capture_output=True, text=True)
    errors = [line for line in run.stdout.splitlines() if ": error: " in line]
    assert [line.rpartition("wrong.py")[2][:3] for line in errors] == [":4:", ":6:"], run.stdout
    assert 'Unexpected keyword argument "lmit"' in errors[0]


def test_the_feature_of_the_extensions_page_computes_what_it_says() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "extensions.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(block, scope)
    high, low = np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 0.5])
    (values,) = scope["MIDRANGE"].run((high, low), {"timeperiod": 2}, np.arange(3))
    assert values[1:].tolist() == [3.0, 2.75]  # (5 + 1) / 2, (5 + 0.5) / 2
