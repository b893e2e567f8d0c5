"""The root of the command line: its groups of commands, and `--version`. Refuses to know what they do."""

# Annotations are not put off by `from __future__`: Typer would compile each of them twice.

from typing import Annotated, Any

import typer

from admf_cli import CONFIG_SCHEMA_VERSION, TRACE_SCHEMA_VERSION, __version__, compiled
from admf_cli.cli import init, run
from admf_cli.cli.groups import CommandGroup, LateCommands

_GROUPS = ("traces", "check", "config", "features", "strategies")


class _Root(CommandGroup):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = LateCommands(self.commands, _GROUPS, _group)


def _group(name: str) -> Any:
    if name == "traces":
        from admf_cli.cli.traces import app as commands
    elif name == "check":
        from admf_cli.cli.check import app as commands
    elif name == "config":
        from admf_cli.cli.config import app as commands
    elif name == "features":
        from admf_cli.cli.features import app as commands
    else:
        from admf_cli.cli.strategies import app as commands
    root = typer.Typer(rich_markup_mode=None)
    root.add_typer(commands, name=name)
    return typer.main.get_group(root).commands[name]


app = typer.Typer(
    name="admf",
    help="Run backtests from YAML and ask their traces why each trade did or did not happen.",
    epilog="Exit codes: 0 done, 1 the answer is no, 2 usage or configuration, 3 market data, 4 the run failed, "
    "5 files, 130/143 interrupted. --debug shows the traceback of a fault.",
    no_args_is_help=True,
    cls=_Root,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("init")(init.init)


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
