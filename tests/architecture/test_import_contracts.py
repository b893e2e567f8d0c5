"""Each import contract is seen to break when its breach is planted in a copy of the package."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Breach(NamedTuple):
    contract: str
    importer: str
    statement: str
    through: str | None = None
    """What a new module `admf_cli.planted` imports, for breaches that go a long way round."""


BREACHES = {
    "orchestration imports events": Breach("orchestration", "orchestration", "import admf_cli.events"),
    "orchestration imports containers": Breach("orchestration", "orchestration", "import admf_cli.containers"),
    "orchestration imports topology": Breach("orchestration", "orchestration", "import admf_cli.topology"),
    "orchestration imports the trace file": Breach("orchestration", "orchestration", "import admf_cli.tracefile"),
    "orchestration imports the reading tools": Breach("orchestration", "orchestration", "import admf_cli.traces"),
    "orchestration reaches events through another module": Breach(
        "orchestration", "orchestration", "import admf_cli.planted", through="import admf_cli.events"
    ),
    "topology imports events": Breach("topology", "topology", "from admf_cli.events import bus"),
    "a reading tool imports events": Breach("reading", "traces", "import admf_cli.events"),
    "a reading tool reaches a container": Breach(
        "reading", "traces", "import admf_cli.planted", through="import admf_cli.containers"
    ),
    "the trace file imports events": Breach("reading", "tracefile", "from admf_cli.events.event import Event"),
    "a cost model imports the configuration": Breach("models", "broker", "import admf_cli.config"),
    "a strategy imports events": Breach("models", "strategies", "import admf_cli.events"),
    "events import a broker": Breach("events", "events", "import admf_cli.broker"),
    "a report imports the command line": Breach("cli", "reports", "import admf_cli.cli"),
}


def copy_package(target: Path) -> Path:
    shutil.copytree(ROOT / "admf_cli", target / "admf_cli", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", target)
    return target


def broken_contracts(project: Path) -> set[str]:
    """Return the ids of the contracts that lint-imports reports as broken in `project`."""
    config = configparser.ConfigParser()
    config.read(project / ".importlinter")
    ids = {config[s]["name"]: s.rsplit(":", 1)[1] for s in config.sections() if s.startswith("importlinter:contract:")}
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
            "--no-logo",
        ],
        cwd=project,
        env={"PATH": "", "PYTHONPATH": str(project), "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)$", run.stdout, re.MULTILINE))
    assert verdicts.keys() == ids.keys(), run.stdout + run.stderr
    broken = {ids[name] for name, verdict in verdicts.items() if verdict == "BROKEN"}
    assert (run.returncode == 0) == (not broken), run.stdout + run.stderr
    return broken


def test_the_package_keeps_every_contract(tmp_path: Path) -> None:
    assert broken_contracts(copy_package(tmp_path)) == set()


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES.keys())
def test_a_planted_breach_is_caught(breach: Breach, tmp_path: Path) -> None:
    project = copy_package(tmp_path)
    if breach.through:
        (project / "admf_cli" / "planted.py").write_text(breach.through + "\n")
    importer = project / "admf_cli" / breach.importer
    # A module or a package alike: what is a file today may be a folder tomorrow.
    module = importer / "__init__.py" if importer.is_dir() else importer.with_suffix(".py")
    with module.open("a") as source:
        source.write(f"\n{breach.statement}\n")

    assert breach.contract in broken_contracts(project)


def test_every_contract_has_a_breach_that_proves_it() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    contracts = {s.rsplit(":", 1)[1] for s in config.sections() if s.startswith("importlinter:contract:")}

    assert contracts == {breach.contract for breach in BREACHES.values()}


def test_no_contract_has_an_exception() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")

    assert [s for s in config.sections() if "ignore_imports" in config[s]] == []
    indirect_allowed = [s for s in config.sections() if config[s].getboolean("allow_indirect_imports", False)]
    # Topology wires containers, and containers own buses: that chain alone is by design.
    assert indirect_allowed == ["importlinter:contract:topology"]


@pytest.mark.parametrize("name", ["importlib.import_module", "click"])
def test_a_banned_name_is_caught_by_ruff(name: str, tmp_path: Path) -> None:
    module = name.partition(".")[0]
    (tmp_path / "planted.py").write_text(f"import {module}\n\nprint({name})\n")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--no-cache",
            "--config",
            ROOT / "pyproject.toml",
            tmp_path / "planted.py",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert run.returncode == 1
    assert "TID251" in run.stdout
