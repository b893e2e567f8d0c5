"""The features that TA-Lib lacks, or that are defined otherwise here. Refuses to know how they are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from admf_cli.features.parameters import Fault, Parameter
from admf_cli.features.spec import FeatureInfo


def _length(default: int, *, minimum: int = 1, doc: str = "number of bars") -> Parameter:
    return Parameter("timeperiod", "int", default, minimum=minimum, maximum=100_000, doc=doc)


_TIMEZONE = Parameter("timezone", "timezone", "UTC", doc="IANA name of the zone whose midnight begins a day")
_LEGS = (
    Parameter("first", "symbol", required=True, doc="symbol of the first leg"),
    Parameter("second", "symbol", required=True, doc="symbol of the second leg"),
)


def _lower_first(params: Mapping[str, Any]) -> Sequence[Fault]:
    upper, lower = params["upper"], params["lower"]
    if lower is not None and lower > upper:
        return [Fault("lower", f"must not be more than upper (got lower: {lower:g}, upper: {upper:g})")]
    return ()


OWN = (
    FeatureInfo(
        name="SMA",
        summary="Simple moving average: the exactly rounded sum of the last n values, divided by n",
        source="arithmetic mean; equals TA-Lib's SMA up to TA-Lib's rounding residues "
        "(docs/decisions/0002-sma-is-exact.md)",
        parameters=(_length(30),),
        inputs=("close",),
        outputs=("real",),
        group="Overlap Studies",
    ),
    FeatureInfo(
        name="DONCHIAN",
        summary="Donchian channel: highest high and lowest low of the n bars before this one",
        source="Donchian's four-week rule as the Turtles traded it: Faith (2007), Way of the Turtle; TA-Lib's own "
        "DONCHIAN includes the bar itself (use MAX and MIN for that)",
        parameters=(_length(20),),
        inputs=("high", "low"),
        outputs=("upper", "lower", "middle"),
        group="Overlap Studies",
    ),
    FeatureInfo(
        name="VWAP",
        summary="Volume-weighted average of the typical price (high + low + close) / 3: of the day so far or of n bars",
        source="Berkowitz, Logue and Noser (1988), The Total Cost of Transactions on the NYSE, Journal of Finance "
        "43(1); TA-Lib's own VWAP runs from the first bar of the series",
        parameters=(
            Parameter(
                "timeperiod", "int", None, minimum=1, maximum=100_000, doc="number of bars; null: since the day began"
            ),
            _TIMEZONE,
        ),
        inputs=("high", "low", "close", "volume"),
        outputs=("real",),
        group="Volume Indicators",
    ),
    FeatureInfo(
        name="ZSCORE",
        summary="How many standard deviations the value is from the mean of the last n values, itself included",
        source="standard score with the population deviation (ddof 0), or the sample deviation (ddof 1)",
        parameters=(
            _length(20, minimum=2),
            Parameter("ddof", "int", 0, minimum=0, maximum=1, doc="0: divide by n; 1: by n - 1"),
        ),
        inputs=("close",),
        outputs=("real",),
        group="Statistic Functions",
    ),
    FeatureInfo(
        name="RETURN",
        summary="Return over the last n bars, as a fraction: 0.01 is 1 %",
        source="simple return x[t] / x[t-n] - 1, or its logarithm ln(x[t] / x[t-n])",
        parameters=(_length(1), Parameter("log", "bool", False, doc="true: logarithmic return")),
        inputs=("close",),
        outputs=("real",),
        group="Momentum Indicators",
    ),
    FeatureInfo(
        name="REALISED_VOLATILITY",
        summary="Standard deviation of the last n logarithmic returns, scaled to a year if asked for",
        source="Andersen et al. (2003), Modeling and Forecasting Realized Volatility, Econometrica 71(2), here about "
        "the mean with the sample deviation (ddof 1), times the square root of periods_per_year",
        parameters=(
            _length(20, minimum=2, doc="number of returns"),
            Parameter("periods_per_year", "float", 1.0, above=0, doc="1: of one bar; 252: daily bars to a year"),
        ),
        inputs=("close",),
        outputs=("real",),
        group="Volatility Indicators",
    ),
    FeatureInfo(
        name="LAG",
        summary="The value n of the symbol's own bars ago",
        source="x[t-n]",
        parameters=(_length(1),),
        inputs=("close",),
        outputs=("real",),
        group="Math Transform",
    ),
    FeatureInfo(
        name="OPENING_RANGE",
        summary="Highest high and lowest low of the first minutes of a session; known once a bar after them has closed",
        source="Crabel (1990), Day Trading with Short Term Price Patterns and Opening Range Breakout",
        parameters=(
            Parameter("minutes", "int", 30, minimum=1, maximum=1440, doc="length of the range"),
            Parameter("start", "time", "00:00", doc="local time at which the session begins, HH:MM"),
            _TIMEZONE,
        ),
        inputs=("high", "low"),
        outputs=("high", "low"),
        group="Overlap Studies",
    ),
    FeatureInfo(
        name="REGIME",
        summary="Which of two regimes: 1 once the input has risen above `upper`, 0 once it has fallen below `lower`",
        source="a two-state classifier with hysteresis: Schmitt (1938), A Thermionic Trigger, Journal of Scientific "
        "Instruments 15(1); between the two it stays as it was, 0 at first",
        parameters=(
            Parameter("upper", "float", required=True, doc="above this the state becomes 1"),
            Parameter("lower", "float", None, doc="below this it becomes 0; null: upper"),
        ),
        inputs=("",),
        outputs=("real",),
        group="Statistic Functions",
        check=_lower_first,
    ),
    FeatureInfo(
        name="REFERENCE",
        summary="The value of one symbol, seen by all: as of its latest bar at that time or before",
        source="market filters, such as stocks traded while their index stands above an average of its own",
        parameters=(Parameter("symbol", "symbol", required=True, doc="the symbol whose value it is"),),
        inputs=("close",),
        outputs=("real",),
        group="Across symbols",
        across=True,
    ),
    FeatureInfo(
        name="RANK",
        summary="Place of the symbol's value among all symbols at that bar; equal values share their mean place",
        source="fractional ranking; Jegadeesh and Titman (1993), Returns to Buying Winners, Journal of Finance 48(1)",
        parameters=(Parameter("ascending", "bool", False, doc="true: 1 is the least; false: 1 is the greatest"),),
        inputs=("close",),
        outputs=("rank", "fraction"),
        group="Across symbols",
        across=True,
    ),
    FeatureInfo(
        name="SPREAD",
        summary="First symbol's value less hedge_ratio times the second's, where both have a bar",
        source="Gatev, Goetzmann and Rouwenhorst (2006), Pairs Trading, Review of Financial Studies 19(3)",
        parameters=(
            *_LEGS,
            Parameter("hedge_ratio", "float", 1.0, doc="units of the second for one of the first"),
            Parameter("log", "bool", False, doc="true: of the logarithms of both"),
        ),
        inputs=("close",),
        outputs=("real",),
        group="Across symbols",
        across=True,
    ),
    FeatureInfo(
        name="RATIO",
        summary="First symbol's value divided by the second's, where both have a bar",
        source="x[first] / x[second]",
        parameters=_LEGS,
        inputs=("close",),
        outputs=("real",),
        group="Across symbols",
        across=True,
    ),
)
