"""The next-event engine gives the events of the plain bar-by-bar loop, on generated markets, orders and costs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.engine.conversion import as_reference, run
from tests.engine.plans import Case, cases
from tests.engine.reference import Reference


@settings(deadline=None)
@given(case=cases())
def test_the_engine_equals_the_reference_event_for_event(case: Case) -> None:
    expected = Reference(case.plan, case.market, case.days, hours=case.hours).run()
    events, portfolio = run(*case)
    found = as_reference(events)
    assert len(found) == len(expected.events)
    for mine, theirs in zip(found, expected.events, strict=True):
        assert [part for part in mine if not isinstance(part, float)] == [
            part for part in theirs if not isinstance(part, float)
        ]
        numbers = [part for part in mine if isinstance(part, float)]
        assert numbers == pytest.approx([part for part in theirs if isinstance(part, float)], rel=1e-11)
    assert portfolio.equity.tolist() == pytest.approx(expected.equity, rel=1e-11)
    assert portfolio.final_equity == portfolio.equity[-1]
