"""What trading came to, as tables. Computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from admf_cli.traces.render.screen import Column, Screen
from admf_cli.traces.render.text import decimal, moment, printable
from admf_cli.traces.render.words import reason_in_words
from admf_cli.traces.stats import PhaseStats, PortfolioStats, Stats, TradeStats, Waiting

_FUNNEL = ("portfolio", "signals", "orders", "fills", "trades", "cancelled", "expired", "rejected")
_FUNNEL_COLUMNS = (
    Column("portfolio", style="cyan", wraps=True),
    *(Column(name, right=True) for name in _FUNNEL[1:]),
)
_COSTS = (
    Column("portfolio", style="cyan", wraps=True),
    Column("commission", right=True),
    Column("slippage", right=True),
    Column("financing", right=True),
    Column("together", right=True),
    Column("of value", right=True),
)
_REASONS = (Column("what", style="cyan"), Column("times", right=True), Column("reason", wraps=True))
_PURPOSES = (
    Column("purpose", style="cyan"),
    Column("fills", right=True),
    Column("waited least", right=True),
    Column("median", right=True),
    Column("most", right=True),
    Column("slippage", right=True),
    Column("bps", right=True),
    Column("commission", right=True),
)
_TRADES = (
    Column("trade", style="cyan"),
    Column("symbol", wraps=True),
    Column("direction"),
    Column("result", right=True),
    Column("return", right=True),
    Column("bars held", right=True),
    Column("closed"),
)


def show_stats(answer: Stats, screen: Screen) -> None:
    """Print funnel and costs of each phase, then each portfolio's reasons, waiting and trades."""
    for phase in answer.phases:
        _show_phase(phase, screen)


def _show_phase(phase: PhaseStats, screen: Screen) -> None:
    rows = [(one.portfolio, *(f"{one.funnel[name]:,}" for name in _FUNNEL[1:])) for one in phase.portfolios]
    signals = ", ".join(f"{count:,} signals of {name}" for name, count in phase.signals.items()) or "no signals"
    title = f"{phase.phase}: {phase.bars:,} bars, {phase.features:,} features, {signals}"
    if phase.notes:
        screen.line("of a part of the run only: see the notes at the end", "yellow")
    screen.table(_FUNNEL_COLUMNS, rows, title=title)
    screen.table(_COSTS, [_costs(one) for one in phase.portfolios], title="costs, and their share of the value traded")
    for one in phase.portfolios:
        _show_portfolio(one, screen)
    for note in phase.notes:
        screen.line(f"note: {note}", "dim")


def _show_portfolio(one: PortfolioStats, screen: Screen) -> None:
    screen.heading(one.portfolio)
    if one.latency.count:
        screen.line(f"from signal to fill: {_waiting(one.latency)}")
    reasons = [("rejected", f"{count:,}", _reason(name)) for name, count in one.rejects.items()]
    reasons += [("cancelled or expired", f"{count:,}", _reason(name)) for name, count in one.ends.items()]
    if reasons:
        screen.table(_REASONS, reasons)
    if one.purposes:
        rows = [
            (
                purpose.purpose,
                f"{purpose.fills:,}",
                _whole(purpose.waited.least),
                "" if purpose.waited.median is None else f"{purpose.waited.median:g}",
                _whole(purpose.waited.most),
                decimal(purpose.slippage),
                "" if purpose.slippage_bps is None else f"{purpose.slippage_bps:.2f}",
                decimal(purpose.commission),
            )
            for purpose in one.purposes
        ]
        screen.table(_PURPOSES, rows, title="fills by purpose, and the bars that their orders waited")
    for title, trades in (("biggest trades", one.biggest), ("slowest trades", one.slowest)):
        if trades:
            screen.table(_TRADES, _trades(trades), title=title)


def _costs(one: PortfolioStats) -> tuple[str, ...]:
    together = one.commission + one.slippage + one.financing
    share = f"{together / one.traded_value:.4%}" if one.traded_value else ""
    return (one.portfolio, *map(decimal, (one.commission, one.slippage, one.financing, together)), share)


def _trades(trades: Sequence[TradeStats]) -> list[tuple[str, ...]]:
    return [
        (
            f"{one.number:,}",
            one.symbol or "",
            printable(one.direction, 10),
            decimal(one.pnl),
            "" if one.return_fraction is None else f"{one.return_fraction:+.2%}",
            "?" if one.bars is None else f"{one.bars:,}",
            moment(one.closed_at),
        )
        for one in trades
    ]


def _waiting(one: Waiting) -> str:
    return f"{one.median:g} bars in the median, {one.mean:.1f} on average, {one.least:,} to {one.most:,}"


def _reason(name: str) -> str:
    words = reason_in_words(name)
    return words if words == name else f"{words} [{name}]"


def _whole(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
