"""Are a run's results what its trace makes them? Positions, cash, equity, trades, every metric, from the trace alone.

Refuses to know how the answer is shown. Fills and financing are booked anew (`rebuild`), marked at the closes of the
BARs, and judged by the same pure formulas; then everything that the run reported is held against that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from admf_cli.errors import AdmfError
from admf_cli.metrics import portfolio_metrics
from admf_cli.tracefile.discovery import PhaseTrace, discover_some, display
from admf_cli.tracefile.reader import collection_paused
from admf_cli.traces.archive import Archive
from admf_cli.traces.event import amount, kind_of
from admf_cli.traces.rebuild import Curve, Ledger, Market, TracedFill, draw
from admf_cli.traces.recorded import Reported, gaps, read_fills, read_market, read_portfolio

_TOLERANCE = 1e-9
_LISTED = 20
_TRADE_KEYS = ("number", "direction", "quantity", "entry_price", "exit_price", "entry_fill", "pnl", "return")


class Figure(Struct, frozen=True):
    """One metric; `agrees` is None where one side is missing and so nothing can be held against it."""

    name: str
    reported: float | int | None
    replayed: float | int | None
    agrees: bool | None


class Difference(Struct, frozen=True):
    """Something else that parts: where it stands, and both sides."""

    where: str
    reported: str
    replayed: str


class ReplayedPortfolio(Struct, frozen=True):
    """One portfolio.

    Attributes:
        differences: the first few; `difference_count` counts them all, metrics included.
        lacks: what the trace does not hold though the replay needs it.
        fills, trades, closes: how many were replayed; `updates`: reported equities compared.
    """

    phase: str
    portfolio: str
    figures: tuple[Figure, ...]
    differences: tuple[Difference, ...]
    difference_count: int
    lacks: tuple[str, ...]
    fills: int
    trades: int
    closes: int
    updates: int

    @property
    def verdict(self) -> str:
        """Return "differs", "lacks" (what is there agrees, but some is not there), or "agrees"."""
        return "differs" if self.difference_count else "lacks" if self.lacks else "agrees"


class Replay(Struct, frozen=True):
    """The answer for everything under a directory."""

    directory: str
    portfolios: tuple[ReplayedPortfolio, ...]

    @property
    def agrees(self) -> bool:
        """True if all was rebuilt and nothing parts."""
        return all(one.verdict == "agrees" for one in self.portfolios)


def replay(directory: Path, *, results: Path | None = None) -> Replay:
    """Return every portfolio under `directory`, rebuilt and compared.

    Args:
        results: what a run left beside its traces, for the equity at every bar: RESULTS_DIR or RESULTS_DIR/<workflow>.

    Raises:
        StorageError: there is no trace to read.
        AdmfError: no portfolio was traced.
    """
    found = discover_some(directory)
    with collection_paused():
        portfolios = [one for phase in found.phases for one in _replay_phase(phase, results)]
    if not portfolios:
        raise AdmfError(f"{display(directory)}: no portfolio was traced here, so there is nothing to replay")
    return Replay(display(directory), tuple(portfolios))


def _replay_phase(phase: PhaseTrace, results: Path | None) -> Iterator[ReplayedPortfolio]:
    names = {one.container_id: kind_of(one.container_id) for one in phase.containers if one.has_lines}
    portfolios = [one for one, kind in names.items() if kind == "portfolio"]
    if not portfolios:
        return
    with Archive(phase) as archive:
        market, lacks = read_market(archive, [one for one, kind in names.items() if kind == "data"])
        fills, lost = read_fills(archive, [one for one, kind in names.items() if kind == "execution"])
        for portfolio in portfolios:
            comparison = _Comparison(archive, portfolio, market, [*lacks, *lost])
            with np.errstate(all="ignore"):  # whatever a trace says: a figure that overflows is not the one reported
                yield comparison.compare(fills.get(portfolio, []), results)


class _Comparison:
    def __init__(self, archive: Archive, portfolio: str, market: Market, lacks: list[str]) -> None:
        self._archive = archive
        self._portfolio = portfolio
        self._market = market
        self._lacks = lacks
        self._differences: list[Difference] = []
        self._count = 0

    def compare(self, fills: list[TracedFill], results: Path | None) -> ReplayedPortfolio:
        reported = read_portfolio(self._archive, self._portfolio)
        self._lacks += gaps(self._archive, self._portfolio, "FINANCING", "cash is made of them, too", optional=True)
        bars = self._market.bars()
        n_bars = int(bars[-1]) + 1 if len(bars) else 0
        figures: tuple[Figure, ...] = ()
        ledger, curve = None, None
        if reported.capital is None:
            self._lacks.append("neither PHASE_START nor PHASE_END is there to say the initial capital")
        elif not any("FILL" in one or "FINANCING" in one for one in self._lacks):
            ledger = self._book(reported.capital, fills, reported)
            self._compare_trades(ledger, reported)
            whole = not any("BAR" in one for one in self._lacks) and n_bars > 0
            curve = draw(ledger, self._market, n_bars) if whole and self._fits(ledger, n_bars) else None
        if reported.end is None:
            self._lacks.append("no PHASE_END: the run broke off, or it was not kept, so no figures were reported")
        if ledger is not None:
            figures = self._compare_end(ledger, curve, reported)
        if curve is not None:
            self._compare_updates(curve, reported)
            if results is not None:
                self._compare_results(curve, results)
        return ReplayedPortfolio(
            self._archive.name,
            self._portfolio,
            figures,
            tuple(self._differences),
            self._count,
            tuple(self._lacks),
            len(fills),
            len(ledger.trades) if ledger else 0,
            n_bars if curve is not None else 0,
            len(reported.updates) if curve is not None else 0,
        )

    def _book(self, capital: float, fills: list[TracedFill], reported: Reported) -> Ledger:
        ledger = Ledger(capital)
        financing = iter(reported.financing)
        due = next(financing, None)
        for fill in fills:
            while due is not None and due[0] < fill.sequence:
                ledger.finance(due[1], due[2])
                due = next(financing, None)
            ledger.book(fill)
        while due is not None:
            ledger.finance(due[1], due[2])
            due = next(financing, None)
        return ledger

    def _fits(self, ledger: Ledger, n_bars: int) -> bool:
        """Return whether every fill lies within the bars on disk."""
        return all(bar < n_bars for bar, _ in ledger.cash_steps)

    def _compare_trades(self, ledger: Ledger, reported: Reported) -> None:
        if gaps(self._archive, self._portfolio, "POSITION_CLOSE", "") or gaps(
            self._archive, self._portfolio, "POSITION_CHANGE", "", optional=True
        ):
            self._lacks.append("POSITION events were not all kept: not every trade can be compared")
        told = {trade.get("number"): (event_id, trade) for event_id, trade in reported.trades}
        for trade in ledger.trades:
            own = (trade.direction, trade.quantity, trade.entry_price, trade.exit_price, trade.entry_fill, trade.pnl)
            made = dict(zip(_TRADE_KEYS, (trade.number, *own, trade.return_fraction), strict=True))
            if trade.number not in told:
                if not any("POSITION" in one for one in self._lacks):
                    self._differ(f"trade {trade.number}", "none", str(made))
                continue
            event_id, said = told.pop(trade.number)
            for key, value in made.items():
                if key in said and not _same(said[key], value):
                    self._differ(f"{event_id}: trade {trade.number}, {key}", repr(said[key]), repr(value))
        for number, (event_id, _) in told.items():
            self._differ(f"{event_id}: trade {number}", "closed", "no such trade")

    def _compare_updates(self, curve: Curve, reported: Reported) -> None:
        for bar, (event_id, payload) in reported.updates.items():
            if bar >= len(curve.equity):
                self._differ(f"{event_id}: bar", str(bar), f"the last one is {len(curve.equity) - 1}")
                continue
            for key, series in (("cash", curve.cash), ("equity", curve.equity), ("exposure", curve.exposure)):
                said = amount(payload, key)
                if said is not None and not _same(said, float(series[bar])):
                    self._differ(f"{event_id}: {key}", repr(said), repr(float(series[bar])))

    def _compare_end(self, ledger: Ledger, curve: Curve | None, reported: Reported) -> tuple[Figure, ...]:
        end = reported.end or {}
        said: dict[str, Any] = {"cash": end.get("cash"), "equity": end.get("equity")}
        made: dict[str, Any] = {"cash": ledger.cash}
        if curve is not None:
            made["equity"] = float(curve.equity[-1])
        held = end.get("positions")
        for symbol, position in held.items() if isinstance(held, dict) else ():
            for key in ("quantity", "average_price"):
                said[f"{symbol} {key}"] = position.get(key) if isinstance(position, dict) else None
        for symbol, values in ledger.positions().items():
            made |= {f"{symbol} quantity": values[0], f"{symbol} average_price": values[1]}
        if reported.end is not None:
            for name in [*said, *(name for name in made if name not in said)]:
                if (name in made or curve is not None) and not _same(said.get(name), made.get(name)):
                    self._differ(f"{reported.end_id}: {name}", repr(said.get(name)), repr(made.get(name)))
        metrics = end.get("metrics")
        return self._figures(ledger, curve, end, metrics if isinstance(metrics, dict) else {})

    def _figures(
        self, ledger: Ledger, curve: Curve | None, end: Mapping[str, Any], metrics: Mapping[str, Any]
    ) -> tuple[Figure, ...]:
        if curve is None:
            return tuple(Figure(name, _number(value), None, None) for name, value in metrics.items())
        yearly, assumed = amount(end, "periods_per_year"), False
        if yearly is None:
            yearly, assumed = self._assumed_periods(), True
        made = portfolio_metrics(
            initial_capital=ledger.initial_capital,
            equity=curve.equity,
            exposure=curve.exposure,
            times=self._market.times(),
            trades=ledger.trades,
            traded_value=ledger.traded_value,
            commission=ledger.commission,
            slippage=ledger.slippage,
            periods_per_year=yearly,
        )
        figures = []
        for name in dict.fromkeys((*made, *metrics)):
            both = name in made and name in metrics
            agrees = _same(metrics[name], made[name]) if both else None
            if agrees is False and assumed and name in _ANNUAL:
                agrees = None
                self._lacks.append(f"periods_per_year is not in the trace, so {name} can't be judged")
            if agrees is False:
                self._count += 1
            figures.append(Figure(name, _number(metrics.get(name)), made.get(name), agrees))
        return tuple(figures)

    def _assumed_periods(self) -> float:
        """Return bars a year as the configuration's defaults make them: older traces do not say it."""
        from admf_cli.market.periods import periods_per_year

        data = next(iter(self._archive.containers("data")), None)
        start = self._archive.start(data) if data else None
        timeframe = start.mapping("settings").get("timeframe") if start else None
        try:
            return periods_per_year(self._market.times(), timeframe if isinstance(timeframe, str) else "1d")[0]
        except AdmfError:
            return math.nan

    def _compare_results(self, curve: Curve, results: Path) -> None:
        from admf_cli.traces.equity_file import equity_file, read_equity

        path = equity_file(results, self._archive.phase, self._portfolio)
        if path is None:
            self._lacks.append(f"no equity.csv of this portfolio below {display(results)}")
            return
        rows = 0
        for bar, row in enumerate(read_equity(path)):
            rows += 1
            for key, series in (("equity", curve.equity), ("cash", curve.cash), ("exposure", curve.exposure)):
                made = float(series[bar]) if bar < len(series) else None
                if not _same(row.get(key), made):
                    self._differ(f"{display(path)}:{bar + 2}: {key}", repr(row.get(key)), repr(made))
        if rows != len(curve.equity):
            self._differ(f"{display(path)}", f"{rows} bars", f"{len(curve.equity)} bars")

    def _differ(self, where: str, reported: str, replayed: str) -> None:
        self._count += 1
        if len(self._differences) < _LISTED:
            self._differences.append(Difference(where, reported, replayed))


_ANNUAL = ("annual_return", "annual_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "turnover")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= _TOLERANCE * max(1.0, abs(one), abs(other))
    return bool(one == other)


def _number(value: Any) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
