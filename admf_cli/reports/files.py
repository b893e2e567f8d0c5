"""A run as files: summary.json, and for each portfolio its own, trades.csv and equity.csv. Computes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from admf_cli.errors import StorageError
from admf_cli.new_file import write_new_file
from admf_cli.reports.columns import equity_csv, trades_csv
from admf_cli.reports.document import summary
from admf_cli.results import RunResult


def write_results(result: RunResult, directory: Path) -> None:
    """Write everything below a directory of the run's own; each file appears whole or not at all.

    The run's summary.json comes last: whoever finds it finds all the rest.

    Raises:
        StorageError: a file exists already or cannot be written, or a name would lead out of the directory.
    """
    whole = summary(result)
    for phase, phase_summary in zip(result.phases, whole["phases"], strict=True):
        for portfolio, figures in zip(phase.portfolios, phase_summary["portfolios"], strict=True):
            place = directory / _part(phase.name) / _part(portfolio.portfolio_id)
            write_new_file(place / "trades.csv", trades_csv(portfolio.trades))
            write_new_file(place / "equity.csv", equity_csv(portfolio))
            write_new_file(place / "summary.json", [_json(_of_portfolio(whole, phase_summary, figures))])
    write_new_file(directory / "summary.json", [_json(whole)])


def _of_portfolio(whole: dict[str, Any], phase: dict[str, Any], figures: dict[str, Any]) -> dict[str, Any]:
    """Return one portfolio's figures with what is needed to read them alone."""
    head = {key: value for key, value in whole.items() if key not in ("phases", "warnings")}
    market = {key: value for key, value in phase.items() if key not in ("portfolios", "funnel")}
    return {**head, "phase": market, "portfolio": figures}


def _json(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _part(name: str) -> str:
    """Return a name that is one part of a path; configurations are checked for it, other callers may not be."""
    if name in ("", ".", "..") or any(character in name for character in "/\\\0"):
        raise StorageError(f"{name!r} cannot be the name of a directory: results are written below their own only")
    return name
