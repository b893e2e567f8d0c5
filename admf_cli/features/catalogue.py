"""Every feature that can be named, and the reading of one from a configuration. Refuses to compute anything."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from admf_cli.features.extension import installed_feature, installed_feature_types
from admf_cli.features.own import OWN
from admf_cli.features.parameters import Fault, ParameterError, check_values, did_you_mean
from admf_cli.features.spec import COLUMNS, FeatureInfo, FeatureSpec
from admf_cli.features.talib_functions import talib_infos

_OWN_KEYS = ("type", "input", "output")


@cache
def _catalogue() -> dict[str, FeatureInfo]:
    infos = {info.name: info for info in (*talib_infos(), *OWN)}  # ours stand in for namesakes of TA-Lib
    return dict(sorted(infos.items()))


def feature_types() -> tuple[str, ...]:
    """Return the names of all features, sorted."""
    return tuple(_catalogue())


def is_built_in(feature_type: str) -> bool:
    """Return whether a feature, by its name in upper case, is one of ours or of TA-Lib."""
    return feature_type in _catalogue()


def describe(feature_type: str) -> FeatureInfo:
    """Return what is known of a feature, by its name in any case.

    Raises:
        ParameterError: there is none of that name.
    """
    info = _catalogue().get(feature_type.upper())
    if info is None and (installed := installed_feature(feature_type)) is not None:
        info = installed.info
    if info is None:
        hint = did_you_mean(feature_type, (*feature_types(), *installed_feature_types()))
        raise ParameterError(
            feature_type,
            [Fault("type", f"must be a feature that `admf features list` shows (got {feature_type!r}){hint}")],
        )
    return info


def feature(feature_type: str, *inputs: str | FeatureSpec, output: str | None = None, **params: Any) -> FeatureSpec:
    """Return a spec with defaults filled in: `feature("SMA", "close", timeperiod=10)`."""
    config: dict[str, Any] = {"type": feature_type, **params}
    if output is not None:
        config["output"] = output
    spec = spec_from_config(feature_type, config)
    return FeatureSpec(spec.type, spec.params, inputs or spec.inputs, spec.output)


def spec_from_config(name: str, mapping: Mapping[str, Any]) -> FeatureSpec:
    """Return the feature that a configuration names, complete with defaults.

    Args:
        name: its name in the configuration, for messages.
        mapping: `type`, and optionally `input` (a name or a list of names), `output`, and parameters by name.

    Raises:
        ParameterError: holding every fault found.
    """
    spec, faults = _read(mapping)
    if spec is None:
        raise ParameterError(name, faults)
    return spec


def faults_in_config(mapping: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Return every fault of a feature's configuration; none if it is sound."""
    return tuple(_read(mapping)[1])


def _read(mapping: Mapping[str, Any]) -> tuple[FeatureSpec | None, list[Fault]]:
    given = mapping.get("type")
    if not isinstance(given, str):
        return None, [Fault("type", f"is required and must be the name of a feature (got {given!r})")]
    try:
        info = describe(given)
    except ParameterError as error:
        return None, list(error.faults)
    values, faults = check_values(info.parameters, {key: mapping[key] for key in mapping if key not in _OWN_KEYS})
    if not faults:
        faults.extend(info.check(values))
    inputs = _inputs(info, mapping.get("input"), faults)
    output = _output(info, mapping.get("output"), faults)
    if faults:
        return None, faults
    return FeatureSpec(info.name, tuple(sorted(values.items())), inputs, output), []


def _inputs(info: FeatureInfo, given: Any, faults: list[Fault]) -> tuple[str, ...]:
    count = len(info.inputs)
    if given is None:
        if "" in info.inputs:
            faults.append(Fault("input", f"is required: {count} names, of {', '.join(COLUMNS)} or other features"))
        return info.inputs
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) and name for name in names):
        faults.append(Fault("input", f"must be a name or a list of names (got {given!r})"))
        return ()
    if len(names) != count:
        usual = f", usually [{', '.join(info.inputs)}]" if count and "" not in info.inputs else ""
        faults.append(Fault("input", f"must name {count} input{'' if count == 1 else 's'}{usual} (got {len(names)})"))
    return tuple(names)


def _output(info: FeatureInfo, given: Any, faults: list[Fault]) -> str | None:
    short = {short_name(output): output for output in info.outputs}
    output = short.get(given, given) if isinstance(given, str) else given
    if output is None or output == info.outputs[0]:
        return None
    if output not in info.outputs:
        hint = did_you_mean(str(given), info.outputs)
        faults.append(Fault("output", f"must be one of {', '.join(info.outputs)} (got {given!r}){hint}"))
        return None
    return str(output)


def short_name(output: str) -> str:
    """Return the short form under which an output may be named too: "hist" for macdhist, "upper" for upperband."""
    return output if output == "macd" else output.removeprefix("macd").removesuffix("band")
