"""`admf traces explain` and `why-not`: one question about what happened. Refuses to know how it is answered."""

from __future__ import annotations

from typing import Annotated

import typer

from admf_cli.cli.options import AsJson
from admf_cli.cli.traces import completion
from admf_cli.cli.traces.options import Directory, Phase, Plain, Portfolio


def explain(
    directory: Directory,
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT",
            help="Event id, trade:7, trade:PORTFOLIO:7, last-fill, or SYMBOL@TIME.",
            autocompletion=completion.events,
        ),
    ],
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


def why_not(
    directory: Directory,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="A year, a month, a day, a minute or a moment, UTC.")],
    symbol: Annotated[str | None, typer.Option("--symbol", metavar="SYMBOL", help="Only this symbol.")] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            metavar="NAME",
            help="Only this strategy: its name or id.",
            autocompletion=completion.strategies,
        ),
    ] = None,
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
