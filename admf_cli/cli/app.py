"""The root of the command line: its groups of commands, and `--version`. Refuses to know what they do."""

from __future__ import annotations

from typing import Annotated

import typer

from admf_cli import CONFIG_SCHEMA_VERSION, TRACE_SCHEMA_VERSION, __version__, compiled
from admf_cli.cli import check, config, features, init, run, strategies, traces
from admf_cli.cli.groups import CommandGroup

app = typer.Typer(
    name="admf",
    help="Run backtests from YAML and ask their traces why each trade did or did not happen.",
    epilog="Exit codes: 0 done, 1 the answer is no, 2 usage or configuration, 3 market data, 4 the run failed, "
    "5 files, 130/143 interrupted. --debug shows the traceback of a fault.",
    no_args_is_help=True,
    cls=CommandGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("init")(init.init)
app.add_typer(traces.app, name="traces")
app.add_typer(check.app, name="check")
app.add_typer(config.app, name="config")
app.add_typer(features.app, name="features")
app.add_typer(strategies.app, name="strategies")


def _print_version(wanted: bool) -> None:
    if wanted:
        loop = "compiled" if compiled.is_in_use() else "from its sources"
        schemas = f"trace schema {TRACE_SCHEMA_VERSION}, config schema {CONFIG_SCHEMA_VERSION}"
        typer.echo(f"admf {__version__} ({schemas}, event loop {loop})")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Name engine, trace and config schema."),
    ] = False,
) -> None:
    """Run backtests from YAML and ask their traces why each trade did or did not happen."""
