"""Two moving averages: with the trend as long as the fast one stands above the slow one."""

from __future__ import annotations

from admf_cli.strategies.description import (
    DIRECTION,
    REPEAT,
    Features,
    Params,
    StrategyInfo,
    ascending,
    period,
    period_feature,
)
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.rule_based import Rule, two_sided


def _crossover(average: str, kind: str, source: str) -> StrategyInfo:
    def build(params: Params, features: Features) -> Strategy:
        up = Rule("fast crosses above slow", "crosses_above(fast, slow)")
        down = Rule("fast crosses below slow", "crosses_below(fast, slow)")
        return two_sided(
            params["direction"],
            {name: period_feature(params, name, features, average) for name in ("fast", "slow")},
            enter_long=up,
            exit_long=down,
            enter_short=down,
            exit_short=up,
            repeat=params["repeat"],
        )

    name = f"{average.lower()}_crossover"
    return StrategyInfo(
        name=name,
        summary=f"Follow the trend while the fast {kind} moving average stands above the slow one",
        source=source,
        parameters=(
            period("fast", 10, "bars of the fast average, or a feature's name"),
            period("slow", 30, "bars of the slow average, or a feature's name; more than fast"),
            DIRECTION,
            REPEAT,
        ),
        rules=(
            "A crossing upwards is fast[t-1] <= slow[t-1] and fast[t] > slow[t]; downwards is its mirror image.",
            "long_flat: a crossing upwards goes long, a crossing downwards goes flat.",
            "long_short: a crossing upwards goes long, a crossing downwards goes short.",
            "short_flat: a crossing downwards goes short, a crossing upwards goes flat.",
        ),
        example=f"""\
strategies:
  - name: trend
    type: {name}
    params: {{fast: 10, slow: 30, direction: long_flat}}
""",
        build=build,
        check=ascending("fast", "slow"),
    )


SMA_CROSSOVER = _crossover(
    "SMA",
    "simple",
    "Brock, Lakonishok and LeBaron (1992), Simple Technical Trading Rules, Journal of Finance 47(5); as `crossover` in "
    "backtesting.py and CrossOver in backtrader",
)
EMA_CROSSOVER = _crossover(
    "EMA",
    "exponential",
    "Appel (2005), Technical Analysis: Power Tools for Active Investors; the averages as TA-Lib's EMA, which begins "
    "with the mean of its first values",
)
