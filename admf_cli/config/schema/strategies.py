"""`features`, `strategies` and `risk_profiles`. Refuses to know what a feature or a strategy computes."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Tag, model_validator

from admf_cli.config.schema.base import (
    Count,
    Fraction,
    Moment,
    Name,
    Positive,
    Section,
    Symbol,
    Text,
    by_type,
    fault,
    tagged,
)

Offset = Annotated[float, Field(gt=-1, le=10)]


class Feature(Section):
    """A column computed from bars; its other keys are the function's own parameters."""

    model_config = ConfigDict(extra="allow")

    type: Text = Field(description="Function, such as SMA; `admf features list` names all.", examples=["SMA"])


class GoodTill(Section):
    """How long a GTD order lives: so many bars of its symbol, or until a moment."""

    bars: Count | None = Field(None, description="Bars of the symbol, from the first one it may meet.")
    until: Moment | None = Field(None, description="Last moment, UTC.")

    @model_validator(mode="after")
    def _one(self) -> "GoodTill":
        if (self.bars is None) == (self.until is None):
            raise fault("good_till takes either bars or until", "write good_till: {bars: 5}")
        return self


_OFFSETS = ("limit_offset", "stop_offset", "trail_percent", "trail_amount")
_OFFSETS_OF = {
    "limit": ("limit_offset",),
    "stop": ("stop_offset",),
    "stop_limit": ("limit_offset", "stop_offset"),
    "trailing_stop": ("trail_percent", "trail_amount"),
}


def _a_type_with(offset: str) -> str:
    return "type: " + " or ".join(kind for kind, offsets in _OFFSETS_OF.items() if offset in offsets)


class OrderStyle(Section):
    """The order by which a decision is carried out; offsets are fractions of the signal's close."""

    type: Literal["market", "limit", "stop", "stop_limit", "trailing_stop", "market_on_close"] = Field(
        "market", description="Kind of order."
    )
    limit_offset: Offset | None = Field(
        None,
        description="Limit price from the close, in the trade's direction: -0.01 buys 1 % below and sells 1 % above.",
        examples=[-0.01],
    )
    stop_offset: Offset | None = Field(
        None,
        description="Stop price from the close, in the trade's direction: 0.01 buys 1 % above and sells 1 % below.",
        examples=[0.01],
    )
    trail_percent: Fraction | None = Field(None, description="Distance of a trailing stop, a fraction of the close.")
    trail_amount: Positive | None = Field(None, description="Distance of a trailing stop, in price.")
    time_in_force: Literal["GTC", "DAY", "IOC", "FOK", "GTD"] = Field("GTC", description="How long it works.")
    good_till: GoodTill | None = Field(None, description="With GTD, until when.", examples=[{"bars": 5}])

    @model_validator(mode="after")
    def _complete(self) -> "OrderStyle":
        uses = _OFFSETS_OF.get(self.type, ())
        idle = [key for key in _OFFSETS if key not in uses and getattr(self, key) is not None]
        if idle:
            raise fault(
                f"{idle[0]} has no meaning with type: {self.type}", f"remove it, or write {_a_type_with(idle[0])}"
            )
        if self.type in ("limit", "stop_limit") and self.limit_offset is None:
            raise fault(f"a {self.type} order needs limit_offset", "write limit_offset: -0.01")
        if self.type in ("stop", "stop_limit") and self.stop_offset is None:
            raise fault(f"a {self.type} order needs stop_offset", "write stop_offset: 0.01")
        if self.type == "trailing_stop" and (self.trail_percent is None) == (self.trail_amount is None):
            raise fault("a trailing_stop order needs either trail_percent or trail_amount", "write trail_percent: 0.05")
        if (self.time_in_force == "GTD") != (self.good_till is not None):
            raise fault(
                "time_in_force: GTD and good_till belong together", "write both, with good_till: {bars: 5}, or neither"
            )
        return self


class Orders(Section):
    """How decisions become orders."""

    entry: OrderStyle | None = Field(None, description="Entries and reversals; null = market.")
    exit: OrderStyle | None = Field(None, description="Exits on a signal; null = market.")


