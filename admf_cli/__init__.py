"""ADMF runs backtests from YAML and leaves a causal record of every decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from admf_cli import compiled

__version__ = "0.1.0"
TRACE_SCHEMA_VERSION = 1
CONFIG_SCHEMA_VERSION = 1

__all__ = [
    "CONFIG_SCHEMA_VERSION",
    "TRACE_SCHEMA_VERSION",
    "BarByBarStrategy",
    "Bars",
    "ColumnarStrategy",
    "Context",
    "Fill",
    "WorkingOrder",
    "__version__",
    "run_backtest",
]

compiled.install()

if TYPE_CHECKING:
    from admf_cli.api import run_backtest
    from admf_cli.market.bars import Bars
    from admf_cli.python_strategies.context import Context, Fill, WorkingOrder
    from admf_cli.python_strategies.interface import BarByBarStrategy, ColumnarStrategy
else:  # or a type checker would take every name for one of these

    def __getattr__(name: str) -> Any:
        # Lazy, so that `admf --help` does not pay for the engine.
        if name == "run_backtest":
            from admf_cli.api import run_backtest

            return run_backtest
        # For the type hints of a strategy.
        if name in ("Context", "Fill", "WorkingOrder"):
            from admf_cli.python_strategies import context

            return getattr(context, name)
        if name in ("BarByBarStrategy", "ColumnarStrategy"):
            from admf_cli.python_strategies import interface

            return getattr(interface, name)
        if name == "Bars":
            from admf_cli.market.bars import Bars

            return Bars
        raise AttributeError(f"module 'admf_cli' has no attribute {name!r}")
