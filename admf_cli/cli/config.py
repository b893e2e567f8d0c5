"""`admf config`: check, show and describe configurations. Refuses to know what they configure."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from admf_cli.cli.groups import CommandGroup
from admf_cli.cli.options import AsJson, Config, Overrides

app = typer.Typer(
    cls=CommandGroup,
    help="Check, show and describe configurations.",
    no_args_is_help=True,
)


@app.command()
def check(config: Config, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Say whether a configuration is sound, or every fault in it: exit 0 or 2."""
    from admf_cli.config import load_config
    from admf_cli.errors import ConfigError

    try:
        resolved = load_config(config, overrides or ())
    except ConfigError as error:
        if not as_json:
            raise
        _print_json({"schema_version": 1, "ok": False, "faults": [fault._asdict() for fault in error.faults]})
        raise typer.Exit(2) from None
    values = resolved.values
    if as_json:
        _print_json({"schema_version": 1, "ok": True, "faults": [], "name": resolved.name, "sha256": resolved.sha256})
        return
    counts = (
        f"{_count(values['workflow']['phases'], 'phase')}, {_count(values['strategies'], 'strategy', 'strategies')}, "
        f"{_count(values['risk_profiles'], 'risk profile')}"
    )
    typer.echo(f"ok: {resolved.name}: {counts}")


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference page instead.")] = False,
) -> None:
    """Print the JSON Schema of configurations (draft 2020-12)."""
    from admf_cli.config.page import markdown_page
    from admf_cli.config.reference import json_schema

    if markdown:
        typer.echo(markdown_page(json_schema()), nl=False)
    else:
        _print_json(json_schema())


@app.command()
def show(
    config: Config,
    overrides: Overrides = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Show defaults too, and where each value is from.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a configuration as it was written, or with every default and where each value came from."""
    from admf_cli.config import load_config

    loaded = load_config(config, overrides or ())
    if as_json:
        document: dict[str, Any] = {"schema_version": 1, "name": loaded.name, "sha256": loaded.sha256}
        document["values"] = loaded.values if resolved else loaded.written
        if resolved:
            document["origin"] = loaded.origin
        _print_json(document)
    elif resolved:
        _print_origins(loaded.values, loaded.origin)
    else:
        from admf_cli.config.yaml_writing import yaml_text_of

        typer.echo(yaml_text_of(loaded.written), nl=False)


def _print_json(document: object) -> None:
    import orjson

    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def _print_origins(values: dict[str, Any], origin: dict[str, str]) -> None:
    """Print a line a value: path, value, origin; aligned, and the same on terminals and in pipes."""
    import orjson

    from admf_cli.config.node import dotted, leaves, printable

    rows = [(dotted(path), orjson.dumps(value).decode()) for path, value in leaves(values)]
    wide = max(len(path) for path, _ in rows)
    middle = min(40, max(len(value) for _, value in rows))
    for path, value in rows:
        typer.echo(f"{path:<{wide}}  {value:<{middle}}  {printable(origin.get(path, 'default'))}")


def _count(items: list[Any], one: str, many: str | None = None) -> str:
    return f"{len(items)} {one if len(items) == 1 else many or one + 's'}"
