"""Volatility breakout: a move that is large beside the range of the bars before is followed."""

from __future__ import annotations

from admf_cli.features import feature
from admf_cli.features.parameters import Parameter
from admf_cli.strategies.description import (
    DIRECTION,
    REPEAT,
    Features,
    Params,
    StrategyInfo,
    period,
    period_feature,
    positive,
    written,
)
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.rule_based import Rule, two_sided


def _build(params: Params, features: Features) -> Strategy:
    base = "open" if params["base"] == "open" else "lag(close, 1)"
    move = f"{written(params['multiple'])} * lag(range, 1)"
    roles = {"range": period_feature(params, "period", features, "ATR")}
    up, down = Rule("move up", f"close > {base} + {move}"), Rule("move down", f"close < {base} - {move}")
    leave_long, leave_short = down, up
    if params["exit"] is not None:
        roles["average"] = feature("SMA", timeperiod=params["exit"])
        leave_long = Rule("close below the average", "close < average")
        leave_short = Rule("close above the average", "close > average")
    return two_sided(
        params["direction"],
        roles,
        enter_long=up,
        exit_long=leave_long,
        enter_short=down,
        exit_short=leave_short,
        repeat=params["repeat"],
    )


INFO = StrategyInfo(
    name="volatility_breakout",
    summary="Follow a move that is larger than a multiple of the average range before it",
    source="Wilder (1978), New Concepts in Technical Trading Systems, chapter 3 (the volatility system); Williams "
    "(1999), Long-Term Secrets to Short-Term Trading (base: open, period: 1); the range as TA-Lib's ATR, on closes",
    parameters=(
        period("period", 14, "bars of the average true range, or a feature's name"),
        positive("multiple", 1.5, "how many average ranges the move has to exceed"),
        Parameter(
            "base",
            "str",
            "close",
            choices=("close", "open"),
            doc="what the move is counted from: the close before, or this bar's open",
        ),
        Parameter(
            "exit",
            "int",
            None,
            minimum=1,
            maximum=100_000,
            doc="bars of the simple average beyond which a position is left; null: a move the other way",
        ),
        DIRECTION,
        REPEAT,
    ),
    rules=(
        "A move up is close > base + multiple x the average true range at the bar before; down is its mirror image.",
        "A move up goes long; a position is left at a move down or, with `exit`, at a close beyond the average.",
        "Short positions mirror.",
    ),
    example="""\
strategies:
  - name: thrust
    type: volatility_breakout
    params: {period: 14, multiple: 1.5, exit: 10, direction: long_flat}
""",
    build=_build,
)