class Strategy(Section):
    """One strategy; each runs under every risk profile."""

    name: Name = Field(description="Name; part of its containers' ids.", examples=["trend"])
    type: Text = Field(description="Kind of strategy; `admf strategies list` names all.", examples=["sma_crossover"])
    path: Text | None = Field(
        None,
        description="With type: python, the file and the class; relative to the working directory, else to the "
        "configuration's.",
        examples=["my_strategies.py:Breakout"],
    )
    params: dict[str, Any] = Field(
        default_factory=dict, description="The strategy's own parameters.", examples=[{"fast": 10, "slow": 30}]
    )
    symbols: Annotated[list[Symbol], Field(min_length=1)] | None = Field(
        None, description="Symbols it decides on; null = all."
    )
    orders: Orders | None = Field(
        None,
        description="How its decisions become orders; null = market orders.",
        examples=[{"exit": {"type": "market"}}],
    )


class FixedSizing(Section):
    """Always the same quantity."""

    type: Literal["fixed"]
    quantity: Positive = Field(description="Units.", examples=[100])


class FixedValueSizing(Section):
    """Always the same value."""

    type: Literal["fixed_value"]
    value: Positive = Field(description="Account currency.", examples=[10000])


class PercentEquitySizing(Section):
    """A fraction of equity."""

    type: Literal["percent_equity"]
    percent: Annotated[float, Field(gt=0, le=100)] = Field(description="Fraction; 0.95 is 95 %.", examples=[0.95])


class VolatilityTargetSizing(Section):
    """The fraction of equity that has a given volatility a year."""

    type: Literal["volatility_target"]
    target: Annotated[float, Field(gt=0, le=10)] = Field(description="Volatility a year, a fraction.", examples=[0.1])
    method: Literal["stddev", "atr"] = Field("stddev", description="How the volatility of a bar is measured.")
    period: Annotated[int, Field(ge=2, le=100_000)] = Field(20, description="Bars to measure over.")


class RiskPerTradeSizing(Section):
    """As much as loses a fraction of equity if the stop is hit."""

    type: Literal["risk_per_trade"]
    percent: Fraction = Field(description="Fraction of equity at risk.", examples=[0.01])
    atr_period: Count | None = Field(None, description="Bars of the average true range that is the stop's distance.")
    atr_multiple: Positive | None = Field(None, description="Multiple of the average true range.")


class KellySizing(Section):
    """A fraction of the Kelly bet that closed trades suggest."""

    type: Literal["kelly"]
    fraction: Annotated[float, Field(gt=0, le=1)] = Field(0.5, description="Fraction of the full bet.")
    cap: Annotated[float, Field(gt=0, le=10)] = Field(0.25, description="Largest fraction of equity.")
    minimum_trades: Count = Field(20, description="Closed trades needed; before, cap x fraction.")


class TargetWeightsSizing(Section):
    """What the strategy's own weight asks for."""

    type: Literal["target_weights"]


Sizing = Annotated[
    Annotated[FixedSizing, Tag("<fixed>")]
    | Annotated[FixedValueSizing, Tag("<fixed_value>")]
    | Annotated[PercentEquitySizing, Tag("<percent_equity>")]
    | Annotated[VolatilityTargetSizing, Tag("<volatility_target>")]
    | Annotated[RiskPerTradeSizing, Tag("<risk_per_trade>")]
    | Annotated[KellySizing, Tag("<kelly>")]
    | Annotated[TargetWeightsSizing, Tag("<target_weights>")],
    tagged(by_type),
]


def _one_of_two(percent: float | None, amount: float | None) -> None:
    if (percent is None) == (amount is None):
        raise fault("a distance takes either percent or amount", "write percent: 0.05 or amount: 2.0")


