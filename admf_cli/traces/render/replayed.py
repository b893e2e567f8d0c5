"""A replay as tables of figures, reported beside replayed. Computes nothing."""

from __future__ import annotations

from typing import Any

from admf_cli.traces.render.screen import Column, Screen
from admf_cli.traces.render.text import number
from admf_cli.traces.replay import Replay, ReplayedPortfolio

_COLUMNS = (
    Column("figure", style="cyan"),
    Column("reported", right=True),
    Column("replayed", right=True),
    Column("agrees"),
)
_SIGNS = {True: "yes", False: "NO", None: "?"}
_STYLES = {"agrees": "green", "lacks": "yellow", "differs": "bold red"}


def show_replay(answer: Replay, screen: Screen) -> None:
    """Print each portfolio's figures, what parts, what is lacking, and the verdict."""
    for one in answer.portfolios:
        rows = [
            (
                figure.name,
                _said(figure.reported, screen),
                _said(figure.replayed, screen),
                _SIGNS[figure.agrees],
            )
            for figure in one.figures
        ]
        if any(figure.reported is not None or figure.replayed is not None for figure in one.figures):
            screen.table(_COLUMNS, rows, title=f"{one.phase}  {one.portfolio}")
        else:
            screen.heading(f"{one.phase}  {one.portfolio}")
        for difference in one.differences:
            screen.line(f"{difference.where}: reported {difference.reported}, replayed {difference.replayed}", "red")
        for lack in one.lacks:
            screen.line(f"lacking: {lack}", "yellow")
        screen.line(_verdict(one), _STYLES[one.verdict])
        screen.line()


def replay_document(answer: Replay) -> dict[str, Any]:
    """Return a replay as plain mappings, each portfolio with its verdict."""
    portfolios = [
        {name: getattr(one, name) for name in (*one.__struct_fields__, "verdict")} for one in answer.portfolios
    ]
    return {"agrees": answer.agrees, "directory": answer.directory, "portfolios": portfolios}


def _verdict(one: ReplayedPortfolio) -> str:
    amount = f"{one.fills:,} fills, {one.trades:,} trades, equity at {one.closes:,} closes, {one.updates:,} updates"
    if one.verdict == "agrees":
        return f"agrees: {amount} and every metric, rebuilt from the trace alone"
    if one.verdict == "lacks":
        return f"what could be rebuilt agrees ({amount}), but not everything could"
    return f"differs in {one.difference_count:,} places ({amount} replayed)"


def _said(value: float | int | None, screen: Screen) -> str:
    return repr(value) if screen.plain and value is not None else number(value)
