"""A run on the screen, for people: what it saw, earned and did, where its traces are, what to ask next.

Computes nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from admf_cli.reports.figures import amount, quantity, size
from admf_cli.reports.funnel import STEPS, funnel, why_no_trade
from admf_cli.reports.page import Column, Page
from admf_cli.reports.performance import print_formulas, print_performance, title
from admf_cli.results import PhaseResult, PortfolioResult, RunResult, TraceSummary
from admf_cli.tracefile.format import timestamp_text
from admf_cli.traces.render.text import decimal, moment

_MOST_FUNNELS = 6  # portfolios of a phase whose funnels are shown one by one
_MOST_SYMBOLS = 8
_MOST_POSITIONS = 10
_MOST_TRACES = 24


def print_run(result: RunResult, *, verbose: bool = False, console: Console | None = None) -> None:
    """Print performance, funnel, open positions, warnings, where the traces are, and what to ask them.

    Args:
        verbose: show each metric's formula, and every portfolio, position and container however many there are.
        console: None for standard output.
    """
    page = Page(console or Console(highlight=False, markup=False, emoji=False))
    page.line(f"{result.config_name}  ({result.workflow_id})", "bold")
    for phase in result.phases:
        _print_market(page, phase)
    print_performance(page, result, verbose=verbose)
    page.line()
    for phase in result.phases:
        _print_funnels(page, phase, f"{phase.name}: " if len(result.phases) > 1 else "", verbose)
    _print_positions(page, result, verbose)
    _print_warnings(page, result)
    _print_traces(page, result, verbose)
    if verbose:
        print_formulas(page)
    if result.results_dir or result.trace_dir:
        page.line()
    if result.results_dir:
        page.line(f"results  {result.results_dir}")
    if result.trace_dir:
        page.line(f"traces   {result.trace_dir}")
        _print_next(page, result, result.trace_dir)


def _print_market(page: Page, phase: PhaseResult) -> None:
    names = ", ".join(phase.symbols[:_MOST_SYMBOLS])
    more = f" and {len(phase.symbols) - _MOST_SYMBOLS} more" if len(phase.symbols) > _MOST_SYMBOLS else ""
    span = f"{_moment(phase.start)} to {_moment(phase.end)}"
    warm_up = f", after {phase.warmup_bars:,} to warm up" if phase.warmup_bars else ""
    page.line(f"{phase.name}: {names}{more}, {span}, {phase.bars:,} bars of {phase.timeframe}{warm_up}")
    page.line(f"  annualised with {phase.periods_per_year:,.10g} bars a year ({phase.periods_basis})", "dim")


def _print_funnels(page: Page, phase: PhaseResult, prefix: str, verbose: bool) -> None:
    portfolios = phase.portfolios
    if not portfolios:
        page.line(f"{prefix}{phase.bars:,} bars; no portfolio traded in this phase")
    elif len(portfolios) == 1:
        _print_funnel(page, prefix, funnel(phase.bars, portfolios))
    elif len(portfolios) <= _MOST_FUNNELS or verbose:
        for portfolio in portfolios:
            _print_funnel(page, f"{prefix}{title(portfolio)}: ", funnel(phase.bars, [portfolio]))
    else:
        _print_funnel(page, f"{prefix}all {len(portfolios)} portfolios: ", funnel(phase.bars, portfolios))
        idle = [title(portfolio) for portfolio in portfolios if not portfolio.counts["trades"]]
        if idle:
            more = f" and {len(idle) - _MOST_FUNNELS} more" if len(idle) > _MOST_FUNNELS else ""
            page.line(f"  without a trade: {', '.join(idle[:_MOST_FUNNELS])}{more} (-v shows each funnel)")


def _print_funnel(page: Page, prefix: str, counts: dict[str, Any]) -> None:
    page.line(prefix + page.arrow.join(f"{counts[key]:,} {_noun(key, counts[key])}" for key in ("bars", *STEPS)))
    ends = [f"{counts[key]:,} {key}" for key in ("cancelled", "expired") if counts[key]]
    if counts["rejects"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts["rejects"].items())
        ends.append(f"{counts['rejected']:,} rejected: {reasons}")
    if ends:
        page.line(f"  {'; '.join(ends)}")
    why = why_no_trade(counts)
    if why:
        page.line(f"  {why}", "yellow")


def _print_positions(page: Page, result: RunResult, verbose: bool) -> None:
    rows = [
        (
            *place,
            holding.symbol,
            quantity(holding.quantity),
            decimal(holding.average_price),
            decimal(holding.last_price),
            amount(holding.unrealized_pnl),
        )
        for phase in result.phases
        for place, portfolio in _places(result, phase)
        for holding in portfolio.holdings
    ]
    if not rows:
        return
    page.line()
    columns = [
        *([Column("phase")] * (len(result.phases) > 1)),
        Column("portfolio"),
        Column("open"),
        *(Column(name, right=True) for name in ("quantity", "average", "last")),
        Column("unrealized", right=True, signed=True),
    ]
    page.table(columns, rows if verbose else rows[:_MOST_POSITIONS])
    if len(rows) > _MOST_POSITIONS and not verbose:
        page.line(f"and {len(rows) - _MOST_POSITIONS} more open positions (-v shows them)")


def _places(result: RunResult, phase: PhaseResult) -> Iterator[tuple[tuple[str, ...], PortfolioResult]]:
    """Yield each portfolio with the cells that say which it is."""
    for portfolio in phase.portfolios:
        yield (phase.name, title(portfolio)) if len(result.phases) > 1 else (title(portfolio),), portfolio


def _print_warnings(page: Page, result: RunResult) -> None:
    warnings = [f"warning: {text}" for text in result.warnings]
    for phase in result.phases:
        warnings += [f"warning: {phase.name}: {text}" for text in phase.warnings]
        for portfolio in phase.portfolios:
            warnings += [f"warning: {phase.name}: {title(portfolio)}: {text}" for text in portfolio.warnings]
    if warnings:
        page.line()
    for text in dict.fromkeys(warnings):
        page.line(text, "yellow")


def _print_traces(page: Page, result: RunResult, verbose: bool) -> None:
    traces = [(phase.name, trace) for phase in result.phases for trace in phase.traces]
    page.line()
    if not traces:
        page.line("no traces: tracing is off", "dim")
        return
    listed = traces
    if len(traces) > _MOST_TRACES and not verbose:
        # What needs a look is listed in any case.
        listed = [(phase, trace) for phase, trace in traces if trace.dropped or trace.status != "complete"][
            :_MOST_TRACES
        ]
    several_phases = len(result.phases) > 1
    columns = [
        *([Column("phase")] * several_phases),
        Column("trace of"),
        *(Column(name, right=True) for name in ("kept", "dropped", "filtered", "size")),
        Column("status"),
    ]
    if listed:
        page.table(columns, [_trace_row(phase, trace, several_phases) for phase, trace in listed])
    if len(listed) < len(traces):
        kept, dropped = (sum(getattr(trace, count) for _, trace in traces) for count in ("written", "dropped"))
        shown = f"{len(listed)} listed here, " if listed else ""
        page.line(f"{len(traces)} traces: {kept:,} events kept, {dropped:,} dropped ({shown}-v lists each)")
    if not result.trace_dir:
        page.line("kept in memory: execution.trace_settings.persist_to_disk is false")
    if any(trace.dropped for _, trace in traces):
        page.line("dropped: max_events keeps the newest; `max_events: null` under trace_settings keeps all", "dim")


def _trace_row(phase: str, trace: TraceSummary, several_phases: bool) -> Sequence[str]:
    counts = (f"{count:,}" for count in (trace.written, trace.dropped, trace.filtered))
    return [*([phase] * several_phases), trace.container_id, *counts, size(trace.bytes), trace.status]


def _print_next(page: Page, result: RunResult, trace_dir: str) -> None:
    page.line()
    page.line("next", "bold")
    place = shlex.quote(trace_dir)
    page.line(f"  admf traces inspect {place}")
    filled = [phase for phase in result.phases if any(portfolio.counts["fills"] for portfolio in phase.portfolios)]
    if filled:
        page.line(f"  admf traces explain {place} last-fill{_of_phase(result, filled[-1])}")
    refused = [phase for phase in result.phases if any(portfolio.rejects for portfolio in phase.portfolios)]
    if refused:
        # Any day will do to show the question; the last one there is surely exists.
        day = timestamp_text(refused[-1].end).partition("T")[0]
        page.line(f"  admf traces why-not {place} --at {day}{_of_phase(result, refused[-1])}")


def _of_phase(result: RunResult, phase: PhaseResult) -> str:
    return f" --phase {shlex.quote(phase.name)}" if len(result.phases) > 1 else ""


def _moment(time_us: int) -> str:
    return moment(timestamp_text(time_us))


def _noun(plural: str, count: int) -> str:
    return plural if count != 1 else plural.removesuffix("s")
