"""Hostile configurations: each fault with line, column, rule and remedy, in little time; the odd but plain is taken."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from admf_cli.config import load_config
from admf_cli.errors import ConfigError

# Five lines; the sixth is where the cases below add theirs.
SOUND = """\
data: {source: synthetic, symbols: [A]}
strategies:
  - {name: trend, type: sma_crossover, params: {fast: 10, slow: 30}}
risk_profiles:
  - {name: base, sizing: {type: percent_equity, percent: 0.95}}
"""
CAPITAL = SOUND + "portfolio: {initial_capital: %s}\n"
WRITE = SOUND + "results: {write: %s}\n"
NAME = SOUND + "name: %s\n"
DATES = SOUND.replace("[A]", "[A], start: %s")
FAST = SOUND.replace("fast: 10", "fast: %s")
PERCENT = SOUND.replace("0.95", "%s")
ID = SOUND + "workflow: {id: %s}\n"
TRACES = SOUND + "execution: {trace_settings: {%s}}\n"


def each(template: str, place: tuple[int, int], rule: str, *texts: str) -> dict[str, tuple[Any, tuple[int, int], str]]:
    return {f"{rule} not {text[:30]}": (template.replace("%s", text), place, rule) for text in texts}


CASES: dict[str, tuple[str | bytes, tuple[int, int], str]] = {
    **each(
        CAPITAL, (6, 30), "must be a number", "1_000", "$100", "0b10", "190:20:30", "1:30.5", "1e", "1.2.3", "１００"
    ),
    **each(
        CAPITAL, (6, 30), "must be a number", "−100", "2001-01-01", "[1]", "{a: 1}", "~", "yes", "'100000'", "1 // x"
    ),
    **each(CAPITAL, (6, 30), "must be greater than 0", "0", "-1", "-0.0", "-1e-9"),
    **each(CAPITAL, (6, 30), "numbers must be finite", ".NaN", ".inf", "+.INF", "-.Inf"),
    **each(CAPITAL, (6, 30), "must not begin with 0", "012", "-09"),
    **each(CAPITAL, (6, 30), "must be at most", "1e300"),
    **each(CAPITAL, (6, 30), "must be at least", "1e-320"),
    **each(CAPITAL, (6, 32), "unknown key", "1,000"),
    **each(
        WRITE,
        (6, 18),
        "must be true or false",
        "no",
        "Off",
        "n",
        "y",
        "on",
        "tRue",
        "null",
        "~",
        "''",
        "0",
        "1.0",
        "[]",
    ),
    **each(
        NAME,
        (6, 7),
        "tags are not allowed",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!binary aGk=",
        "!!set {a}",
    ),
    **each(
        NAME, (6, 7), "tags are not allowed", "!!timestamp 2001-01-01", "!!str 5", "!include x", "!env X", "!!merge x"
    ),
    **each(NAME, (6, 7), "a name becomes", "“x”", "a#b", '"a\\0b"', '"\\uffff"', "a\u202eb", "'~'", "é"),
    **each(NAME, (6, 10), "not valid YAML.*Unicode", '"\\ud800"'),
    **each(NAME, (6, 8), "control characters", "a\x7fb", "a\x00b"),
    **each(
        DATES, (1, 48), "must be a date or a UTC time", "2020-02-30", "2021-02-29", "0000-01-01", "10000-01-01", "2020"
    ),
    **each(
        DATES,
        (1, 48),
        "must be a date or a UTC time",
        "01/02/2020",
        "20200101",
        "2020-1-1",
        "0001-01-01T00:00:00+14:00",
    ),
    **each(DATES, (1, 65), "end must not be before start", "2020-01-02, end: 2020-01-01"),
    **each(FAST, (3, 55), "must be 1 to 100000", "-1", "0"),
    **each(FAST, (3, 55), "must be less than slow", "30", "1e2"),
    **each(FAST, (3, 55), "must be a number of bars", "1.5", "true", "[1, 2]", "null"),
    **each(FAST, (3, 55), "must be a feature", "1_0", "'10'", "2020-01-01", "0b1"),
    **each(FAST, (3, 55), "the number is too large", "1" + "0" * 30, "9223372036854775808", "-18446744073709551617"),
    **each(FAST, (3, 55), "the number is too large", "9" * 900_000, "0x" + "f" * 900_000, "1e" + "9" * 900_000),
    **each(PERCENT, (5, 58), "must be at most 1", "1.5", "95"),
    **each(PERCENT, (5, 58), "must be greater than 0", "-0.5", "0"),
    **each(PERCENT, (5, 60), "unknown key", "0,95"),
    **each(
        ID,
        (6, 16),
        "a name becomes",
        "/etc",
        "..",
        "a" * 300,
        "wf_аbc",
        "' '",
        "-rf",
        '"a\\nb"',
        "'a.'",
        '"a\\0"',
        "a/../b",
    ),
    **each(ID, (6, 16), "reserved", "LPT1", "con.txt"),
    **each(ID, (6, 16), "must be text", "123", "1e3", "true"),
    **each(TRACES, (6, 42), "must be at least 1", "max_events: 0", "max_events: -1"),
    **each(TRACES, (6, 42), "must be a whole number", "max_events: 1e3", "max_events: unlimited", "max_events: 1.5"),
    **each(TRACES, (6, 41), "control characters", 'trace_dir: "a\\0"'),
    **each(TRACES, (6, 41), "must not be empty", "trace_dir: ''"),
    **each(TRACES, (6, 46), "must be one of PHASE_START", "event_filters: [FIL]"),
    "a key in letters of another alphabet": (SOUND + "pоrtfolio: {}\n", (6, 1), "unknown key"),
    "a key with a mark without width": (SOUND + '"port\\u200bfolio": {}\n', (6, 1), "unknown key"),
    "a key with an escape": (SOUND + '"\\e[31mx": 1\n', (6, 1), "unknown key"),
    "a key that is a date": (SOUND + "2020-01-01: x\n", (6, 1), "unknown key"),
    "a key that is true": (SOUND + "true: x\n", (6, 1), "unknown key"),
    "a key of 10,000 letters": (SOUND + "k" * 10_000 + ": x\n", (6, 10_001), "not valid YAML"),
    "a key that is an alias": (SOUND + "name: &k portfolio\n*k : {}\n", (7, 1), "a key must be plain text"),
    "two merges": (
        SOUND + "portfolio:\n  <<: {initial_capital: 5}\n  <<: {initial_capital: 6}\n",
        (8, 3),
        "must not stand twice in one mapping .first on line 7",
    ),
    "a merge of a number": (SOUND + "portfolio: {<<: 1}\n", (6, 13), "merges a mapping"),
    "a merge in quotes": (SOUND + "portfolio: {'<<': {initial_capital: 5}}\n", (6, 13), "unknown key"),
    "an anchor twice": (SOUND.replace("trend", "&a trend").replace("base", "&a base"), (5, 12), "must be unique"),
    "mappings that explode": (
        "a: &a {x: 1}\n"
        + "".join(
            f"{b}: &{b} {{{', '.join(f'k{n}: *{a}' for n in range(9))}}}\n"
            for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        (6, 28),
        "aliases expand",
    ),
    "two hundred thousand aliases": ("a: &a x\nb: [" + "*a," * 200_000 + "]\n", (2, 74_996), "aliases expand"),
    "tabs as indentation": (SOUND + "portfolio:\n\tinitial_capital: 5\n", (7, 1), "tabs must not indent"),
    "spaces that do not break": (SOUND + "portfolio:\n\u00a0\u00a0initial_capital: 5\n", (7, 1), "unknown key"),
    "a colon of another width": (SOUND + "portfolio：{initial_capital: 5}\n", (6, 1), "unknown key"),
    "no blank after the colon": (SOUND + "portfolio:{initial_capital: 5}\n", (6, 1), "unknown key"),
    "a bracket too many": (SOUND + "portfolio: {initial_capital: 5}}\n", (6, 32), "not valid YAML"),
    "no blank after the dash": (SOUND.replace("- {name: base", "-{name: base"), (5, 23), "not valid YAML"),
    "a line without a colon": (SOUND + "name = x\n", (7, 1), "not valid YAML"),
    "a conflict of versions": ("<<<<<<< HEAD\n" + SOUND + "=======\n>>>>>>> x\n", (2, 5), "not valid YAML"),
    "junk after the end": (SOUND + "...\njunk: 1\n", (7, 1), "not valid YAML"),
    "another version of YAML": ("%YAML 9.9\n---\n" + SOUND, (1, 1), "incompatible"),
    "an unknown directive": ("%FOO bar\n---\n" + SOUND, (1, 5), "not valid YAML"),
    "TOML": ("[data]\nsource = 'csv'\n", (2, 1), "not valid YAML"),
    "XML": ("<a>b</a>", (1, 1), "a configuration is a mapping"),
    "Python": ("import os\nos.system('x')\n", (1, 1), "a configuration is a mapping"),
    "UTF-16": (SOUND.encode("utf-16"), (1, 1), "UTF-8"),
    "UTF-32": (SOUND.encode("utf-32"), (1, 1), "UTF-8"),
    "UTF-16, big end first": (b"\xfe\xff" + SOUND.encode("utf-16-be"), (1, 1), "UTF-8"),
    "Windows-1252": (SOUND.encode() + b"name: \x93x\x94\n", (6, 7), "UTF-8"),
    "overlong bytes": (SOUND.encode() + b"name: \xc0\xaf\n", (6, 7), "UTF-8"),
    "half a surrogate": (SOUND.encode() + b"name: \xed\xa0\x80\n", (6, 7), "UTF-8"),
    "half a letter at the end": (SOUND.encode() + b"\xe2\x82", (6, 1), "UTF-8"),
    "a byte order mark in the middle": (SOUND + "\ufeffname: x\n", (6, 2), "not valid YAML"),
    "10,000 dashes": ("- " * 10_000 + "x", (1, 101), "nested at most 50"),
    "10,000 questions": ("? " * 10_000 + "x", (1, 101), "nested at most 50"),
    "5,000 lists of mappings": ("a: " + "[{a: " * 5_000, (1, 125), "nested at most 50"),
    "200,000 documents": ("---\n" * 200_000, (2, 1), "only one YAML document"),
    "500,000 quotes": ('"' * 500_000, (1, 3), "not valid YAML"),
    "500,000 colons": (":" * 500_000, (1, 500_000), "not valid YAML"),
    "900,000 stars": ("*" * 900_000, (1, 2), "not valid YAML"),
    "400,000 wrong escapes": ('a: "' + "\\x" * 400_000 + '"', (1, 7), "not valid YAML"),
    "200,000 nulls": ("[" + "~," * 200_000 + "]", (1, 100_000), "at most 50000 values"),
    "200,000 times one key": ("{" + "a," * 200_000 + "}", (1, 4), "must not stand twice"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_fault_has_its_place_a_rule_and_a_remedy(name: str, tmp_path: Path) -> None:
    content, place, rule = CASES[name]
    path = tmp_path / "c.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert time.process_time() - before < 2  # seconds of the processor
    matching = [fault for fault in caught.value.faults if (fault.line, fault.column) == place]
    assert any(re.search(rule, fault.rule) for fault in matching), caught.value
    assert all(fault.remedy for fault in caught.value.faults)
    assert len(str(caught.value)) < 100_000


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "data: {source: cvs, start: 2020-02-30, timeframe: 1x}\n"
        'strategies: [{name: "a/b", type: sma_crossover, params: {fast: -1, slow: x, z: 1}}]\n'
        "risk_profiles: [{name: base, sizing: {type: percent_equity, percent: 5}, stop_loss: 2}]\n"
        "portfolio: {initial_capital: -1}\n"
        "execution: {commission: {type: percent, rate: .nan}, fill_price: nxt_open, trace_settings: {max_events: 0}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    paths = [fault.path for fault in caught.value.faults]
    params = "strategies[0].params"
    assert paths[:7] == ["data.source", "data.start", "data.timeframe", "strategies[0].name", f"{params}.fast",
                         f"{params}.slow", f"{params}.z"]  # fmt: skip
    assert paths[-4:] == ["portfolio.initial_capital", "execution.commission.rate", "execution.fill_price",
                          "execution.trace_settings.max_events"]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "path", "value"),
    [
        (CAPITAL % "1e5", ("portfolio", "initial_capital"), 100_000.0),
        (CAPITAL % "1E+5", ("portfolio", "initial_capital"), 100_000.0),
        (CAPITAL % ".5", ("portfolio", "initial_capital"), 0.5),
        (CAPITAL % "0x10", ("portfolio", "initial_capital"), 16.0),
        (CAPITAL % "0o10", ("portfolio", "initial_capital"), 8.0),
        (WRITE % "TRUE", ("results", "write"), True),
        (SOUND.replace("[A]", "[NO]"), ("data", "symbols"), ["NO"]),
        (SOUND.replace("[A]", "[on]"), ("data", "symbols"), ["on"]),
        (SOUND.replace("[A]", "[12:30]"), ("data", "symbols"), ["12:30"]),
        (DATES % "2020-02-29", ("data", "start"), "2020-02-29"),
        (DATES % "2020-01-01T10:00:00+05:00", ("data", "start"), "2020-01-01T05:00:00Z"),
        (SOUND + "portfolio: {<<: {initial_capital: 5}, initial_capital: 6}\n", ("portfolio", "initial_capital"), 6.0),
        (SOUND.replace("name: base", "name: &n base") + "name: *n\n", ("name",), "base"),
        ("---\n" + SOUND + "...\n", ("name",), "c"),
        ("%YAML 1.1\n---\n" + SOUND, ("name",), "c"),
        ("#" + "x" * 900_000 + "\n" + SOUND, ("name",), "c"),
        ("\n" * 900_000 + SOUND, ("name",), "c"),
    ],
)
def test_what_is_odd_but_plain_means_what_it_says(
    content: str, path: tuple[str, ...], value: Any, tmp_path: Path
) -> None:
    (tmp_path / "c.yaml").write_text(content)
    found: Any = load_config(tmp_path / "c.yaml").values
    for step in path:
        found = found[step]
    assert found == value
    assert type(found) is type(value)
