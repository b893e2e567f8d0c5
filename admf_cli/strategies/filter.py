"""Filters: a condition of the market opens and closes the gate for a strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from admf_cli.features import FeatureSpec, ParameterError
from admf_cli.features.parameters import Fault, Parameter
from admf_cli.strategies.composition import (
    held,
    member_decisions,
    member_features,
    member_rules,
    member_timezones,
    of_symbol,
    rules_decided,
)
from admf_cli.strategies.description import (
    TIMEZONE,
    Features,
    Params,
    StrategyInfo,
    expression_fault,
    features_named,
)
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.nesting import Member

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, BoolArray, FloatArray, IntArray
    from admf_cli.strategies.interface import Decisions

_OPENS, _CLOSES = "gate opens", "gate closes"


class Filter(Struct, frozen=True):
    """Wants what its strategy wants while the gate is open.

    Attributes:
        features: those that the gate reads.
        opens, closes: expressions; `hysteresis` if the gate stays as it is where neither holds.
        holds: True if a closed gate bars entries only, False if it ends positions.
        resumes: True if an opening gate takes up what the strategy has come to want meanwhile.
    """

    member: Member
    features: Mapping[str, FeatureSpec]
    opens: str
    closes: str
    hysteresis: bool
    holds: bool
    resumes: bool
    timezone: str

    def required_features(self) -> Mapping[str, FeatureSpec]:
        """Return the gate's, and the strategy's as `name.role`."""
        return {**self.features, **member_features([self.member])}

    def rules(self) -> Mapping[str, str]:
        """Return the gate's, then the strategy's."""
        return {_OPENS: self.opens, _CLOSES: self.closes, **member_rules([self.member])}

    def timezones(self) -> Mapping[str, str]:
        """Return the zones of the gate's and of the strategy's rules."""
        return {_OPENS: self.timezone, _CLOSES: self.timezone, **member_timezones([self.member])}

    def decide(self, bars: Bars, features: Mapping[str, FloatArray], first: int) -> Decisions:
        """Return a decision at each bar at which the strategy or the gate changes what is wanted."""
        import numpy as np

        from admf_cli.strategies.evaluation import Evaluator
        from admf_cli.strategies.expression import parse_condition
        from admf_cli.strategies.positions import with_evidence
        from admf_cli.strategies.rule_based import evidence_of

        decisions = member_decisions(self.member, bars, features, first)
        evaluator = Evaluator(bars, features, first, self.timezone)
        opens, closes = parse_condition(self.opens), parse_condition(self.closes)
        opening, closing = evaluator.holds(opens), evaluator.holds(closes)
        wanted = held(decisions, bars)
        let_through, gate = np.zeros(bars.close.shape), np.zeros(bars.close.shape)
        emitted = np.zeros(bars.close.shape, dtype=bool)
        for symbol in range(bars.n_symbols):
            own = np.arange(bars.n_bars) if bars.present is None else np.flatnonzero(bars.present[:, symbol])
            is_open = self._gate(opening[own, symbol], closing[own, symbol])
            gate[own, symbol] = is_open
            trading = own >= first
            own, is_open = own[trading], is_open[trading]
            decided = np.isin(own, of_symbol(decisions, symbol)[0])
            passed = self._passed(wanted[own, symbol], is_open, decided)
            before = np.concatenate(([0.0], passed[:-1])) if len(passed) else passed
            let_through[own, symbol] = passed
            again = decided & (passed == wanted[own, symbol]) & (passed != 0.0)
            emitted[own, symbol] = (passed != before) | again
        bar, symbol_index = np.nonzero(emitted)
        names = self._names(bar, symbol_index, decisions, gate)
        evidence = {self.member.name: wanted, "gate": gate, **evidence_of([opens, closes], evaluator)}
        return with_evidence(bars, bar, symbol_index, let_through[bar, symbol_index], names, evidence, decisions.kind)

    def _gate(self, opening: BoolArray, closing: BoolArray) -> BoolArray:
        """Return whether the gate is open at each of one symbol's bars; it begins closed."""
        from admf_cli.strategies.positions import wanted_positions

        if not self.hysteresis:
            return opening
        never = opening & False
        is_open: BoolArray = wanted_positions(opening, closing, never, never) == 1
        return is_open

    def _passed(self, wanted: FloatArray, is_open: BoolArray, decided: BoolArray) -> FloatArray:
        """Return what comes through the gate at each of one symbol's bars."""
        import numpy as np

        place = np.arange(len(wanted))
        since = np.maximum.accumulate(np.where(decided, place, -1))  # the strategy's last decision
        if self.holds and not self.resumes:
            passes = (since >= 0) & is_open[np.maximum(since, 0)]
        elif self.holds:
            last_open = np.maximum.accumulate(np.where(is_open, place, -1))
            passes = since <= last_open
        elif not self.resumes:
            passes = np.maximum.accumulate(np.where(is_open, -1, place)) < since
        else:
            passes = is_open
        return np.where(passes, wanted, 0.0)

    def _names(self, bar: IntArray, symbol: IntArray, decisions: Decisions, gate: FloatArray) -> tuple[str, ...]:
        rules = rules_decided([self.member], [decisions])
        opened = gate[bar, symbol].tolist()
        places = zip(bar.tolist(), symbol.tolist(), strict=True)
        return tuple(
            rules.get(place) or (_OPENS if is_open else _CLOSES) for place, is_open in zip(places, opened, strict=True)
        )


