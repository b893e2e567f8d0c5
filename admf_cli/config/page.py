"""The reference for people, docs/config.md, made from the JSON Schema. Refuses to know pydantic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from admf_cli import CONFIG_SCHEMA_VERSION
from admf_cli.config.wording import flow

_SECTIONS = (
    "workflow",
    "data",
    "instruments",
    "features",
    "strategies",
    "signals",
    "risk_profiles",
    "portfolio",
    "execution",
    "results",
)
_KINDS = {
    "array": "list",
    "object": "mapping",
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "null": "null",
}
_LEAD = """# Configuration reference

Schema {version}. Made by `admf config schema --markdown > docs/config.md`; do not edit. Runnable examples are in
[configs/](../configs); their first line lets editors complete and check keys by
[configs/schema.json](../configs/schema.json).

- `admf config check CONFIG` says `ok` or every fault at once, each with file, line, column, key, rule, value, remedy.
- `admf config show CONFIG --resolved` prints every value with where it came from: default, file, `--set` or a flag.
- `--set PATH=VALUE` (also of `admf run`) overrides any key, by the same rules as YAML. List items go by number:
  `--set strategies[0].params.fast=5` or `strategies.0.params.fast=5`; a key with a point in it goes in brackets:
  `--set 'data.path[BRK.B]=brk.csv'`. The last one wins; flags win over `--set`.
- From Python the same keys are a dict; it may hold dates, tuples, paths and NumPy numbers, but no objects: containers
  make their own tracers from `execution.trace_settings`.

## How YAML is read

By the rules of YAML 1.2, and strictly, so that nothing changes its meaning unseen:

| you write | it is |
|---|---|
| `true`, `false` | the only booleans; `NO`, `on`, `yes` stay text |
| `1e-3`, `1.5E6`, `0.95`, `.5` | numbers |
| `0o10`, `0x1F` | whole numbers |
| `2000-01-01`, `1:30`, `1_000` | text; dates are checked where they belong, `1_000` is refused where numbers do |
| `null`, `~`, nothing | null |
| `010`, `1e400`, `.nan`, `.inf` | errors: two readings, or no finite number |
| `"600519"`, `"TRUE"` | text, as symbols that look like something else need to be written |
| `<<: *name`, `*name` | repeats an anchored value; what it expands to is bounded |

Unknown keys, keys that stand twice, tags such as `!!python/object`, a second document, tabs as indentation, text that
is not UTF-8 and files of more than 1 MiB are errors. An empty section (`features:` with nothing behind it) is one too:
remove the key.

"""


def markdown_page(schema: Mapping[str, Any]) -> str:
    """Return the reference of every key: type, default, meaning, example."""
    page = _Page(schema)
    lines = [_LEAD.format(version=CONFIG_SCHEMA_VERSION) + "## Top level", ""]
    lines += _table(page.row("", key, entry) for key, entry in schema["properties"].items())
    for key in _SECTIONS:
        entry = schema["properties"][key]
        lines += [f"## {key}", "", entry["description"], ""]
        lines += _table(page.rows(entry, key))
    return "\n".join(lines).rstrip() + "\n"


def _table(rows: Iterator[str]) -> list[str]:
    return ["| key | type | default | meaning | example |", "|---|---|---|---|---|", *rows, ""]


class _Page(Struct, frozen=True):
    schema: Mapping[str, Any]

    def rows(self, entry: Mapping[str, Any], path: str) -> Iterator[str]:
        """Yield a row for each key below an entry."""
        for model, where, tag in self._models(entry, path):
            if tag is not None:
                yield f"| `{where}: {{type: {tag}}}` | | | {_first_line(model)} | |"
            for key, child in model.get("properties", {}).items():
                if tag is not None and key == "type":
                    continue
                yield self.row(f"{where}.", key, child, required=key in model.get("required", ()), tag=tag)
                yield from self.rows(child, f"{where}.{key}")

    def row(
        self, where: str, key: str, entry: Mapping[str, Any], *, required: bool | None = None, tag: str | None = None
    ) -> str:
        """Return the row of one key."""
        if required is None:
            required = key in self.schema["required"]
        default = "required" if required else f"`{_cell(flow(entry['default']))}`" if "default" in entry else ""
        examples = entry.get("examples") or ()
        example = f"`{_cell(flow(examples[0]))}`" if examples else ""
        only = f" ({tag})" if tag is not None else ""
        meaning = _cell(entry.get("description", ""))
        return f"| `{where}{key}`{only} | {self._type(entry)} | {default} | {meaning} | {example} |"

    def _models(self, entry: Mapping[str, Any], path: str) -> Iterator[tuple[Mapping[str, Any], str, str | None]]:
        """Yield the mappings that an entry may hold, below lists and names too: schema, path of their keys, type."""
        entry = self._followed(entry)
        if "properties" in entry:
            yield entry, path, None
        for choice in (*entry.get("anyOf", ()), *entry.get("oneOf", ())):
            for model, where, _ in self._models(choice, path):
                yield model, where, model["properties"].get("type", {}).get("const")
        if "items" in entry:
            yield from self._models(entry["items"], f"{path}[]")
        for named in (entry.get("additionalProperties"), *entry.get("patternProperties", {}).values()):
            if isinstance(named, dict):
                yield from self._models(named, f"{path}.NAME")

    def _type(self, entry: Mapping[str, Any]) -> str:
        entry = self._followed(entry)
        if "enum" in entry:
            words = [f"`{item}`" for item in entry["enum"]]
            return ", ".join(words) if len(words) <= 8 else "event type ([list](trace-format.md#types-and-payloads))"
        if "const" in entry:
            return f"`{entry['const']}`"
        choices = [*entry.get("anyOf", ()), *entry.get("oneOf", ())]
        if choices:
            return " or ".join(dict.fromkeys(self._type(choice) for choice in choices))
        kind = _KINDS.get(str(entry.get("type")), "any")
        if kind == "list":
            return f"list of {self._type(entry['items'])}"
        return kind + _range(entry)

    def _followed(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in entry:
            return entry
        target: Mapping[str, Any] = self.schema["$defs"][entry["$ref"].rpartition("/")[2]]
        return target


def _range(entry: Mapping[str, Any]) -> str:
    signs = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    bounds = [f"{sign} {entry[key]:,.10g}" for key, sign in signs.items() if key in entry]
    return f" {', '.join(bounds)}" if bounds else ""


def _first_line(model: Mapping[str, Any]) -> str:
    return _cell(str(model.get("description", "")).partition("\n")[0])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
