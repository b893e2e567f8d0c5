"""The performance table: one column a portfolio while that fits, else one row a portfolio. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from admf_cli.metrics import METRICS
from admf_cli.reports.figures import shown
from admf_cli.reports.page import Column, Page
from admf_cli.results import PhaseResult, PortfolioResult, RunResult

HEADLINES = ("final_equity", "total_return", "sharpe_ratio", "max_drawdown", "trades", "win_rate")

Place = tuple[PhaseResult, PortfolioResult]


def print_performance(page: Page, result: RunResult, *, verbose: bool) -> None:
    """Print every metric of every portfolio side by side, phases included; where that is too wide, the headlines.

    Args:
        verbose: print every metric in any case, in as many tables as the width asks for.
    """
    places = [(phase, portfolio) for phase in result.phases for portfolio in phase.portfolios]
    if not places:
        return
    several_phases = len(result.phases) > 1
    whole = _by_metric(places, several_phases)
    page.line()
    if page.fits(*whole):
        page.table(*whole)
        return
    page.table(*_by_portfolio(places, several_phases))
    if not verbose:
        page.line(f"the other {len(METRICS) - len(HEADLINES)} figures: -v, or --json", "dim")
        return
    for some in _fitting(page, places, several_phases):
        page.line()
        page.table(*_by_metric(some, several_phases))


def _fitting(page: Page, places: Sequence[Place], several_phases: bool) -> Iterator[Sequence[Place]]:
    """Yield the portfolios in groups that fit side by side, at least one each."""
    start = 0
    for stop in range(1, len(places) + 1):
        if stop == len(places) or not page.fits(*_by_metric(places[start : stop + 1], several_phases)):
            yield places[start:stop]
            start = stop


def print_formulas(page: Page) -> None:
    """Print how each metric is computed, under the name that `--fail-if` and `--json` give it."""
    page.line()
    page.line("E: equity, E[0] the initial capital; r: its simple returns; n: bars; ppy: bars", "dim")
    page.line("a year; pnl: of closed trades, net of commissions", "dim")
    columns = [Column("figure"), Column("name"), Column("formula")]
    page.table(columns, [(metric.title, name, metric.formula) for name, metric in METRICS.items()])


def title(portfolio: PortfolioResult) -> str:
    """Return a portfolio as people call it."""
    return f"{portfolio.strategy} / {portfolio.risk_profile}"


def _by_metric(places: Sequence[Place], several_phases: bool) -> tuple[list[Column], list[list[str]]]:
    headings = [
        f"{phase.name}\n{title(portfolio)}" if several_phases else title(portfolio) for phase, portfolio in places
    ]
    rows = [
        [metric.title, *(shown(portfolio.metrics[name], metric.unit) for _, portfolio in places)]
        for name, metric in METRICS.items()
    ]
    return [
        Column("\nmetric" if several_phases else "metric"),
        *(Column(heading, right=True, signed=True) for heading in headings),
    ], rows


def _by_portfolio(places: Sequence[Place], several_phases: bool) -> tuple[list[Column], list[list[str]]]:
    columns = [Column("phase")] * several_phases + [Column("portfolio")]
    # Two words of a title stand on two lines, which leaves the width to the names.
    columns += [Column(METRICS[name].title.replace(" ", "\n", 1), right=True, signed=True) for name in HEADLINES]
    rows = [
        [
            *([phase.name] * several_phases),
            title(portfolio),
            *(shown(portfolio.metrics[name], METRICS[name].unit) for name in HEADLINES),
        ]
        for phase, portfolio in places
    ]
    return columns, rows
