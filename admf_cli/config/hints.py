"""What a user may have meant by a key or a word that the schema does not know. Refuses to know what is allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from admf_cli.config.node import Step, dotted

TRACING_HOME = "tracing belongs under execution.enable_event_tracing and execution.trace_settings"
_TRACING_RULE = "tracing is not set here: orchestration knows nothing of it"
UNKNOWN_KEY = "unknown key"
_LONGEST_COMPARED = 64

# What users of other backtesters, and of earlier drafts of this one, write -> where it lives here.
_HOMES = {
    "portfolio.initial_capital": "cash capital initial_cash init_cash starting_cash start_cash starting_capital "
    "balance account initial_balance equity initial_equity",
    "execution.commission": "commission commissions fee fees cost costs transaction_cost transaction_costs",
    "execution.slippage": "slip slippage_bps",
    "execution.half_spread_bps": "spread spread_bps bid_ask_spread",
    "execution.margin": "leverage margin_requirement",
    "execution.fill_price": "trade_on_close trade_on_open fill_on fills price_type",
    "execution.trace_settings": "trace_config event_tracing_settings",
    "data.timeframe": "interval frequency freq resolution bar_size granularity bar_type tf",
    "data.symbols": "symbol ticker tickers universe assets asset instrument_ids",
    "data.start": "start_date startdate from_date fromdate begin date_from since",
    "data.end": "end_date enddate to_date todate until date_to",
    "data.path": "file filename filepath data_path csv csv_path dataset data_file",
    "data.timezone": "tz time_zone",
    "data.periods_per_year": "trading_days annualization annualisation periods",
    "data.synthetic.seed": "seed random_seed",
    "strategies": "strategy strats signal signals",
    "features": "indicators indicator",
    "risk_profiles": "risk risk_profile risk_management profiles money_management",
    "risk_profiles[].sizing": "size sizer position_size position_sizing stake",
    "risk_profiles[].stop_loss": "stop sl stoploss",
    "risk_profiles[].take_profit": "tp target takeprofit",
    "risk_profiles[].trailing_stop": "trail trailing",
    "workflow.phases": "phase periods walk_forward train_test",
    "workflow.id": "workflow_id run_id run_name",
    "results.dir": "output output_dir results_dir out",
    "instruments.default.lot_size": "lot lots lotsize",
    "instruments.default.tick_size": "tick ticksize",
}
_HOME_OF = {word: home for home, words in _HOMES.items() for word in words.split()}


def near(word: str, known: Sequence[str]) -> str | None:
    """Return "did you mean x?" if one of the known words is close, else None."""
    match = nearest(word, known)
    return f"did you mean {match}?" if match else None


def nearest(word: str, known: Sequence[str], cutoff: float = 0.6) -> str | None:
    """Return the known word that is closest, letter case aside, or None."""
    lowered = {name.lower(): name for name in known}
    close = get_close_matches(word[:_LONGEST_COMPARED].lower(), list(lowered), n=1, cutoff=cutoff)
    return lowered[close[0]] if close else None


def unknown_key(path: Sequence[Step], known: Sequence[str], homes: Sequence[str]) -> tuple[str, str | None]:
    """Return rule and remedy for a key that the schema does not know in its place.

    Args:
        path: of the key.
        known: the keys that may stand there.
        homes: dotted paths of all other places where a key of this name may stand.
    """
    key = str(path[-1])
    if re.fullmatch(r"\d+(?:\.\d+)?", key, re.ASCII) and len(path) > 1:
        return UNKNOWN_KEY, "in braces a comma begins the next key: write numbers without commas"
    if _speaks_of_tracing([str(step).lower() for step in path]):
        if path[0] != "execution":
            return _TRACING_RULE, TRACING_HOME
        close = nearest(key, [name for name in known if "trac" in name], cutoff=0.75)
        return UNKNOWN_KEY, f"did you mean {close}?" if close else TRACING_HOME
    close = nearest(key, known, cutoff=0.75)
    if close:
        return UNKNOWN_KEY, f"did you mean {close}?"
    elsewhere = _elsewhere(key, path, homes)
    if elsewhere:
        return UNKNOWN_KEY, elsewhere
    return UNKNOWN_KEY, near(key, known) or (f"known here: {', '.join(known)}" if known else None)


def way_out(path: str) -> str:
    """Return where it is told what may stand at a dotted path, for faults that have no better remedy."""
    if path.startswith("strategies["):
        return "`admf strategies show TYPE` tells what it takes"
    if path.startswith("features."):
        return "`admf features show TYPE` tells what it takes"
    return "`admf config schema --markdown` tells what may stand there"


def _speaks_of_tracing(words: Sequence[str]) -> bool:
    if words[-1] in ("orchestration", "orchestrator", "sequencer", "coordinator", "event_bus", "events"):
        return True
    return "trac" in words[-1] or words[-1] in ("enable_events", "event_filters", "max_events", "persist_to_disk")


def _elsewhere(key: str, path: Sequence[Step], homes: Sequence[str]) -> str | None:
    word = key.lower().replace("-", "_").replace(" ", "_")
    found = [_HOME_OF[word]] if word in _HOME_OF else list(homes)
    # `rate` has a dozen homes: naming them all helps nobody, so only the least deep are.
    found = sorted({home for home in found if home != dotted(path)}, key=lambda home: (home.count("."), home))
    if not found or len(found) > 6:
        return None
    if found[0].rpartition(".")[0] == dotted(path[:-1]):
        return f"did you mean {found[0].rpartition('.')[2]}?"
    least = found[0].count(".")
    nearby = [home for home in found if home.count(".") == least]
    return f"it belongs under {' or '.join(nearby[:3])}"
