"""Runs made by hand, as a run would hand them back."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec.structs import replace

from admf_cli.metrics import portfolio_metrics
from admf_cli.results import Holding, PhaseResult, PortfolioResult, RunResult, TraceSummary, Trade

DAY = 86_400_000_000
START = 946_857_600_000_000  # 2000-01-03T00:00:00Z

NO_COUNTS = {"signals": 0, "orders": 0, "fills": 0, "trades": 0, "cancelled": 0, "expired": 0, "rejected": 0}


def trade(number: int = 1, **changes: Any) -> Trade:
    """Return ten units bought at 100 and sold at 103, 1 of commission: (103 - 100) * 10 - 1 = 29."""
    made = Trade(
        number=number,
        symbol="SPX",
        direction="long",
        quantity=10.0,
        entry_time=START,
        entry_price=100.0,
        entry_bar=0,
        exit_time=START + 2 * DAY,
        exit_price=103.0,
        exit_bar=2,
        commission=1.0,
        pnl=29.0,
        return_fraction=0.029,
        entry_reason="entry",
        exit_reason="exit",
        entry_fill="execution#1",
        exit_fill="execution#2",
    )
    return made._replace(**changes)


def portfolio(
    strategy: str = "trend", risk_profile: str = "base", *, trades: tuple[Trade, ...] | None = None, **changes: Any
) -> PortfolioResult:
    """Return a portfolio over four bars that made the one trade above, unless told otherwise."""
    trades = (trade(),) if trades is None else trades
    equity = np.array([10_000.0, 10_010.0, 10_029.0, 10_029.0]) if trades else np.full(4, 10_000.0)
    exposure = np.array([1_000.0, 1_010.0, 0.0, 0.0]) if trades else np.zeros(4)
    times = START + DAY * np.arange(4, dtype=np.int64)
    return replace(
        PortfolioResult(
            portfolio_id=f"portfolio_{strategy}_{risk_profile}",
            strategy=strategy,
            risk_profile=risk_profile,
            initial_capital=10_000.0,
            final_cash=float(equity[-1]),
            final_equity=float(equity[-1]),
            times=times,
            equity=equity,
            cash=equity - exposure,
            exposure=exposure,
            trades=trades,
            holdings=(),
            metrics=portfolio_metrics(
                initial_capital=10_000.0,
                equity=equity,
                exposure=exposure,
                times=times,
                trades=trades,
                traded_value=2_030.0 * len(trades),
                commission=float(len(trades)),
                slippage=0.0,
                periods_per_year=252.0,
            ),
            counts=NO_COUNTS | ({"signals": 2, "orders": 2, "fills": 2, "trades": len(trades)} if trades else {}),
            rejects={},
        ),
        **changes,
    )


HOLDING = Holding(
    symbol="SPX",
    quantity=-12.5,
    average_price=1_455.219971,
    last_price=1_399.420044,
    market_value=-17_492.75055,
    unrealized_pnl=697.4990875,
)


def traces(*containers: str, dropped: int = 0) -> tuple[TraceSummary, ...]:
    """Return what a phase's tracers report."""
    return tuple(
        TraceSummary(
            container_id=container,
            container_type=container.partition("_")[0],
            path=f"traces/wf/backtest/{container}.jsonl",
            status="complete",
            published=1_200 + dropped,
            written=1_200,
            filtered=0,
            dropped=dropped,
            bytes=345_678,
        )
        for container in containers
    )


def phase(*portfolios: PortfolioResult, name: str = "backtest", **changes: Any) -> PhaseResult:
    """Return four daily bars of SPX."""
    return replace(
        PhaseResult(
            name=name,
            start=START,
            end=START + 3 * DAY,
            bars=4,
            warmup_bars=0,
            symbols=("SPX",),
            timeframe="1d",
            periods_per_year=252.0,
            periods_basis="1d bars, no bars on weekends, 252 sessions a year",
            data_sha256="ab" * 32,
            portfolios=portfolios,
            traces=traces("data", "features", "strategy_trend", "portfolio_trend_base", "execution"),
        ),
        **changes,
    )


def run(*phases: PhaseResult, **changes: Any) -> RunResult:
    """Return a whole run."""
    return replace(
        RunResult(
            workflow_id="wf",
            config_name="demo",
            config_sha256="cd" * 32,
            phases=phases,
            trace_dir="traces/wf",
            results_dir="results/wf",
        ),
        **changes,
    )


def usual() -> RunResult:
    """Return one portfolio over one phase, with a warning, a position still open and dropped events."""
    held = portfolio(
        holdings=(HOLDING,),
        counts=NO_COUNTS | {"signals": 9, "orders": 4, "fills": 3, "trades": 1, "cancelled": 1, "rejected": 5},
        rejects={"no_cash": 1, "no_position": 4},
    )
    recorded = (
        *traces("data", dropped=2_000),
        *traces("features", "strategy_trend", "portfolio_trend_base", "execution"),
    )
    return run(phase(held, warmup_bars=30, traces=recorded, warnings=("SPX: 2 bars of zero volume",)))


def two_phases() -> RunResult:
    """Return a training and a testing phase of one portfolio; the second is without a trade."""
    idle = portfolio(trades=(), counts=NO_COUNTS | {"signals": 3, "rejected": 3}, rejects={"lot_too_small": 3})
    return run(phase(portfolio(), name="training"), phase(idle, name="testing"), trace_dir=None)


def many_portfolios(count: int = 30) -> RunResult:
    """Return more portfolios than stand side by side, some of them idle."""
    portfolios = [
        portfolio(f"strategy{number}", "cautious", trades=() if number % 4 == 0 else None) for number in range(count)
    ]
    recorded = traces("data", "features", *(each.portfolio_id for each in portfolios), "execution")
    return run(phase(*portfolios, traces=recorded, symbols=tuple(f"S{number:02}" for number in range(12))))


def nothing_at_all() -> RunResult:
    """Return a run whose rules were never met, and that was neither traced nor written."""
    return run(phase(portfolio(trades=()), traces=()), trace_dir=None, results_dir=None)
