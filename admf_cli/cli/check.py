"""`admf check`: can a configuration's results be trusted? Refuses to know how that is found out."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from admf_cli.cli.groups import CommandGroup
from admf_cli.cli.options import AsJson, Config, Overrides
from admf_cli.cli.progress import progress

app = typer.Typer(
    cls=CommandGroup,
    help="Prove that nothing knows the future, that features are warm, that equal runs are equal: exit 1 if not.",
    no_args_is_help=True,
)


@app.command()
def lookahead(
    config: Config,
    overrides: Overrides = None,
    cuts: Annotated[
        int, typer.Option("--cuts", metavar="N", min=1, max=10_000, help="At how many bars to cut the data.")
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Rerun on data cut at many bars, and turned to noise there: nothing published before may change."""
    from admf_cli.checks.lookahead import check_lookahead
    from admf_cli.checks.rendering import lookahead_document, lookahead_lines
    from admf_cli.checks.rerun import phases_of
    from admf_cli.config import load_config
    from admf_cli.printing import prints_go_to_stderr

    resolved = load_config(config, overrides or ())
    with prints_go_to_stderr(), progress("reruns") as shown:
        verdicts = [check_lookahead(phase, cuts, progress=shown) for phase in phases_of(resolved)]
    _answer(lookahead_document(verdicts) if as_json else lookahead_lines(verdicts))
    raise typer.Exit(0 if all(verdict.is_sound for verdict in verdicts) else 1)


@app.command()
def warmup(
    config: Config,
    overrides: Overrides = None,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance", metavar="FRACTION", min=0.0, help="Of a value, as a fraction of its standard deviation."
        ),
    ] = 0.001,
    as_json: AsJson = False,
) -> None:
    """Find how many bars each feature needs before its values stop changing, and whether each phase has them."""
    from admf_cli.checks.rendering import warmup_document, warmup_lines
    from admf_cli.checks.rerun import phases_of
    from admf_cli.checks.warmup import check_warmup
    from admf_cli.config import load_config
    from admf_cli.printing import prints_go_to_stderr

    resolved = load_config(config, overrides or ())
    with prints_go_to_stderr():
        found = [(phase, check_warmup(phase, tolerance)) for phase in phases_of(resolved)]
    _answer(warmup_document(found, tolerance) if as_json else warmup_lines(found))
    raise typer.Exit(1 if any(row.unsettled for _, rows in found for row in rows) else 0)


@app.command()
def determinism(config: Config, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Run twice in fresh processes under different hash seeds: every line of every trace must be the same."""
    from admf_cli.checks.determinism import check_determinism
    from admf_cli.checks.rendering import determinism_document, determinism_lines
    from admf_cli.config import load_config

    if config != "-":
        load_config(config, overrides or ())
    comparison = check_determinism(config, overrides or ())
    _answer(determinism_document(comparison) if as_json else determinism_lines(comparison))
    raise typer.Exit(1 if comparison.difference else 0)


def _answer(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
