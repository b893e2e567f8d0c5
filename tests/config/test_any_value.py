"""Whatever stands anywhere in a configuration, the answer is a sound configuration or a ConfigError."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admf_cli.config import load_config
from admf_cli.errors import ConfigError

SOUND: dict[str, Any] = {
    "name": "n",
    "workflow": {"id": "x", "phases": [{"name": "a", "start": "2001-01-01", "end": None}]},
    "data": {"source": "csv", "path": "d.csv", "symbols": ["A"], "start": "2000-01-01", "columns": {"open": "O"}},
    "instruments": {"default": {"lot_size": 1.0}},
    "features": {"f": {"type": "SMA", "timeperiod": 3}},
    "strategies": [
        {
            "name": "s",
            "type": "sma_crossover",
            "params": {"fast": 3, "slow": 9},
            "symbols": ["A"],
            "orders": {"entry": {"type": "limit", "limit_offset": -0.1}},
        }
    ],
    "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}, "stop_loss": {"percent": 0.1}}],
    "portfolio": {"initial_capital": 1000},
    "execution": {
        "commission": {"type": "tiered", "tiers": [{"rate": 0.1}]},
        "slippage": {"type": "bps", "bps": 1},
        "trace_settings": {"event_filters": ["FILL"], "container_settings": {"data": {"enabled": False}}},
    },
}


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of everything below a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from paths(child, (*path, key))


PLACES = list(paths(SOUND))
WORDS = sorted({str(step) for path in PLACES for step in path})
WORDS += [
    "",
    "[key]",
    "<fixed>",
    "synthetic",
    "{symbol}",
    "risk_per_trade",
    "ticks",
    "MACD",
    "default",
    "percent_equity",
]
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
    | st.builds(object)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), values), min_size=1, max_size=4))
def test_any_value_anywhere_is_taken_or_refused_with_a_rule(changes: list[tuple[tuple[str | int, ...], Any]]) -> None:
    config = copy.deepcopy(SOUND)
    for path, value in changes:
        holder: Any = config
        for step in path[:-1]:
            inside = (isinstance(holder, dict) and step in holder) or (
                isinstance(holder, list) and step in range(len(holder))
            )
            holder = holder[step] if inside else None
        if isinstance(holder, dict) or (isinstance(holder, list) and path[-1] in range(len(holder))):
            holder[path[-1]] = value
    faults = []
    try:
        resolved = load_config(config)
    except ConfigError as error:
        faults = error.faults
        resolved = None
    assert (resolved is None) == bool(faults)
    assert all(fault.rule and str(fault) for fault in faults)
    if resolved is not None:
        assert load_config(resolved.values).values == resolved.values


def test_the_configuration_that_is_changed_is_sound() -> None:
    assert load_config(SOUND).values["strategies"][0]["params"]["fast"] == 3
