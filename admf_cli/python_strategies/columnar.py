"""A user's columnar strategy as one of ours: targets in columns become sparse decisions. Refuses to know orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from msgspec.structs import fields, replace

from admf_cli.features import FeatureSpec
from admf_cli.features.parameters import did_you_mean
from admf_cli.market.bars import Bars, FloatArray, immutable_copy
from admf_cli.python_strategies.calls import UserCode
from admf_cli.python_strategies.user_class import UserClass
from admf_cli.strategies.interface import Decisions

_KINDS = ("direction", "weight")
_NUMBERS = "biufO"  # of NumPy's kinds: no complex numbers, no times, no text


class PythonColumns:
    """One instance of a user's class.

    Args:
        features: name -> feature, all that it may read.
    """

    def __init__(self, user: UserClass, instance: Any, features: Mapping[str, FeatureSpec]) -> None:
        self._user = user
        self._instance = instance
        self._features = features

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return what it may read."""
        return self._features

    def rules(self) -> Mapping[str, str]:
        """Return none: its rules are Python."""
        return {}

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return the decisions that its targets are, see `python_strategies.interface`.

        Raises:
            StrategyError: it raised, or returned what cannot be used.
        """
        guard = UserCode(self._user.source)
        read = _ReadFeatures(features)
        kind = getattr(self._instance, "kind", _KINDS[0])
        if kind not in _KINDS:
            raise guard.refusal("kind", f"must be one of {', '.join(_KINDS)}", kind=kind)
        answer = guard.call("targets()", self._instance.targets, _read_only(bars), read)
        targets = _checked(guard, answer, bars, kind)
        bar, symbol = _changes(targets, first) if kind == "direction" else _numbers(targets, first)
        evidence = {name: features[name][bar, symbol] for name in read.names}
        return Decisions(bar, symbol, targets[bar, symbol], kind, (), evidence)


class NoFeatureError(KeyError):
    """A name that is no feature; unlike its base it shows its message as it is."""

    def __str__(self) -> str:
        return str(self.args[0])


class _ReadFeatures(Mapping[str, "FloatArray"]):
    """The features, copied when they are read, noting which are: those are what its decisions rest on."""

    def __init__(self, features: Mapping[str, FloatArray]) -> None:
        self._features = features
        self._copies: dict[str, FloatArray] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of those that were read."""
        return tuple(self._copies)

    def __getitem__(self, name: str) -> FloatArray:
        if name not in self._copies:
            if name not in self._features:
                raise NoFeatureError(missing_feature(name, self._features))
            self._copies[name] = immutable_copy(self._features[name])
        return self._copies[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._features)

    def __len__(self) -> int:
        return len(self._features)


def missing_feature(name: object, known: Mapping[str, Any]) -> str:
    """Return what to say of a feature that is not there."""
    hint = did_you_mean(str(name), list(known)).replace('"', "")
    return (
        f"no feature {name}{hint or '; known: ' + (', '.join(known) or 'none')}; features come from YAML or the class"
    )


def _read_only(bars: Bars) -> Bars:
    """Return the same bars as arrays that cannot be written to."""
    arrays: dict[str, Any] = {}
    for field in fields(bars):
        value = getattr(bars, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = immutable_copy(value)
    return replace(bars, **arrays)


def _checked(guard: UserCode, answer: Any, bars: Bars, kind: str) -> FloatArray:
    """Return targets of shape (n_bars, n_symbols), a number or nan each; what is masked is nan."""
    what = "targets()"
    shape = (bars.n_bars, bars.n_symbols)
    try:
        found = np.asarray(answer.astype(np.float64).filled(np.nan) if hasattr(answer, "filled") else answer)
        if found.dtype.kind not in _NUMBERS:
            raise TypeError(f"they are of type {found.dtype}")
        targets = np.array(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        rule = f"must return numbers of shape {shape}, not {type(answer).__name__}: {error}"
        raise guard.refusal(what, rule) from None
    except Exception as error:  # what is no array yet may run code of its own to become one
        raise guard.failure(what, error) from error
    if targets.shape == (bars.n_bars,) and bars.n_symbols == 1:
        targets = targets[:, None]
    if targets.shape != shape:
        rule = f"must return shape {shape}, (n_bars, n_symbols), not {targets.shape}"
        raise guard.refusal(what, rule)
    wrong = np.isinf(targets)
    if wrong.any():
        raise _at(guard, what, bars, targets, wrong, "must be finite, or nan for no opinion")
    if kind == "direction":
        wrong = ~np.isnan(targets) & ~np.isin(targets, (-1.0, 0.0, 1.0))
        if wrong.any():
            rule = 'must be 1, 0 or -1, or nan for no opinion (fractions of equity need kind = "weight")'
            raise _at(guard, what, bars, targets, wrong, rule)
    if bars.present is not None:
        targets[~bars.present] = np.nan  # nobody can decide on a bar that is not there
    return targets


def _at(guard: UserCode, what: str, bars: Bars, targets: FloatArray, wrong: Any, rule: str) -> Exception:
    bar, symbol = np.argwhere(wrong)[0].tolist()
    when = str(bars.times[bar].astype("datetime64[us]").astype("datetime64[s]"))
    count = int(wrong.sum())
    more = f", and {count - 1} more" if count > 1 else ""
    rule = f"{rule}; at bar {bar} ({when}Z), {bars.symbols[symbol]}: {targets[bar, symbol]:g}{more}"
    return guard.refusal(what, rule, bar=bar, time=f"{when}Z", symbol=bars.symbols[symbol])


def _changes(targets: FloatArray, first: int) -> tuple[Any, Any]:
    """Return (bar, symbol) of every target that differs from what was wanted before, flat before `first`."""
    wanted = targets[first:]
    has = ~np.isnan(wanted)
    rows = np.where(has, np.arange(len(wanted))[:, None], -1)
    last = np.maximum.accumulate(rows, axis=0)
    before = np.vstack([np.full((1, wanted.shape[1]), -1), last[:-1]])
    previous = np.where(before < 0, 0.0, np.take_along_axis(wanted, np.maximum(before, 0), axis=0))
    bar, symbol = np.nonzero(has & (wanted != previous))
    return bar + first, symbol


def _numbers(targets: FloatArray, first: int) -> tuple[Any, Any]:
    bar, symbol = np.nonzero(~np.isnan(targets[first:]))
    return bar + first, symbol
