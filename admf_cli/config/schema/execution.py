"""`execution`: fills, costs, and tracing, which is switched and bounded here and nowhere else."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag, model_validator

from admf_cli.config.schema.base import Count, NotNegative, Positive, Section, Share, Text, by_type, fault, tagged
from admf_cli.tracefile.format import EVENT_TYPES

Rate = Annotated[float, Field(ge=-0.5, le=1)]
Level = Literal["none", "minimal", "normal", "debug"]


class _Bounded(Section):
    minimum: NotNegative = Field(0.0, description="Least commission an order, account currency.")
    maximum: Positive | None = Field(None, description="Most commission an order, account currency.")

    @model_validator(mode="after")
    def _ordered(self) -> "_Bounded":
        if self.maximum is not None and self.minimum > self.maximum:
            raise fault("minimum must not be above maximum", "lower minimum or raise maximum")
        return self


class NoCommission(Section):
    """None."""

    type: Literal["none"]


class PercentCommission(_Bounded):
    """A share of the value."""

    type: Literal["percent"]
    rate: Rate = Field(description="Fraction of the value after slippage; 0.001 is 0.1 %.", examples=[0.001])


class PerShareCommission(_Bounded):
    """An amount for each unit."""

    type: Literal["per_share"]
    rate: NotNegative = Field(description="Account currency a unit.", examples=[0.005])


class PerTradeCommission(Section):
    """An amount for each order that fills."""

    type: Literal["per_trade"]
    amount: NotNegative = Field(description="Account currency an order.", examples=[1.0])


class MakerTakerCommission(_Bounded):
    """A share of the value, another for limit fills."""

    type: Literal["maker_taker"]
    maker: Rate = Field(description="Fraction for limit fills.", examples=[0.0002])
    taker: Rate = Field(description="Fraction for all others.", examples=[0.0005])


class Tier(Section):
    """A step of a tiered commission."""

    up_to: Positive | None = Field(None, description="Value at which the tier ends; null = the last.")
    rate: Rate = Field(description="Fraction of the value inside the tier.")


class TieredCommission(_Bounded):
    """A share of the value that changes with the order's size."""

    type: Literal["tiered"]
    tiers: Annotated[list[Tier], Field(min_length=1)] = Field(
        description="Rising steps; the last without up_to.",
        examples=[[{"up_to": 10000, "rate": 0.002}, {"rate": 0.001}]],
    )

    @model_validator(mode="after")
    def _rising(self) -> "TieredCommission":
        ends = [tier.up_to for tier in self.tiers]
        known = [end for end in ends[:-1] if end is not None]
        if len(known) != len(ends) - 1 or ends[-1] is not None or known != sorted(set(known)):
            raise fault(
                "tiers rise by up_to, and only the last has none",
                "write tiers: [{up_to: 10000, rate: 0.002}, {rate: 0.001}]",
            )
        return self


class InstalledCommission(_Bounded):
    """A model of an installed package (entry point group admf.commissions)."""

    type: Literal["installed"]
    name: Text = Field(description="Name of the entry point.", examples=["my_broker"])
    params: dict[str, Any] = Field(default_factory=dict, description="Its parameters.", examples=[{"rate": 0.001}])


Commission = Annotated[
    Annotated[NoCommission, Tag("<none>")]
    | Annotated[PercentCommission, Tag("<percent>")]
    | Annotated[PerShareCommission, Tag("<per_share>")]
    | Annotated[PerTradeCommission, Tag("<per_trade>")]
    | Annotated[MakerTakerCommission, Tag("<maker_taker>")]
    | Annotated[TieredCommission, Tag("<tiered>")]
    | Annotated[InstalledCommission, Tag("<installed>")],
    tagged(by_type),
]


class NoSlippage(Section):
    """None."""

    type: Literal["none"]


class BpsSlippage(Section):
    """A share of the price."""

    type: Literal["bps"]
    bps: Annotated[float, Field(ge=0, le=5000)] = Field(description="Hundredths of a percent.", examples=[2])


class FixedSlippage(Section):
    """An amount of price."""

    type: Literal["fixed"]
    amount: NotNegative = Field(description="Price a unit.", examples=[0.01])


class TicksSlippage(Section):
    """A number of the instrument's ticks."""

    type: Literal["ticks"]
    ticks: NotNegative = Field(description="Ticks; the instrument needs a tick_size.", examples=[1])


class VolumeShareSlippage(Section):
    """Grows with the square root of the order's share of the bar's volume."""

    type: Literal["volume_share"]
    impact: Annotated[float, Field(ge=0, le=10)] = Field(
        description="Fraction of the price at the whole volume.", examples=[0.1]
    )


class RangeShareSlippage(Section):
    """A share of the bar's range."""

    type: Literal["range_share"]
    share: Annotated[float, Field(ge=0, le=1)] = Field(description="Fraction of high - low.", examples=[0.1])


class InstalledSlippage(Section):
    """A model of an installed package (entry point group admf.slippages)."""

    type: Literal["installed"]
    name: Text = Field(description="Name of the entry point.", examples=["my_venue"])
    params: dict[str, Any] = Field(default_factory=dict, description="Its parameters.", examples=[{"share": 0.1}])


Slippage = Annotated[
    Annotated[NoSlippage, Tag("<none>")]
    | Annotated[BpsSlippage, Tag("<bps>")]
    | Annotated[FixedSlippage, Tag("<fixed>")]
    | Annotated[TicksSlippage, Tag("<ticks>")]
    | Annotated[VolumeShareSlippage, Tag("<volume_share>")]
    | Annotated[RangeShareSlippage, Tag("<range_share>")]
    | Annotated[InstalledSlippage, Tag("<installed>")],
    tagged(by_type),
]


