"""What is said of `type: python` among the built-in strategies; the class itself is loaded by `python_strategies`."""

from __future__ import annotations

from admf_cli.features import ParameterError
from admf_cli.features.parameters import Fault
from admf_cli.strategies.description import Features, Params, StrategyInfo
from admf_cli.strategies.interface import Strategy

TYPE = "python"


def _build(params: Params, features: Features) -> Strategy:
    rule = "must not be python inside another strategy; a member can name a python strategy that has targets()"
    raise ParameterError(TYPE, [Fault("type", rule)])


INFO = StrategyInfo(
    name=TYPE,
    summary="A class of your own, in a Python file",
    source="docs/writing-a-strategy.md",
    parameters=(),
    rules=(
        "A class with targets(bars, features) decides over whole columns.",
        "A class with on_bar(ctx) is called at every close and sends orders.",
        "Its parameters are those of the class.",
    ),
    example="""\
strategies:
  - name: breakout
    type: python
    path: my_strategies.py:Breakout
    params: {channel: 20}
""",
    build=_build,
    open=True,
)
