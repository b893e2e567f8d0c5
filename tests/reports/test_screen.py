"""What `admf run` prints, compared byte for byte with files that a human has read.

Rewrite them with `ADMF_REWRITE_GOLDEN=1 pytest tests/reports`, then read the difference.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from admf_cli.metrics import METRICS
from admf_cli.reports.screen import print_run
from admf_cli.results import RunResult
from tests.reports import samples

GOLDEN = Path(__file__).parent / "golden"


def printed(result: RunResult, width: int = 80, *, verbose: bool = False, terminal: bool = False) -> str:
    """Return what stands on a screen of a width; a terminal is one that knows no colour."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=terminal, color_system=None, highlight=False, legacy_windows=False
    )
    print_run(result, verbose=verbose, console=console)
    return "".join(line.rstrip() + "\n" for line in re.sub("\x1b\\[[0-9;]*m", "", file.getvalue()).splitlines())


RUNS: dict[str, Callable[[], RunResult]] = {
    "usual": samples.usual,
    "two_phases": samples.two_phases,
    "many_portfolios": samples.many_portfolios,
    "nothing_at_all": samples.nothing_at_all,
}


@pytest.mark.parametrize("verbose", [False, True], ids=["brief", "verbose"])
@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_looks_on_a_terminal_as_it_did(name: str, width: int, verbose: bool) -> None:
    text = printed(RUNS[name](), width, verbose=verbose, terminal=True)
    golden = GOLDEN / f"{name}_{width}{'_verbose' if verbose else ''}.txt"
    if os.environ.get("ADMF_REWRITE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("width", [80, 120])
def test_no_table_is_wider_than_the_terminal(name: str, width: int) -> None:
    rows = [line for line in printed(RUNS[name](), width, terminal=True).splitlines() if "  " in line.strip()]
    assert rows
    # Lines of text are left to the terminal to break; of tables every row must fit.
    assert [row for row in rows if len(row) > width and "→" not in row] == []


def test_every_metric_is_named_and_with_v_every_formula() -> None:
    brief, verbose = printed(samples.usual(), 200), printed(samples.usual(), 200, verbose=True)
    for name, metric in METRICS.items():
        assert metric.title in brief
        assert name in verbose
        assert metric.formula in verbose
        assert metric.formula not in brief


def test_portfolios_that_fit_stand_side_by_side_and_others_in_rows() -> None:
    two = samples.run(samples.phase(samples.portfolio("a"), samples.portfolio("b")))
    assert re.search(r"metric +a / base +b / base", printed(two))
    assert "Slippage paid" in printed(two)
    many = printed(samples.many_portfolios())
    assert re.search(r"strategy29 / cautious +10,029\.00 +0\.29%", many)  # (10,029 - 10,000) / 10,000
    assert "Slippage paid" not in many
    assert "Slippage paid" in printed(samples.many_portfolios(), verbose=True)


def test_phases_stand_side_by_side() -> None:
    lines = printed(samples.two_phases()).splitlines()
    heading = next(number for number, line in enumerate(lines) if line.startswith("metric"))
    assert lines[heading - 1].split() == ["training", "testing"]


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({}, "no signal; the strategy's rules were never met"),
        ({"signals": 3}, "no signal became an order"),
        ({"signals": 3, "orders": 2}, "no order was filled"),
        ({"signals": 3, "orders": 2, "fills": 1}, "what was opened is still open"),
    ],
)
def test_a_run_without_trades_says_where_the_funnel_ran_dry(counts: dict[str, int], why: str) -> None:
    idle = samples.portfolio(trades=(), counts=samples.NO_COUNTS | counts)
    assert why in printed(samples.run(samples.phase(idle)))


def test_a_phase_without_bars_says_so() -> None:
    assert "there is no bar" in printed(samples.run(samples.phase(samples.portfolio(trades=()), bars=0)))


def test_a_run_with_trades_says_no_such_thing() -> None:
    assert "no trade" not in printed(samples.run(samples.phase(samples.portfolio())))


