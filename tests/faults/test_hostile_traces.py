"""Traces of others against every reading command: an answer or an expected error, never a crash, an escape, a write."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from admf_cli.cli.app import app
from admf_cli.errors import AdmfError
from tests.faults.measuring import measured
from tests.faults.test_kills import phase as phase  # the same small run

COMMANDS: dict[str, list[str]] = {
    "list": ["list", "{}"],
    "list --json": ["list", "{}", "--json"],
    "show": ["show", "{}", "--last", "50"],
    "show --json": ["show", "{}", "--json"],
    "inspect": ["inspect", "{}"],
    "explain": ["explain", "{}", "last-fill"],
    "explain id": ["explain", "{}", "portfolio_s_r#5"],
    "why-not": ["why-not", "{}", "--at", "2000-02"],
    "diff": ["diff", "{}", "{good}"],
    "verify": ["verify", "{}"],
    "replay": ["replay", "{}"],
    "stats": ["stats", "{}"],
    "query": ["query", "{}", "SELECT * FROM fills ORDER BY ALL LIMIT 20"],
    "query events": ["query", "{}", "SELECT count(*) FROM events"],
    "export csv": ["export", "{}", "--to", "csv", "--output", "{out}"],
    "export parquet": ["export", "{}", "--to", "parquet", "--output", "{out}"],
    "export otlp": ["export", "{}", "--to", "otlp", "--output", "{out}"],
    "export perfetto": ["export", "{}", "--to", "perfetto", "--output", "{out}"],
    "export mermaid": ["export", "{}", "--to", "mermaid", "--event", "last-fill", "--output", "{out}"],
    "repair": ["repair", "{}", "--to", "{out}"],
    "prune": ["prune", "{}", "--keep", "0", "--dry-run"],
}
EVIL = "\x1b]0;owned\x07\x1b[31m[bold red]x[/bold red][/]<script>alert(1)</script>\u202e\x00\r\n=cmd|' /C calc'!A0"
VALUES: list[Any] = [None, True, -1, 1e308, 2**63, "", EVIL, [], {}, [[1]], {"a": {"b": []}}, "NaN", -0.0]


def each_line(change: Callable[[dict[str, Any], random.Random], Any]) -> Callable[[Path], None]:
    """Return what rewrites every fifth line of every file."""

    def damage(phase: Path) -> None:
        random_ = random.Random(1)
        for path in sorted(phase.glob("*.jsonl")):
            rows = path.read_bytes().splitlines()
            for number in range(0, len(rows), 5):
                row = json.loads(rows[number])
                rows[number] = json.dumps(change(row, random_) or row).encode()
            path.write_bytes(b"\n".join(rows) + b"\n")

    return damage


def wrong_types(row: dict[str, Any], random_: random.Random) -> None:
    row[random_.choice(list(row))] = random_.choice(VALUES)


def wrong_payloads(row: dict[str, Any], random_: random.Random) -> None:
    if row["payload"]:
        row["payload"][random_.choice(list(row["payload"]))] = random_.choice(VALUES)


def keys_lost(row: dict[str, Any], random_: random.Random) -> None:
    del row[random_.choice(list(row))]
    if row.get("payload"):
        del row["payload"][random_.choice(list(row["payload"]))]


def evil_texts(row: dict[str, Any], random_: random.Random) -> None:
    row["symbol"] = EVIL
    for key, value in row["payload"].items():
        if isinstance(value, str):
            row["payload"][key] = EVIL
    row["payload"][EVIL] = EVIL


def formulas(row: dict[str, Any], random_: random.Random) -> None:
    row["symbol"] = "=cmd|' /C calc'!A0"
    for key in ("rule", "reason", "side", "purpose"):
        if key in row["payload"]:
            row["payload"][key] = "=cmd()"


def not_objects(row: dict[str, Any], random_: random.Random) -> Any:
    return random_.choice([[], "text", 1, [row], {"event_id": row}])


def flipped_bytes(phase: Path) -> None:
    random_ = random.Random(2)
    for path in sorted(phase.iterdir()):
        data = bytearray(path.read_bytes())
        for _ in range(40):
            data[random_.randrange(len(data))] = random_.randrange(256)
        path.write_bytes(data)


def cut_short(phase: Path) -> None:
    for path in sorted(phase.iterdir()):
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def emptied(phase: Path) -> None:
    for path in phase.glob("*.jsonl"):
        path.write_bytes(b"")


def nested(phase: Path) -> None:
    deep = b'{"event_id":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n"
    for path in phase.glob("*.jsonl"):
        path.write_bytes(path.read_bytes() + deep + b'{"a":' * 100_000 + b"\n")
    for path in phase.glob("*.meta.json"):
        path.write_bytes(deep)


def metas(phase: Path) -> None:
    random_ = random.Random(3)
    for path in sorted(phase.glob("*.meta.json")):
        document = json.loads(path.read_bytes())
        for key in document:
            if random_.random() < 0.6:
                document[key] = random_.choice(VALUES)
        path.write_text(json.dumps(document))


def evil_metas(phase: Path) -> None:
    for path in sorted(phase.glob("*.meta.json")):
        document = json.loads(path.read_bytes())
        document |= {"status": EVIL, "reason": EVIL, "config_name": EVIL, "events": {EVIL: document["total"]}}
        path.write_text(json.dumps(document))


def links_out(phase: Path) -> None:
    secret = phase.parent / "secret.txt"
    secret.write_text("a secret\n" * 3)
    for path in list(phase.glob("*.jsonl"))[:2]:
        path.unlink()
        path.symlink_to(secret)
    (phase / "loop.jsonl").symlink_to("loop.jsonl")
    os.mkfifo(phase / "pipe.jsonl")
    (phase / "folder.jsonl").mkdir()


def binary(phase: Path) -> None:
    for path in sorted(phase.iterdir()):
        path.write_bytes(random.Random(4).randbytes(20_000))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "wrong types": each_line(wrong_types),
    "wrong payloads": each_line(wrong_payloads),
    "keys lost": each_line(keys_lost),
    "evil texts": each_line(evil_texts),
    "formulas": each_line(formulas),
    "not objects": each_line(not_objects),
    "flipped bytes": flipped_bytes,
    "cut short": cut_short,
    "emptied": emptied,
    "nested": nested,
    "metas": metas,
    "evil metas": evil_metas,
    "links out": links_out,
    "binary": binary,
}


@pytest.fixture(scope="module", params=DAMAGES)
def damaged(request: pytest.FixtureRequest, phase: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("hostile") / "wf" / "backtest"
    target.mkdir(parents=True)
    for path in phase.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    DAMAGES[request.param](target)
    return target.parent


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_answers_or_says_what_is_wrong(name: str, damaged: Path, phase: Path, tmp_path: Path) -> None:
    before = contents(damaged)
    places = {"{}": str(damaged), "{good}": str(phase), "{out}": str(tmp_path / "out")}
    result = CliRunner().invoke(app, ["traces", *(places.get(part, part) for part in COMMANDS[name])])
    if isinstance(result.exception, AdmfError):
        assert result.exception.exit_code in (1, 2, 5)
        assert str(result.exception)
    else:
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert result.exit_code in (0, 1)
        if "--json" in name:
            for line in result.stdout.splitlines() if name.startswith("show") else [result.stdout]:
                json.loads(line)
    assert not re.search(r"[\x00-\x08\x0b\x0d-\x1f]", result.stdout)
    assert "--json" in name or "\u202e" not in result.stdout  # in JSON it is exact, and for no screen
    assert "a secret" not in result.stdout
    assert contents(damaged) == before
    for path in (tmp_path / "out").rglob("*.csv"):
        assert not re.search(r'(?m)(^|,)"?=cmd', path.read_text()), "a formula"


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


@pytest.mark.parametrize("name", ["show", "inspect", "verify", "stats", "repair", "explain"])
def test_a_line_of_a_hundred_megabytes_is_read_in_bounded_memory(name: str, phase: Path, tmp_path: Path) -> None:
    target = tmp_path / "wf" / "backtest"
    target.mkdir(parents=True)
    for path in phase.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    with (target / "execution.jsonl").open("ab") as file:
        file.truncate((100 << 20) + file.tell())  # zeros, and no end of line: sparse, it takes no room on the disk
    places = {"{}": str(tmp_path / "wf"), "{out}": str(tmp_path / "out")}

    code = "from admf_cli.__main__ import main\nmain()"
    said, kilobytes = measured(code, "traces", *(places.get(part, part) for part in COMMANDS[name]))
    assert re.search(r"SystemExit\((None|0|1|5)?\)", said), said
    assert "Traceback" not in said
    assert kilobytes < 300 * 1024
