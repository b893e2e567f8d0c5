"""Reads the configuration, instantiates and wires the containers of one phase. Refuses to know the events package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from admf_cli.broker.account import Account
from admf_cli.broker.curves import last_known
from admf_cli.broker.instrument import instruments
from admf_cli.clock import Clock, Pulse
from admf_cli.containers.base import Container
from admf_cli.containers.data import DataContainer
from admf_cli.containers.desk import Desk
from admf_cli.containers.execution import ExecutionContainer
from admf_cli.containers.features import FeaturesContainer
from admf_cli.containers.portfolio import PortfolioContainer
from admf_cli.containers.strategy import StrategyContainer
from admf_cli.errors import ConfigError
from admf_cli.market.periods import periods_per_year
from admf_cli.results import PhaseResult
from admf_cli.topology.plan import plan, replay
from admf_cli.topology.sources import Sources
from admf_cli.topology.topology import Topology

if TYPE_CHECKING:
    from admf_cli.containers.bar_by_bar import BarByBarContainer
    from admf_cli.containers.combined_portfolio import CombinedPortfolioContainer

_GENERATION, _REPLAY = "signal_generation", "signal_replay"
P = TypeVar("P", bound=PortfolioContainer)

_EXECUTION_SETTINGS = (
    "fill_price",
    "commission",
    "slippage",
    "half_spread_bps",
    "participation",
    "margin",
)

_PORTFOLIO_SETTINGS = ("margin", "financing")  # of execution; in a portfolio's own settings where they are set


class TopologyBuilder:
    """Builds a phase's topology from {mode, config, metadata}.

    Args:
        sources: bars, classes and signals.
        provenance: `config_name` and `config_sha256`, for the meta files.
        on_pulse: called now and then with the current bar and the number of bars, for progress and for stopping.
    """

    def __init__(
        self,
        sources: Sources,
        provenance: Mapping[str, Any],
        on_pulse: Callable[[Clock], Pulse] | None = None,
    ) -> None:
        self._sources = sources
        self._provenance = provenance
        self._on_pulse = on_pulse

    def build(self, phase: Mapping[str, Any]) -> Topology:
        """Return the phase's containers, wired, none of them opened yet."""
        config: Mapping[str, Any] = phase["config"]
        loaded = self._sources.bars(config["data"])
        trace_settings = config["execution"]["trace_settings"]
        if phase["mode"] == _GENERATION:
            # Signals are what such a run is for: unless it says otherwise of strategies, all of them are kept.
            levels = {"strategy": {"max_events": None}, **trace_settings["container_settings"]}
            trace_settings = {**trace_settings, "container_settings": levels}

        def own(container_id: str, settings: Mapping[str, Any]) -> dict[str, Any]:
            """Return a container's own configuration."""
            return {
                "container_id": container_id,
                "mode": phase["mode"],
                "metadata": phase["metadata"],
                "enable_tracing": config["execution"]["enable_event_tracing"],
                "trace_settings": trace_settings,
                "settings": settings,
            }

        data = DataContainer(own("data", {**config["data"], **config["period"]}), loaded)
        mode = phase["mode"]
        planned, specs = (replay if mode == _REPLAY else plan)(phase, self._sources)
        profiles: Sequence[Mapping[str, Any]] = () if mode == _GENERATION else config["risk_profiles"]
        features = FeaturesContainer(
            own("features", {"features": {name: str(spec) for name, spec in specs.items()}}),
            specs=specs,
            history=data.history,
            first=data.first,
            rows=data.rows,
            data_id=data.container_id,
        )
        traded = instruments(config["instruments"], data.bars.symbols)
        marks = last_known(data.bars)
        yearly, basis = periods_per_year(
            data.history.times,
            loaded.timeframe,
            override=config["data"].get("periods_per_year"),
            calendar=config["data"].get("calendar"),
        )
        deciders: list[Container] = []
        portfolios: list[PortfolioContainer] = []

        allocations: Mapping[str, float] = config["portfolio"].get("allocations") or {}
        money = {key: value for key, value in config["portfolio"].items() if key != "allocations"}

        def portfolio_of(kind: type[P], name: str, orders: Any, profile: Mapping[str, Any], **more: Any) -> P:
            portfolio = kind(
                own(
                    f"portfolio_{name}_{profile['name']}",
                    {
                        **money,
                        **more,
                        "strategy": name,
                        "risk_profile": profile,
                        "orders": orders,
                        **{key: config["execution"][key] for key in _PORTFOLIO_SETTINGS if config["execution"][key]},
                    },
                ),
                Desk(
                    account=Account(config["portfolio"]["initial_capital"], traded, data.bars.symbols),
                    bars=data.bars,
                    marks=marks,
                    history=data.history,
                    first=data.first,
                    instruments=traded,
                    periods_per_year=yearly,
                    fills_at_close=config["execution"]["fill_price"] == "close",
                    bar_id=data.bar_id,
                ),
            )
            portfolios.append(portfolio)
            return portfolio

        sight: dict[str, Any] = {
            "history": data.history,
            "first": data.first,
            "features": lambda: features.values,
            "bar_id": data.bar_id,
        }
        followers: dict[str, BarByBarContainer] = {}
        shared: list[CombinedPortfolioContainer] = []
        if allocations:  # the kinds of container that few runs have are loaded by those
            from admf_cli.containers.combined_portfolio import CombinedPortfolioContainer
            from admf_cli.risk.allocation import COMBINED

            styles = {decider.settings["name"]: decider.settings.get("orders") for decider in planned}
            shared.extend(
                portfolio_of(CombinedPortfolioContainer, COMBINED, styles, profile, allocations=allocations)
                for profile in profiles
            )
        for decider in planned:
            name, orders = decider.settings["name"], decider.settings.get("orders")
            if decider.strategy is not None:
                strategy = StrategyContainer(
                    own(f"strategy_{name}", decider.settings), strategy=decider.strategy, roles=decider.roles, **sight
                )
                deciders.append(strategy)
                if name in allocations:
                    for combined in shared:
                        combined.listen_to(strategy.bus)
                    continue
                for profile in profiles:
                    portfolio_of(PortfolioContainer, name, orders, profile).listen_to(strategy.bus)
                continue
            assert decider.user is not None
            if mode == _GENERATION:
                raise ConfigError(
                    f"strategy {name} is called bar by bar: it trades by the position and cash of a portfolio, and "
                    f"{_GENERATION} has none; write workflow: {{mode: backtest}}"
                )
            if name in allocations:
                raise ConfigError(
                    f"portfolio.allocations: {name} is called bar by bar with a portfolio of its own in view, so it "
                    "cannot share one; remove it from allocations, or decide over whole columns"
                )
            from admf_cli.containers.asked_portfolio import AskedPortfolioContainer
            from admf_cli.containers.bar_by_bar import BarByBarContainer

            for profile in profiles:
                caller = BarByBarContainer(
                    own(f"strategy_{name}_{profile['name']}", {**decider.settings, "risk_profile": profile["name"]}),
                    user=decider.user,
                    roles=decider.roles,
                    **sight,
                )
                deciders.append(caller)
                asked = portfolio_of(AskedPortfolioContainer, name, orders, profile)
                asked.listen_to(caller.bus)
                caller.trade_for(asked)
                followers[asked.container_id] = caller
        execution = ExecutionContainer(
            own("execution", {key: config["execution"][key] for key in _EXECUTION_SETTINGS}),
            bars=data.bars,
            instruments=traded,
            accounts={portfolio.container_id: portfolio.account for portfolio in portfolios},
            marks=marks,
            bar_id=data.bar_id,
        )
        for portfolio in portfolios:
            execution.take_orders_from(portfolio.bus)
            execution.report_to(portfolio.container_id, portfolio.on_fill, portfolio.on_end)
            if portfolio.container_id in followers:
                execution.tell_fills(portfolio.container_id, followers[portfolio.container_id].on_fill)

        market = [] if mode == _GENERATION else [execution]
        containers: list[Container] = [data, features, *market, *deciders, *portfolios]
        clock = Clock(data.bars.times)
        for container in containers:
            container.attach(clock)
        if self._on_pulse is not None:
            clock.on_pulse(self._on_pulse(clock))
        tracing = config["execution"]["enable_event_tracing"]
        data_sha256 = loaded.digest() if tracing else lambda: None

        def provenance() -> dict[str, Any]:
            return {**self._provenance, "data_sha256": data_sha256()}

        def gather() -> PhaseResult:
            summaries = [container.trace_summary() for container in containers]
            return PhaseResult(
                name=phase["metadata"]["phase_name"],
                start=int(data.bars.times[0]),
                end=int(data.bars.times[-1]),
                bars=data.rows.before(data.bars.n_bars),
                warmup_bars=data.first,
                symbols=data.bars.symbols,
                timeframe=loaded.timeframe,
                periods_per_year=yearly,
                periods_basis=basis,
                data_sha256=data_sha256(),
                portfolios=tuple(portfolio.result() for portfolio in portfolios),
                traces=tuple(summary for summary in summaries if summary is not None),
                warnings=loaded.warnings,
            )

        return Topology(containers, clock, provenance, gather)
