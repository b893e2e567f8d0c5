"""MACD: with the trend while the MACD line stands above its signal line."""

from __future__ import annotations

from admf_cli.features import feature
from admf_cli.features.parameters import Parameter
from admf_cli.strategies.description import DIRECTION, REPEAT, Features, Params, StrategyInfo, ascending
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.rule_based import Rule, two_sided


def _build(params: Params, features: Features) -> Strategy:
    periods = {f"{name}period": params[name] for name in ("fast", "slow", "signal")}
    up = Rule("macd crosses above signal", "crosses_above(macd, signal)")
    down = Rule("macd crosses below signal", "crosses_below(macd, signal)")
    return two_sided(
        params["direction"],
        {"macd": feature("MACD", **periods), "signal": feature("MACD", output="macdsignal", **periods)},
        enter_long=up,
        exit_long=down,
        enter_short=down,
        exit_short=up,
        repeat=params["repeat"],
    )


def _length(name: str, default: int, minimum: int, doc: str) -> Parameter:
    return Parameter(name, "int", default, minimum=minimum, maximum=100_000, doc=doc)


INFO = StrategyInfo(
    name="macd",
    summary="Follow the trend while the MACD line stands above its signal line",
    source="Appel (2005), Technical Analysis: Power Tools for Active Investors; the lines as TA-Lib's MACD",
    parameters=(
        _length("fast", 12, 2, "bars of the fast exponential average"),
        _length("slow", 26, 2, "bars of the slow exponential average; more than fast"),
        _length("signal", 9, 1, "bars of the signal line, an exponential average of the MACD line"),
        DIRECTION,
        REPEAT,
    ),
    rules=(
        "The MACD line is the fast average less the slow one; the signal line is an average of it.",
        "A crossing upwards is macd[t-1] <= signal[t-1] and macd[t] > signal[t]; downwards is its mirror image.",
        "A crossing upwards goes long (short_flat: goes flat); a crossing downwards goes flat or short.",
    ),
    example="""\
strategies:
  - name: macd
    type: macd
    params: {fast: 12, slow: 26, signal: 9, direction: long_flat}
""",
    build=_build,
    check=ascending("fast", "slow"),
)
