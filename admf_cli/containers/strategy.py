"""The strategy container: one strategy's decisions as SIGNALs. Refuses to know of positions, cash and orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import compress, repeat
from typing import Any

import numpy as np

from admf_cli.clock import DECIDE
from admf_cli.containers.base import Container
from admf_cli.containers.contents import SignalContent
from admf_cli.errors import ConfigError
from admf_cli.features import ParameterError
from admf_cli.market.bars import Bars, FloatArray
from admf_cli.python_strategies.calls import StrategyError
from admf_cli.strategies.composition import rule_timezones
from admf_cli.strategies.interface import Decisions, Strategy


class StrategyContainer(Container):
    """Lets a columnar strategy decide over the whole series at once, and publishes each decision when its bar closes.

    Args:
        strategy: pure: columns in, decisions out.
        roles: the name the strategy reads a feature under -> the name it has in the features container.
        history: warm-up bars and the phase.
        first: index in `history` of the phase's first bar.
        features: called once, when everything is computed: feature name -> shape (n_history, n_symbols).
        bar_id: bar, symbol index -> id of the BAR event that a decision answers.
    """

    container_type = "strategy"

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        strategy: Strategy,
        roles: Mapping[str, str],
        history: Bars,
        first: int,
        features: Callable[[], Mapping[str, FloatArray]],
        bar_id: Callable[[int, int], str],
    ) -> None:
        super().__init__(config)
        self._strategy = strategy
        self._roles = roles
        self._history = history
        self._first = first
        self._features = features
        self._bar_id = bar_id
        self._name: str = self.settings["name"]
        self._next = 0
        self._bars: list[int] = []  # of each decision, in order, and behind the last a bar that never comes

    def describe(self) -> Mapping[str, Any]:
        """Return the strategy's settings with its rules as expressions, their zone, and the features they read."""
        return {
            **self.settings,
            "rules": dict(self._strategy.rules()),
            **_zones(self._strategy),
            "features": dict(self._roles),
        }

    def prepare(self) -> None:
        """Decide over the whole series; decisions before the phase's first bar, or for other symbols, are left out."""
        values = self._features()
        roles = {role: values[name] for role, name in self._roles.items()}
        try:
            decisions = self._strategy.decide(self._history, roles, self._first)
        except StrategyError as error:
            self.fail(error.summary, error.details)
            raise
        except ParameterError as error:
            raise ConfigError(f"strategy {self._name}: {error}") from None
        self._take(decisions)
        self.clock.at(self._rank, self._bars[0], DECIDE)

    def wake(self, bar: int, stage: int) -> None:
        """Publish this bar's decisions, and ask to be woken for the next."""
        bars, row, kind = self._bars, self._next, self._kind
        while bars[row] == bar:
            symbol, target, price, rule, evidence = self._rows[row]
            if kind != "direction":
                action = "rebalance"
            elif target == 0.0:
                action = "exit"
            else:
                action = "enter_long" if target > 0.0 else "enter_short"
            signal = SignalContent(self._name, kind, target, action, price, rule, self._names, evidence, self._drift)
            self.publish("SIGNAL", signal, symbol=self._symbols[symbol], cause=self._bar_id(bar, symbol))
            row += 1
        self._next = row
        self.clock.at(self._rank, bars[row], DECIDE)

    def _take(self, decisions: Decisions) -> None:
        wanted = decisions.bar >= self._first
        only = self.settings.get("symbols")
        if only:
            indices = [index for index, name in enumerate(self._history.symbols) if name in only]
            wanted &= np.isin(decisions.symbol, indices)
        bar, symbol = decisions.bar[wanted], decisions.symbol[wanted]
        self._kind = decisions.kind
        self._drift = decisions.drift
        self._symbols = self._history.symbols
        self._bars = [*(bar - self._first).tolist(), self.clock.n_bars]
        rules = decisions.rule or (None,) * len(wanted)
        self._names = tuple(decisions.evidence)
        evidence = [column[wanted].tolist() for column in decisions.evidence.values()]
        self._rows: list[tuple[int, float, float, str | None, tuple[float | None, ...]]] = list(
            zip(
                symbol.tolist(),
                decisions.target[wanted].astype(float).tolist(),
                self._history.close[bar, symbol].tolist(),
                compress(rules, wanted.tolist()),
                zip(*evidence, strict=True) if evidence else repeat((), len(bar)),
                strict=True,
            )
        )


def _zones(strategy: Strategy) -> dict[str, Any]:
    """Return the zone that all rules have in common, or which rule has which; nothing of UTC."""
    zones = rule_timezones(strategy)
    common = set(zones.values()) or {getattr(strategy, "timezone", "UTC")}
    if len(common) > 1:
        return {"timezones": {rule: zone for rule, zone in zones.items() if zone != "UTC"}}
    zone = common.pop()
    return {} if zone == "UTC" else {"timezone": zone}
