"""`type: rules`: entries and exits as expressions in the configuration. Refuses to evaluate them."""

from __future__ import annotations

from collections.abc import Sequence

from admf_cli.features import ParameterError
from admf_cli.features.parameters import Fault, Parameter
from admf_cli.strategies.description import (
    REPEAT,
    TIMEZONE,
    Features,
    Params,
    StrategyInfo,
    expression_fault,
    features_named,
)
from admf_cli.strategies.interface import Strategy
from admf_cli.strategies.rule_based import Rule, RuleBased

_SHORT_FOR = {"entry": "enter_long", "exit": "exit_long"}
_MOVES = ("enter_long", "exit_long", "enter_short", "exit_short")


def _expression(name: str, doc: str) -> Parameter:
    return Parameter(name, "expression", None, doc=doc)


def _check(params: Params) -> Sequence[Fault]:
    faults = [Fault(short, f"is short for {long}: write one of them") for short, long in _SHORT_FOR.items()
              if params[short] is not None and params[long] is not None]  # fmt: skip
    moves = _moves(params)
    if "enter_long" not in moves and "enter_short" not in moves:
        faults.append(Fault("", "needs an entry: write enter_long: close > open"))
    for side in ("long", "short"):
        if f"exit_{side}" in moves and f"enter_{side}" not in moves and not faults:
            faults.append(Fault(moves[f"exit_{side}"][0], f"has nothing to leave: write enter_{side} too"))
    for parameter, expression in moves.values():
        faults.extend(expression_fault(parameter, expression, None))
    return faults


def _moves(params: Params) -> dict[str, tuple[str, str]]:
    """Return move -> (the parameter it was written under, its expression)."""
    written = {_SHORT_FOR.get(name, name): name for name in (*_MOVES, *_SHORT_FOR) if params[name] is not None}
    return {move: (written[move], params[written[move]]) for move in _MOVES if move in written}


def _build(params: Params, features: Features) -> Strategy:
    moves = _moves(params)
    faults = [
        fault for name, expression in moves.values() for fault in expression_fault(name, expression, list(features))
    ]
    if faults:
        raise ParameterError("", faults)
    read = features_named([expression for _, expression in moves.values()], features)
    rules = {move: Rule(move, expression) for move, (_, expression) in moves.items()}
    return RuleBased(read, **rules, timezone=params["timezone"], repeat=params["repeat"])


INFO = StrategyInfo(
    name="rules",
    summary="Enter and leave by conditions of your own over bars and features",
    source="the conditions as written; nothing of them is ever run as Python",
    parameters=(
        _expression("enter_long", "when to go long, such as close > sma_200 and rsi_14 < 30"),
        _expression("exit_long", "when to leave a long position"),
        _expression("enter_short", "when to go short"),
        _expression("exit_short", "when to leave a short position"),
        _expression("entry", "short for enter_long"),
        _expression("exit", "short for exit_long"),
        TIMEZONE,
        REPEAT,
    ),
    rules=(
        "On each bar a symbol's exit comes before its entry; an entry whose own exit holds on the same bar is void, "
        "and entries of both sides on one bar void each other.",
        "An entry of the other side reverses the position.",
        "A condition that reads an undefined value holds neither as written nor under `not`.",
    ),
    example="""\
features:
  sma_200: {type: SMA, timeperiod: 200}
  rsi_14: {type: RSI, timeperiod: 14}
strategies:
  - name: dips
    type: rules
    params:
      enter_long: close > sma_200 and rsi_14 < 30
      exit_long: rsi_14 > 60 or close < sma_200
""",
    build=_build,
    check=_check,
)
