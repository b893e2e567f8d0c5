"""Bytes changed at random, for the config loader and the trace reader: `python -m tests.faults.fuzz --cases 20000`.

Whatever the bytes, the loader returns a configuration or raises a ConfigError, and every question to a trace returns
an answer or raises an AdmfError. A case is its seed: `--first N --cases 1` runs it again.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from admf_cli.config import load_config
from admf_cli.errors import AdmfError, ConfigError
from admf_cli.traces.inspect import inspect
from admf_cli.traces.repair import repair
from admf_cli.traces.stats import stats
from admf_cli.traces.verify import verify
from tests.faults.kills import ROOT

_PARTS = [b"\n", b"\t", b": ", b"- ", b"&a ", b"*a", b"!!python/object:", b"{", b"}", b"[", b"]", b'"', b"'", b"#"]
_PARTS += [b"null", b"1e999", b"-0", b"nan", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"---\n", b"<<: ", b"\\u0000", b","]
_PARTS += [b"true", b"9" * 400, b"\xe2\x80\xae", b"\x1b[31m", b"0x1F", b"2000-13-45", b"|\n", b"? ", b"%YAML 9\n"]


def mutated(data: bytes, random_: random.Random) -> bytes:
    """Return data with a few bytes changed, removed, doubled, moved or replaced by what parsers stumble over."""
    changed = bytearray(data)
    for _ in range(random_.choice((1, 1, 2, 4, 16))):
        start = random_.randrange(len(changed) + 1)
        stop = min(len(changed), start + random_.choice((0, 1, 1, 3, 20, 200)))
        piece = bytes(changed[start:stop])
        kind = random_.randrange(5)
        if kind == 0:
            changed[start:stop] = random_.choice(_PARTS)
        elif kind == 1:
            changed[start:stop] = random_.randbytes(stop - start)
        elif kind == 2:
            del changed[start:stop]
        elif kind == 3:
            changed[start:start] = piece * random_.choice((1, 2, 50))
        else:
            del changed[start:stop]
            place = random_.randrange(len(changed) + 1)
            changed[place:place] = piece
    return bytes(changed)


def fuzz_config(seed: int, folder: Path) -> None:
    """Load one changed example."""
    random_ = random.Random(seed)
    example = random_.choice(sorted((ROOT / "configs").glob("*.yaml")))
    path = folder / "c.yaml"
    path.write_bytes(mutated(example.read_bytes(), random_))
    with contextlib.suppress(ConfigError):
        load_config(path)


def fuzz_trace(seed: int, folder: Path, sound: Path) -> None:
    """Ask a run in which one file was changed."""
    random_ = random.Random(seed)
    phase = folder / "wf" / "backtest"
    shutil.rmtree(folder / "wf", ignore_errors=True)
    shutil.rmtree(folder / "copy", ignore_errors=True)
    shutil.copytree(sound, phase)
    target = random_.choice(sorted(phase.iterdir()))
    target.write_bytes(mutated(target.read_bytes(), random_))
    questions: list[Callable[[], object]] = [lambda: inspect(phase), lambda: verify(phase), lambda: stats(phase)]
    questions.append(lambda: repair(folder / "wf", folder / "copy"))
    for ask in questions:
        with contextlib.suppress(AdmfError):
            ask()


def sound_trace(folder: Path) -> Path:
    """Return the phase of a small run."""
    from admf_cli import run_backtest

    run_backtest(
        ROOT / "configs" / "synthetic.yaml",
        overrides=["data.synthetic.bars=60", f"execution.trace_settings.trace_dir={folder}", "results.write=false"],
    )
    (first, *_) = sorted({path.parent for path in folder.rglob("*.jsonl")})
    return first


def main() -> int:
    """Run the cases; the first that fails shows its seed and its traceback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="admf_fuzz_") as name:
        folder = Path(name)
        sound = sound_trace(folder / "sound")
        for seed in range(chosen.first, chosen.first + chosen.cases):
            try:
                fuzz_config(seed, folder)
                fuzz_trace(seed, folder, sound)
            except BaseException:
                print(f"case {seed}", file=sys.stderr)
                raise
    print(f"{chosen.cases} configurations and {chosen.cases} traces: each answered or refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
