"""Turns entry and exit conditions into decisions. Refuses to know where the conditions come from.

The wanted position of each symbol begins flat at the first bar of trading. On each bar an exit that applies to it
comes first, then an entry; an entry whose own exit holds on the same bar is void, and entries of both sides on one
bar void each other. A decision is made when the wanted position changes, or, with `repeat`, on every bar on which the
condition for the position held is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from msgspec import Struct

from admf_cli.market.bars import Bars, BoolArray, FloatArray, IntArray
from admf_cli.strategies.conditions import values_at
from admf_cli.strategies.interface import Decisions

Evidence = Mapping[str, FloatArray | tuple[FloatArray, int]]
"""Name -> values (n_bars, n_symbols), or (values, lag in the symbol's own bars)."""


class Conditions(Struct, frozen=True):
    """Where each move is called for, shape (n_bars, n_symbols); None where a strategy never makes that move."""

    enter_long: BoolArray | None = None
    exit_long: BoolArray | None = None
    enter_short: BoolArray | None = None
    exit_short: BoolArray | None = None


class RuleNames(Struct, frozen=True):
    """The keys in a strategy's `rules()` of its four moves."""

    enter_long: str
    exit_long: str
    enter_short: str
    exit_short: str


def decide_positions(
    conditions: Conditions, names: RuleNames, bars: Bars, first: int, evidence: Evidence, *, repeat: bool = False
) -> Decisions:
    """Return the decisions that follow from `conditions`, from bar `first` on."""
    rows: list[IntArray] = []
    symbols: list[IntArray] = []
    targets: list[IntArray] = []
    rules: list[IntArray] = []
    for symbol in range(bars.n_symbols):
        moves = [
            None if mask is None else mask[first:, symbol]
            for mask in (conditions.enter_long, conditions.exit_long, conditions.enter_short, conditions.exit_short)
        ]
        row, target, rule = _of_one_symbol(moves, bars.n_bars - first, repeat)
        rows.append(row + first)
        symbols.append(np.full(len(row), symbol))
        targets.append(target)
        rules.append(rule)
    bar, symbol_index = np.concatenate(rows), np.concatenate(symbols)
    order = np.lexsort((symbol_index, bar))
    keys = (names.enter_long, names.exit_long, names.enter_short, names.exit_short)
    return with_evidence(
        bars,
        bar[order],
        symbol_index[order],
        np.concatenate(targets)[order].astype(np.float64),
        tuple(keys[rule] for rule in np.concatenate(rules)[order].tolist()),
        evidence,
    )


def decide_weights(
    moments: BoolArray,
    weights: FloatArray,
    rule_of: Callable[[int, int], str],
    bars: Bars,
    first: int,
    evidence: Evidence,
) -> Decisions:
    """Return a decision at each moment that asks for a weight, or that ends one asked for before.

    Args:
        moments: shape (n_bars, n_symbols), where a weight is set anew.
        weights: that shape, signed fractions of equity; read at the moments only.
        rule_of: bar, symbol index -> the name of the rule that set the weight there.
    """
    rows, symbols = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for symbol in range(bars.n_symbols):
        own = first + np.flatnonzero(moments[first:, symbol])
        asked = weights[own, symbol] != 0.0
        asked[1:] |= asked[:-1].copy()
        rows.append(own[asked])
        symbols.append(np.full(int(asked.sum()), symbol))
    bar, symbol_index = np.concatenate(rows), np.concatenate(symbols)
    order = np.lexsort((symbol_index, bar))
    bar, symbol_index = bar[order], symbol_index[order]
    names = tuple(map(rule_of, bar.tolist(), symbol_index.tolist()))
    return with_evidence(bars, bar, symbol_index, weights[bar, symbol_index], names, evidence, "weight")


def with_evidence(
    bars: Bars,
    bar: IntArray,
    symbol: IntArray,
    target: FloatArray | float,
    rule: tuple[str, ...],
    evidence: Evidence,
    kind: str = "direction",
) -> Decisions:
    """Return decisions with the values of `evidence` at each; one `target` stands for all."""
    gathered = {}
    for name, source in evidence.items():
        values, lag = source if isinstance(source, tuple) else (source, 0)
        gathered[name] = values_at(values, bars, bar, symbol, lag)
    return Decisions(
        bar,
        symbol,
        np.broadcast_to(np.float64(target), bar.shape) if isinstance(target, float) else target,
        kind,
        rule,
        gathered,
    )


def wanted_positions(
    enter_long: BoolArray, exit_long: BoolArray, enter_short: BoolArray, exit_short: BoolArray
) -> IntArray:
    """Return the wanted position (+1, 0, -1) after each of a series of rows, flat before the first.

    The last row that fixes the position whatever it was (an entry, or exits of both sides) is found for each row by a
    running maximum; a later exit of that side empties it.
    """
    long_ok, short_ok = enter_long & ~exit_long, enter_short & ~exit_short
    fixed = np.where(long_ok == short_ok, 0, long_ok.astype(np.int64) - short_ok)
    fixes = (long_ok != short_ok) | (exit_long & exit_short)
    place = np.arange(len(fixes))
    since = np.maximum.accumulate(np.where(fixes, place, -1))
    wanted = np.where(since >= 0, fixed[since], 0)
    for side, leaves in ((1, exit_long), (-1, exit_short)):
        left = np.maximum.accumulate(np.where(leaves, place, -1)) > since
        wanted[(wanted == side) & left] = 0
    return wanted


def changes_of(
    enter_long: BoolArray, exit_long: BoolArray, enter_short: BoolArray, exit_short: BoolArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return (row, position from then on, index of the move that brought it) of each change, flat before row 0."""
    return _of_one_symbol([enter_long, exit_long, enter_short, exit_short], len(enter_long), False)


def _of_one_symbol(moves: list[BoolArray | None], n_bars: int, repeat: bool) -> tuple[IntArray, IntArray, IntArray]:
    """Return (row, target, index of the rule) of one symbol's decisions."""
    anything = np.zeros(n_bars, dtype=bool)
    for mask in moves:
        if mask is not None:
            anything |= mask
    rows = np.flatnonzero(anything)
    nothing = np.zeros(len(rows), dtype=bool)
    enter_long, exit_long, enter_short, exit_short = (nothing if mask is None else mask[rows] for mask in moves)
    wanted = wanted_positions(enter_long, exit_long, enter_short, exit_short)
    before = np.concatenate(([0], wanted[:-1])) if len(wanted) else wanted
    changes = wanted != before
    rule = np.where(wanted == 1, 0, np.where(wanted == -1, 2, np.where(before == -1, 3, 1)))
    if repeat:
        holds = np.where(wanted == 1, enter_long, np.where(wanted == -1, enter_short, exit_long | exit_short))
        rule = np.where((wanted == 0) & ~changes, np.where(exit_long, 1, 3), rule)
        changes |= holds
    return rows[changes], wanted[changes], rule[changes]
