"""What README and the documentation show is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from admf_cli import run_backtest
from tests.docs.console import fits, furnish, output_of, steps_of

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_the_python_block_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope: dict[str, object] = {}
    exec(block, scope)
    assert capsys.readouterr().out.endswith("(250,)\n")
    assert isinstance(scope["fills"], list)
    assert len(scope["fills"]) == 1


def test_every_command_of_the_tour_prints_what_the_tour_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    furnish(tmp_path)
    steps = steps_of(README)
    assert len(steps) > 6
    for step in steps:
        printed = output_of(step.command)
        assert fits(step.shown, printed), "\n".join([step.command, *printed])


def test_the_configuration_shown_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(block)
    careful, plain = run_backtest(tmp_path / "mine.yaml").phases[0].portfolios
    assert careful.counts["trades"] > 10
    assert plain.counts["trades"] > 10


def test_links_in_the_documentation_lead_somewhere() -> None:
    for page in (
        ROOT / "README.md",
        ROOT / "ARCHITECTURE.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
    ):
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_reason_in_the_code_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "reasons.md").read_text()))
    folders = (ROOT / "admf_cli" / name for name in ("containers", "risk"))
    source = "".join(path.read_text() for folder in folders for path in folder.glob("*.py"))
    used = set(re.findall(r'"(?:REJECT|CANCEL|EXPIRE)", "([a-z_]+)"', source))
    used |= set(re.findall(r'self\._(?:withdraw|cancel|reject)\([^"\n]*"([a-z_]+)"', source))
    used |= set(re.findall(r'if withdrawn else "([a-z_]+)"', source))
    used |= set(re.findall(r'Refusal\("([a-z_]+)"', source))
    used |= set(re.findall(r'return Size\([^\n]*"([a-z_]+)"\)', source))
    used |= set(re.findall(r'(?:Breach|cut)\("([a-z_]+)"', source)) - {"end_of_day", "max_holding_period"}
    assert {"no_position", "cooldown", "warm_up", "lot_too_small", "max_position_size", "oco_filled"} <= used
    assert used <= documented
