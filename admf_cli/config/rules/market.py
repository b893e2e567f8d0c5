"""What must agree about data and instruments: source and path, symbols here and there. Opens no file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from admf_cli.config.hints import near
from admf_cli.config.rules.ground import Ground
from admf_cli.config.schema.data import Synthetic
from admf_cli.errors import Fault

# As resolved configurations have it, whatever their source; they must be fit to be run again.
_WALK = {key: field.default for key, field in Synthetic.model_fields.items()}
_ONLY_OF_FILES = ("path", "columns", "delimiter", "adjust")
# What a symbol may hold to stand for itself in a path: no way up, no other directory.
_SAFE_IN_PATH = re.compile(r"[^/\\\0]*[^/\\\0.][^/\\\0]*")


def market_faults(ground: Ground) -> Iterator[Fault]:
    """Yield the faults of `data` and `instruments`."""
    if ground.mapping("data"):
        yield from _source(ground)
        yield from _columns(ground)
    yield from _symbols(ground)


def _source(ground: Ground) -> Iterator[Fault]:
    source = ground.get("data", "source") or "csv"
    if source == "synthetic":
        for key in _ONLY_OF_FILES:
            given = ground.get("data", key)
            given = any(item is not None for item in given.values()) if isinstance(given, dict) else given
            if ground.written("data", key) and given:
                remedy = f"remove {key}, or write source: csv"
                yield ground.at("data", key, rule="has no meaning with source: synthetic", remedy=remedy, key=True)
        return
    if source not in ("csv", "parquet"):
        return
    if ground.written("data", "synthetic") and ground.get("data", "synthetic") != _WALK:
        remedy = "remove it, or write source: synthetic"
        yield ground.at("data", "synthetic", rule=f"has no meaning with source: {source}", remedy=remedy, key=True)
    if source == "parquet" and ground.text("data", "delimiter") is not None:
        yield ground.at("data", "delimiter", rule="has no meaning with source: parquet", remedy="remove it", key=True)
    path = ground.get("data", "path")
    if path is None:
        remedy = "write path: data/FILE.csv, or source: synthetic"
        yield ground.at("data", "path", rule=f"is required with source: {source}", remedy=remedy, value=False)
    elif isinstance(path, str):
        yield from _template(ground, path)


def _template(ground: Ground, path: str) -> Iterator[Fault]:
    unknown = [name for name in re.findall(r"\{([^{}]*)\}", path) if name != "symbol"]
    if unknown:
        remedy = "write {symbol} where the symbol's name goes"
        yield ground.at("data", "path", rule=f"{{{unknown[0]}}} stands for nothing in a path", remedy=remedy)
    if "{symbol}" not in path:
        return
    if not ground.get("data", "symbols"):
        remedy = "write symbols: [A, B]"
        yield ground.at("data", "symbols", rule="is required where path holds {symbol}", remedy=remedy, value=False)
    for index, symbol in ground.texts("data", "symbols"):
        if not _SAFE_IN_PATH.fullmatch(symbol):
            remedy = "give the file by name: path: {SYMBOL: FILE}"
            rule = "a symbol that stands for {symbol} in a path must be a plain file name"
            yield ground.at("data", "symbols", index, rule=rule, remedy=remedy)


def _columns(ground: Ground) -> Iterator[Fault]:
    taken: dict[str, str] = {}
    for ours, theirs in ground.mapping("data", "columns").items():
        if not isinstance(theirs, str):
            continue
        first = taken.setdefault(theirs, ours)
        if first != ours:
            yield ground.at("data", "columns", ours, rule=f"the file's column is already our {first}")


def _symbols(ground: Ground) -> Iterator[Fault]:
    symbols = ground.texts("data", "symbols")
    seen: set[str] = set()
    for index, symbol in symbols:
        if symbol in seen:
            yield ground.at("data", "symbols", index, rule="the symbol is named twice", remedy="remove one of them")
        seen.add(symbol)
    files = ground.get("data", "path")
    if isinstance(files, dict):
        for index, symbol in symbols:
            if symbol not in files:
                close = near(symbol, list(files)) or f"write path: {{{symbol}: FILE}}"
                yield ground.at("data", "symbols", index, rule="data.path names no file for it", remedy=close)
    names = ground.symbols()
    if not names:
        return
    for index, _ in ground.items("strategies"):
        for place, symbol in ground.texts("strategies", index, "symbols"):
            if symbol not in names:
                rule = f"must be one of data.symbols: {_shortened(names)}"
                yield ground.at("strategies", index, "symbols", place, rule=rule, remedy=near(symbol, names))
    for symbol in ground.mapping("instruments"):
        if symbol not in names and symbol != "default":
            rule = f"must be default or one of data.symbols: {_shortened(names)}"
            meant = near(symbol, ["default", *names])
            yield ground.at("instruments", symbol, rule=rule, remedy=meant, value=False, key=True)


def _shortened(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
