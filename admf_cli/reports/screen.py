"""A run on the screen, for people. Computes nothing; whatever comes from a configuration is text, never markup."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from admf_cli.metrics import METRICS
from admf_cli.reports.document import funnel
from admf_cli.results import PhaseResult, PortfolioResult, RunResult
from admf_cli.tracefile.format import timestamp_text

_MOST_COLUMNS = 4
_HEADLINES = ("final_equity", "total_return", "sharpe_ratio", "max_drawdown", "trades", "win_rate", "profit_factor")


def print_run(result: RunResult, *, verbose: bool = False, console: Console | None = None) -> None:
    """Print performance, funnel, open positions, warnings and where the traces are.

    Args:
        verbose: show each metric's formula as well.
    """
    console = console or Console(highlight=False, soft_wrap=False)
    _line(console, f"{result.config_name}  ({result.workflow_id})", "bold")
    for phase in result.phases:
        _print_phase(console, phase, verbose)
    if result.results_dir:
        _line(console, f"results: {result.results_dir}")
    if result.trace_dir:
        _line(console, f"traces:  {result.trace_dir}")
        console.print()
        _line(console, "next:", "bold")
        _line(console, f"  admf traces inspect {result.trace_dir}")
        if any(portfolio.counts["fills"] for phase in result.phases for portfolio in phase.portfolios):
            _line(console, f"  admf traces explain {result.trace_dir} last-fill")


def _print_phase(console: Console, phase: PhaseResult, verbose: bool) -> None:
    console.print()
    span = f"{_moment(phase.start)} to {_moment(phase.end)}"
    _line(
        console, f"{phase.name}: {', '.join(phase.symbols[:8])}{' …' if len(phase.symbols) > 8 else ''}, {span}", "bold"
    )
    _line(console, f"annualised with {phase.periods_per_year:g} bars a year ({phase.periods_basis})", "dim")
    if len(phase.portfolios) <= _MOST_COLUMNS:
        console.print(_by_metric(phase.portfolios, verbose))
    else:
        console.print(_by_portfolio(phase.portfolios))
    _print_funnel(console, phase)
    _print_positions(console, phase)
    for warning in phase.warnings:
        _line(console, f"warning: {warning}", "yellow")
    if phase.traces:
        console.print(_traces(phase))


def _by_metric(portfolios: tuple[PortfolioResult, ...], verbose: bool) -> Table:
    table = _table()
    table.add_column("metric", no_wrap=True)
    for portfolio in portfolios:
        table.add_column(Text(f"{portfolio.strategy} / {portfolio.risk_profile}"), justify="right")
    if verbose:
        table.add_column("formula", style="dim")
    for name, metric in METRICS.items():
        cells = [Text(shown(portfolio.metrics[name], metric.unit)) for portfolio in portfolios]
        table.add_row(metric.title, *cells, *([Text(metric.formula)] if verbose else []))
    return table


def _by_portfolio(portfolios: tuple[PortfolioResult, ...]) -> Table:
    table = _table()
    table.add_column("portfolio")
    for name in _HEADLINES:
        table.add_column(METRICS[name].title, justify="right")
    for portfolio in portfolios:
        cells = [shown(portfolio.metrics[name], METRICS[name].unit) for name in _HEADLINES]
        table.add_row(Text(f"{portfolio.strategy} / {portfolio.risk_profile}"), *cells)
    return table


def _print_funnel(console: Console, phase: PhaseResult) -> None:
    counts = funnel(phase.bars, phase.portfolios)
    steps = " → ".join(f"{counts[key]:,} {key}" for key in ("bars", "signals", "orders", "fills", "trades"))
    _line(console, steps)
    ends = [f"{counts[key]:,} {key}" for key in ("cancelled", "expired") if counts[key]]
    if counts["rejects"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts["rejects"].items())
        ends.append(f"{counts['rejected']:,} rejected: {reasons}")
    if ends:
        _line(console, f"  {'; '.join(ends)}")


def _print_positions(console: Console, phase: PhaseResult) -> None:
    held = [(portfolio, holding) for portfolio in phase.portfolios for holding in portfolio.holdings]
    for portfolio, holding in held[:10]:
        _line(
            console,
            f"open: {portfolio.strategy} / {portfolio.risk_profile}: {holding.quantity:,.10g} {holding.symbol} "
            f"at {holding.average_price:,.6g}, last {holding.last_price:,.6g}, {holding.unrealized_pnl:+,.2f}",
        )
    if len(held) > 10:
        _line(console, f"open: {len(held) - 10} more")


def _traces(phase: PhaseResult) -> Table:
    table = _table()
    for title in ("trace", "kept", "dropped", "filtered", "status"):
        table.add_column(title, justify="left" if title in ("trace", "status") else "right")
    for trace in phase.traces:
        numbers = (f"{number:,}" for number in (trace.written, trace.dropped, trace.filtered))
        table.add_row(Text(trace.container_id), *numbers, trace.status)
    return table


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)


def shown(value: float | int | None, unit: str) -> str:
    """Return a metric as people read it; `-` where it is undefined."""
    if value is None:
        return "-"
    if unit == "fraction":
        return f"{value:.2%}"
    if unit in ("bars", "days"):
        return f"{value:,.0f} {unit}"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}"


def _moment(time_us: int) -> str:
    return timestamp_text(time_us).removesuffix("T00:00:00Z")


def _line(console: Console, text: str, style: str = "") -> None:
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    console.print(Text(clean, style=style), soft_wrap=True)
