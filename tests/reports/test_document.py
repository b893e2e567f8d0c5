"""The JSON document: valid by its published schema, null where undefined, and free of what is not the result."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest
from msgspec.structs import replace

from admf_cli import run_backtest
from admf_cli.metrics import METRICS
from admf_cli.reports.document import document, summary
from admf_cli.reports.gates import evaluate, parse_gate
from admf_cli.results import RunResult
from tests.reports import samples

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "run-document.schema.json").read_text(encoding="utf-8"))


def validated(found: dict[str, Any]) -> dict[str, Any]:
    """Return a document as a program reads it, once the schema holds."""
    read: dict[str, Any] = json.loads(orjson.dumps(found))
    jsonschema.validate(read, SCHEMA, cls=jsonschema.Draft202012Validator)
    return read


@pytest.mark.parametrize(
    "result",
    [
        samples.usual(),
        samples.two_phases(),
        samples.many_portfolios(),
        samples.nothing_at_all(),
        samples.run(samples.phase(data_sha256=None)),
        samples.run(),
    ],
    ids=["usual", "two phases", "many portfolios", "nothing at all", "no portfolio", "no phase"],
)
def test_every_kind_of_run_is_valid_by_the_schema(result: RunResult) -> None:
    gates = [evaluate(parse_gate("sharpe_ratio < 1"), result), evaluate(parse_gate("profit_factor < 1"), result)]
    validated(document(result, gates))


def test_a_real_run_is_valid_by_the_schema() -> None:
    result = run_backtest(
        {
            "data": {"source": "synthetic", "symbols": ["A", "B"], "synthetic": {"bars": 120, "seed": 7}},
            "strategies": [{"name": "x", "type": "sma_crossover", "params": {"fast": 3, "slow": 8}}],
            "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 10}}],
            "execution": {"trace_settings": {"persist_to_disk": False}},
            "results": {"write": False},
        }
    )
    read = validated(document(result))
    assert [trace["container_id"] for trace in read["phases"][0]["traces"]]
    assert read["phases"][0]["portfolios"][0]["funnel"]["fills"] > 0


def test_the_schema_knows_each_metric_and_nothing_else() -> None:
    metrics = SCHEMA["$defs"]["metrics"]
    assert list(metrics["properties"]) == list(METRICS) == metrics["required"]
    for name, metric in METRICS.items():
        assert metrics["properties"][name]["description"] == f"{metric.title} ({metric.unit})"


def test_the_schema_notices_a_key_that_is_missing_or_unknown() -> None:
    good = document(samples.usual())
    for broken in (good | {"trace": 1}, {key: value for key, value in good.items() if key != "status"}):
        with pytest.raises(jsonschema.ValidationError):
            validated(broken)


def test_the_figures_are_those_of_the_run() -> None:
    read = validated(document(samples.usual()))
    assert read["workflow_id"] == "wf"
    assert read["config"] == {"name": "demo", "sha256": "cd" * 32}
    assert (read["trace_dir"], read["results_dir"]) == ("traces/wf", "results/wf")
    phase = read["phases"][0]
    assert (phase["start"], phase["end"]) == ("2000-01-03T00:00:00Z", "2000-01-06T00:00:00Z")
    assert phase["traces"][0] == {
        "container_id": "data", "container_type": "data", "path": "traces/wf/backtest/data.jsonl", "status": "complete",
        "published": 3200, "written": 1200, "filtered": 0, "dropped": 2000, "bytes": 345678,
    }  # fmt: skip
    portfolio = phase["portfolios"][0]
    assert portfolio["id"] == "portfolio_trend_base"
    assert portfolio["equity"] == 10029.0
    assert portfolio["positions"][0]["quantity"] == -12.5
    assert portfolio["metrics"]["trades"] == 1
    assert portfolio["metrics"]["profit_factor"] is None
    assert portfolio["funnel"] == {
        "bars": 4, "signals": 9, "orders": 4, "fills": 3, "trades": 1, "cancelled": 1, "expired": 0, "rejected": 5,
        "rejects": {"no_position": 4, "no_cash": 1},
    }  # fmt: skip


def test_the_funnel_of_a_phase_adds_up_its_portfolios() -> None:
    one = samples.portfolio("a", rejects={"no_cash": 1, "cooldown": 2})
    two = samples.portfolio("b", rejects={"no_cash": 4})
    funnel = document(samples.run(samples.phase(one, two)))["phases"][0]["funnel"]
    assert funnel["signals"] == 4  # 2 + 2
    assert list(funnel["rejects"].items()) == [("no_cash", 5), ("cooldown", 2)]


def test_where_nobody_counted_the_funnel_is_null_and_not_zero() -> None:
    funnel = document(samples.run(samples.phase()))["phases"][0]["funnel"]
    assert funnel["bars"] == 4
    assert funnel["signals"] is funnel["trades"] is None


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_no_number_is_not_a_number(odd: float) -> None:
    portfolio = samples.portfolio(
        final_cash=odd,
        final_equity=odd,
        holdings=(replace(samples.HOLDING, last_price=odd, unrealized_pnl=odd),),
        metrics=dict.fromkeys(METRICS, odd) | {"trades": 0, "max_drawdown_duration": None},
    )
    found = document(samples.run(samples.phase(portfolio, periods_per_year=odd)))
    text = json.dumps(found, allow_nan=False)  # raises on any of them
    assert '"cash": null, "equity": null' in text
    validated(found)


def test_a_summary_says_the_same_whether_traced_or_not() -> None:
    traced = samples.usual()
    untraced = replace(
        traced,
        trace_dir=None,
        results_dir="elsewhere",
        phases=tuple(replace(each, traces=()) for each in traced.phases),
    )
    assert summary(traced) == summary(untraced)
    whole, short = document(traced), summary(traced)
    assert set(whole) - set(short) == {"trace_dir", "results_dir", "gates"}
    assert set(whole["phases"][0]) - set(short["phases"][0]) == {"traces"}
