"""What can be named in a configuration, what is said when it cannot, and that asking loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from admf_cli.features import FeatureSpec, ParameterError, describe, faults_in_config, feature_types, spec_from_config
from admf_cli.features.reference import example, markdown_page

ROOT = Path(__file__).resolve().parents[2]


def admf(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "admf_cli", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_defaults_are_filled_in_and_names_go_in_any_case() -> None:
    spec = spec_from_config("m", {"type": "macd", "output": "hist", "slowperiod": 30.0})
    params = (("fastperiod", 12), ("signalperiod", 9), ("slowperiod", 30))
    assert spec == FeatureSpec("MACD", params, ("close",), "macdhist")
    assert isinstance(dict(spec.params)["slowperiod"], int)


def test_the_first_output_by_name_is_the_same_feature_as_without_a_name() -> None:
    assert spec_from_config("b", {"type": "BBANDS", "output": "upper"}) == spec_from_config("b", {"type": "BBANDS"})


@pytest.mark.parametrize(
    ("config", "key", "said"),
    [
        ({}, "type", "is required"),
        ({"type": 5}, "type", "is required and must be the name of a feature (got 5)"),
        ({"type": "SMMA"}, "type", 'did you mean "SMA"?'),
        ({"type": "SMA", "period": 5}, "period", "is not a parameter (known: timeperiod); did you mean"),
        ({"type": "SMA", "timeperiod": 0}, "timeperiod", "must be 1 to 100000 (got 0)"),
        ({"type": "SMA", "timeperiod": 2.5}, "timeperiod", "must be a whole number (got 2.5)"),
        ({"type": "SMA", "timeperiod": True}, "timeperiod", "must be a whole number (got True)"),
        ({"type": "SMA", "timeperiod": None}, "timeperiod", "must be a whole number, not null"),
        ({"type": "SMA", "timeperiod": float("nan")}, "timeperiod", "must be a finite number (got nan)"),
        ({"type": "SMA", "input": ["close", "open"]}, "input", "must name 1 input, usually [close] (got 2)"),
        ({"type": "SMA", "input": 7}, "input", "must be a name or a list of names (got 7)"),
        ({"type": "MAVP"}, "input", "is required"),
        ({"type": "MACD", "output": "hits"}, "output", "must be one of macd, macdsignal, macdhist (got 'hits')"),
        ({"type": "SPREAD", "first": "A"}, "second", "is required and must be a symbol as text"),
        (
            {"type": "REGIME", "upper": 1, "lower": 2, "input": "x"},
            "lower",
            "must not be more than upper (got lower: 2",
        ),
        ({"type": "RETURN", "log": "yes"}, "log", "must be true or false (got 'yes')"),
        ({"type": "REALISED_VOLATILITY", "periods_per_year": 0}, "periods_per_year", "must be above 0 (got 0)"),
    ],
)
def test_a_wrong_configuration_is_a_fault_at_its_key(config: dict[str, Any], key: str, said: str) -> None:
    faults = faults_in_config(config)
    assert [fault.parameter for fault in faults] == [key]
    assert said in faults[0].message
    with pytest.raises(ParameterError) as raised:
        spec_from_config("mine", config)
    assert str(raised.value) == f"mine.{key}: {faults[0].message}"


def test_all_faults_of_a_feature_are_found_at_once() -> None:
    faults = faults_in_config({"type": "MACD", "fastperiod": 0, "slow": 3, "output": "x", "input": []})
    assert sorted(fault.parameter for fault in faults) == ["fastperiod", "input", "output", "slow"]


def test_every_example_configures_its_feature_with_its_defaults() -> None:
    for name in feature_types():
        block = yaml.safe_load(example(describe(name)))
        ((_, config),) = block["features"].items()
        assert spec_from_config("it", config).type == name


def test_the_page_is_what_the_registry_says_and_names_every_feature() -> None:
    page = markdown_page()
    assert (ROOT / "docs" / "features.md").read_text(encoding="utf-8") == page, (
        "run: admf features list --markdown > docs/features.md"
    )
    assert [name for name in feature_types() if f"`{name}`" not in page and f"### {name}" not in page] == []


def test_the_first_block_of_the_page_is_a_sound_configuration() -> None:
    block = yaml.safe_load(markdown_page().split("```yaml\n")[1].split("```")[0])
    assert {name: faults_in_config(config) for name, config in block["features"].items()} == {
        "fast": (), "volume_mean": (), "trend": (), "smooth_rsi": (), "rsi": ()
    }  # fmt: skip


def test_every_parameter_with_a_default_accepts_it() -> None:
    for name in feature_types():
        for parameter in describe(name).parameters:
            if not parameter.required:
                assert parameter.fault(parameter.default) is None, (name, parameter.name)


def test_list_names_every_feature() -> None:
    run = admf("features", "list")
    assert run.returncode == 0, run.stderr
    assert {line.split()[0] for line in run.stdout.splitlines() if line.startswith("  ")} == set(feature_types())


def test_list_and_show_give_one_json_document_each() -> None:
    import json

    listed = json.loads(admf("features", "list", "--json").stdout)
    assert [row["name"] for row in listed["features"]] == list(feature_types())
    shown = json.loads(admf("features", "show", "macd", "--json").stdout)
    assert shown["outputs"] == ["macd", "macdsignal", "macdhist"]
    assert [parameter["default"] for parameter in shown["parameters"]] == [12, 26, 9]


def test_show_prints_parameters_with_ranges_and_a_block_of_yaml() -> None:
    run = admf("features", "show", "zscore")
    assert run.returncode == 0, run.stderr
    assert "timeperiod  default 20; 2 to 100000; number of bars" in run.stdout
    assert yaml.safe_load(run.stdout.partition("features:")[1] + run.stdout.partition("features:")[2])


def test_show_of_an_unknown_feature_is_a_usage_error_that_names_the_near_one() -> None:
    run = admf("features", "show", "MCAD")
    assert (run.returncode, run.stdout) == (2, "")
    assert 'did you mean "MACD"' in run.stderr
    assert "Traceback" not in run.stderr


def test_describing_and_configuring_features_loads_neither_numpy_nor_talib() -> None:
    code = (
        "import sys; from admf_cli.features import describe, feature_types, spec_from_config\n"
        "[describe(name) for name in feature_types()]; spec_from_config('x', {'type': 'RSI'})\n"
        "print(sorted({'numpy', 'talib', 'polars', 'pandas', 'yaml', 'pydantic'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "[]", run.stderr
