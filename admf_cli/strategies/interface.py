"""What a strategy is: columns in, sparse decisions out. Refuses to know of portfolios, orders or events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from admf_cli.features import FeatureSpec
from admf_cli.market.bars import Bars, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Decisions:
    """The moments at which a strategy wants something, sorted by bar, then symbol.

    Attributes:
        bar: shape (k,), index into the bars the strategy was given.
        symbol: shape (k,), index into `bars.symbols`.
        target: shape (k,), what it wants to hold from then on: +1 long, 0 flat, -1 short when `kind` is
            "direction"; a signed fraction of equity when `kind` is "weight".
        kind: "direction" or "weight".
        rule: shape (k,), a short name of the rule that decided, such as "fast crosses above slow".
        evidence: values each decision was made on, name -> shape (k,); they become the SIGNAL's `features`.
    """

    bar: IntArray
    symbol: IntArray
    target: FloatArray
    kind: str = "direction"
    rule: tuple[str, ...] = ()
    evidence: Mapping[str, FloatArray] = field(default_factory=dict)


class Strategy(Protocol):
    """A columnar strategy, computed once over the whole series of a phase."""

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return the features it needs by the role name under which `decide` reads them."""
        ...

    def rules(self) -> Mapping[str, str]:
        """Return its rules in words or expressions, for the trace: rule name -> expression over the roles."""
        ...

    def decide(self, bars: Bars, features: Mapping[str, FloatArray]) -> Decisions:
        """Return its decisions; row t may use nothing later than row t.

        Args:
            bars: read-only, warm-up bars included.
            features: role -> shape (n_bars, n_symbols), read-only, nan where undefined.
        """
        ...
