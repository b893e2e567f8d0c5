"""`admf features`: names and describes the columns that a configuration can ask for. Refuses to compute any."""

from __future__ import annotations

from typing import Annotated, Any

import typer

app = typer.Typer(help="List and describe the features that a configuration can name.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_features(
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference page instead.")] = False,
) -> None:
    """List every feature: TA-Lib's functions and those it lacks."""
    from admf_cli.features import describe, feature_types
    from admf_cli.features.reference import markdown_page

    infos = [describe(name) for name in feature_types()]
    if markdown:
        typer.echo(markdown_page(), nl=False)
    elif as_json:
        rows = [{"name": info.name, "group": info.group, "summary": info.summary} for info in infos]
        _print_json({"schema_version": 1, "features": rows})
    else:
        widest = max(len(info.name) for info in infos)
        for group in sorted({info.group for info in infos}):
            typer.echo(group)
            for info in infos:
                if info.group == group:
                    typer.echo(f"  {info.name:<{widest}}  {info.summary}")


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A feature, such as SMA, in any case.")],
    as_json: AsJson = False,
) -> None:
    """Show a feature's inputs, parameters and outputs, and YAML to start from."""
    from admf_cli.errors import ConfigError
    from admf_cli.features import ParameterError, describe
    from admf_cli.features.reference import example

    try:
        info = describe(name)
    except ParameterError as error:
        raise ConfigError(f"NAME {error.message}") from None
    if as_json:
        from dataclasses import asdict

        _print_json({"schema_version": 1, **asdict(info), "example": example(info)})
        return
    typer.echo(f"{info.name}: {info.summary}\n\nsource   {info.source}\ngroup    {info.group}")
    typer.echo(f"reads    {', '.join(part or 'another feature' for part in info.inputs) or 'nothing'}")
    typer.echo(f"yields   {', '.join(info.outputs)}")
    if info.parameters:
        typer.echo("\nparameters")
    widest = max((len(parameter.name) for parameter in info.parameters), default=0)
    for parameter in info.parameters:
        default = "required" if parameter.required else f"default {_text(parameter.default)}"
        words = "; ".join(part for part in (default, parameter.range_text(), parameter.doc) if part)
        typer.echo(f"  {parameter.name:<{widest}}  {words}")
    typer.echo(f"\n{example(info)}", nl=False)


def _text(value: Any) -> str:
    return (
        {None: "null", True: "true", False: "false"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


def _print_json(document: object) -> None:
    import json

    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
