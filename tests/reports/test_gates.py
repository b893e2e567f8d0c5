"""`--fail-if`: what passes, what fails and in which words, what is refused before anything runs."""

from __future__ import annotations

import math
from typing import Any

import pytest

from admf_cli.errors import ConfigError
from admf_cli.metrics import METRICS
from admf_cli.reports.gates import GateOutcome, evaluate, parse_gate
from tests.reports import samples


def judged(expression: str, *phases: Any) -> GateOutcome:
    return evaluate(parse_gate(expression), samples.run(*phases))


def with_sharpe(value: float | None, strategy: str = "trend") -> Any:
    portfolio = samples.portfolio(strategy)
    portfolio.metrics["sharpe_ratio"] = value
    return portfolio


@pytest.mark.parametrize(
    ("relation", "below", "equal", "above"),
    [
        ("<", False, True, True),
        ("<=", False, False, True),
        (">", True, True, False),
        (">=", True, False, False),
        ("==", True, False, True),
        ("!=", False, True, False),
    ],
)
def test_the_run_passes_where_the_expression_is_false(relation: str, below: bool, equal: bool, above: bool) -> None:
    passed = [
        judged(f"sharpe_ratio {relation} 1", samples.phase(with_sharpe(value))).passed for value in (0.5, 1.0, 1.5)
    ]
    assert passed == [below, equal, above]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("sharpe_ratio<1", 1.0),
        ("  sharpe_ratio  <  -1.5e-1 ", -0.15),
        ("sharpe_ratio < .5", 0.5),
        ("sharpe_ratio < +2.", 2.0),
        ("sharpe_ratio < 25%", 0.25),
        ("sharpe_ratio < 25 %", 0.25),
    ],
)
def test_a_number_may_be_written_as_people_write_it(text: str, limit: float) -> None:
    gate = parse_gate(text)
    assert (gate.metric, gate.scope, gate.relation) == ("sharpe_ratio", "", "<")
    assert gate.limit == pytest.approx(limit)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_can_be_a_gate(name: str) -> None:
    assert parse_gate(f"{name} < 0").metric == name


@pytest.mark.parametrize(
    "text",
    ["", "sharpe_ratio", "sharpe_ratio = 1", "sharpe_ratio < ", "< 1", "1 > sharpe_ratio", "sharpe_ratio < nan",
     "sharpe_ratio < inf", "sharpe_ratio < one", "sharpe_ratio < 1 and trades > 2", "sharpe_ratio < 1; import os",
     "sharpe_ratio << 1", "sharpe_ratio < ١", "sharpe_ratio < 0x1"],
)  # fmt: skip
def test_a_malformed_expression_is_refused_with_the_form_it_needs(text: str) -> None:
    with pytest.raises(ConfigError, match=r"must be METRIC < NUMBER .* such as 'sharpe_ratio < 1'"):
        parse_gate(text)


def test_a_number_beyond_floats_is_refused() -> None:
    with pytest.raises(ConfigError, match="too large"):
        parse_gate("sharpe_ratio < 1e999")


@pytest.mark.parametrize(
    ("text", "hint"),
    [("sharp_ratio < 1", "did you mean sharpe_ratio?"), ("Sharpe_Ratio < 1", "did you mean sharpe_ratio?"),
     ("testing.drawdown > 1", "did you mean max_drawdown?"), ("xyzzy < 1", "known: final_equity, total_return")],
)  # fmt: skip
def test_an_unknown_metric_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_gate(text)
    assert hint in str(raised.value)
    assert text in str(raised.value)


def test_one_portfolio_is_enough_to_fail_and_the_line_names_gate_place_and_value() -> None:
    outcome = judged("sharpe_ratio < 1", samples.phase(with_sharpe(1.5, "a"), with_sharpe(0.25, "b")))
    assert not outcome.passed
    assert outcome.message == "gate failed: sharpe_ratio < 1: backtest.portfolio_b_base has sharpe_ratio 0.25"
    assert outcome.values == {"backtest.portfolio_a_base": 1.5, "backtest.portfolio_b_base": 0.25}


def test_a_gate_that_passes_has_no_message() -> None:
    outcome = judged("sharpe_ratio < 1", samples.phase(with_sharpe(1.5)))
    assert outcome.passed
    assert outcome.message == ""


def test_an_undefined_metric_fails_and_is_said_to_be_undefined() -> None:
    outcome = judged("sharpe_ratio < -1e9", samples.phase(with_sharpe(None)))
    assert not outcome.passed
    assert outcome.message.endswith("backtest.portfolio_trend_base has sharpe_ratio undefined")


def test_any_phase_can_fail_a_gate() -> None:
    outcome = judged(
        "sharpe_ratio < 1",
        samples.phase(with_sharpe(2.0), name="training"),
        samples.phase(with_sharpe(0.5), name="testing"),
    )
    assert "testing.portfolio_trend_base has sharpe_ratio 0.5" in outcome.message
    assert "training" not in outcome.message


@pytest.mark.parametrize(
    ("scope", "places"),
    [
        ("testing", ["testing.portfolio_a_base", "testing.portfolio_b_base"]),
        ("portfolio_a_base", ["training.portfolio_a_base", "testing.portfolio_a_base"]),
        ("testing.portfolio_b_base", ["testing.portfolio_b_base"]),
    ],
)
def test_a_scope_is_a_phase_a_portfolio_or_both(scope: str, places: list[str]) -> None:
    def both() -> tuple[Any, Any]:
        return with_sharpe(1.0, "a"), with_sharpe(2.0, "b")

    phases = (samples.phase(*both(), name="training"), samples.phase(*both(), name="testing"))
    assert list(judged(f"{scope}.sharpe_ratio < 0", *phases).values) == places


def test_a_scope_that_names_nothing_fails_and_says_what_there_is() -> None:
    outcome = judged("tesing.sharpe_ratio < 1", samples.phase(with_sharpe(2.0), name="testing"))
    assert not outcome.passed
    assert "no phase or portfolio is named tesing; did you mean testing?" in outcome.message
    assert (
        "there are testing, portfolio_trend_base"
        in judged("xyzzy.sharpe_ratio < 1", samples.phase(with_sharpe(2.0), name="testing")).message
    )


def test_a_run_without_portfolios_fails_every_gate() -> None:
    outcome = judged("sharpe_ratio < 1", samples.phase())
    assert not outcome.passed
    assert "no portfolio to judge" in outcome.message


def test_the_line_stays_short_however_many_fail() -> None:
    outcome = judged("trades < 99", samples.phase(*(samples.portfolio(f"s{number}") for number in range(50))))
    assert outcome.message.endswith("; and 47 more")  # 50 - 3
    assert len(outcome.values) == 50


def test_digits_are_shown_where_six_would_hide_why_it_failed() -> None:
    outcome = judged("sharpe_ratio < 1", samples.phase(with_sharpe(math.nextafter(1.0, 0.0))))
    assert outcome.message.endswith("has sharpe_ratio 0.9999999999999999")
    assert judged("sharpe_ratio >= 1", samples.phase(with_sharpe(1.0))).message.endswith("has sharpe_ratio 1")


def test_an_expression_without_end_is_not_repeated_without_end() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_gate("a" * 100_000 + " < 1")
    assert len(str(caught.value)) < 400
