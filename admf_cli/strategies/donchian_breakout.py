"""Donchian channels: the Turtles' breakout with a shorter channel for the exit."""

from __future__ import annotations

from admf_cli.features import feature
from admf_cli.features.parameters import Parameter
from admf_cli.strategies.description import DIRECTION, REPEAT, Features, Params, StrategyInfo
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.rule_based import Rule, two_sided


def _build(params: Params, features: Features) -> Strategy:
    takes_long, takes_short = params["direction"] != "short_flat", params["direction"] != "long_flat"
    entry, leave = params["entry"], params["exit"]
    channels = {
        "upper": takes_long and feature("DONCHIAN", timeperiod=entry),
        "exit_lower": takes_long and feature("DONCHIAN", timeperiod=leave, output="lower"),
        "lower": takes_short and feature("DONCHIAN", timeperiod=entry, output="lower"),
        "exit_upper": takes_short and feature("DONCHIAN", timeperiod=leave),
    }
    return two_sided(
        params["direction"],
        {role: spec for role, spec in channels.items() if spec},
        enter_long=Rule("close above the channel", "close > upper"),
        exit_long=Rule("close below the exit channel", "close < exit_lower"),
        enter_short=Rule("close below the channel", "close < lower"),
        exit_short=Rule("close above the exit channel", "close > exit_upper"),
        repeat=params["repeat"],
    )


def _length(name: str, default: int, doc: str) -> Parameter:
    return Parameter(name, "int", default, minimum=1, maximum=100_000, doc=doc)


INFO = StrategyInfo(
    name="donchian_breakout",
    summary="Buy a close above the highest high of the bars before, leave below a shorter channel",
    source="Donchian's four-week rule; the Turtles' System 1 (20 and 10 days) and System 2 (55 and 20 days): Faith "
    "(2007), Way of the Turtle; here on closes, so that a decision waits for the bar to end",
    parameters=(
        _length("entry", 20, "bars before this one whose extremes are to be broken"),
        _length("exit", 10, "bars before this one whose opposite extreme ends the position"),
        DIRECTION,
        REPEAT,
    ),
    rules=(
        "Long: enter when close > highest high of the `entry` bars before; leave when close < lowest low of the "
        "`exit` bars before.",
        "Short: enter when close < lowest low of the `entry` bars before; leave when close > highest high of the "
        "`exit` bars before.",
    ),
    example="""\
strategies:
  - name: turtle
    type: donchian_breakout
    params: {entry: 20, exit: 10, direction: long_short}
""",
    build=_build,
)