def test_rejects_are_listed_by_reason_the_commonest_first() -> None:
    assert "1 cancelled; 5 rejected: no_position 4, no_cash 1" in printed(samples.usual())


def test_a_phase_in_which_nobody_traded_has_no_funnel() -> None:
    text = printed(samples.run(samples.phase()))
    assert "4 bars; no portfolio traded in this phase" in text
    assert "metric" not in text


def test_whatever_a_config_says_is_text_and_never_markup_or_an_escape() -> None:
    hostile = samples.portfolio(
        "[red]x[/red]", "\x1b[2J:smile:", holdings=(replace(samples.HOLDING, symbol="[/]\r\u202e"),)
    )
    result = replace(
        samples.run(samples.phase(hostile, warnings=("[bold]w[/bold] \x1b]0;title\x07",), name="[link=x]p")),
        config_name="[red]\x9b31m",
    )
    text = printed(result, 200)
    for shown in ("[red]x[/red] / \\x1b[2J:smile:", "[/]\\x0d\\u202e", "[bold]w[/bold] \\x1b]0;title\\x07",
                  "[link=x]p: SPX", "[red]\\x9b31m  (wf)"):  # fmt: skip
        assert shown in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_a_pipe_gets_whole_rows_without_colour() -> None:
    strategy = "a_strategy_with_a_name_that_is_long_" * 3
    result = samples.run(samples.phase(samples.portfolio(strategy, holdings=(samples.HOLDING,))))
    file = io.StringIO()
    print_run(result, console=Console(file=file, width=80))
    assert "\x1b" not in file.getvalue()
    position = next(line for line in file.getvalue().splitlines() if "SPX" in line and strategy in line)
    assert "697.50" in position


def test_a_narrow_terminal_loses_no_character() -> None:
    strategy = "a_strategy_with_a_name_that_is_long_" * 3
    result = samples.run(samples.phase(samples.portfolio(strategy, holdings=(samples.HOLDING,))))
    for width in (30, 50, 80):
        text = re.sub(r"\s", "", printed(result, width, terminal=True))
        for part in ("1,455.2200", "697.50", "portfolio_trend_base", "10,029.00"):
            assert all(character in text for character in part)
        assert "…" not in text


def test_a_screen_that_knows_only_ascii_gets_only_ascii() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    held = samples.portfolio(holdings=(replace(samples.HOLDING, symbol="ÄÖ"),))
    print_run(samples.run(samples.phase(held)), console=Console(file=file, width=100))
    file.flush()
    assert b"4 bars -> 2 signals" in raw.getvalue()
    assert b"\\xc4\\xd6" in raw.getvalue()


def test_what_to_ask_next_can_be_pasted_into_a_shell() -> None:
    text = printed(replace(samples.usual(), trace_dir="my traces/wf; rm x"))
    assert "admf traces inspect 'my traces/wf; rm x'\n" in text
    assert "admf traces explain 'my traces/wf; rm x' last-fill\n" in text
    assert "admf traces why-not 'my traces/wf; rm x' --at 2000-01-06\n" in text


def test_nothing_is_suggested_that_has_no_answer() -> None:
    idle = samples.run(samples.phase(samples.portfolio(trades=())))
    assert "last-fill" not in printed(idle)
    assert "why-not" not in printed(idle)
    assert "admf traces" not in printed(samples.nothing_at_all())
    assert "tracing is off" in printed(samples.nothing_at_all())


def test_traces_in_memory_are_said_to_be_there() -> None:
    kept = samples.run(samples.phase(samples.portfolio()), trace_dir=None)
    assert "kept in memory" in printed(kept)


def test_of_many_traces_those_that_need_a_look_are_listed() -> None:
    result = samples.many_portfolios()
    first, *others = result.phases[0].traces
    bad = replace(result, phases=(replace(result.phases[0], traces=(replace(first, dropped=7), *others)),))
    text = printed(bad)
    assert "33 traces: 39,600 events kept, 7 dropped (1 listed here, -v lists each)" in text  # 33 * 1,200
    assert "max_events: null" in text
    assert printed(bad, verbose=True).count("portfolio_strategy") == 30
