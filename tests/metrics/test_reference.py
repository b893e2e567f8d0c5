"""docs/metrics.md is what the table of metrics says, no more and no less.

Rewrite it after a change with `ADMF_REWRITE_GOLDEN=1 pytest tests/metrics/test_reference.py`, then read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from admf_cli.metrics import METRICS

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"

HEAD = """\
# Metrics

The figures of the performance table, of `--json`, of `summary.json` and of `--fail-if`, in the order in which they
stand there. This page is generated from `admf_cli/metrics/reference.py` and tested against it.

- `E` is the equity: `E[0]` the initial capital, `E[t]` cash plus positions at the close of bar t (1 to n). So a loss
  on the first bar counts.
- `r` are the simple returns of E: `r[t] = E[t] / E[t-1] - 1`, one a bar, n of them.
- `n` is the number of bars of the phase (warm-up excluded), `ppy` the bars a year: from the data's own timeframe and
  calendar, or `data.periods_per_year`; every report names it with its basis.
- `pnl` are the profits of closed trades, net of commissions, matched first in, first out. Open positions count in E,
  not in pnl.
- Fractions are fractions in programs (0.25) and percent on the screen (25.00 %). A deviation or a drawdown no larger
  than the rounding of floats counts as none.
- A figure that is not defined is `null` in JSON and `n/a` on the screen, never a made-up zero; a gate on it fails.

They can be computed anew from any equity curve and list of trades, such as those of a trace:
`admf_cli.metrics.portfolio_metrics`.

| name | title | unit | formula | null when | source |
|---|---|---|---|---|---|
"""


def page() -> str:
    rows = (
        f"| `{name}` | {metric.title} | {metric.unit} | `{metric.formula}` | {metric.undefined} | {metric.source} |\n"
        for name, metric in METRICS.items()
    )
    return HEAD + "".join(rows)


def test_the_page_is_the_table() -> None:
    if os.environ.get("ADMF_REWRITE_GOLDEN"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_what_it_is(name: str) -> None:
    metric = METRICS[name]
    assert metric.unit in {"currency", "fraction", "ratio", "bars", "days", "count", "per year"}
    assert metric.title
    assert metric.formula
    assert metric.source
    assert "|" not in metric.formula  # would break the page's table