class Margin(Section):
    """Borrowing against positions."""

    initial: Share | None = Field(
        None, description="Equity needed as a share of gross exposure; 0.5 allows a leverage of 2.", examples=[0.5]
    )
    leverage: Annotated[float, Field(ge=1, le=1000)] | None = Field(
        None, description="The same the other way round: gross exposure as a multiple of equity.", examples=[2]
    )
    maintenance: Share | None = Field(
        None,
        description="Share of gross exposure below which equity must not fall at a close; null = no margin calls.",
        examples=[0.25],
    )
    liquidation: Literal["all", "reduce"] = Field(
        "all",
        description="What a margin call closes at the next open: all positions, or of each as much as restores the "
        "initial margin.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> "Margin":
        if (self.initial is None) == (self.leverage is None):
            raise fault("margin takes either initial or leverage", "write initial: 0.5 or leverage: 2")
        initial = self.initial if self.initial is not None else 1.0 / (self.leverage or 1.0)
        if self.maintenance is not None and self.maintenance > initial:
            raise fault(
                f"maintenance must not be above the initial margin of {initial:g}",
                "lower maintenance, or ask for more initial margin",
            )
        return self


YearlyRate = Annotated[float, Field(ge=-0.5, le=5)]


class Financing(Section):
    """What accrues from bar to bar, for its share of a year of 365 days, on what was held at the last close."""

    cash_interest: YearlyRate = Field(0.0, description="Fraction a year on cash above zero.", examples=[0.03])
    debit_interest: YearlyRate = Field(0.0, description="Fraction a year on cash below zero.", examples=[0.06])
    borrow_fee: Annotated[float, Field(ge=0, le=5)] = Field(
        0.0, description="Fraction a year on the value of short positions.", examples=[0.01]
    )


EventType = Literal[EVENT_TYPES]  # type: ignore[valid-type]


class EventFilters(Section):
    """Which types are recorded."""

    include: list[EventType] | None = Field(None, description="Only these; null = all.", examples=[["ORDER", "FILL"]])
    exclude: list[EventType] | None = Field(None, description="Not these.", examples=[["BAR", "FEATURE"]])


def _filters_kind(value: Any) -> str:
    return "filters" if isinstance(value, dict | EventFilters) else "types"


Filters = Annotated[
    Annotated[list[EventType], Tag("<types>")] | Annotated[EventFilters, Tag("<filters>")], tagged(_filters_kind)
]


class ContainerSettings(Section):
    """Settings of the containers of one id, type or pattern; what is left out is as the next level says."""

    enabled: bool = Field(True, description="Whether it traces at all.", examples=[False])
    max_events: Count | None = Field(None, description="Newest events kept; null = all.", examples=[50000])
    event_filters: Filters | None = Field(None, description="Types recorded.", examples=[["ORDER", "FILL", "REJECT"]])
    trace_level: Level = Field("normal", description="Preset.", examples=["minimal"])


class TraceSettings(Section):
    """What every container records, unless container_settings say otherwise."""

    max_events: Count | None = Field(10_000, description="Newest events that each container keeps; null = all.")
    persist_to_disk: bool = Field(True, description="false = the newest stay in memory for a Python caller.")
    trace_dir: Text = Field("./traces", description="Directory in which a directory per workflow is made.")
    trace_level: Level = Field(
        "normal",
        description="Preset: none; minimal = no bars, features, positions and marks; normal = all types; "
        "debug = all types and, unless max_events is set for the container, all events.",
    )
    event_filters: Filters | None = Field(
        None, description="Types recorded: a list, or include and exclude.", examples=[{"exclude": ["BAR", "FEATURE"]}]
    )
    container_settings: dict[str, ContainerSettings] = Field(
        default_factory=dict,
        description="Settings by container id, container type or pattern, in this order of precedence; what is left "
        "out is as the next one says, and in the end as in trace_settings itself.",
        examples=[{"portfolio": {"max_events": 50000}, "data": {"enabled": False}}],
    )


class Execution(Section):
    """How orders are filled, what that costs, and what is recorded."""

    fill_price: Literal["next_open", "close"] = Field(
        "next_open", description="Where market orders fill: the next bar's open, or the deciding bar's close."
    )
    commission: Commission = Field(
        default_factory=lambda: {"type": "none"},
        validate_default=True,
        description="What a fill costs.",
        examples=[{"type": "percent", "rate": 0.001}],
    )
    slippage: Slippage = Field(
        default_factory=lambda: {"type": "none"},
        validate_default=True,
        description="How much worse than the reference price market and stop orders fill.",
        examples=[{"type": "bps", "bps": 2}],
    )
    half_spread_bps: Annotated[float, Field(ge=0, le=5000)] = Field(
        0.0, description="Half the spread, hundredths of a percent, added to the slippage."
    )
    participation: Share | None = Field(
        None, description="Largest share of a bar's volume that one portfolio's orders may fill.", examples=[0.1]
    )
    margin: Margin | None = Field(None, description="null = cash only.", examples=[{"initial": 0.5}])
    financing: Financing | None = Field(
        None,
        description="Interest and borrow fees; null = none.",
        examples=[{"cash_interest": 0.03, "borrow_fee": 0.01}],
    )
    enable_event_tracing: bool = Field(True, description="Whether containers trace.")
    trace_settings: TraceSettings = Field(default_factory=dict, validate_default=True, description="What they trace.")
