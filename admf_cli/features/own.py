"""The features that TA-Lib lacks, or that are defined otherwise here. Refuses to know how they are computed."""

from __future__ import annotations

from admf_cli.features.parameters import Parameter
from admf_cli.features.spec import FeatureInfo


def _length(default: int, minimum: int = 1) -> Parameter:
    return Parameter("timeperiod", "int", default, minimum=minimum, maximum=100_000, doc="number of bars")


OWN = (
    FeatureInfo(
        name="SMA",
        summary="Simple moving average: the mean of the last n values, correctly rounded",
        source="arithmetic mean; equals TA-Lib's SMA up to its rounding residues (docs/decisions/0002-sma-is-exact.md)",
        parameters=(_length(30),),
        inputs=("close",),
        outputs=("real",),
        group="Overlap Studies",
    ),
)
