"""What is said of features to people: an example of each in YAML, and the page docs/features.md. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from admf_cli.features.catalogue import describe, feature_types
from admf_cli.features.own import OWN
from admf_cli.features.parameters import Parameter
from admf_cli.features.spec import FeatureInfo

_HEAD = """\
# Features

Made by `admf features list --markdown`; do not edit. `admf features show NAME` prints one of them with its YAML.

A feature is a column of numbers, named in the configuration, computed once per phase and shared by every strategy that
reads it:

```yaml
features:
  fast: {type: SMA, timeperiod: 10}
  volume_mean: {type: SMA, timeperiod: 20, input: volume}      # any of open, high, low, close, volume
  trend: {type: MACD, fastperiod: 12, slowperiod: 26, signalperiod: 9, output: hist}
  smooth_rsi: {type: EMA, timeperiod: 5, input: rsi}           # or the name of another feature
  rsi: {type: RSI, timeperiod: 14}
```

- `input` takes one name, or a list where a function reads several columns; without it the usual ones are read.
- `output` chooses among several outputs, the first without it; `hist` stands for `macdhist`, `upper` for `upperband`.
- Every symbol is computed over its own bars: moments at which only others have a bar are skipped. A value is undefined
  (`null` in traces) until enough bars have passed, and where an input is undefined.
- A value at a bar depends on that bar and earlier ones only, bit for bit; a test cuts the data and compares, for every
  feature of this page.
- Equal features are computed once, whatever their names.
"""


def example(info: FeatureInfo) -> str:
    """Return a `features:` block of YAML that configures the feature with its defaults."""
    parts = [f"type: {info.name}"]
    parts += [f"{parameter.name}: {yaml_value(parameter)}" for parameter in info.parameters]
    if info.inputs:
        names = [name or "another_feature" for name in info.inputs]
        parts.append(f"input: {names[0]}" if len(names) == 1 else f"input: [{', '.join(names)}]")
    if len(info.outputs) > 1:
        parts.append(f"output: {info.outputs[0]}")
    return f"features:\n  my_{info.name.lower()}: {{{', '.join(parts)}}}\n"


def markdown_page() -> str:
    """Return the page that names every feature."""
    own = {info.name for info in OWN}
    lines = [_HEAD, "## Ours", "", "What TA-Lib lacks, or what is defined otherwise here.", ""]
    for info in OWN:
        lines += [f"### {info.name}", "", f"{info.summary}.", "", f"Source: {info.source}.", ""]
        lines += [f"Reads {_reads(info)}; yields {', '.join(f'`{name}`' for name in info.outputs)}.", ""]
        lines += [*parameter_table(info.parameters), "", "```yaml", example(info).rstrip(), "```", ""]
    rest = [describe(name) for name in feature_types() if name not in own]
    lines += [
        "## TA-Lib's",
        "",
        "Exactly as TA-Lib computes them. Its own SMA, DONCHIAN and VWAP give way to ours.",
        "",
    ]
    for group in sorted({info.group for info in rest}):
        lines += [f"### {group}", "", "| name | what | parameters (default; allowed) | reads | yields |"]
        lines += ["|---|---|---|---|---|", *(_row(info) for info in rest if info.group == group), ""]
    return "\n".join(lines).rstrip() + "\n"


def parameter_table(parameters: Iterable[Parameter]) -> list[str]:
    """Return the parameters as a Markdown table."""
    rows = []
    for parameter in parameters:
        default = "required" if parameter.required else f"`{yaml_value(parameter)}`"
        rows.append(f"| `{parameter.name}` | {default} | {_cell(parameter.range_text())} | {_cell(parameter.doc)} |")
    return ["| parameter | default | allowed | meaning |", "|---|---|---|---|", *rows]


def yaml_value(parameter: Parameter) -> str:
    """Return a parameter's default as one writes it in YAML."""
    if parameter.required:
        return {"first": "AAA", "second": "BBB", "symbol": "AAA", "upper": "0.25"}[parameter.name]
    value = parameter.default
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f'"{value}"' if isinstance(value, str) and ":" in value else str(value)


def _reads(info: FeatureInfo) -> str:
    return ", ".join(f"`{name}`" if name else "another feature" for name in info.inputs)


def _row(info: FeatureInfo) -> str:
    cells: Iterable[str] = (
        f"`{info.name}`",
        info.summary,
        ", ".join(_short(parameter) for parameter in info.parameters),
        _reads(info),
        ", ".join(f"`{name}`" for name in info.outputs),
    )
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _short(parameter: Parameter) -> str:
    allowed = parameter.range_text()
    return f"`{parameter.name}` ({parameter.default}{f'; {allowed}' if allowed else ''})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
