"""What a strategy is: columns in, sparse decisions out. Refuses to know of portfolios, orders or events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

if TYPE_CHECKING:  # describing strategies must not load numpy
    from admf_cli.features import FeatureSpec
    from admf_cli.market.bars import Bars, FloatArray, IntArray


class Decisions(Struct, frozen=True):
    """The moments at which a strategy wants something, sorted by bar, then symbol.

    Attributes:
        bar: shape (k,), index into the bars the strategy was given.
        symbol: shape (k,), index into `bars.symbols`.
        target: shape (k,), what it wants to hold from then on: +1 long, 0 flat, -1 short when `kind` is
            "direction"; a signed fraction of equity when `kind` is "weight".
        kind: "direction" or "weight".
        rule: shape (k,), the key in the strategy's `rules()` of the rule that decided.
        evidence: values each decision was made on, name -> shape (k,), nan where a name does not apply; they become
            the SIGNAL's `features`.
        drift: of weights: what is held may differ from the target by less than this fraction of equity without being
            traded; None for nothing.
    """

    bar: IntArray
    symbol: IntArray
    target: FloatArray
    kind: str = "direction"
    rule: tuple[str, ...] = ()
    evidence: Mapping[str, FloatArray] = field(default_factory=dict)
    drift: float | None = None

    def __len__(self) -> int:
        return len(self.bar)


class Strategy(Protocol):
    """A columnar strategy, computed once over the whole series of a phase."""

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return the features it needs by the role name under which `decide` reads them; names are resolved."""
        ...

    def rules(self) -> Mapping[str, str]:
        """Return its rules as expressions over bars and roles, for the trace: rule name -> expression."""
        ...

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return its decisions; row t may use nothing later than row t.

        Args:
            bars: read-only, warm-up bars included.
            features: role -> shape (n_bars, n_symbols), read-only, nan where undefined.
            first: index of the first bar on which it may trade; it begins flat there, and returns no earlier
                decision.
        """
        ...
