"""A feature that an installed package adds. Refuses to know what it computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from admf_cli.extensions import FEATURES, extension, extension_names
from admf_cli.features.spec import FeatureInfo

if TYPE_CHECKING:  # describing features must not load numpy
    from admf_cli.market.bars import FloatArray, IntArray


class FeatureExtension(Struct, frozen=True):
    """What the entry point of a feature leads to.

    Attributes:
        info: its description; `info.name` in upper case, equal to the entry point's name.
        run: (one array an input, parameters, times) of one symbol's own bars -> one array an output, of the same
            length, nan where undefined; a value may depend on its own and earlier rows only.
        lookback: parameters -> bars before the first value.
    """

    info: FeatureInfo
    run: Callable[[Sequence[FloatArray], Mapping[str, Any], IntArray], tuple[FloatArray, ...]]
    lookback: Callable[[Mapping[str, Any]], int]


def installed_feature(feature_type: str) -> FeatureExtension | None:
    """Return the feature that an installed package offers under a name, in any case; None if none does.

    Raises:
        ConfigError: it cannot be loaded, or is none.
    """
    from admf_cli.errors import ConfigError

    found = extension(FEATURES, feature_type.upper())
    if found is None or isinstance(found, FeatureExtension):
        return found
    raise ConfigError(f"{FEATURES}: {feature_type} must be a FeatureExtension, not {type(found).__name__}")


def installed_feature_types() -> tuple[str, ...]:
    """Return the names of the features that installed packages offer, sorted."""
    return extension_names(FEATURES)


def run_extension(
    feature: FeatureExtension, columns: Sequence[FloatArray], params: Mapping[str, Any], times: IntArray
) -> tuple[FloatArray, ...]:
    """Return what it computes, checked.

    Raises:
        RunFailedError: it raised, or returned what is no column.
    """
    import numpy as np

    from admf_cli.errors import RunFailedError
    from admf_cli.market.bars import immutable_copy
    from admf_cli.python_strategies.calls import UserCode

    name = feature.info.name
    own = [immutable_copy(column) for column in columns]
    found = UserCode(None).call(f"feature {name}", feature.run, own, dict(params), immutable_copy(times))
    wanted = len(feature.info.outputs)
    columns_found = [np.asarray(column) for column in found] if isinstance(found, tuple | list) else []
    if len(columns_found) != wanted or any(
        column.shape != (len(times),) or column.dtype.kind not in "fiub" for column in columns_found
    ):
        noun = "column" if wanted == 1 else "columns"
        raise RunFailedError(f"feature {name}: must return {wanted} {noun} of {len(times)} numbers, as a tuple")
    return tuple(columns_found)
