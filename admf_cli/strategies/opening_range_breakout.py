"""Opening range: a close beyond the extremes of a session's first minutes is followed until late in the session."""

from __future__ import annotations

from collections.abc import Sequence

from admf_cli.features import feature
from admf_cli.features.parameters import Fault, Parameter
from admf_cli.strategies.description import DIRECTION, REPEAT, Features, Params, StrategyInfo
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.rule_based import Rule, two_sided
from admf_cli.strategies.syntax import minutes_of


def _build(params: Params, features: Features) -> Strategy:
    shared = {"minutes": params["minutes"], "start": params["start"], "timezone": params["timezone"]}
    session = f'time_between("{params["start"]}", "{params["exit_at"]}")'
    over = "not " + session
    leave = {"long": over, "short": over}
    if params["stop"] == "opposite":
        leave = {"long": f"close < range_low or {over}", "short": f"close > range_high or {over}"}
    return two_sided(
        params["direction"],
        {
            "range_high": feature("OPENING_RANGE", **shared),
            "range_low": feature("OPENING_RANGE", output="low", **shared),
        },
        enter_long=Rule("close above the opening range", f"close > range_high and {session}"),
        exit_long=Rule("leave long", leave["long"]),
        enter_short=Rule("close below the opening range", f"close < range_low and {session}"),
        exit_short=Rule("leave short", leave["short"]),
        timezone=params["timezone"],
        repeat=params["repeat"],
    )


def _check(params: Params) -> Sequence[Fault]:
    if minutes_of(params["start"]) + params["minutes"] >= minutes_of(params["exit_at"]):
        rule = (
            f"must come after the opening range (got start: {params['start']}, minutes: {params['minutes']}, exit_at: "
        )
        return [Fault("exit_at", f"{rule}{params['exit_at']})")]
    return ()


INFO = StrategyInfo(
    name="opening_range_breakout",
    summary="Follow a close beyond the range of the session's first minutes, until a time of day",
    source="Crabel (1990), Day Trading with Short Term Price Patterns and Opening Range Breakout; on closes",
    parameters=(
        Parameter("minutes", "int", 30, minimum=1, maximum=1439, doc="length of the opening range"),
        Parameter("start", "time", "09:30", doc="local time at which the session begins"),
        Parameter("exit_at", "time", "15:45", doc="local time from which positions are left and none is entered"),
        Parameter("timezone", "timezone", "America/New_York", doc="IANA name of the zone of these times"),
        Parameter(
            "stop",
            "str",
            "opposite",
            choices=("opposite", "none"),
            doc="opposite: leave also when the close is beyond the other end of the range",
        ),
        DIRECTION,
        REPEAT,
    ),
    rules=(
        "The range is the highest high and lowest low of the bars that begin in the session's first minutes.",
        "Long: enter when close > range_high before exit_at; leave at the first bar from exit_at on, or when close < "
        "range_low.",
        "Short: enter when close < range_low before exit_at; leave at the first bar from exit_at on, or when close > "
        "range_high.",
        "What is decided at the session's last bar fills at the next session's open: put exit_at a bar earlier, or set "
        "end_of_day in the risk profile.",
    ),
    example="""\
strategies:
  - name: orb
    type: opening_range_breakout
    params: {minutes: 30, start: "09:30", exit_at: "15:45", timezone: America/New_York, direction: long_short}
""",
    build=_build,
    check=_check,
)