class Distance(Section):
    """A distance from a price: a fraction of it, or an amount."""

    percent: Fraction | None = Field(None, description="Fraction of the price.", examples=[0.05])
    amount: Positive | None = Field(None, description="Amount of price.", examples=[2.0])
    base: Literal["fill", "close"] = Field(
        "fill", alias="from", description="Price it counts from: the entry's fill, or the signal bar's close."
    )

    @model_validator(mode="after")
    def _one(self) -> "Distance":
        _one_of_two(self.percent, self.amount)
        return self


class Gain(Distance):
    """A distance from a price, which may be more than the price: a fraction of it, or an amount."""

    percent: Annotated[float, Field(gt=0, le=100)] | None = Field(
        None, description="Fraction of the price.", examples=[0.1]
    )


class Trail(Section):
    """A distance from the best close: a fraction of it, or an amount."""

    percent: Fraction | None = Field(None, description="Fraction of the best close.", examples=[0.08])
    amount: Positive | None = Field(None, description="Amount of price.", examples=[2.0])

    @model_validator(mode="after")
    def _one(self) -> "Trail":
        _one_of_two(self.percent, self.amount)
        return self


def _distance_kind(value: Any) -> str:
    return "distance" if isinstance(value, dict | Distance | Trail) else "fraction"


_BY_SHAPE = tagged(_distance_kind)
LossDistance = Annotated[Annotated[Fraction, Tag("<fraction>")] | Annotated[Distance, Tag("<distance>")], _BY_SHAPE]
GainDistance = Annotated[
    Annotated[Annotated[float, Field(gt=0, le=100)], Tag("<fraction>")] | Annotated[Gain, Tag("<distance>")], _BY_SHAPE
]
TrailDistance = Annotated[Annotated[Fraction, Tag("<fraction>")] | Annotated[Trail, Tag("<distance>")], _BY_SHAPE]


class RiskProfile(Section):
    """Size of positions and what limits them; every strategy runs under every profile, with money of its own."""

    name: Name = Field(description="Name; part of its portfolios' ids.", examples=["base"])
    sizing: Sizing = Field(
        description="How much is bought or sold.", examples=[{"type": "percent_equity", "percent": 0.95}]
    )
    stop_loss: LossDistance | None = Field(
        None, description="Stop order from the moment of entry: a fraction of the fill's price.", examples=[0.05]
    )
    take_profit: GainDistance | None = Field(
        None, description="Limit order from the moment of entry; with stop_loss one cancels the other.", examples=[0.1]
    )
    trailing_stop: TrailDistance | None = Field(
        None, description="Stop that follows the best close at this distance.", examples=[0.08]
    )
    max_holding_period: Count | None = Field(None, description="Bars after which a position is closed.", examples=[20])
    end_of_day: bool = Field(False, description="Close positions at the close of the day's last bar.")
    max_position_size: Positive | None = Field(
        None, description="Largest share of equity in one symbol.", examples=[0.3]
    )
    max_portfolio_heat: Positive | None = Field(None, description="Largest gross exposure as a share of equity.")
    max_net_exposure: Positive | None = Field(None, description="Largest net exposure as a share of equity.")
    max_open_positions: Count | None = Field(None, description="Most symbols held at once.")
    max_drawdown: Fraction | None = Field(
        None,
        description="Fall of equity from its peak at which everything is closed and no entry follows.",
        examples=[0.25],
    )
    daily_loss_limit: Fraction | None = Field(
        None,
        description="Loss of a day, as a share of the equity before it, at which all is closed until the next day.",
    )
    cooldown: Count | None = Field(None, description="Bars without entries after a stop.", examples=[5])


class Portfolio(Section):
    """What every portfolio begins with."""

    initial_capital: Positive = Field(100_000.0, description="Account currency.", examples=[100000])
    close_at_end: bool = Field(
        False, description="Close what is open at the close of its symbol's last bar; else it is marked there."
    )
    allocations: Annotated[dict[Name, Positive], Field(min_length=1)] | None = Field(
        None,
        description="Strategies that share one portfolio (for each risk profile), each sized by its share of equity; "
        "the others, or with null all, have a portfolio each.",
        examples=[{"trend": 0.6, "revert": 0.4}],
    )
