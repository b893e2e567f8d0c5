"""Features: columns of numbers named in a configuration and computed from bars. Refuses to know who reads them.

Describing features loads neither numpy nor TA-Lib; `compute` loads numpy, and TA-Lib only if one of its functions is
asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from admf_cli.features.catalogue import describe, faults_in_config, feature, feature_types, spec_from_config
from admf_cli.features.parameters import Parameter, ParameterError
from admf_cli.features.spec import COLUMNS, FeatureInfo, FeatureSpec, resolve

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray

__all__ = [
    "COLUMNS",
    "FeatureInfo",
    "FeatureSpec",
    "Parameter",
    "ParameterError",
    "compute",
    "describe",
    "faults_in_config",
    "feature",
    "feature_types",
    "lookback",
    "resolve",
    "spec_from_config",
]


def compute(specs: Mapping[str, FeatureSpec], bars: Bars) -> dict[str, FloatArray]:
    """Compute features over every symbol's own bars.

    Args:
        specs: name -> feature; a feature may read others by their names in this mapping.

    Returns:
        name -> shape (n_bars, n_symbols), column-contiguous, read-only, nan until defined and where the symbol has
        no bar. Equal specs share one array.

    Raises:
        ParameterError: a spec reads a name that is neither a bar column nor in `specs`, or reads itself.
    """
    from admf_cli.features.engine import compute as run

    return run(specs, bars)


def lookback(spec: FeatureSpec) -> int:
    """Return how many bars of a symbol pass before `spec` has its first value; names must have been resolved.

    Recursive functions (EMA, RSI and their kind) go on changing slightly after that.
    """
    from admf_cli.features.engine import lookback as count

    return count(spec)
