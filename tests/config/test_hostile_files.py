"""Files that are broken, hostile or no files: exit 2, the place and the rule, within bounds of time and memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from admf_cli.config import load_config
from admf_cli.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
# Five lines; the sixth is where the cases below add theirs.
SOUND = """\
data: {source: synthetic, symbols: [A]}
strategies:
  - {name: trend, type: sma_crossover, params: {fast: 10, slow: 30}}
risk_profiles:
  - {name: base, sizing: {type: percent_equity, percent: 0.95}}
"""
PERCENT = (5, 58)  # line and column of 0.95
FAST = (3, 55)  # of 10
BILLION_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
# `check` runs with this much memory and processor time, so a case that needs more fails.
MEBIBYTES, SECONDS = 300, 2


def percent(text: str) -> str:
    return SOUND.replace("0.95", text)


def fast(text: str) -> str:
    return SOUND.replace("fast: 10", f"fast: {text}")


def check(*arguments: str, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]], str]:
    """Return exit code, faults and stderr of `admf config check --json` under limits that the system enforces."""
    limits = (
        "import resource, runpy, sys\n"
        f"resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS} + 1, {SECONDS} + 1))\n"
        f"resource.setrlimit(resource.RLIMIT_DATA, ({MEBIBYTES} << 20, {MEBIBYTES} << 20))\n"
        "sys.argv = ['admf', 'config', 'check', '--json', *sys.argv[1:]]\n"
        "runpy.run_module('admf_cli', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", limits, *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    faults = json.loads(done.stdout)["faults"] if done.stdout else []
    return done.returncode, faults, done.stderr.decode()


CASES: dict[str, tuple[str | bytes, tuple[int, int], str]] = {
    # Not YAML.
    "an open bracket": ("data: {path: x\nstrategies: []\n", (2, 11), "not valid YAML"),
    "an open quote": ('name: "abc\n', (2, 1), "quoted scalar begun on line 1"),
    "bad indentation": ("data:\n  path: x\n symbols: [A]\n", (3, 2), "not valid YAML"),
    "a colon in text": ("name: a: b\n", (1, 8), "mapping values are not allowed"),
    "an at sign": ("name: @abc\n", (1, 7), "cannot start any token"),
    "a backslash": ('data: {path: "C:\\data\\x.csv"}\n', (1, 17), "unknown escape"),
    "a tab": ("data:\n\tpath: x\n", (2, 1), "tabs must not indent"),
    "an empty key": (SOUND + ": 3\n", (6, 1), "not valid YAML"),
    "a lone bracket, 100,000 times": ("[" * 100_000, (1, 51), "nested at most 50 deep"),
    "mappings in mappings": ("a: " + "{a: " * 5000 + "1" + "}" * 5000, (1, 200), "nested at most 50 deep"),
    "blocks in blocks": ("\n".join(" " * n + "a:" for n in range(1000)), (51, 51), "nested at most 50 deep"),
    # YAML that says more, or less, than plain data.
    "nothing": ("", (1, 1), "a configuration is a mapping"),
    "a comment": ("# nothing yet\n", (1, 1), "a configuration is a mapping"),
    "a word": ("hello", (1, 1), "a configuration is a mapping"),
    "a list": ("- a\n- b\n", (1, 1), "a configuration is a mapping"),
    "two documents": (SOUND + "---\nname: b\n", (6, 1), "only one YAML document"),
    "a key twice": (SOUND + "data: {}\n", (6, 1), r"must not stand twice in one mapping \(first on line 1\)"),
    "a nested key twice": (fast("10, fast: 12"), (3, 59), "must not stand twice"),
    "a tag of YAML": (percent("!!float 0.95"), PERCENT, "tags are not allowed"),
    "a tag of Python": (percent("!!python/object/apply:os.system ['false']"), PERCENT, "tags are not allowed"),
    "a tag of the root": ("!config\n" + SOUND, (1, 1), "tags are not allowed"),
    "a value in itself": (SOUND + "name: &a [*a]\n", (6, 11), "must not contain itself"),
    "a mapping merged into itself": (SOUND + "name: &a\n  <<: *a\n", (7, 7), "must not contain itself"),
    "an alias without its anchor": (SOUND + "name: *nope\n", (6, 7), "needs its anchor before it"),
    "aliases of aliases": (BILLION_LAUGHS, (5, 35), "aliases expand to more than 50000"),
    "a list as a key": (SOUND + "[a]: 4\n", (6, 1), "a key must be plain text"),
    "a mapping as a key": (SOUND + "{a: b}: 4\n", (6, 1), "a key must be plain text"),
    "a number as a key": (SOUND + "1: 2\n", (6, 1), "unknown key"),
    "null as a key": (SOUND + "null: 2\n", (6, 1), "unknown key"),
    "too many values": (b"".join(b"k%d: 1\n" % n for n in range(60_000)), (25_000, 9), "at most 50000 values"),
    # Bytes that are no text.
    "Latin-1": (SOUND.encode() + b"name: caf\xe9\n", (6, 10), "UTF-8"),
    "a NUL": (SOUND.encode() + b"name: a\x00b\n", (6, 8), "control characters"),
    "an escape sequence": (SOUND.encode() + b"name: a\x1b[31mb\n", (6, 8), "control characters"),
    "UTF-16 without a mark": (SOUND.encode("utf-16-le"), (1, 2), "control characters"),
    # Numbers that are none, or too many digits of one.
    "not a number": (percent(".nan"), PERCENT, "numbers must be finite"),
    "infinity": (percent("-.inf"), PERCENT, "numbers must be finite"),
    "1e400": (percent("1e400"), PERCENT, "the number is too large"),
    "1e-400": (percent("1e-400"), PERCENT, "the number is too small to tell from 0"),
    "300 digits": (percent("9" * 300), PERCENT, "the number is too large"),
    "5,000 digits": (percent("9" * 5000), PERCENT, "the number is too large"),
    "5,000 hexadecimal digits": (percent("0x" + "f" * 5000), PERCENT, "the number is too large"),
    "more than 64 bits": (fast("99999999999999999999"), FAST, "the number is too large"),
    "a leading zero": (fast("010"), FAST, "must not begin with 0"),
    "a sexagesimal number": (fast("1:30"), FAST, "feature"),
    "nan as a word": (percent("nan"), PERCENT, "must be a number"),
    "a number in quotes": (percent("'0.95'"), PERCENT, "must be a number"),
    "a boolean for a number": (percent("true"), PERCENT, "must be a number"),
    "yes for true": (SOUND + "results: {write: yes}\n", (6, 18), "must be true or false"),
    "1 for true": (SOUND + "results: {write: 1}\n", (6, 18), "must be true or false"),
    # Sections without content.
    "no strategies": (SOUND + "portfolio:\n", (6, 11), "must be a mapping"),
    "null for a list": (SOUND.replace("symbols: [A]", "symbols: [~]"), (1, 37), "must be text"),
    # Names that would become paths.
    "a path as a name": (SOUND.replace("trend", "../../etc/x"), (3, 12), "a name"),
    "an absolute path as a name": (SOUND.replace("trend", "/etc/x"), (3, 12), "a name"),
    "a path as a workflow's id": (SOUND + "workflow: {id: ../x}\n", (6, 16), "a name"),
    "a path as a phase": (SOUND + "workflow: {phases: [{name: a/b}]}\n", (6, 28), "a name"),
    "a point": (SOUND.replace("trend", "."), (3, 12), "a name"),
    "a point at the end": (SOUND.replace("trend", "a."), (3, 12), "a name"),
    "a device of Windows": (SOUND.replace("trend", "aux.txt"), (3, 12), "reserved"),
    "a name in Cyrillic letters": (SOUND.replace("trend", "trеnd"), (3, 12), "a name"),
    "a name of 300 letters": (SOUND.replace("trend", "a" * 300), (3, 12), "1 to 64"),
    "a name in quotes with a control character": (SOUND.replace("trend", '"a\\u001b"'), (3, 12), "a name"),
    "names that differ by case": (
        SOUND + "  - {name: BASE, sizing: {type: fixed, quantity: 1}}\n",
        (6, 12),
        "differs from base only by case",
    ),
    "an escape in a path": (SOUND + 'results: {dir: "a\\eb"}\n', (6, 16), "control characters"),
}


# These ask for time and memory, so they are tried as processes of their own, under limits.
HEAVY = [
    "a lone bracket, 100,000 times",
    "mappings in mappings",
    "blocks in blocks",
    "aliases of aliases",
    "too many values",
    "5,000 digits",
    "5,000 hexadecimal digits",
]


def written(name: str, folder: Path) -> Path:
    """Return the file of a case."""
    content = CASES[name][0]
    path = folder / "c.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_is_refused_at_its_place(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    _, place, rule = CASES[name]
    matching = [fault for fault in caught.value.faults if (fault.line, fault.column) == place]
    assert any(re.search(rule, fault.rule) for fault in matching), caught.value
    assert all(fault.source == str(path) and len(str(fault)) < 1000 for fault in caught.value.faults)


@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_file_is_refused_within_limits_of_time_and_memory(name: str, tmp_path: Path) -> None:
    code, faults, complaint = check(str(written(name, tmp_path)))
    assert (code, complaint) == (2, "")
    assert CASES[name][1] in [(fault["line"], fault["column"]) for fault in faults]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["as it is", "after a byte order mark"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_marks_and_line_ends_change_nothing(tmp_path: Path, newline: str, mark: bytes) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(mark + SOUND.replace("\n", newline).encode())
    assert load_config(path).values["data"]["symbols"] == ["A"]
    path.write_bytes(mark + (SOUND + "nme: x\n").replace("\n", newline).encode())
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    (fault,) = caught.value.faults
    assert (fault.line, fault.column, fault.path) == (6, 1, "nme")


def test_a_file_of_a_gibibyte_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 30)  # takes no room on the disk
    code, (fault,), _ = check(str(path))
    assert code == 2
    assert fault["value"] == "1,073,741,824 bytes"
    assert "data.path" in fault["remedy"]


def test_endless_standard_input_is_cut_off() -> None:
    code, (fault,), _ = check("-", stdin=b"# " + b"x" * (3 << 20))
    assert code == 2
    assert fault["source"] == "<stdin>"
    assert fault["rule"] == "a configuration has at most 1,048,576 bytes"


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    expected = {
        "/dev/zero": "not a device",
        str(tmp_path / "pipe.yaml"): "not a pipe",
        str(tmp_path): "not a directory",
        str(tmp_path / "loop.yaml"): "cannot be read",
        str(tmp_path / ("x" * 300)): "cannot be read",
        "/dev/null/x": "cannot be read",
        "": "not a directory",
    }
    for path, rule in expected.items():
        code, (fault,), _ = check(path)
        assert code == 2
        assert rule in fault["rule"]


def test_a_missing_file_is_answered_with_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "backtest.yaml").write_text(SOUND)
    (_, (near,), _), (_, (far,), _) = check(str(tmp_path / "backtset.yml")), check(str(tmp_path / "no" / "x.yaml"))
    assert near["remedy"] == f"did you mean {tmp_path / 'backtest.yaml'}?"
    assert far["remedy"] == f"its directory does not exist; {tmp_path} does"


def test_what_stands_in_a_file_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(SOUND + '"\\e]0;owned\\a[bold red]x": "\\e[31m[link=x]"\nname: "\\u202e\\u001b[2J"\n')
    done = subprocess.run(
        [sys.executable, "-m", "admf_cli", "config", "check", str(path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "[bold red]" in done.stderr
    assert all(character.isprintable() or character == "\n" for character in done.stdout + done.stderr)


def test_thousands_of_faults_end_soon_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(SOUND + "".join(f"strategie{n}: 1\n" for n in range(20_000)))
    code, faults, _ = check(str(path))
    assert code == 2
    assert len(faults) == 101
    assert "more than 100" in faults[-1]["rule"]
