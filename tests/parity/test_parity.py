"""ADMF's fills are the fills of backtesting.py and of backtrader, or differ by a rule of docs/parity.md and only by it.

For every market a family of plans is run by ADMF, by the other backtester and by the plain loop of
tests/engine/reference.py under the other's rules. The other must do what the loop predicts; where a family has no
differing rule, that is what ADMF does, too. `make parity` looks at thousands of markets, `make test` at a few.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from tests.engine.conversion import as_reference, run
from tests.engine.markets import walk
from tests.engine.reference import Bar, Plan, Reference, Rules
from tests.parity import with_backtesting, with_backtrader
from tests.parity.fills import Fill, Outcome, of_events

MARKETS = int(os.environ.get("ADMF_PARITY_MARKETS", "4"))
DATA = sorted((Path(__file__).parents[2] / "data").glob("*_daily.csv"))
PERCENT = {"type": "percent", "rate": 0.001}
PER_SHARE = {"type": "per_share", "rate": 0.01}
MINIMUM = {"type": "percent", "rate": 0.001, "minimum": 3.0}
ALL = ("long_flat", "long_short", "short_flat")
OURS = Rules()


@dataclass(frozen=True)
class Family:
    """Plans of one kind, and the other's rules for them.

    Attributes:
        choices: field of Plan -> values to choose from.
        directions: which may be traded.
    """

    name: str
    peer: Callable[[Plan, list[Bar]], Outcome]
    choices: dict[str, list[Any]] = field(default_factory=dict)
    rules: Rules = OURS
    directions: tuple[str, ...] = ALL

    def plan(self, seed: int) -> Plan:
        """Return one of the plans."""
        random = np.random.default_rng([seed, len(self.name)])
        given: dict[str, list[Any]] = {
            "fast": [1, 2, 3],
            "slow": [4, 5, 9],
            "direction": list(self.directions),
            "quantity": [10.0, None],
            "percent": [0.3],
            "commission": [{}, PERCENT, PER_SHARE],
            **self.choices,
        }
        return Plan(**{key: values[int(random.integers(len(values)))] for key, values in given.items()})


def styles(kind: str, **more: Any) -> list[dict[str, Any]]:
    """Return entries of a kind of order at several offsets."""
    limits = [-0.02, -0.005, 0.004] if "limit" in kind else [None]
    stops = [-0.01, 0.005, 0.015] if kind in ("stop", "stop_limit") else [None]
    rows = [{"type": kind, "limit_offset": limit, "stop_offset": stop, **more} for limit in limits for stop in stops]
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


def days(kind: str) -> list[dict[str, Any]]:
    """Return entries that expire after a day, or after some."""
    some = {"time_in_force": "GTD"}
    return styles(kind, time_in_force="DAY") + [s for n in (2, 4) for s in styles(kind, **some, good_till={"bars": n})]


BT, TRADER = with_backtesting.run, with_backtrader.run
TRAILS = [{"type": "trailing_stop", "trail_percent": 0.02}, {"type": "trailing_stop", "trail_amount": 1.5}]
FROM_CLOSE = [{"percent": 0.01, "from": "close"}, {"percent": 0.04, "from": "close"}]
LATE = Rules(exits_on_entry_bar="never", open_decides=False)

FAMILIES = [
    # backtesting.py: the same rules
    Family("backtesting: market orders", BT),
    Family("backtesting: a minimum commission", BT, {"commission": [MINIMUM]}, directions=("long_flat", "short_flat")),
    Family("backtesting: limit entries", BT, {"entry": styles("limit")}),
    Family("backtesting: stop entries", BT, {"entry": styles("stop")}),
    # backtesting.py: other rules
    Family("backtesting: orders fill at the close", BT, {"fill_price": ["close"]}, Rules(last_close=False)),
    Family("backtesting: a minimum per trade", BT, {"commission": [MINIMUM]}, Rules(parts=True)),
    Family("backtesting: stop-limit entries", BT, {"entry": styles("stop_limit")}, Rules(stop_limit="backtesting")),
    Family("backtesting: a spread", BT, {"bps": [5.0]}, Rules(parts=True, slip="entries")),
    Family(
        "backtesting: stop-loss and take-profit",
        BT,
        {"stop_loss": FROM_CLOSE, "take_profit": [None, *FROM_CLOSE]},
        Rules(open_decides=False),
    ),
    Family(
        "backtesting: limit entries with stop-loss and take-profit",
        BT,
        {"entry": styles("limit"), "stop_loss": FROM_CLOSE[1:], "take_profit": [None, *FROM_CLOSE]},
        Rules(open_decides=False, exits_on_entry_bar="market"),
        ALL[::2],
    ),
    Family(
        "backtesting: stop entries with stop-loss",
        BT,
        {"entry": styles("stop"), "stop_loss": FROM_CLOSE[1:]},
        Rules(open_decides=False, exits_on_entry_bar="market"),
        ALL[::2],
    ),
    # backtrader: the same rules
    Family("backtrader: market orders", TRADER, {"bps": [0.0, 5.0]}),
    Family("backtrader: a minimum commission", TRADER, {"commission": [MINIMUM]}, directions=("long_flat",)),
    Family("backtrader: limit entries", TRADER, {"entry": styles("limit") + days("limit")}),
    Family("backtrader: stop entries", TRADER, {"entry": styles("stop") + days("stop"), "bps": [0.0, 5.0]}),
    Family("backtrader: trailing-stop entries", TRADER, {"entry": TRAILS}),
    Family("backtrader: limit exits", TRADER, {"exit": styles("limit")}, directions=("long_flat", "short_flat")),
    Family("backtrader: trailing exits", TRADER, {"exit": TRAILS}, directions=("long_flat", "short_flat")),
    Family("backtrader: market on close", TRADER, {"entry": [{"type": "market_on_close"}]}),
    Family(
        "backtrader: a holding period",
        TRADER,
        {"max_holding_period": [2, 3, 5]},
        directions=("long_flat", "short_flat"),
    ),
    Family(
        "backtrader: part of the volume",
        TRADER,
        {"participation": [0.01, 0.05], "quantity": [40.0]},
        directions=("long_flat", "short_flat"),
    ),
    Family("backtrader: as much as cash buys", TRADER, {"percent": [1.0], "quantity": [None]}, directions=ALL[:1]),
    # backtrader: other rules
    Family("backtrader: orders fill at the close", TRADER, {"fill_price": ["close"]}, Rules(last_close=False)),
    Family("backtrader: a minimum per part", TRADER, {"commission": [MINIMUM]}, Rules(parts=True)),
    Family(
        "backtrader: a reversal beyond cash",
        TRADER,
        {"percent": [1.0], "quantity": [None], "commission": [PERCENT]},
        Rules(parts=True, cash="closing"),
        ("long_short",),
    ),
    Family("backtrader: stop-limit entries", TRADER, {"entry": styles("stop_limit")}, Rules(stop_limit="backtrader")),
    Family("backtrader: limits slip", TRADER, {"entry": styles("limit"), "bps": [5.0]}, Rules(slip="open")),
    Family("backtrader: stop-loss", TRADER, {"stop_loss": [0.01, 0.03, {"amount": 2.0}, *FROM_CLOSE]}, LATE),
    Family("backtrader: trailing stop", TRADER, {"trailing_stop": [0.02, {"amount": 2.0}]}, LATE),
    Family(
        "backtrader: one cancels the other",
        TRADER,
        {"stop_loss": [0.01, 0.03], "take_profit": [0.01, 0.04, *FROM_CLOSE], "trailing_stop": [None, 0.02]},
        LATE,
    ),
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_generated_markets(family: Family) -> None:
    for seed in range(MARKETS):
        random = np.random.default_rng(seed)
        bars = walk(seed, int(random.integers(20, 160)), float(random.choice([0.01, 0.5])), 0.01)
        _agree(family, family.plan(seed), bars)


@pytest.mark.parametrize("file", DATA, ids=lambda file: file.stem)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_real_markets(family: Family, file: Path) -> None:
    if MARKETS < 100 and FAMILIES.index(family) % len(DATA) != DATA.index(file):
        pytest.skip("make parity runs every family on every file")
    frame = polars.read_csv(file)
    columns = ("open", "high", "low", "close", "volume")
    bars = list(frame.select([polars.col(name).cast(polars.Float64) for name in columns]).iter_rows())
    plan = replace(family.plan(len(file.stem)), fast=10, slow=30, capital=1_000_000.0)
    _agree(family, plan, bars)


def _agree(family: Family, plan: Plan, bars: list[Bar]) -> None:
    events, portfolio = run(plan, [list(bars)])
    ours = Outcome(of_events(as_reference(events)), portfolio.final_equity)
    expected = Reference(plan, [bars], range(len(bars))).run()
    _same(ours, Outcome(of_events(expected.events), expected.equity[-1]))
    theirs = family.peer(plan, bars)
    if family.rules == OURS:
        _same(theirs, ours)
        return
    predicted = Reference(plan, [bars], range(len(bars)), family.rules).run()
    _same(theirs, Outcome(of_events(predicted.events), predicted.equity[-1]))


def _same(left: Outcome, right: Outcome) -> None:
    assert [fill[:2] for fill in left.fills] == [fill[:2] for fill in right.fills]
    for place in range(2, len(Fill._fields)):
        values = [float(fill[place]) for fill in right.fills]
        assert [float(fill[place]) for fill in left.fills] == pytest.approx(values, rel=1e-9, abs=1e-12)
    assert left.final_equity == pytest.approx(right.final_equity, rel=1e-9)
