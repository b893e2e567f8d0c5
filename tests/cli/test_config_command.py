"""`admf config`: what it prints, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from admf_cli.cli.app import app
from admf_cli.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = str(ROOT / "configs" / "backtest_with_tracing.yaml")
SMALL = """\
data: {source: synthetic, symbols: [A]}
strategies: [{name: s, type: buy_and_hold}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}, {name: q, sizing: {type: fixed, quantity: 2}}]
"""


def config(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["config", *arguments])
    if isinstance(result.exception, ConfigError):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.fixture
def small(tmp_path: Path) -> str:
    (tmp_path / "c.yaml").write_text(SMALL)
    return str(tmp_path / "c.yaml")


def test_check_counts_what_is_there_and_names_the_digest_that_tracing_does_not_change(small: str) -> None:
    assert config("check", small) == "ok: c: 1 phase, 1 strategy, 2 risk profiles\n"
    told = json.loads(config("check", small, "--json"))
    assert (told["ok"], told["faults"], told["name"]) == (True, [], "c")
    untraced = json.loads(config("check", small, "--json", "--set", "execution.enable_event_tracing=false"))
    other = json.loads(config("check", small, "--json", "--set", "portfolio.initial_capital=5"))
    assert told["sha256"] == untraced["sha256"] != other["sha256"]


def test_check_as_json_lists_the_faults_and_without_raises_them(small: str) -> None:
    told = json.loads(config("check", small, "--json", "--set", "portfolio.cash=5", code=2))
    assert (told["ok"], told["faults"][0]["path"]) == (False, "portfolio.cash")
    with pytest.raises(ConfigError, match=r"did you mean initial_capital"):
        config("check", small, "--set", "portfolio.cash=5")


def test_show_gives_back_what_was_written_as_yaml_and_json(small: str, tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(config("show", small))
    assert (
        json.loads(config("show", small, "--json"))["values"]
        == json.loads(config("show", str(tmp_path / "again.yaml"), "--json"))["values"]
    )


def test_show_resolved_names_every_value_and_where_it_is_from(small: str) -> None:
    lines = config("show", small, "--resolved", "--set", "portfolio.initial_capital=5").splitlines()
    where = {line.split()[0]: line.split("  ")[-1].strip() for line in lines}
    assert where["strategies[0].name"] == "file"
    assert where["execution.fill_price"] == "default"
    assert where["portfolio.initial_capital"] == "--set portfolio.initial_capital=5"
    told = json.loads(config("show", small, "--resolved", "--json"))
    assert told["values"]["execution"]["fill_price"] == "next_open"
    assert told["origin"]["execution.fill_price"] == "default"


def test_the_schema_that_is_printed_takes_the_examples_and_the_page_names_every_section() -> None:
    schema = json.loads(config("schema"))
    shown = json.loads(config("show", EXAMPLE, "--json"))["values"]
    jsonschema.Draft202012Validator(schema).validate(shown)
    page = config("schema", "--markdown")
    assert all(f"`{name}`" in page or f"## {name}" in page for name in schema["properties"])
