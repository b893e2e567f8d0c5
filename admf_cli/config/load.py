"""From a file, standard input or Python values to a resolved configuration. The package's one way in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct

from admf_cli.config.node import MappingNode, Node, dotted, find, leaves, nearest_place
from admf_cli.config.overrides import apply_flags, apply_overrides
from admf_cli.config.source import DICT, node_from_python, read_text
from admf_cli.config.yaml_text import read_yaml
from admf_cli.errors import ConfigError, Fault


class Resolved(Struct, frozen=True):
    """A checked configuration with every default filled in.

    Attributes:
        values: plain data.
        origin: dotted path of each value -> "default", "file", or the text of the `--set` or flag it came from.
        written: the values as given, without defaults.
        directory: where relative data paths are looked for after the working directory; None without a file.
    """

    name: str
    values: dict[str, Any]
    origin: dict[str, str]
    written: dict[str, Any]
    directory: Path | None

    @property
    def sha256(self) -> str:
        """Digest of everything that can change a result: not names, ids, output and tracing."""
        values = self.values
        kept = {key: section for key, section in values.items() if key not in ("name", "results")}
        kept["workflow"] = {key: value for key, value in values["workflow"].items() if key != "id"}
        kept["data"] = {key: value for key, value in values["data"].items() if key != "path"}
        if values["signals"] is not None:
            kept["signals"] = {}  # the traces of the strategies name what was read
        hidden = ("enable_event_tracing", "trace_settings")
        kept["execution"] = {key: value for key, value in values["execution"].items() if key not in hidden}
        kept["strategies"] = [self._what_decides(strategy) for strategy in values["strategies"]]
        return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def _what_decides(self, strategy: dict[str, Any]) -> dict[str, Any]:
        """Return a strategy's section with what its file says in place of where the file lies."""
        section = {key: value for key, value in strategy.items() if key != "path"}
        if strategy["path"] is not None:
            from admf_cli.python_strategies.source import SourceError, read_source

            try:
                source = read_source(strategy["path"], self.directory)
            except SourceError:  # gone since it was checked; whoever loads it says so
                return strategy
            section["path"] = {"label": source.label, "sha256": source.sha256}
        return section


def load_config(
    source: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    flags: Mapping[str, object] | None = None,
) -> Resolved:
    """Return a configuration, checked and resolved.

    Args:
        source: path of a YAML file, `-` for standard input, or the same as a mapping.
        overrides: `path=value` texts of `--set`; the last one wins.
        flags: values of command-line flags, see `overrides.FLAGS`; they win over `--set`.

    Raises:
        ConfigError: holding every fault found, each with its place, rule, value and remedy.
    """
    faults: list[Fault] = []
    if isinstance(source, Mapping):
        root, stem, directory, origin = node_from_python(source), "backtest", None, DICT
    else:
        text = read_text(source)
        root, faults = read_yaml(text.text, text.source)
        stem, directory, origin = text.stem, text.directory, text.source
    if not isinstance(root, MappingNode):
        place = root.place
        rule = "a configuration is a mapping of sections: data, strategies, risk_profiles, execution …"
        remedy = "begin with `data:`, or let `admf init DIRECTORY` write one"
        raise ConfigError([*faults, Fault(place.source, rule, line=place.line, column=place.column, remedy=remedy)])
    unreadable = {(fault.source, fault.line, fault.column) for fault in faults}
    faults += apply_overrides(root, overrides)
    apply_flags(root, flags or {})
    values = _checked(root, faults, unreadable, directory)
    name = values["name"] or _safe_name(stem)
    values["name"] = name
    return Resolved(name, values, _origins(root, values, origin), root.plain(), directory)


def _checked(
    root: Node, known: list[Fault], unreadable: set[tuple[str, int | None, int | None]], directory: Path | None
) -> dict[str, Any]:
    """Return the resolved values.

    Args:
        known: faults found before.
        unreadable: places whose values could not be read: what stands there is null or bare text, so the schema's
            own words about it would mislead.
    """
    # Not at import: pydantic and the schema take a tenth of a second, which a misspelt path need not wait for.
    from admf_cli.config.rules import cross_faults
    from admf_cli.config.validation import raise_all, validate

    values, faults = validate(root)
    plain = values if values is not None else root.plain()
    found = [*faults, *cross_faults(root, plain, directory)]
    raise_all([*known, *(fault for fault in found if (fault.source, fault.line, fault.column) not in unreadable)])
    assert values is not None
    return _completed(values)


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with the defaults that the catalogues of features and strategies know filled in."""
    from admf_cli.features import spec_from_config
    from admf_cli.strategies.registry import complete_params

    for name, section in values["features"].items():
        spec = spec_from_config(name, section)
        inputs = list(spec.inputs)
        values["features"][name] = {
            "type": spec.type,
            "input": inputs[0] if len(inputs) == 1 else inputs,
            "output": spec.output,
            **dict(spec.params),
        }
    for strategy in values["strategies"]:
        strategy["params"] = complete_params(strategy["type"], strategy["params"])
    return values


def _origins(root: MappingNode, values: dict[str, Any], source: str) -> dict[str, str]:
    origins = {}
    for path, _ in leaves(values):
        if find(root, path) is None:
            origins[dotted(path)] = "default"
            continue
        place = nearest_place(root, path)
        origins[dotted(path)] = "file" if place.source == source else place.source
    return origins


def _safe_name(stem: str) -> str:
    """Return a file's stem as a name that is safe as part of a directory's name."""
    from admf_cli.config.schema.base import NAME_LENGTH

    safe = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in stem).strip("_-")
    return safe[:NAME_LENGTH] or "backtest"
