"""What a feature is, said as a value: its function, parameters and inputs. Refuses to know how it is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from admf_cli.features.parameters import Fault, Parameter, ParameterError, did_you_mean

ParamValue = int | float | str | bool | None
COLUMNS = ("open", "high", "low", "close", "volume")


class FeatureSpec(Struct, frozen=True):
    """One column of numbers to be computed from bars; equal specs give equal numbers, so they are computed once.

    Attributes:
        type: upper-case name of the function, TA-Lib's or ours.
        params: (name, value) pairs sorted by name, complete with defaults.
        inputs: what it reads, in order: a bar column (open, high, low, close, volume), the name of another
            configured feature, or, where that name has been resolved, the other feature's spec itself.
        output: which of several outputs; None is the first.
    """

    type: str
    params: tuple[tuple[str, ParamValue], ...] = ()
    inputs: tuple[str | FeatureSpec, ...] = ()
    output: str | None = None

    def __str__(self) -> str:
        parts = [str(item) for item in self.inputs] + [f"{name}={value}" for name, value in self.params]
        return f"{self.type}({', '.join(parts)})" + (f".{self.output}" if self.output else "")

    def references(self) -> Iterator[str]:
        """Yield the names of other features that it reads, nested ones included."""
        for item in self.inputs:
            if isinstance(item, FeatureSpec):
                yield from item.references()
            elif item not in COLUMNS:
                yield item


class FeatureInfo(Struct, frozen=True):
    """One function that can be named in a configuration.

    Attributes:
        inputs: the default inputs, in order; "" where one has to be named.
        outputs: names of what it yields; the first is the default.
        source: paper, book or library that defines it.
        group: where it stands in lists, such as "Momentum Indicators".
        across: True if a value reads several symbols at one time.
        check: complete parameters, each sound by itself -> the faults of those that do not fit together.
    """

    name: str
    summary: str
    source: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    group: str
    across: bool = False
    check: Callable[[Mapping[str, Any]], Sequence[Fault]] = lambda params: ()


def resolve(spec: FeatureSpec, features: Mapping[str, FeatureSpec], trail: tuple[str, ...] = ()) -> FeatureSpec:
    """Return `spec` with the names of other features replaced by their own specs.

    Raises:
        ParameterError: a name is neither a bar column nor among `features`, or a feature reads itself.
    """
    inputs: list[str | FeatureSpec] = []
    for item in spec.inputs:
        if isinstance(item, FeatureSpec):
            inputs.append(resolve(item, features, trail))
        elif item in COLUMNS:
            inputs.append(item)
        elif item in trail:
            raise ParameterError(
                spec.type, [Fault("input", f"feature {item!r} reads itself: {' -> '.join((*trail, item))}")]
            )
        elif item in features:
            inputs.append(resolve(features[item], features, (*trail, item)))
        else:
            hint = did_you_mean(item, (*COLUMNS, *features))
            raise ParameterError(
                spec.type,
                [Fault("input", f"must be one of {', '.join(COLUMNS)} or the name of a feature (got {item!r}){hint}")],
            )
    return replace(spec, inputs=tuple(inputs))
