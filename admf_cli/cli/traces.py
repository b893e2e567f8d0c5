"""`admf traces`: argv in, one question to a trace directory, its answer out. Refuses to know how answers are found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Ask the traces of a run: what is in them, why, why not, what changed.", no_args_is_help=True)

Directory = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="A phase, a workflow, or a folder of many workflows.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Phase = Annotated[
    str | None, typer.Option("--phase", help="Which phase, where there are several: testing, or wf_1/testing.")
]
Portfolio = Annotated[str | None, typer.Option("--portfolio", help="Container id of the portfolio that is meant.")]
Plain = Annotated[bool, typer.Option("--plain", help="Print tab-separated text without colours or boxes.")]


@app.command()
def inspect(directory: Directory, as_json: AsJson = False, plain: Plain = False) -> None:
    """Show what each container recorded and whether it is whole: exit 0 if sound, 1 if not, 5 if unreadable."""
    from admf_cli.traces.inspect import inspect as ask
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.inspection import show_inspection
    from admf_cli.traces.render.screen import Screen

    answer = ask(directory)
    if as_json:
        typer.echo(document(answer, sound=answer.sound))
    else:
        show_inspection(answer, Screen(plain=plain))
    raise typer.Exit(0 if answer.sound else 1)


@app.command()
def explain(
    directory: Directory,
    event: Annotated[str, typer.Argument(help="Event id, trade:7, trade:PORTFOLIO:7, last-fill, or SYMBOL@TIME.")],
    phase: Phase = None,
    portfolio: Portfolio = None,
    as_json: AsJson = False,
    plain: Plain = False,
) -> None:
    """Show what led to an event and what came of it, each step with its numbers."""
    from admf_cli.traces.explain import explain as ask
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.explanation import explanation_document, show_explanation
    from admf_cli.traces.render.screen import Screen

    answer = ask(directory, event, phase=phase, portfolio=portfolio)
    if as_json:
        typer.echo(document(explanation_document(answer)))
    else:
        show_explanation(answer, Screen(plain=plain))


@app.command("why-not")
def why_not(
    directory: Directory,
    at: Annotated[str, typer.Option("--at", help="A date (its whole day), a minute or a moment, UTC.")],
    symbol: Annotated[str | None, typer.Option("--symbol", help="Only this symbol.")] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", help="Only this strategy: its name or id.")] = None,
    phase: Phase = None,
    as_json: AsJson = False,
    plain: Plain = False,
) -> None:
    """Show what became of the signals around a time, or what each rule lacked if there was none."""
    from admf_cli.traces.render.document import document
    from admf_cli.traces.render.refusals import show_why_not, why_not_document
    from admf_cli.traces.render.screen import Screen
    from admf_cli.traces.why_not import why_not as ask

    answer = ask(directory, at, symbol=symbol, strategy=strategy, phase=phase)
    if as_json:
        typer.echo(document(why_not_document(answer)))
    else:
        show_why_not(answer, Screen(plain=plain))
