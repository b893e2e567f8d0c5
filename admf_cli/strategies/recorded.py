"""What is said of `type: recorded` among the built-in strategies; its decisions are read by `signals`."""

from __future__ import annotations

from admf_cli.features import ParameterError
from admf_cli.features.parameters import Fault
from admf_cli.strategies.description import Features, Params, StrategyInfo
from admf_cli.strategies.interface import Strategy

TYPE = "recorded"


def _build(params: Params, features: Features) -> Strategy:
    raise ParameterError(TYPE, [Fault("type", "must not be recorded inside another strategy: it stands by itself")])


INFO = StrategyInfo(
    name=TYPE,
    summary="Decisions made elsewhere, read from a CSV file or from traces",
    source="docs/signals.md",
    parameters=(),
    rules=("With workflow.mode: signal_replay, whatever `signals.path` holds for the strategy's name.",),
    example="""\
workflow: {mode: signal_replay}
signals: {path: signals.csv}
strategies:
  - name: elsewhere
    type: recorded
""",
    build=_build,
    open=True,
)
