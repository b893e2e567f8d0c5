"""`admf strategies`: names and describes the strategies that a configuration can ask for. Refuses to run any."""

from __future__ import annotations

from typing import Annotated

import typer

from admf_cli.cli.descriptions import list_installed, print_json, print_parameters, print_wrapped
from admf_cli.cli.groups import CommandGroup
from admf_cli.cli.options import AsJson

app = typer.Typer(
    cls=CommandGroup, help="List and describe the strategies that a configuration can name.", no_args_is_help=True
)


@app.command("list")
def list_strategies(
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference page instead.")] = False,
) -> None:
    """List every strategy."""
    from admf_cli.extensions import STRATEGIES
    from admf_cli.strategies.reference import markdown_page
    from admf_cli.strategies.registry import describe, strategy_types

    infos = [describe(name) for name in strategy_types()]
    if markdown:
        typer.echo(markdown_page(), nl=False)
    elif as_json:
        rows = [{"name": info.name, "summary": info.summary} for info in infos]
        print_json({"schema_version": 1, "strategies": rows})
    else:
        widest = max(len(info.name) for info in infos)
        for info in infos:
            typer.echo(f"{info.name:<{widest}}  {info.summary}")
        list_installed(STRATEGIES)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A strategy's type, such as sma_crossover.")],
    as_json: AsJson = False,
) -> None:
    """Show a strategy's parameters with defaults, its rules in words, its source, and YAML to start from."""
    from admf_cli.errors import ConfigError
    from admf_cli.features import ParameterError
    from admf_cli.strategies.registry import describe

    try:
        info = describe(name)
    except ParameterError as error:
        raise ConfigError(f"NAME {error.message}") from None
    if as_json:
        from msgspec.structs import asdict

        document = {
            "schema_version": 1,
            "name": info.name,
            "summary": info.summary,
            "source": info.source,
            "parameters": [asdict(parameter) for parameter in info.parameters],
            "rules": list(info.rules),
            "example": info.example,
        }
        print_json(document)
        return
    print_wrapped(f"{info.name}: {info.summary}", 2)
    typer.echo()
    print_wrapped(f"source  {info.source}", 8)
    print_parameters(info.parameters)
    typer.echo("\nrules")
    for rule in info.rules:
        print_wrapped(f"  {rule}", 4)
    typer.echo(f"\n{info.example}", nl=False)
