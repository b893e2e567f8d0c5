"""`admf traces`: argv in, one question to a trace directory, its answer out. Refuses to know how answers are found.

A module holds the commands of one purpose; here they are put together, in the order in which help shows them.
"""

from __future__ import annotations

import typer

from admf_cli.cli.groups import CommandGroup
from admf_cli.cli.traces import comparing, exporting, keeping, questions, showing, soundness, sql

app = typer.Typer(
    cls=CommandGroup, help="Ask the traces of a run: what is in them, why, why not, what changed.", no_args_is_help=True
)
app.command("list")(keeping.list_runs)
app.command()(soundness.inspect)
app.command()(soundness.verify)
app.command()(soundness.replay)
app.command()(showing.show)
app.command()(questions.explain)
app.command("why-not")(questions.why_not)
app.command()(comparing.diff)
app.command()(comparing.stats)
app.command()(sql.query)
app.command()(exporting.export)
app.command()(keeping.prune)
app.command()(keeping.repair)
