"""What belongs together is said together; and what is resolved, written or accepted stands up to a second look."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admf_cli.config import load_config
from admf_cli.config.reference import json_schema
from admf_cli.config.yaml_text import parse_yaml
from admf_cli.config.yaml_writing import yaml_text_of
from admf_cli.errors import ConfigError

SOUND = """\
data: {path: data/sp500_daily.csv, symbols: [SPX]}
strategies:
  - {name: trend, type: sma_crossover, params: {fast: 10, slow: 30}}
risk_profiles:
  - {name: base, sizing: {type: percent_equity, percent: 0.95}}
"""


def message_of(path: Path, text: str) -> str:
    """Return the answer to a configuration, without the file's name."""
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return str(caught.value).replace(f"{path}:", "")


def test_a_required_key_that_is_misspelt_is_one_fault(tmp_path: Path) -> None:
    text = SOUND.replace("strategies", "stratgies")
    assert message_of(tmp_path / "c.yaml", text) == "2:1: stratgies: unknown key; did you mean strategies?"


def test_braces_in_a_path_are_told_to_be_quoted(tmp_path: Path) -> None:
    message = message_of(tmp_path / "c.yaml", "data: {path: data/{symbol}.csv}\n")
    assert message.startswith("1:19: not valid YAML")
    assert message.endswith("; put text that holds { and } in quotes: 'data/{symbol}.csv'")


@pytest.mark.parametrize("key", ["data", "strategies", "risk_profiles"])
def test_a_required_section_without_content_is_told_what_to_hold(key: str, tmp_path: Path) -> None:
    message = message_of(tmp_path / "c.yaml", f"{key}:\n")
    (line,) = [line for line in message.splitlines() if "got nothing" in line]
    assert re.match(rf"1:\d+: {key}: must be a (mapping|list) \(got nothing\); write {key}: [\[{{]", line)


def test_null_in_a_list_is_told_apart_from_text(tmp_path: Path) -> None:
    message = message_of(tmp_path / "c.yaml", SOUND.replace("[SPX]", "[~]"))
    assert message == "1:46: data.symbols[0]: must be text (got ~); write a value, or remove it from the list"


def test_yaml_schema_rules_and_overrides_are_faulted_together(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    text = SOUND.replace("fast: 10", "fast: 50").replace("0.95", ".nan") + "cash: 5\nname: a\nname: b\n"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, ["portfolio.initial_capital=-1", "strategies[7].name=x", "name"])
    assert [(fault.line, fault.path) for fault in caught.value.faults] == [
        (None, ""),  # strategies has one item only
        (None, ""),  # name has no =
        (None, "portfolio.initial_capital"),
        (3, "strategies[0].params.fast"),  # 50 >= 30
        (5, "risk_profiles[0].sizing.percent"),  # not finite, and said once
        (6, "cash"),
        (8, "name"),  # twice
    ]


def test_features_are_resolved_with_their_defaults() -> None:
    text = parse_yaml(SOUND + "features: {m: {type: macd, output: signal}}\n", "t").plain()
    resolved = load_config(text)
    assert resolved.values["features"]["m"] == {
        "type": "MACD",
        "input": "close",
        "output": "macdsignal",
        "fastperiod": 12,
        "slowperiod": 26,
        "signalperiod": 9,
    }
    assert resolved.origin["features.m.fastperiod"] == "default"
    assert load_config({**text, "features": resolved.values["features"]}).sha256 == resolved.sha256


def test_the_resolved_values_resolve_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2] / "configs")  # a mapping has no directory of its own
    for path in sorted((Path(__file__).parents[2] / "configs").glob("*.yaml")):
        values = load_config(path).values
        if values["data"]["source"] == "synthetic":
            values["data"] = {
                key: values["data"][key] for key in ("source", "symbols", "synthetic", "timeframe", "start")
            }
        else:
            del values["data"]["synthetic"]
        again = load_config(values).values
        assert {**again, "data": None} == {**values, "data": None}


def test_a_run_s_digest_does_not_depend_on_how_numbers_are_written(tmp_path: Path) -> None:
    digests = set()
    for capital in ("100000", "100000.0", "1e5"):
        path = tmp_path / "c.yaml"
        path.write_text(f"{SOUND}portfolio: {{initial_capital: {capital}}}\n")
        digests.add(load_config(path).sha256)
    assert len(digests) == 1


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x == 0 or abs(x) > 1e-300)
    | st.text(max_size=12)
    | st.sampled_from(
        ["NO", "on", "1e-3", "0o17", "007", "08", ".nan", "~", "1:30", "0x1", "1_0", "-", "<<", "*a", "\u202e"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=4))
def test_data_written_as_yaml_reads_back_as_it_was(value: dict[str, Any]) -> None:
    text = yaml_text_of(value)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert parse_yaml(text, "t").plain() == value


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_change_of_bytes_raises_anything_but_a_config_error(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(SOUND.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path = tmp_path / "c.yaml"
    path.write_bytes(raw)
    with contextlib.suppress(ConfigError):
        assert load_config(path).sha256


SCHEMA = jsonschema.Draft202012Validator(json_schema())


@settings(max_examples=200, deadline=None)
@given(
    path=st.sampled_from(
        [
            "portfolio.initial_capital",
            "strategies[0].name",
            "risk_profiles[0].stop_loss",
            "data.start",
            "execution.trace_settings.max_events",
            "execution.commission",
            "workflow.id",
        ]
    ),
    value=VALUES,
)
def test_whatever_the_loader_takes_the_schema_for_editors_takes(path: str, value: Any) -> None:
    *above, last = path.replace("[0]", ".0").split(".")
    config = parse_yaml(SOUND, "t").plain()
    node: Any = config
    for step in above:
        node = node[int(step)] if step.isdigit() else node.setdefault(step, {})
    node[last] = value
    with contextlib.suppress(ConfigError):
        load_config(config)
        SCHEMA.validate(config)
