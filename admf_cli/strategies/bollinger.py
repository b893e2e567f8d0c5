"""Bollinger bands: against moves that leave the bands, or with them."""

from __future__ import annotations

from admf_cli.features import feature
from admf_cli.features.parameters import Parameter
from admf_cli.strategies.description import DIRECTION, REPEAT, Features, Params, StrategyInfo, positive
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.rule_based import Rule, two_sided


def _build(params: Params, features: Features) -> Strategy:
    above, below = (
        Rule("close above the upper band", "close > upper"),
        Rule("close below the lower band", "close < lower"),
    )
    if params["exit"] == "middle":
        risen, fallen = (
            Rule("close above the middle", "close > middle"),
            Rule("close below the middle", "close < middle"),
        )
    else:
        risen, fallen = above, below
    reverts = params["mode"] == "reversion"
    width = params["deviations"]
    bands = {
        name: feature(
            "BBANDS", output=f"{name}band", timeperiod=params["period"], nbdevup=width, nbdevdn=width, matype=0
        )
        for name in ("upper", "middle", "lower")
    }
    used = ("upper", "middle", "lower") if params["exit"] == "middle" else ("upper", "lower")
    return two_sided(
        params["direction"],
        {name: bands[name] for name in used},
        enter_long=below if reverts else above,
        exit_long=risen if reverts else fallen,
        enter_short=above if reverts else below,
        exit_short=fallen if reverts else risen,
        repeat=params["repeat"],
    )


INFO = StrategyInfo(
    name="bollinger",
    summary="Buy below the lower Bollinger band (reversion) or above the upper one (breakout)",
    source="Bollinger (2001), Bollinger on Bollinger Bands; as TA-Lib's BBANDS, with the population deviation",
    parameters=(
        Parameter(
            "mode",
            "str",
            "reversion",
            choices=("reversion", "breakout"),
            doc="against moves that leave the bands, or with them",
        ),
        Parameter("period", "int", 20, minimum=2, maximum=100_000, doc="bars of the average and the deviation"),
        positive("deviations", 2.0, "width of the bands on either side, in standard deviations"),
        Parameter(
            "exit",
            "str",
            "middle",
            choices=("middle", "opposite"),
            doc="where a position is left: beyond the middle band, or beyond the band across",
        ),
        DIRECTION,
        REPEAT,
    ),
    rules=(
        "reversion: long when close < lower, short when close > upper.",
        "breakout: long when close > upper, short when close < lower.",
        "A reversion's long position is left when close > middle (or upper), a breakout's when close < middle (or "
        "lower); short positions mirror.",
    ),
    example="""\
strategies:
  - name: bands
    type: bollinger
    params: {mode: reversion, period: 20, deviations: 2, exit: middle, direction: long_flat}
""",
    build=_build,
)
