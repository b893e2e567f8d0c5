"""A user's class, made with its parameters: its style, its features, its defaults. Refuses to know bars."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from admf_cli.errors import ConfigError
from admf_cli.features import FeatureSpec, ParameterError, resolve, spec_from_config
from admf_cli.features.parameters import did_you_mean
from admf_cli.python_strategies.calls import UserCode
from admf_cli.python_strategies.loading import load_class
from admf_cli.python_strategies.source import Source, SourceError, read_source

_STYLES = {"targets": "targets(bars, features)", "on_bar": "on_bar(ctx)"}
_ARGUMENTS = {"targets": 2, "on_bar": 1, "on_fill": 2, "on_start": 1, "on_end": 1}


class UserClass(Struct, frozen=True):
    """A class that was found sound, and what makes instances of it.

    Attributes:
        source: its file; None for one that came through an entry point.
        label: what traces call it.
        params: those given and the defaults of the rest.
        sha256: digest of its file, or None.
    """

    cls: type
    source: Source | None
    label: str
    params: Mapping[str, Any]
    sha256: str | None

    @property
    def is_columnar(self) -> bool:
        """Whether it decides over whole columns; else it is called at every bar."""
        return callable(getattr(self.cls, "targets", None))

    def make(self) -> Any:
        """Return a new instance.

        Raises:
            StrategyError: its own code raised.
        """
        instance = UserCode(self.source).call(f"{self.cls.__name__}()", self.cls, **self.params)
        for name, count in _ARGUMENTS.items():
            method = getattr(instance, name, None)
            if callable(method):
                _check_method(self, name, method, count)
        return instance

    def features(self, instance: Any, known: Mapping[str, FeatureSpec]) -> dict[str, FeatureSpec]:
        """Return every feature that the class may read, by name: the configuration's, and its own over those.

        Raises:
            ConfigError: its own are not what can stand under `features:` in a configuration.
        """
        declared = getattr(instance, "features", None)
        if callable(declared):
            declared = UserCode(self.source).call("features()", declared)
        if declared is not None and not isinstance(declared, Mapping):
            raise ConfigError(f"{self.place}: features must be a mapping of name to section (got {declared!r:.60})")
        own: dict[str, FeatureSpec] = {}
        try:
            for name, section in (declared or {}).items():
                if not isinstance(section, Mapping):
                    raise ConfigError(f'{self.place}: features["{name}"] must be a mapping such as {{"type": "SMA"}}')
                own[str(name)] = spec_from_config(str(name), section)
            named = {**known, **own}
            return {name: resolve(spec, named, (name,)) for name, spec in named.items()}
        except ParameterError as error:
            raise ConfigError(f"{self.place}: features: {error}") from None

    @property
    def place(self) -> str:
        """File, line and class, for messages."""
        if self.source is None:
            return self.label
        return f"{self.source.written}:{self.source.line}: {self.source.class_name}"


def user_class_from_file(path: str, params: Mapping[str, Any], directory: Path | None) -> UserClass:
    """Return the class that `path` (`file.py:ClassName`) names, loaded anew.

    Raises:
        ConfigError: there is none, or it cannot be a strategy, or does not take these parameters.
        StrategyError: the file raised while it was executed.
    """
    try:
        source = read_source(path, directory)
    except SourceError as error:
        raise ConfigError(str(error)) from None
    return user_class(load_class(source), source, source.label, params, source.sha256)


def user_class(
    cls: type, source: Source | None, label: str, params: Mapping[str, Any], sha256: str | None = None
) -> UserClass:
    """Return a class with its parameters, checked.

    Raises:
        ConfigError: it has neither or both styles, or does not take these parameters.
    """
    made = UserClass(cls, source, label, params, sha256)
    styles = [words for name, words in _STYLES.items() if callable(getattr(cls, name, None))]
    if len(styles) != 1:
        found = "both" if styles else "neither"
        raise ConfigError(f"{made.place} must define {' or '.join(_STYLES.values())}, one of them (it has {found})")
    return UserClass(cls, source, label, _complete(made), sha256)


def _complete(made: UserClass) -> dict[str, Any]:
    """Return the parameters with the defaults of those that were not given."""
    try:
        signature = inspect.signature(made.cls)
    except (TypeError, ValueError):
        return dict(made.params)
    takes = {name: p for name, p in signature.parameters.items() if p.kind is not inspect.Parameter.POSITIONAL_ONLY}
    is_open = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in takes.values())
    named = {
        name: p
        for name, p in takes.items()
        if p.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    }
    for name in made.params:
        if name not in named and not is_open:
            hint = did_you_mean(name, list(named)).replace('"', "")
            raise ConfigError(f"{made.place} takes no parameter {name}{hint or f'; it takes: {_listed(named)}'}")
    missing = [n for n, p in named.items() if p.default is inspect.Parameter.empty and n not in made.params]
    if missing:
        raise ConfigError(f"{made.place} needs the parameter {missing[0]}; write params: {{{missing[0]}: …}}")
    defaults = {n: p.default for n, p in named.items() if p.default is not inspect.Parameter.empty}
    # A dataclass hides what a factory makes; it is left to make it.
    plain = {n: value for n, value in defaults.items() if value is None or type(value) in (bool, int, float, str)}
    return {**plain, **made.params}


def _listed(named: Mapping[str, Any]) -> str:
    return ", ".join(named) or "none"


def _check_method(made: UserClass, name: str, method: Any, count: int) -> None:
    if any(
        check(method)
        for check in (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    ):
        raise ConfigError(f"{made.place}: {name} must be a plain method, without yield or async: it would never run")
    try:
        inspect.signature(method).bind(*[None] * count)
    except TypeError as error:
        wanted = _STYLES.get(name, f"{name}({'ctx, fill' if count == 2 else 'ctx'})")
        raise ConfigError(f"{made.place}: must be {wanted} ({error})") from None
    except ValueError:
        return
