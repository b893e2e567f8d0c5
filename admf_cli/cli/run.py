"""`admf run`: a configuration in, a backtest's results out. Refuses to know how either is made."""

# Annotations are not put off by `from __future__`: Typer would compile each of them twice.

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from admf_cli.cli.progress import progress

if TYPE_CHECKING:
    from admf_cli.reports.gates import GateOutcome
    from admf_cli.results import RunResult
    from admf_cli.time_limit import TimeLimit


def run(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="YAML file, or - for standard input.")],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Override a value; repeatable, last wins.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if", metavar="EXPR", help="Exit 1 if a metric is so, e.g. 'sharpe_ratio < 1'; repeatable."
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Print nothing but faults, failed gates and --json.")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show each figure's formula as well.")] = False,
    no_trace: Annotated[bool, typer.Option("--no-trace", help="Trace nothing.")] = False,
    workflow_id: Annotated[str | None, typer.Option("--workflow-id", metavar="ID", help="Name of this run.")] = None,
    trace_dir: Annotated[str | None, typer.Option("--trace-dir", metavar="DIR", help="Where traces go.")] = None,
    results_dir: Annotated[str | None, typer.Option("--results-dir", metavar="DIR", help="Where results go.")] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="SECONDS", min=0.01, help="End the run as failed if it takes longer."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier run of the same workflow id.")
    ] = False,
) -> None:
    """Run the backtest that CONFIG describes."""
    from admf_cli.config import load_config
    from admf_cli.printing import prints_go_to_stderr
    from admf_cli.stopping import StopRequest
    from admf_cli.wiring import run_workflow

    gates = _gates(fail_if or ())
    flags = {
        "no-trace": no_trace,
        "workflow-id": workflow_id,
        "trace-dir": trace_dir,
        "results-dir": results_dir,
    }
    resolved = load_config(config, overrides or (), flags)
    with (
        StopRequest().listening() as stop,
        _time_limit(timeout) as limit,
        progress("bars", quiet=quiet) as shown,
        prints_go_to_stderr(),
    ):
        result = run_workflow(resolved, overwrite=overwrite, stop=stop, limit=limit, progress=shown)
    outcomes = [gate(result) for gate in gates]
    _show(result, outcomes, as_json=as_json, quiet=quiet, verbose=verbose)
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed:
        typer.echo(f"admf: {outcome.message}", err=True)
    raise typer.Exit(1 if failed else 0)


def _gates(expressions: Sequence[str]) -> "list[Callable[[RunResult], GateOutcome]]":
    """Return what judges a result, one an expression."""
    if not expressions:
        return []
    from admf_cli.reports.gates import evaluate, parse_gate

    return [partial(evaluate, parse_gate(expression)) for expression in expressions]


def _show(result: "RunResult", outcomes: "list[GateOutcome]", *, as_json: bool, quiet: bool, verbose: bool) -> None:
    if as_json:
        import orjson

        from admf_cli.reports.document import document

        typer.echo(orjson.dumps(document(result, outcomes), option=orjson.OPT_INDENT_2))
    elif not quiet:
        from admf_cli.reports.screen import print_run

        print_run(result, verbose=verbose)


@contextlib.contextmanager
def _time_limit(seconds: float | None) -> "Iterator[TimeLimit | None]":
    if seconds is None:
        yield None
        return
    from admf_cli.python_strategies.calls import OutOfTimeError, is_running
    from admf_cli.time_limit import TimeLimit

    limit = TimeLimit(seconds, is_running, OutOfTimeError, _end_at_once)
    with limit.running():
        yield limit


def _end_at_once(reason: str, frame: FrameType | None) -> NoReturn:
    """End the process from within a user's code that does not let go of it."""
    from admf_cli.errors import RunFailedError
    from admf_cli.python_strategies.calls import place_of

    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"admf: {place_of(frame)}: {reason}\n")
        sys.stderr.flush()
    os._exit(RunFailedError.exit_code)
