"""Lists of runs as tables. Computes nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from admf_cli.traces.prune import Pruning
from admf_cli.traces.render.screen import Column, Screen
from admf_cli.traces.render.text import decimal, printable
from admf_cli.traces.runs import Runs, RunSummary

_RUNS = (
    Column("run", style="cyan", wraps=True, least=20),
    Column("date (UTC)"),
    Column("status"),
    Column("return", right=True),
    Column("sharpe", right=True),
    Column("max dd", right=True, yields=2),
    Column("trades", right=True, yields=1),
    Column("size", right=True, yields=3),
)
_ROOM_FOR_CLOCKS = 100  # letters a line; with less, dates go without the time of day
_PRUNED = (Column("run", style="cyan", wraps=True), Column("date (UTC)"), Column("size", right=True))


def show_runs(answer: Runs, screen: Screen) -> None:
    """Print one run a line, newest first."""
    shown = answer.runs
    screen.table(_RUNS, [_row(run, clock=screen.width >= _ROOM_FOR_CLOCKS) for run in shown])
    if any(run.portfolios > 1 for run in shown):
        screen.line("figures are those of the portfolio with the highest return in the last phase", "dim")
    if answer.older:
        screen.line(f"{answer.older:,} older runs; without --limit all are shown", "dim")
    if answer.foreign:
        more = "" if len(answer.foreign) == 1 else f", and {len(answer.foreign) - 1:,} more"
        screen.line(f"no traces: the .jsonl files below {answer.foreign[0]}{more}", "dim")
    if answer.truncated:
        screen.line("there are more files than are looked at: name a smaller directory", "yellow")


def show_pruning(answer: Pruning, screen: Screen) -> None:
    """Print what went or would go, and what was spared."""
    rows = [(one.workflow_id, _date(one.modified), _size(one.size)) for one in answer.removed]
    if rows:
        screen.table(_PRUNED, rows, title="would be removed" if answer.dry_run else "removed")
    for one in answer.spared:
        screen.line(f"spared {one.workflow_id}: {one.spared}", "yellow")
    verb = "would free" if answer.dry_run else "freed"
    kept = answer.kept + len(answer.spared)
    screen.line(f"{verb} {_size(answer.freed)}; {kept:,} {'run' if kept == 1 else 'runs'} kept")


def _row(run: RunSummary, *, clock: bool) -> tuple[str, ...]:
    figures = run.metrics
    # Ids are made from the configuration's name unless one was asked for; then both are worth saying.
    known = run.config_name is None or run.workflow_id.startswith(run.config_name)
    config = "" if known else f" ({printable(run.config_name or '', 40)})"
    return (
        run.workflow_id + config,
        _date(run.modified) if clock else _date(run.modified)[:10],
        run.status,
        _percent(figures.get("total_return"), signed=True),
        "" if figures.get("sharpe_ratio") is None else f"{figures['sharpe_ratio']:.2f}",
        _percent(figures.get("max_drawdown"), signed=False),
        "" if figures.get("trades") is None else decimal(figures["trades"] or 0.0),
        _size(run.size),
    )


def _percent(value: float | None, *, signed: bool) -> str:
    if value is None:
        return ""
    return f"{value:+.1%}" if signed else f"{value:.1%}"


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return "?"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
