"""Where each built-in strategy is described. Loads none that nobody asks for: each costs a run a millisecond."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from admf_cli.strategies.description import StrategyInfo

TYPES = (
    "bollinger",
    "buy_and_hold",
    "donchian_breakout",
    "ema_crossover",
    "ensemble",
    "filter",
    "macd",
    "momentum",
    "opening_range_breakout",
    "python",
    "recorded",
    "rsi_mean_reversion",
    "rules",
    "sma_crossover",
    "target_weights",
    "volatility_breakout",
    "zscore_pairs",
)


def built_in(strategy_type: str) -> StrategyInfo | None:
    """Return what is known of a built-in strategy, or None if there is none of that name."""
    match strategy_type:
        case "bollinger":
            from admf_cli.strategies.bollinger import INFO
        case "buy_and_hold":
            from admf_cli.strategies.buy_and_hold import INFO
        case "donchian_breakout":
            from admf_cli.strategies.donchian_breakout import INFO
        case "ema_crossover":
            from admf_cli.strategies.average_crossover import EMA_CROSSOVER as INFO
        case "ensemble":
            from admf_cli.strategies.ensemble import INFO
        case "filter":
            from admf_cli.strategies.filter import INFO
        case "macd":
            from admf_cli.strategies.macd import INFO
        case "momentum":
            from admf_cli.strategies.momentum import INFO
        case "opening_range_breakout":
            from admf_cli.strategies.opening_range_breakout import INFO
        case "python":
            from admf_cli.strategies.python_code import INFO
        case "recorded":
            from admf_cli.strategies.recorded import INFO
        case "rsi_mean_reversion":
            from admf_cli.strategies.rsi_mean_reversion import INFO
        case "rules":
            from admf_cli.strategies.rules import INFO
        case "sma_crossover":
            from admf_cli.strategies.average_crossover import SMA_CROSSOVER as INFO
        case "target_weights":
            from admf_cli.strategies.target_weights import INFO
        case "volatility_breakout":
            from admf_cli.strategies.volatility_breakout import INFO
        case "zscore_pairs":
            from admf_cli.strategies.zscore_pairs import INFO
        case _:
            return None
    return INFO
