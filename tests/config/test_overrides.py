"""`--set` and flags: values by the rules of YAML, the last one wins, and an unknown path is an error."""

from __future__ import annotations

from typing import Any

import pytest

from admf_cli.config import load_config
from admf_cli.errors import ConfigError

SOUND: dict[str, Any] = {
    "data": {"path": {"BRK.B": "b.csv"}},
    "strategies": [{"name": "s", "type": "sma_crossover", "params": {"fast": 5, "slow": 20}}],
    "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}, "stop_loss": 0.05}],
}


@pytest.mark.parametrize("path", ["strategies.0.params.fast", "strategies[0].params.fast"])
def test_items_of_lists_go_by_number_in_either_form(path: str) -> None:
    assert load_config(SOUND, [f"{path}=7"]).values["strategies"][0]["params"]["fast"] == 7


def test_the_last_override_wins_and_says_so() -> None:
    resolved = load_config(SOUND, ["portfolio.initial_capital=1", "portfolio.initial_capital=2e3"])
    assert resolved.values["portfolio"]["initial_capital"] == 2000.0
    assert resolved.origin["portfolio.initial_capital"] == "--set portfolio.initial_capital=2e3"


def test_a_key_with_a_point_goes_in_brackets() -> None:
    assert load_config(SOUND, ["data.path[BRK.B]=other.csv"]).values["data"]["path"] == {"BRK.B": "other.csv"}


def test_the_long_form_takes_the_place_of_the_short_one() -> None:
    values = load_config(SOUND, ["risk_profiles[0].stop_loss.amount=2"]).values
    assert values["risk_profiles"][0]["stop_loss"] == {"percent": None, "amount": 2.0, "from": "fill"}


def test_values_are_read_as_yaml() -> None:
    values = load_config(SOUND, ["strategies[0].symbols=[BRK.B]", "data.calendar=null", "results.write=false"]).values
    assert values["strategies"][0]["symbols"] == ["BRK.B"]
    assert values["data"]["calendar"] is None
    assert values["results"]["write"] is False


def test_what_was_given_is_not_changed() -> None:
    load_config(SOUND, ["strategies[0].params.fast=7"])
    assert SOUND["strategies"][0]["params"]["fast"] == 5


def test_an_override_of_one_alias_leaves_the_other_alone(tmp_path: Any) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "data: {source: synthetic}\n"
        "strategies:\n  - {name: a, type: sma_crossover, params: &p {fast: 5, slow: 20}}\n"
        "  - {name: b, type: sma_crossover, params: *p}\n"
        "risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]\n"
    )
    strategies = load_config(path, ["strategies[0].params.fast=7"]).values["strategies"]
    assert [strategy["params"]["fast"] for strategy in strategies] == [7, 5]


def test_a_flag_wins_over_an_override_and_one_not_given_changes_nothing() -> None:
    resolved = load_config(SOUND, ["workflow.id=a"], {"workflow-id": "b", "no-trace": False, "trace-dir": None})
    assert resolved.values["workflow"]["id"] == "b"
    assert resolved.values["execution"]["enable_event_tracing"] is True
    assert resolved.origin["execution.trace_settings.trace_dir"] == "default"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("portfolio.initial_capitl=5", "did you mean initial_capital?"),
        ("strategies[0].params.fst=5", "did you mean fast?"),
        ("strategies[3].name=x", "strategies has 1 item"),
        ("strategies.s.name=x", "write strategies[0]"),
        ("portfolio.initial_capital", "path=value"),
        ("=5", "path before ="),
        ("a..b=5", "path before ="),
        ("data[path]x=5", "path before ="),
        ("portfolio.initial_capital=0" + "1" * 5000, "the number is too large"),
        (".".join("a" * 30) + "=5", "path before ="),
        ("portfolio.initial_capital=[", "not valid YAML"),
        ("portfolio.initial_capital=010", "begin with 0"),
        ("portfolio.initial_capital=-5", "greater than 0 (got -5)"),
        ("name=!!python/object:os.system x", "tags"),
    ],
)
def test_a_fault_names_the_override(override: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(SOUND, [override])
    assert str(caught.value).startswith(f"--set {override}"[:40])
    assert words in str(caught.value)


def test_faults_of_overrides_and_of_the_file_are_said_together() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({**SOUND, "bogus": 1}, ["strategies[3].name=x", "portfolio.initial_capital=0"])
    assert len(caught.value.faults) == 3