def _build(params: Params, features: Features) -> Strategy:
    written = {name: params[name] for name in ("open_when", "close_when") if params[name] is not None}
    faults = [fault for name, text in written.items() for fault in expression_fault(name, text, list(features))]
    if faults:
        raise ParameterError("", faults)
    return Filter(
        params["strategy"],
        features_named(written.values(), features),
        params["open_when"],
        params["close_when"] or f"not ({params['open_when']})",
        params["close_when"] is not None,
        params["closed"] == "hold",
        params["resume"],
        params["timezone"],
    )


def _check(params: Params) -> Sequence[Fault]:
    return [
        fault
        for name in ("open_when", "close_when")
        if params[name] is not None
        for fault in expression_fault(name, params[name], None)
    ]


INFO = StrategyInfo(
    name="filter",
    summary="Let a strategy trade only while a condition of the market holds",
    source="regime filters, such as prices above a long average: Faber (2007), A Quantitative Approach to Tactical "
    "Asset Allocation, Journal of Wealth Management 9(4)",
    parameters=(
        Parameter(
            "strategy", "strategy", required=True, doc="a block with name, type and params, or a strategy's name"
        ),
        Parameter("open_when", "expression", required=True, doc="the gate is open where this holds"),
        Parameter(
            "close_when",
            "expression",
            None,
            doc="the gate then stays open until this holds; null: while open_when holds",
        ),
        Parameter(
            "closed",
            "str",
            "flat",
            choices=("flat", "hold"),
            doc="what a closed gate does: end positions, or only bar new ones",
        ),
        Parameter(
            "resume",
            "bool",
            True,
            doc="true: an opening gate takes up what the strategy wants by then; false: its next decision counts",
        ),
        TIMEZONE,
    ),
    rules=(
        "The gate is closed where its condition reads an undefined value.",
        "flat: what the strategy wants passes while the gate is open; when it closes, positions are left.",
        "hold: while the gate is closed, exits pass and entries do not; what is held stays.",
        "The strategy itself knows nothing of the gate: it goes on deciding while the gate is closed.",
        "A regime of several states is an ensemble with method: first, each member a filter of its own.",
    ),
    example="""\
features:
  sma_200: {type: SMA, timeperiod: 200}
  volatility: {type: REALISED_VOLATILITY, timeperiod: 20, periods_per_year: 252}
strategies:
  - name: calm_dips
    type: filter
    params:
      strategy: {name: dips, type: rsi_mean_reversion, params: {exit_long: 55}}
      open_when: close > sma_200 and volatility < 0.25
      close_when: volatility > 0.35
      closed: flat
""",
    build=_build,
    check=_check,
)
