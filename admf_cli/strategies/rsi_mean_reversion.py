"""RSI: buys what has been sold too much, sells what has been bought too much."""

from __future__ import annotations

from collections.abc import Sequence

from admf_cli.features.parameters import Fault, Parameter
from admf_cli.strategies.description import (
    DIRECTION,
    REPEAT,
    Features,
    Params,
    StrategyInfo,
    period,
    period_feature,
    written,
)
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.rule_based import Rule, two_sided


def _build(params: Params, features: Features) -> Strategy:
    low, high = params["oversold"], params["overbought"]
    leave_long = high if params["exit_long"] is None else params["exit_long"]
    leave_short = low if params["exit_short"] is None else params["exit_short"]
    if params["trigger"] == "return":
        buy = Rule("rsi returns from oversold", f"crosses_above(rsi, {written(low)})")
        sell = Rule("rsi returns from overbought", f"crosses_below(rsi, {written(high)})")
    else:
        buy, sell = (
            Rule("rsi is oversold", f"rsi < {written(low)}"),
            Rule("rsi is overbought", f"rsi > {written(high)}"),
        )
    return two_sided(
        params["direction"],
        {"rsi": period_feature(params, "period", features, "RSI")},
        enter_long=buy,
        exit_long=Rule("rsi is high enough to leave", f"rsi > {written(leave_long)}"),
        enter_short=sell,
        exit_short=Rule("rsi is low enough to leave", f"rsi < {written(leave_short)}"),
        repeat=params["repeat"],
    )


def _check(params: Params) -> Sequence[Fault]:
    low, high = params["oversold"], params["overbought"]
    if low >= high:
        rule = f"must be less than overbought (got oversold: {written(low)}, overbought: {written(high)})"
        return [Fault("oversold", rule)]
    faults = []
    if params["exit_long"] is not None and params["exit_long"] < low:
        rule = f"must not be less than oversold (got exit_long: {written(params['exit_long'])})"
        faults.append(Fault("exit_long", rule))
    if params["exit_short"] is not None and params["exit_short"] > high:
        rule = f"must not be more than overbought (got exit_short: {written(params['exit_short'])})"
        faults.append(Fault("exit_short", rule))
    return faults


def _level(name: str, default: float | None, doc: str) -> Parameter:
    return Parameter(name, "float", default, minimum=0, maximum=100, doc=doc)


INFO = StrategyInfo(
    name="rsi_mean_reversion",
    summary="Buy while the relative strength index is oversold, leave when it has recovered",
    source="Wilder (1978), New Concepts in Technical Trading Systems, chapter 6; the index as TA-Lib's RSI",
    parameters=(
        period("period", 14, "bars of the index, or a feature's name", minimum=2),
        _level("oversold", 30.0, "a long position is entered below this"),
        _level("overbought", 70.0, "a short position is entered above this"),
        _level("exit_long", None, "a long position is left above this; null: overbought"),
        _level("exit_short", None, "a short position is left below this; null: oversold"),
        Parameter(
            "trigger",
            "str",
            "level",
            choices=("level", "return"),
            doc="level: enter while the index is beyond; return: enter when it has come back across, as Wilder did",
        ),
        DIRECTION,
        REPEAT,
    ),
    rules=(
        "Long: enter when rsi < oversold, leave when rsi > exit_long.",
        "Short: enter when rsi > overbought, leave when rsi < exit_short.",
        "With trigger: return, entries wait until the index has crossed back over the level.",
    ),
    example="""\
strategies:
  - name: reversion
    type: rsi_mean_reversion
    params: {period: 14, oversold: 30, overbought: 70, exit_long: 55, direction: long_flat}
""",
    build=_build,
    check=_check,
)
