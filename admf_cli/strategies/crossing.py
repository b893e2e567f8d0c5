"""The decision that several strategies share: one line crosses another. Refuses to know what the lines are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from admf_cli.market.bars import Bars, FloatArray
    from admf_cli.strategies.interface import Decisions


def decide_crossing(
    above: tuple[str, FloatArray],
    below: tuple[str, FloatArray],
    bars: Bars,
    first: int,
    direction: str,
    repeat: bool,
    more_evidence: Mapping[str, FloatArray] | None = None,
) -> Decisions:
    """Return the decisions of going long when one line crosses above the other, and out or short when below.

    Args:
        above, below: (role, values) of the line that crosses and of the line that is crossed.
    """
    from admf_cli.strategies.conditions import crosses_above, crosses_below
    from admf_cli.strategies.positions import Conditions, RuleNames, decide_positions

    (fast, fast_values), (slow, slow_values) = above, below
    up, down = crosses_above(fast_values, slow_values, bars), crosses_below(fast_values, slow_values, bars)
    over, under = f"{fast} crosses above {slow}", f"{fast} crosses below {slow}"
    return decide_positions(
        Conditions(up, down, down, up).limited_to(direction),
        RuleNames(over, under, under, over),
        bars,
        first,
        {
            fast: fast_values,
            slow: slow_values,
            f"{fast}_previous": (fast_values, 1),
            f"{slow}_previous": (slow_values, 1),
            **(more_evidence or {}),
        },
        repeat=repeat,
    )
