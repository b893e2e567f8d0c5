"""Creates a new project in a directory that is not there yet, or empty but for a `.git`. Refuses to touch what is."""

from __future__ import annotations

from pathlib import Path

from admf_cli.errors import ConfigError, StorageError
from admf_cli.project.files import CI, CONFIG, IGNORE, README, STRATEGY

_BARS = 750
_SEED = 11


def create_project(directory: Path) -> list[str]:
    """Write the project's files and return their paths within it.

    Raises:
        ConfigError: something is there already.
        StorageError: a file or directory cannot be made.
    """
    name = directory.resolve().name or "project"
    files = {
        "backtest.yaml": CONFIG,
        "my_strategies.py": STRATEGY,
        "data/sample.csv": _sample(),
        ".github/workflows/backtest.yml": CI,
        "README.md": README.format(name=name),
        ".gitignore": IGNORE,
    }
    path = directory
    try:
        if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
            raise ConfigError(f"{directory} is no directory; name another")
        directory.mkdir(parents=True, exist_ok=True)
        # A repository or an environment may be there already; neither is a project.
        hidden = {path.partition("/")[0] for path in files if path.startswith(".")}
        there = sorted(
            entry.name for entry in directory.iterdir() if not entry.name.startswith(".") or entry.name in hidden
        )
        if there:
            shown = ", ".join(there[:5]) + (" …" if len(there) > 5 else "")
            raise ConfigError(f"{directory} is not empty ({shown}); nothing is overwritten: name another directory")
        for relative, text in files.items():
            path = directory / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}") from error
    return list(files)


def _sample() -> str:
    from admf_cli.market.synthetic import synthetic_bars
    from admf_cli.market.timeframe import parse_timeframe

    walk = {"bars": _BARS, "seed": _SEED, "drift": 0.12, "volatility": 0.22, "start_price": 100.0}
    bars = synthetic_bars(walk, ["SAMPLE"], "2020-01-02", parse_timeframe("1d"))
    days = bars.times.astype("datetime64[us]").astype("datetime64[D]").astype(str).tolist()
    columns = [getattr(bars, name)[:, 0].tolist() for name in ("open", "high", "low", "close", "volume")]
    rows = (f"{day},{o},{h},{low},{c},{v:.0f}\n" for day, o, h, low, c, v in zip(days, *columns, strict=True))
    return "timestamp,open,high,low,close,volume\n" + "".join(rows)
