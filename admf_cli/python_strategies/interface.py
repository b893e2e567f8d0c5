"""What a user writes: a class of one of two styles. Documentation and types; computes nothing.

Both are made as `Class(**params)` with the `params` of the configuration, once a run (bar by bar: once a portfolio).
A dataclass is the shortest way to say what parameters there are. Either may say which features it reads:

    features = {"slow": {"type": "SMA", "timeperiod": 200}}            # as under `features:` in YAML

or, where they depend on parameters, as a method `features(self)` that returns such a mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray
    from admf_cli.python_strategies.context import Context

FeatureSections = Mapping[str, Mapping[str, Any]]
"""Feature name -> its section, as under `features:` in a configuration."""


class ColumnarStrategy(Protocol):
    """Says what it wants to hold, for all bars at once.

    A class attribute `kind` says what the numbers are: "direction" (the default) or "weight".
    """

    def targets(self, bars: Bars, features: Mapping[str, FloatArray]) -> FloatArray:
        """Return what is wanted at each bar's close; row t may use nothing later than row t (`admf check lookahead`).

        Args:
            bars: open, high, low, close, volume of shape (n_bars, n_symbols), `times`, `symbols`; read-only, bars
                before the phase included where the data has them.
            features: name -> shape (n_bars, n_symbols), read-only, nan where undefined: those of the configuration
                and those of the class.

        Returns:
            Shape (n_bars, n_symbols), or (n_bars,) with one symbol; nan: no opinion, what is wanted stays as it was.
            Kind "direction": +1 long, 0 flat, -1 short; every change is a decision.
            Kind "weight": a signed fraction of equity; every number is a decision, equal to the last one or not.
        """
        ...


class BarByBarStrategy(Protocol):
    """Is called at every bar's close and sends orders; it sees its position and cash, and nothing of the future.

    `on_start(ctx)` (before the first bar), `on_fill(ctx, fill)` and `on_end(ctx)` (after the last bar) are optional.
    """

    def on_bar(self, ctx: Context) -> None:
        """Look at the bars up to now and act; orders meet the next bar of their symbol at the earliest."""
        ...
