"""The page of all strategies, the commands that show them, and that every block of YAML in it runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from admf_cli import run_backtest
from admf_cli.config import load_config
from admf_cli.strategies.reference import markdown_page
from admf_cli.strategies.registry import complete_params, describe, strategy_types

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"```yaml\n(.*?)```", markdown_page(), re.DOTALL)


def admf(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "admf_cli", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def run_block(text: str) -> dict[str, int]:
    """Run a block on a seeded walk and return strategy -> number of its signals."""
    block: dict[str, Any] = yaml.safe_load(text)
    intraday = "opening_range" in text
    config = {
        "data": {
            "source": "synthetic",
            "symbols": ["AAA", "BBB", "SPX"],
            "start": "2020-01-01",
            "timeframe": "5m" if intraday else "1d",
            "synthetic": {"bars": 1500, "seed": 5, "volatility": 0.3},
        },
        **block,
        "risk_profiles": [{"name": "base", "sizing": {"type": "percent_equity", "percent": 0.3}}],
        "execution": {"enable_event_tracing": False},
        "results": {"write": False},
    }
    portfolios = run_backtest(config).phases[0].portfolios
    return {portfolio.strategy: portfolio.counts["signals"] for portfolio in portfolios}


def test_the_page_is_what_the_catalogue_says() -> None:
    assert (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8") == markdown_page(), (
        "run: admf strategies list --markdown > docs/strategies.md"
    )


@pytest.mark.parametrize("block", [b for b in BLOCKS if "type: python" not in b and "type: recorded" not in b])
def test_every_block_of_the_page_runs_and_signals(block: str) -> None:
    for strategy, signals in run_block(block).items():
        assert signals > 0, strategy


@pytest.mark.parametrize("kind", [kind for kind in strategy_types() if not describe(kind).open])
def test_a_resolved_configuration_reads_back_as_itself(kind: str) -> None:
    config = {
        "data": {"source": "synthetic", "symbols": ["AAA", "BBB"], "start": "2020-01-01", "timeframe": "1d"},
        **yaml.safe_load(describe(kind).example),
        "risk_profiles": [{"name": "base", "sizing": {"type": "fixed", "quantity": 1}}],
    }
    resolved = load_config(config)
    again = load_config(resolved.values)
    assert again.values == resolved.values
    assert again.sha256 == resolved.sha256


def test_a_member_s_parameter_can_be_overridden() -> None:
    overrides = [
        "strategies[0].params.members[0].params.fast=5",
        "strategies.1.params.members.1.params.open_when=volatility > 0.3",
    ]
    strategies = load_config(ROOT / "configs" / "ensemble.yaml", overrides).values["strategies"]
    assert strategies[0]["params"]["members"][0]["params"]["fast"] == 5
    assert strategies[1]["params"]["members"][1]["params"]["open_when"] == "volatility > 0.3"


def test_every_strategy_has_an_example_of_its_own() -> None:
    examples = [describe(name).example for name in strategy_types()]
    assert [name for name, text in zip(strategy_types(), examples, strict=True) if f"type: {name}" not in text] == []
    assert all(example in "".join(BLOCKS) for example in examples)


def test_every_default_is_accepted_and_every_parameter_is_explained() -> None:
    for name in strategy_types():
        for parameter in describe(name).parameters:
            assert parameter.doc, (name, parameter.name)
            if not parameter.required:
                assert parameter.fault(parameter.default) is None, (name, parameter.name)


def test_parameters_left_out_are_filled_in() -> None:
    assert complete_params("donchian_breakout", {"entry": 55.0}) == {
        "entry": 55, "exit": 10, "direction": "long_flat", "repeat": False
    }  # fmt: skip


def test_each_name_leads_to_its_strategy() -> None:
    assert list(strategy_types()) == sorted(strategy_types())
    assert [describe(name).name for name in strategy_types()] == list(strategy_types())


def test_list_names_every_strategy() -> None:
    shown = admf("strategies", "list")
    assert [line.split()[0] for line in shown.stdout.splitlines()] == list(strategy_types())
    document = json.loads(admf("strategies", "list", "--json").stdout)
    assert [row["name"] for row in document["strategies"]] == list(strategy_types())


def test_show_prints_parameters_rules_and_an_example() -> None:
    shown = admf("strategies", "show", "donchian_breakout").stdout
    info = describe("donchian_breakout")
    assert info.example in shown
    assert all(f"  {rule}\n" in shown for rule in info.rules)
    assert "  entry      default 20; 1 to 100000; bars before this one" in shown
    document = json.loads(admf("strategies", "show", "donchian_breakout", "--json").stdout)
    assert document["example"] == info.example
    assert [parameter["name"] for parameter in document["parameters"]] == ["entry", "exit", "direction", "repeat"]


def test_show_of_what_is_not_there_ends_with_2_and_a_hint() -> None:
    shown = admf("strategies", "show", "sma_cross")
    assert shown.returncode == 2
    assert 'did you mean "sma_crossover"?' in shown.stderr


def test_describing_strategies_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['admf', 'strategies', 'show', 'bollinger']\n"
        "from admf_cli.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numpy', 'talib', 'polars', 'yaml'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert shown.stdout.endswith("[]\n"), shown.stdout + shown.stderr
