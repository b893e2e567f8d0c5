"""What a run hands back: plain values, no behaviour. Refuses to know how they are shown or stored."""

from typing import Any, NamedTuple

from msgspec import Struct

from admf_cli.market.bars import FloatArray, IntArray


class Trade(NamedTuple):
    """One lot opened and closed (first in, first out), net of commissions.

    A named tuple, because a long run makes tens of thousands while it goes, at a sixth of a frozen dataclass's cost.

    Attributes:
        number: 1-based within its portfolio, in order of closing.
        direction: "long" or "short".
        quantity: units, positive.
        entry_time, exit_time: microseconds since 1970 UTC.
        entry_price, exit_price: prices of the fills.
        entry_bar, exit_bar: index of the bar within the phase.
        commission: its share of both fills' commissions, in account currency.
        pnl: profit after commission, in account currency.
        return_fraction: pnl / (entry_price * quantity * multiplier).
        entry_reason, exit_reason: purpose of the order, such as "signal" or "stop_loss".
        entry_fill, exit_fill: event ids of the fills.
    """

    number: int
    symbol: str
    direction: str
    quantity: float
    entry_time: int
    entry_price: float
    entry_bar: int
    exit_time: int
    exit_price: float
    exit_bar: int
    commission: float
    pnl: float
    return_fraction: float
    entry_reason: str
    exit_reason: str
    entry_fill: str
    exit_fill: str


class Holding(Struct, frozen=True):
    """A position still open at the end, marked at the symbol's last close."""

    symbol: str
    quantity: float
    average_price: float
    last_price: float
    market_value: float
    unrealized_pnl: float


class PortfolioResult(Struct, frozen=True):
    """One portfolio over one phase.

    Attributes:
        equity, cash, exposure: shape (n_bars,), at each bar's close, account currency; exposure is the gross
            market value of positions.
        metrics: name -> value, None where undefined.
        rejects: reason -> count, of its signals and orders.
        counts: signals, orders, fills, trades, and terminal orders (cancelled, expired, rejected).
    """

    portfolio_id: str
    strategy: str
    risk_profile: str
    initial_capital: float
    final_cash: float
    final_equity: float
    times: IntArray
    equity: FloatArray
    cash: FloatArray
    exposure: FloatArray
    trades: tuple[Trade, ...]
    holdings: tuple[Holding, ...]
    metrics: dict[str, float | int | None]
    counts: dict[str, int]
    rejects: dict[str, int]
    warnings: tuple[str, ...] = ()


class TraceSummary(Struct, frozen=True):
    """What a container's tracer did with what the container published."""

    container_id: str
    container_type: str
    path: str | None
    status: str
    published: int
    written: int
    filtered: int
    dropped: int
    bytes: int
    events: tuple[dict[str, Any], ...] = ()


class PhaseResult(Struct, frozen=True):
    """One phase: the market it saw, its portfolios and its traces.

    Attributes:
        periods_per_year: bars a year used to annualise; `periods_basis` says in words where it came from.
        bars: number of bars published, over all symbols.
    """

    name: str
    start: int
    end: int
    bars: int
    warmup_bars: int
    symbols: tuple[str, ...]
    timeframe: str
    periods_per_year: float
    periods_basis: str
    data_sha256: str | None
    portfolios: tuple[PortfolioResult, ...]
    traces: tuple[TraceSummary, ...] = ()
    warnings: tuple[str, ...] = ()


class RunResult(Struct, frozen=True):
    """A whole workflow."""

    workflow_id: str
    config_name: str
    config_sha256: str
    phases: tuple[PhaseResult, ...] = ()
    trace_dir: str | None = None
    results_dir: str | None = None
    warnings: tuple[str, ...] = ()
