"""The strict loader: what is wrong is said with its place, all at once; what is right means what the user meant."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admf_cli import run_backtest
from admf_cli.config import load_config
from admf_cli.config.page import markdown_page
from admf_cli.config.reference import json_schema
from admf_cli.config.yaml_text import parse_yaml
from admf_cli.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
SOUND = """\
data: {source: synthetic}
strategies: [{name: s, type: sma_crossover, params: {fast: 5, slow: 20}}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]
"""


def faults(tmp_path: Path, text: str | bytes, *overrides: str) -> str:
    path = tmp_path / "c.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [1", "", ""),
        ("data:\n\tsource: csv\n", ":2:", ""),
        ("name: a\nname: b\n" + SOUND, ":2:1", "twice"),
        (SOUND + "cash: 5\n", ":4:1", "portfolio.initial_capital"),
        (SOUND + "portfolo: {}\n", ":4:1", "did you mean portfolio?"),
        (SOUND + "portfolio: {initial_capital: -1}\n", ":4:30", "greater than 0"),
        (SOUND + "portfolio: {initial_capital: .nan}\n", ":4:30", ""),
        (SOUND + "portfolio: {initial_capital: '5'}\n", ":4:30", "number"),
        (SOUND + "portfolio: {initial_capital: 1e400}\n", ":4:30", ""),
        (SOUND + "tracing: {enabled: true}\n", ":4:1", "execution.enable_event_tracing"),
        (SOUND + "workflow: {trace_settings: {}}\n", ":4:12", "execution.trace_settings"),
        (SOUND + "enable_event_tracing: true\n", ":4:1", "execution.enable_event_tracing"),
        (SOUND + "orchestration: {tracer: x}\n", ":4:1", "execution.trace_settings"),
        (SOUND + "workflow: {id: ../x}\n", ":4:16", "name"),
        (SOUND + "workflow: {id: CON}\n", ":4:16", "reserved"),
        (SOUND + "name: !!python/object:os.system x\n", ":4:", "tag"),
        (SOUND.replace("fast: 5", "fast: 50"), ":2:", "less than slow"),
        (SOUND.replace("sma_crossover", "sma_crosover"), ":2:", "did you mean"),
        (SOUND.replace("sizing: {type: fixed, quantity: 1}", "sizing: {type: fixd}"), ":3:", "did you mean fixed?"),
        (SOUND + "---\na: 1\n", "", ""),
        ("- 1\n- 2\n", ":1:1", "mapping"),
        ("", "", "mapping"),
        ("a: &a [*a]\n", "", ""),
        ("\ufeff" + SOUND + "x: 1\n", ":4:1", "unknown key"),
        (b"\xff\xfea\x00", "", "UTF-16"),
        (b"name: \xe9\n", ":1:", "UTF-8"),
        (b"name: a\x00b\n", ":1:", "control"),
        (SOUND + "execution: {trace_settings: {event_filters: [FILLS]}}\n", ":4:", "did you mean FILL?"),
        (SOUND + "execution: {trace_settings: {max_events: 0}}\n", ":4:", "1"),
    ],
    ids=range(29),
)
def test_a_fault_names_its_place_rule_and_remedy(tmp_path: Path, text: str | bytes, place: str, words: str) -> None:
    message = faults(tmp_path, text)
    assert f"c.yaml{place}" in message
    assert words in message


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    text = SOUND.replace("quantity: 1", "quantity: -1") + "portfolio: {initial_capital: 0}\nbogus: 1\n"
    assert len(faults(tmp_path, text, "workflow.typ=x").splitlines()) == 4


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "c.yaml" in faults(tmp_path, "\n".join(lines))


def test_words_of_yaml_1_1_stay_what_they_look_like() -> None:
    text = "a: NO\nb: on\nc: 1:30\nd: 1e-3\ne: 2000-01-01\nf: true\ng: 1.5E6\nh: 0.1\n"
    assert parse_yaml(text, "t").plain() == {
        "a": "NO",
        "b": "on",
        "c": "1:30",
        "d": 0.001,
        "e": "2000-01-01",
        "f": True,
        "g": 1.5e6,
        "h": 0.1,
    }


def test_a_pipe_a_directory_and_a_missing_file_are_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "config.yaml").write_text(SOUND)
    for path, words in ((tmp_path / "pipe", "pipe"), (tmp_path, "directory"), (tmp_path / "confg.yaml", "config.yaml")):
        with pytest.raises(ConfigError, match=words):
            load_config(path)


def test_a_tracer_object_in_a_mapping_is_told_where_tracing_lives() -> None:
    with pytest.raises(ConfigError, match=r"execution\.trace_settings"):
        load_config({"data": {"source": "synthetic"}, "execution": {"tracer": object()}})


def test_a_tracer_passed_to_a_call_is_told_where_tracing_lives() -> None:
    with pytest.raises(ConfigError, match=r"execution\.trace_settings"):
        run_backtest({"data": {"source": "synthetic"}}, tracer=object())


def test_every_value_knows_where_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(SOUND)
    resolved = load_config(path, ["data.synthetic.bars=7"], {"workflow-id": "wf"})
    assert resolved.origin["data.source"] == "file"
    assert resolved.origin["data.synthetic.bars"] == "--set data.synthetic.bars=7"
    assert resolved.origin["workflow.id"] == "--workflow-id"
    assert resolved.origin["results.write"] == "default"
    assert resolved.values["data"]["synthetic"]["bars"] == 7


def test_the_digest_covers_what_can_change_a_result_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(SOUND)
    plain = load_config(path).sha256
    assert load_config(path, ["execution.enable_event_tracing=false", "workflow.id=x", "results.dir=y"]).sha256 == plain
    assert load_config(path, ["strategies[0].params.fast=6"]).sha256 != plain


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.text(alphabet="{}[]:,-&*!|>'\"# \n\tab1.e%", max_size=60))
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        parse_yaml(text, "t").plain()


def test_schema_reference_and_examples_are_in_step() -> None:
    schema = json_schema()
    assert json.loads((ROOT / "configs" / "schema.json").read_text()) == schema
    assert (ROOT / "docs" / "config.md").read_text() == markdown_page(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in (ROOT / "configs").glob("*.yaml"):
        text = path.read_text()
        assert text.startswith("# yaml-language-server: $schema=schema.json\n")
        jsonschema.Draft202012Validator(schema).validate(parse_yaml(text, str(path)).plain())


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ("{fast: 0}", "0 is less than the minimum of 1"),
        ("{fsat: 5}", "'fsat' was unexpected"),
        ("{direction: both}", "'both' is not one of"),
        ("{fast: line, slow: 30}", None),
    ],
)
def test_the_schema_tells_editors_a_strategy_s_parameters(params: str, said: str | None) -> None:
    text = SOUND.replace("params: {fast: 5, slow: 20}", f"params: {params}")
    assert text != SOUND
    faults = [
        error.message
        for error in jsonschema.Draft202012Validator(json_schema()).iter_errors(parse_yaml(text, "t").plain())
    ]
    assert (said is None and not faults) or (said is not None and any(said in fault for fault in faults)), faults
