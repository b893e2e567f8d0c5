"""`admf features`: names and describes the columns that a configuration can ask for. Refuses to compute any."""

from __future__ import annotations

from typing import Annotated

import typer

from admf_cli.cli.descriptions import list_installed, print_json, print_parameters, print_wrapped
from admf_cli.cli.groups import CommandGroup
from admf_cli.cli.options import AsJson

app = typer.Typer(
    cls=CommandGroup, help="List and describe the features that a configuration can name.", no_args_is_help=True
)


@app.command("list")
def list_features(
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference page instead.")] = False,
) -> None:
    """List every feature: TA-Lib's functions and those it lacks."""
    from admf_cli.extensions import FEATURES
    from admf_cli.features import describe, feature_types
    from admf_cli.features.reference import markdown_page

    infos = [describe(name) for name in feature_types()]
    if markdown:
        typer.echo(markdown_page(), nl=False)
    elif as_json:
        rows = [{"name": info.name, "group": info.group, "summary": info.summary} for info in infos]
        print_json({"schema_version": 1, "features": rows})
    else:
        widest = max(len(info.name) for info in infos)
        for group in sorted({info.group for info in infos}):
            typer.echo(group)
            for info in infos:
                if info.group == group:
                    typer.echo(f"  {info.name:<{widest}}  {info.summary}")
        list_installed(FEATURES)


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
        from msgspec.structs import asdict

        said = asdict(info)
        del said["check"]
        said["parameters"] = [asdict(parameter) for parameter in info.parameters]
        print_json({"schema_version": 1, **said, "example": example(info)})
        return
    print_wrapped(f"{info.name}: {info.summary}", 2)
    typer.echo()
    print_wrapped(f"source   {info.source}", 9)
    typer.echo(f"group    {info.group}")
    typer.echo(f"reads    {', '.join(part or 'another feature' for part in info.inputs) or 'nothing'}")
    typer.echo(f"yields   {', '.join(info.outputs)}")
    print_parameters(info.parameters)
    typer.echo(f"\n{example(info)}", nl=False)
